//! A node's presence against a table of leases that is played, in tokio's time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{Lease, LeaseView, Leases, Owner, Role, Unavailability},
};
use tokio::time::{Instant, advance};

use super::{Absence, Presence};

const TTL: Duration = Lease::TTL;
/// As long as a node counts itself as seen after a heartbeat.
const SEEN: Duration = Duration::from_secs(12);
const SECOND: Duration = Duration::from_secs(1);

/// Roles with their holders and ends.
#[derive(Default)]
struct Table(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    leases: BTreeMap<Role, (Lease, Instant)>,
    away: bool,
    /// How long the database takes to answer.
    answers_after: Duration,
    /// How often a node's lease was written.
    written: usize,
}

impl Table {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap()
    }

    async fn take(&self, role: Role, owner: &str, ttl: Duration) {
        assert!(self.lease(&role, &Owner(owner.to_owned()), ttl).await.unwrap().is_some());
    }

    /// Whether a node is there for whoever looks.
    async fn shows_a_node(&self) -> bool {
        self.leases().await.unwrap().iter().any(|view| view.lease.role.is_node() && !view.left.is_zero())
    }

    /// Waits as long as an answer takes.
    async fn answer(&self) {
        let after = self.rows().answers_after;
        let _ = tokio::time::timeout(after, std::future::pending::<()>()).await;
    }

    fn available(&self) -> Result<MutexGuard<'_, Rows>, StoreError> {
        let rows = self.rows();
        if rows.away {
            let reason = Unavailability::Unreachable;
            return Err(StoreError::Unavailable { reason, source: "told so by a test".into() });
        }
        Ok(rows)
    }
}

#[async_trait]
impl Leases for Table {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        self.answer().await;
        let (mut rows, now) = (self.available()?, Instant::now());
        rows.written += usize::from(role.is_node());
        let begun = Lease { role: role.clone(), owner: owner.clone(), token: 0 };
        let (lease, until) = rows.leases.entry(role.clone()).or_insert((begun, now));
        if *until <= now {
            (lease.owner, lease.token) = (owner.clone(), lease.token + 1);
        }
        if lease.owner != *owner {
            return Ok(None);
        }
        *until = now + ttl;
        Ok(Some(lease.clone()))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        if let Some((held, until)) = self.available()?.leases.get_mut(&lease.role)
            && held == lease
        {
            *until = Instant::now();
        }
        Ok(())
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        self.answer().await;
        let rows = self.available()?;
        let view = |(lease, until): &(Lease, Instant)| LeaseView {
            lease: lease.clone(),
            left: until.saturating_duration_since(Instant::now()),
        };
        Ok(rows.leases.values().map(view).collect())
    }
}

async fn begin(table: &Table) -> Result<Presence, Absence> {
    Presence::begin(table, Owner("this".to_owned()), TTL).await.unwrap()
}

/// The moved database's mark.
fn moved() -> Absence {
    Absence::Moved { to: "5f3a".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_node_does_not_begin_where_a_copy_is_at_work_or_has_been() {
    let table = Table::default();
    table.take(Role::COPY, "a copy", TTL).await;
    assert_eq!(begin(&table).await.err(), Some(Absence::CopyRuns { left: TTL }));
    advance(TTL).await;
    table.take(Role::MOVED, "5f3a", Lease::FOR_EVER).await;
    assert_eq!(begin(&table).await.err(), Some(moved()));
    assert_eq!(table.rows().written, 0, "a copy does not meet a node that goes away again");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_renews_its_presence_is_seen_and_one_that_cannot_is_not() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    for _ in 0..10 {
        advance(SEEN - SECOND).await;
        node.beat(&table).await.unwrap();
        assert_eq!(node.seen().absence(), None);
    }
    table.rows().away = true;
    advance(SEEN - SECOND).await;
    node.beat(&table).await.unwrap_err();
    assert_eq!(node.seen().absence(), None);
    advance(SECOND).await;
    assert_eq!(node.seen().absence(), Some(Absence::Lapsed { cause: None }), "before its lease is over");
    assert!(node.seen().check().is_err());
    table.rows().away = false;
    assert!(table.shows_a_node().await, "a copy is refused a little longer");
    assert_eq!(node.seen().absence(), Some(Absence::Lapsed { cause: None }), "before it has asked");
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), None);
}

/// A disk that is full stays full: who calls is told so, and not to wait some seconds.
#[tokio::test(start_paused = true)]
async fn why_a_node_is_not_seen_is_kept() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    let full = || StoreError::Unavailable { reason: Unavailability::DiskFull, source: "full".into() };
    node.seen().not_renewed(&full());
    assert_eq!(node.seen().absence(), None, "it was renewed a moment ago");
    advance(SEEN).await;
    assert_eq!(node.seen().absence(), Some(Absence::Lapsed { cause: Some(Unavailability::DiskFull) }));
    let refused = node.seen().check().unwrap_err();
    assert!(
        matches!(refused, StoreError::Unavailable { reason: Unavailability::DiskFull, .. }),
        "{refused:?}"
    );
    node.seen().check_readable().unwrap();
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), None);
    advance(SEEN).await;
    assert_eq!(node.seen().absence(), Some(Absence::Lapsed { cause: None }), "it is over");
}

