//! Endpoints: defined, switched, removed.

use std::time::Duration;

use payonce_core::{
    delivery::{EndpointState, EndpointUrl, Filter, Next, Schedule, Sealed, Settings},
    store::{
        Position,
        delivery::{Start, Switch},
    },
};

use super::tell;
use crate::{
    Fixture,
    desk::Desk,
    post::{HOUR, LATER, Post, endpoint, name, positions},
};

/// Every value comes back as it was; a name stands for one endpoint, whose state no new definition changes.
pub async fn an_endpoint_is_read_as_it_was_defined(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let post = Post::at(&*store);
    let plain = endpoint(&["*"], false);
    let mut hostile = endpoint(&["';DROP_TABLE_endpoint;--*", "payment.*", "%_\\\"?:x$1"], true);
    let long = format!("http://[::1]:8080/'%_?{}", "~".repeat(2000));
    hostile.url = EndpointUrl::parse(&long).expect("an address");
    hostile.sealed = Sealed((0..=255).cycle().take(70_000).collect());
    hostile.settings = Settings {
        concurrency: u16::MAX,
        rate_per_second: Some(u32::MAX),
        schedule: Schedule::parse(&[1, 604_800]).expect("a schedule"),
        is_configured: true,
        ..Settings::default()
    };
    let other = post.put("b", &plain, Start::Now).await;
    let id = post.put("a", &hostile, Start::Now).await;
    assert_ne!(id, other);
    let all = store.deliveries().endpoints().await.expect("the store reads");
    assert_eq!(all.iter().map(|view| view.id).collect::<Vec<_>>(), [id, other], "by name");
    assert_eq!((&all[0].name, &all[0].endpoint), (&name("a"), &hostile));
    assert_eq!((all[0].state, all[0].failing_since), (EndpointState::Enabled, None));

    assert!(store.deliveries().switch_endpoint(id, Switch::Disable).await.expect("the store switches"));
    let before = post.view(id).await;
    let empty = Sealed(Vec::new());
    let changed = payonce_core::delivery::Endpoint { filter: Filter::all(), sealed: empty, ..plain.clone() };
    for _ in 0..2 {
        assert_eq!(post.put("a", &changed, Start::After(Position(0))).await, id);
        let view = post.view(id).await;
        assert_eq!(view.endpoint, changed);
        assert_eq!((view.state, view.state_since), (EndpointState::Disabled, before.state_since));
    }
    assert_eq!(post.view(other).await.endpoint, plain);
}

/// A new endpoint begins where it is told to, and not beyond what there is.
pub async fn a_new_endpoint_begins_where_it_is_told_to(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let first = post.put("first", &endpoint(&["*"], false), Start::Now).await;
    assert_eq!(post.view(first).await.fanned_out, Position(0));
    tell(&desk, 0..5).await;
    for (at, (start, expected)) in [
        (Start::Now, 5),
        (Start::After(Position(0)), 0),
        (Start::After(Position(3)), 3),
        (Start::After(Position(-7)), 0),
        (Start::After(Position(i64::MAX)), 5),
    ]
    .into_iter()
    .enumerate()
    {
        let id = post.put(&format!("e{at}"), &endpoint(&["*"], false), start).await;
        assert_eq!(post.view(id).await.fanned_out, Position(expected), "{start:?}");
        post.fan_out().await;
        assert_eq!(post.deliver("a", id).await, (expected + 1..=5).collect::<Vec<_>>(), "{start:?}");
    }
    assert_eq!(post.deliver("a", first).await, [1, 2, 3, 4, 5]);
}

/// Switching says whether anything changed; enabled is enabled, by whatever it was disabled.
pub async fn switching_tells_whether_anything_changed(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    let switch = async |switch| store.deliveries().switch_endpoint(id, switch).await.expect("it switches");
    let failing = |for_at_least| Switch::DisableFailing { for_at_least };
    for (to, changes, state) in [
        (Switch::Enable, false, EndpointState::Enabled),
        (failing(Duration::ZERO), false, EndpointState::Enabled),
        (Switch::Disable, true, EndpointState::Disabled),
        (Switch::Disable, false, EndpointState::Disabled),
        (failing(Duration::ZERO), false, EndpointState::Disabled),
        (Switch::Enable, true, EndpointState::Enabled),
    ] {
        assert_eq!((switch(to).await, post.view(id).await.state), (changes, state), "{to:?}");
    }
    tell(&desk, 0..1).await;
    post.fan_out().await;
    let due = post.take("a", id, 1).await;
    assert_eq!(post.settle("a", &due, LATER).await, [0_i64; 0]);
    for (to, changes, state) in [
        (failing(HOUR), false, EndpointState::Enabled),
        (failing(Duration::ZERO), true, EndpointState::Failing),
        (failing(Duration::ZERO), false, EndpointState::Failing),
        (Switch::Disable, true, EndpointState::Disabled),
        (Switch::Enable, true, EndpointState::Enabled),
        (failing(Duration::ZERO), false, EndpointState::Enabled),
    ] {
        assert_eq!((switch(to).await, post.view(id).await.state), (changes, state), "{to:?}");
    }
    let nobody = payonce_core::delivery::EndpointId(id.0 + 1);
    assert!(!store.deliveries().switch_endpoint(nobody, Switch::Disable).await.expect("it switches"));
}

/// What is removed gets nothing more and is not found, also under a number of its own later; what was under way is settled.
pub async fn a_removed_endpoint_is_gone_for_good(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let kept = post.endpoint("kept", &["*"], false).await;
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..5).await;
    post.fan_out().await;
    let under_way = post.take("a", id, 2).await;
    assert_eq!(positions(&under_way), [1, 2]);
    let steps = {
        tell(&desk, 5..6).await;
        post.steps().await
    };

    let deliveries = store.deliveries();
    for there in [true, false] {
        assert_eq!(deliveries.remove_endpoint(id).await.expect("the store removes"), there);
    }
    assert_eq!(post.backlog(id).await, None);
    assert_eq!(deliveries.fan_out(&steps).await.expect("the store fans out"), [kept]);
    assert_eq!(post.take("a", id, 9).await, []);
    for switch in [Switch::Enable, Switch::Disable] {
        assert!(!deliveries.switch_endpoint(id, switch).await.expect("the store switches"));
    }
    // A call that was made is told of, and what was not made is nobody's.
    assert_eq!(post.settle("a", &under_way[..1], Next::Delivered).await, [0_i64; 0]);
    assert_eq!(post.attempts(id, 1).await.len(), 1);

    let again = post.put("a", &endpoint(&["*"], false), Start::Now).await;
    assert_ne!(again, id);
    assert_eq!(post.take("a", again, 9).await, []);

    // What was due to it goes, a few at a time, and nobody else's.
    let mut gone = 0;
    for _ in 0..5 {
        let pruned = deliveries.prune_deliveries(HOUR, 2).await.expect("the store prunes");
        assert!(pruned <= 2, "{pruned} at once");
        gone += pruned;
    }
    assert_eq!((gone, post.pending(id).await), (4, vec![]));
    assert_eq!(post.settle("a", &under_way[1..], Next::Delivered).await, [2], "it is there no longer");
    assert_eq!(post.deliver("a", kept).await, [1, 2, 3, 4, 5, 6]);
}
