//! Leases: one holder at a time, in the database's own time, and a token that tells an old holder from a new one.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use payonce_core::{
    Fact, Store, StoreError,
    store::{Lease, Owner, Position, Role},
};
use tokio::task::JoinSet;

use crate::{Fixture, desk::Desk, facts::passed};

const HOUR: Duration = Duration::from_secs(3600);

fn owner(name: &str) -> Owner {
    Owner(name.to_owned())
}

async fn take(store: &dyn Store, role: &Role, name: &str, ttl: Duration) -> Option<Lease> {
    store.lease(role, &owner(name), ttl).await.expect("the store leases")
}

/// While one holds a role, no other gets it; the holder prolongs it under the same token. Roles are independent.
pub async fn a_lease_has_one_holder(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let first = take(&*store, &Role::KEEPER, "a", HOUR).await.expect("it is free");
    assert_eq!((&first.role, &first.owner), (&Role::KEEPER, &owner("a")));
    assert_eq!(take(&*store, &Role::KEEPER, "b", HOUR).await, None);
    assert_eq!(take(&*store, &Role::KEEPER, "a", HOUR).await, Some(first));
    assert_eq!(take(&*store, &Role::KEEPER, "b", HOUR).await, None);
    assert!(take(&*store, &Role::SEQUENCER, "b", HOUR).await.is_some());
}

/// A holder whose time is over is followed by whoever asks, under a greater token.
pub async fn a_lease_that_is_over_goes_to_the_next(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let first = take(&*store, &Role::KEEPER, "a", Duration::ZERO).await.expect("it is free");
    let second = take(&*store, &Role::KEEPER, "b", HOUR).await.expect("a's time is over");
    assert!(second.token > first.token);
    assert_eq!(take(&*store, &Role::KEEPER, "a", HOUR).await, None);
    // The old holder gives back what is no longer its own.
    store.release(&first).await.expect("the store releases");
    assert_eq!(take(&*store, &Role::KEEPER, "a", HOUR).await, None);
    // Whoever prolongs it for no time ends it.
    take(&*store, &Role::KEEPER, "b", Duration::ZERO).await.expect("it is b's");
    let third = take(&*store, &Role::KEEPER, "a", HOUR).await.expect("b's time is over");
    assert!(third.token > second.token);
    // One's own that was over is a new one: another may have held the role meanwhile.
    take(&*store, &Role::KEEPER, "a", Duration::ZERO).await.expect("it is a's");
    let fourth = take(&*store, &Role::KEEPER, "a", HOUR).await.expect("it is free");
    assert!(fourth.token > third.token);
}

/// Given back, it is free at once; giving back twice changes nothing.
pub async fn a_lease_that_is_given_back_is_free(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let first = take(&*store, &Role::COPY, "a", HOUR).await.expect("it is free");
    store.release(&first).await.expect("the store releases");
    let second = take(&*store, &Role::COPY, "b", HOUR).await.expect("it was given back");
    store.release(&first).await.expect("the store releases");
    assert_eq!(take(&*store, &Role::COPY, "c", HOUR).await, None);
    store.release(&second).await.expect("the store releases");
    let again = take(&*store, &Role::COPY, "a", HOUR).await.expect("it was given back");
    assert!(first.token < second.token && second.token < again.token);
}

/// What is taken for ever is not free, is prolonged by its holder alone, and ends when it is given back: so a database is
/// marked as moved.
pub async fn a_lease_may_last_for_ever(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let mark = take(&*store, &Role::MOVED, "a", Lease::FOR_EVER).await.expect("it is free");
    assert_eq!(take(&*store, &Role::MOVED, "b", Lease::FOR_EVER).await, None);
    assert_eq!(take(&*store, &Role::MOVED, "a", Lease::FOR_EVER).await.as_ref(), Some(&mark));
    let views = store.leases().await.expect("the store reads");
    let [view] = &views[..] else { panic!("{views:?}") };
    assert_eq!(view.lease, mark);
    assert!(view.left > Lease::FOR_EVER / 2 && view.left <= Lease::FOR_EVER, "{:?}", view.left);
    store.release(&mark).await.expect("the store releases");
    let views = store.leases().await.expect("the store reads");
    assert!(views.iter().all(|view| view.left.is_zero()), "{views:?}");
}