/// No copy would see it.
#[tokio::test(start_paused = true)]
async fn a_node_whose_lease_another_has_is_not_seen() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    advance(TTL).await;
    table.take(Role::node(&Owner("this".to_owned())), "another", TTL).await;
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), Some(Absence::Lapsed { cause: None }));
    assert_eq!(begin(&table).await.err(), Some(Absence::Lapsed { cause: None }));
    advance(TTL).await;
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), None);
}

/// The node was stopped for as long as a copy took to begin: it leaves the copy alone, and comes back when that is over.
#[tokio::test(start_paused = true)]
async fn a_node_that_lapsed_finds_a_copy_at_work_and_waits_for_its_end() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    advance(TTL).await;
    table.take(Role::COPY, "a copy", TTL).await;
    assert_eq!(node.seen().absence(), Some(Absence::Lapsed { cause: None }));
    let written = table.rows().written;
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), Some(Absence::CopyRuns { left: TTL }));
    node.seen().check_readable().unwrap_err();
    assert_eq!(table.rows().written, written, "the copy sees nobody");
    advance(TTL).await;
    assert!(node.seen().absence().is_some(), "it has not looked again");
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), None);
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_database_was_moved_stays_away_until_it_is_taken_back() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    advance(TTL).await;
    table.take(Role::MOVED, "5f3a", Lease::FOR_EVER).await;
    for _ in 0..3 {
        node.beat(&table).await.unwrap();
        assert_eq!(node.seen().absence(), Some(moved()));
        assert!(!table.shows_a_node().await);
        advance(Duration::from_secs(24 * 60 * 60)).await;
    }
    table.take(Role::MOVED, "5f3a", Duration::ZERO).await;
    assert_eq!(node.seen().absence(), Some(moved()), "it has not looked again");
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), None);
}

/// Somebody copies from a database that is in use: the copy sees that, and the node goes on.
#[tokio::test(start_paused = true)]
async fn a_copy_that_is_begun_while_a_node_is_seen_does_not_stop_it() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    table.take(Role::COPY, "a copy", TTL).await;
    assert!(table.shows_a_node().await);
    advance(SEEN - SECOND).await;
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), None);
    assert!(table.shows_a_node().await);
}

/// Our clock stood still, or the database's went on by more than the margin: its token tells that the lease was over.
#[tokio::test(start_paused = true)]
async fn a_lease_that_was_over_by_the_databases_time_alone_is_noticed() {
    for role in [Role::COPY, Role::MOVED] {
        let table = Table::default();
        let mut node = begin(&table).await.ok().unwrap();
        for (_, until) in table.rows().leases.values_mut() {
            *until = Instant::now();
        }
        table.take(role.clone(), "5f3a", Lease::FOR_EVER).await;
        assert_eq!(node.seen().absence(), None);
        node.beat(&table).await.unwrap();
        assert!(node.seen().absence().is_some(), "{role:?}");
        assert!(!table.shows_a_node().await, "{role:?}");
    }
}

/// The mark counts in any case: rows of leases are forgotten after a day, and tokens begin anew.
#[tokio::test(start_paused = true)]
async fn a_mark_counts_although_the_presence_seems_to_have_been_kept() {
    let table = Table::default();
    let mut node = begin(&table).await.ok().unwrap();
    table.take(Role::MOVED, "5f3a", Lease::FOR_EVER).await;
    node.beat(&table).await.unwrap();
    assert_eq!(node.seen().absence(), Some(moved()));
}

#[tokio::test(start_paused = true)]
async fn a_node_is_present_as_long_as_it_works_and_no_longer() {
    let table = Table::default();
    let node = begin(&table).await.ok().unwrap();
    let seen = node.seen();
    let work = async {
        for _ in 0..100 {
            // In steps, between which the node may renew it.
            let _ = tokio::time::timeout(SECOND, std::future::pending::<()>()).await;
            assert_eq!(seen.absence(), None);
            assert!(table.shows_a_node().await);
        }
    };
    node.keep_during(&table, work).await;
    assert!(!table.shows_a_node().await);
}

/// Each heartbeat takes five seconds. One that began only five seconds after the last had ended would come too late.
#[tokio::test(start_paused = true)]
async fn a_node_whose_database_answers_late_stays_seen() {
    let table = Table::default();
    let node = begin(&table).await.ok().unwrap();
    table.rows().answers_after = SECOND * 5 / 2;
    let seen = node.seen();
    let work = async {
        for _ in 0..100 {
            let _ = tokio::time::timeout(SECOND, std::future::pending::<()>()).await;
            assert_eq!(seen.absence(), None);
        }
    };
    node.keep_during(&table, work).await;
}