/// Many nodes ask for a role that nobody ever had, and for one that is over: one gets it.
pub async fn of_many_who_ask_at_once_one_gets_it(fixture: &dyn Fixture) {
    const NODES: usize = 8;
    let store: Arc<dyn Store> = Arc::from(fixture.open().await);
    for before in [None, Some("z")] {
        let role = Role::named(format!("role after {before:?}"));
        if let Some(before) = before {
            take(&*store, &role, before, Duration::ZERO).await.expect("it is free");
        }
        let mut nodes = JoinSet::new();
        for node in 0..NODES {
            let (store, role) = (Arc::clone(&store), role.clone());
            nodes.spawn(async move { take(&*store, &role, &format!("node {node}"), HOUR).await });
        }
        let got: Vec<Lease> = nodes.join_all().await.into_iter().flatten().collect();
        assert_eq!(got.len(), 1, "{got:?}");
    }
}

/// All leases can be seen, with the time that is left to them.
pub async fn nodes_and_roles_are_listed(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.leases().await.expect("the store reads"), []);
    let nodes = [Role::node(&owner("a")), Role::node(&owner("b"))];
    take(&*store, &nodes[0], "a", HOUR).await.expect("it is free");
    take(&*store, &nodes[1], "b", Duration::ZERO).await.expect("it is free");
    take(&*store, &Role::KEEPER, "a", HOUR).await.expect("it is free");
    let views = store.leases().await.expect("the store reads");
    let roles: BTreeSet<_> = views.iter().map(|view| view.lease.role.as_str().to_owned()).collect();
    assert_eq!(roles, ["keeper", "node/a", "node/b"].map(str::to_owned).into());
    for view in views {
        assert_eq!(view.lease.role.is_node(), view.lease.role != Role::KEEPER);
        let over = view.lease.owner == owner("b");
        assert_eq!(view.left, if over { Duration::ZERO } else { view.left.clamp(HOUR / 2, HOUR) });
    }
}

/// Whoever lost the sequencer's lease, and does not know it, gives no more positions.
pub async fn positions_are_given_to_the_holder_alone(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    if !store.needs_sequencer() {
        eprintln!("not run: this store's messages have their position from the start");
        return;
    }
    let desk = Desk::at(&*store);
    desk.apply(Fact::Other(passed("N1"))).await;
    let read = || store.messages_after(Position(0), 9);
    assert_eq!(read().await.expect("the store reads"), [], "nobody gave it a position");

    let old = take(&*store, &Role::SEQUENCER, "a", Duration::ZERO).await.expect("it is free");
    let new = take(&*store, &Role::SEQUENCER, "b", HOUR).await.expect("a's time is over");
    let refused = store.sequence(&old, 9).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    assert_eq!(read().await.expect("the store reads"), []);
    assert_eq!(store.sequence(&new, 9).await.expect("b holds it"), 1);
    assert_eq!(store.sequence(&new, 9).await.expect("b holds it"), 0);
    let first = read().await.expect("the store reads");
    assert_eq!(first.len(), 1);

    desk.apply_all(&["N2", "N3"].map(|id| Fact::Other(passed(id)))).await;
    desk.apply(Fact::Other(passed("N4"))).await;
    store.release(&new).await.expect("the store releases");
    let refused = store.sequence(&new, 9).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    let newest = take(&*store, &Role::SEQUENCER, "c", HOUR).await.expect("it was given back");
    assert_eq!(store.sequence(&newest, 1).await.expect("c holds it"), 2, "a transaction is whole");
    assert_eq!(store.sequence(&newest, 1).await.expect("c holds it"), 1);
    let all = read().await.expect("the store reads");
    let ids: Vec<_> = all.iter().map(|message| message.id.0.rsplit(':').next().unwrap_or_default()).collect();
    assert_eq!(ids, ["N1", "N2", "N3", "N4"]);
    assert_eq!(all[..1], first);
}
