//! What is promised of the way to an endpoint, on real databases and in real time: pauses are short here, and where one is
//! not, the database's own times are moved instead.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use payonce_core::{
    Clock, Fact, Store, SystemClock, UnixMillis,
    delivery::{EndpointId, Filter, Sealed},
    store::delivery::{DeliveryState, Replay, Switch},
};
use payonce_store_conformance::{
    MemoryStore,
    facts::{paid, paid_amount, passed, registered},
};
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use payonce_test_servers::{Database, postgres, postgres::PostgresEngine, require};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::post_office::{DOWN, Does, OK, PostOffice, Receiver, schedule};

/// How long what must come may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

const HOUR_MS: i64 = 3_600_000;

/// A database, and an office on it.
struct Place {
    office: PostOffice<Arc<dyn Store>>,
    kept: Kept,
}

enum Kept {
    Memory(Late),
    File(TempDir),
    Postgres(Database<PostgresEngine>),
}

/// A clock that goes on by as much as it is told, beside time.
#[derive(Clone, Default)]
struct Late(Arc<AtomicI64>);

impl Clock for Late {
    fn now(&self) -> UnixMillis {
        UnixMillis(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

impl Place {
    async fn memory() -> Option<Self> {
        let clock = Late::default();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Some(Self { office: PostOffice::on(Arc::new(store) as Arc<dyn Store>), kept: Kept::Memory(clock) })
    }

    async fn sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = payonce_store_sqlite::Options::new(folder.path().join("office.db"));
        let store = SqliteStore::open(&options).expect("a database that opens");
        Some(Self { office: PostOffice::on(Arc::new(store) as Arc<dyn Store>), kept: Kept::File(folder) })
    }

    /// `None`, with a word on standard error, where it is not installed.
    async fn postgres() -> Option<Self> {
        let database = require(postgres::shared())?.create_database().expect("a fresh database");
        let mut options = payonce_store_postgres::Options::new(&database.url()).expect("a URL");
        options.connections_max = 8;
        let store = PostgresStore::open(&options).await.expect("a database that opens");
        Some(Self {
            office: PostOffice::on(Arc::new(store) as Arc<dyn Store>),
            kept: Kept::Postgres(database),
        })
    }

    /// As far as deliveries are concerned.
    fn an_hour_passes(&self) {
        let earlier = |table: &str| format!("UPDATE {table} SET due_at = due_at - {HOUR_MS}");
        match &self.kept {
            Kept::Memory(clock) => drop(clock.0.fetch_add(HOUR_MS, Ordering::SeqCst)),
            Kept::File(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("office.db")).expect("it opens");
                file.busy_timeout(PATIENCE).expect("it waits");
                file.execute_batch(&earlier("delivery")).expect("it writes");
            }
            Kept::Postgres(database) => {
                drop(database.execute(&earlier("payonce.delivery")).expect("it writes"));
            }
        }
    }

    /// Transactions that were begun two seconds ago and are still open. Where there is one writer, others wait for them.
    fn transactions_that_last(&self) -> String {
        const OLD: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                           AND xact_start < clock_timestamp() - interval '2 seconds'";
        match &self.kept {
            Kept::Postgres(database) => database.execute(OLD).expect("it reads").trim().to_owned(),
            Kept::Memory(_) | Kept::File(_) => "0".to_owned(),
        }
    }

    /// Waits until nothing is left to be delivered to an endpoint, or listed.
    async fn is_done(&self, id: EndpointId, messages: i64) {
        let done = timeout(PATIENCE, self.office.is_done(id, messages)).await;
        assert!(done.is_ok(), "{:?} are left", self.office.rows(id, DeliveryState::Pending).await);
    }
}

async fn heard(receiver: &Receiver, calls: usize) {
    let heard = timeout(PATIENCE, receiver.heard(calls)).await;
    assert!(heard.is_ok(), "{} of {calls} calls", receiver.calls().len());
}

fn notifications(range: std::ops::Range<usize>) -> impl Iterator<Item = Fact> {
    range.map(|i| Fact::Other(passed(&format!("N{i}"))))
}

/// How often each message came.
fn copies(receiver: &Receiver) -> BTreeMap<String, usize> {
    receiver.ids().into_iter().fold(BTreeMap::new(), |mut copies, id| {
        *copies.entry(id).or_default() += 1;
        copies
    })
}

fn of_order(order: &str, sequence: u32) -> String {
    format!("order:1900000001:{order}:{sequence}")
}

async fn a_failing_message_holds_its_order_alone(place: &Place) {
    let office = &place.office;
    let pauses = [1; 50];
    let id = office.put("ordered", |e| (e.ordered, e.settings.schedule) = (true, schedule(&pauses))).await;
    let receiver = office.receiver("ordered");
    receiver.does_to(&of_order("ORDERA", 1), DOWN);
    for order in ["ORDERA", "ORDERB", "ORDERC"] {
        office.tell([registered(order), Fact::Paid(paid(order, &format!("{order}-1")))]).await;
        office.tell([Fact::Paid(paid(order, &format!("{order}-2")))]).await;
        office.tell([Fact::Paid(paid_amount(order, &format!("{order}-3"), 7))]).await;
    }
    let node = office.node("a");
    let came =
        |order: &str| -> Vec<String> { receiver.ids().into_iter().filter(|id| id.contains(order)).collect() };
    // Those that nothing holds, and a first and a second attempt of what fails.
    heard(&receiver, 8).await;
    for other in ["ORDERB", "ORDERC"] {
        assert_eq!(came(other), [of_order(other, 1), of_order(other, 2), of_order(other, 3)]);
    }
    assert!(came("ORDERA").iter().all(|sent| *sent == of_order("ORDERA", 1)), "{:?}", came("ORDERA"));
    receiver.does_to(&of_order("ORDERA", 1), OK);
    place.is_done(id, 9).await;
    let ids = came("ORDERA");
    assert_eq!(ids[ids.len() - 2..], [of_order("ORDERA", 2), of_order("ORDERA", 3)]);
    node.stop().await;
}

async fn three_nodes_make_no_more_attempts_than_one(place: &Place) {
    let office = &place.office;
    let id = office.put("shop", |_| {}).await;
    let poison = office
        .put("poison", |e| {
            e.filter = Filter::parse(&["payment.*"]).expect("a filter");
            e.settings.schedule = schedule(&[1, 1]);
        })
        .await;
    office.receiver("poison").does(&[DOWN]);
    let nodes = ["a", "b", "c"].map(|name| office.node(name));
    office.tell(notifications(0..200)).await;
    for order in ["ORDERA", "ORDERB"] {
        office.tell([registered(order), Fact::Paid(paid(order, &format!("{order}-1")))]).await;
    }
    place.is_done(id, 202).await;
    place.is_done(poison, 202).await;
    let made = copies(&office.receiver("shop"));
    assert_eq!((made.len(), made.values().max()), (202, Some(&1)));
    let attempts: Vec<usize> = copies(&office.receiver("poison")).into_values().collect();
    assert_eq!((attempts, office.rows(poison, DeliveryState::Exhausted).await.len()), (vec![3, 3], 2));
    for node in nodes {
        node.stop().await;
    }
}

async fn what_a_dead_node_had_comes_to_another_under_the_same_id(place: &Place) {
    let office = &place.office;
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::Hangs]);
    let first = office.node("a");
    office.tell(notifications(0..40)).await;
    heard(&receiver, 16).await;
    first.dies().await;
    receiver.does(&[OK]);
    let second = office.node("b");
    place.an_hour_passes();
    place.is_done(id, 40).await;
    let copies = copies(&receiver);
    assert_eq!(copies.len(), 40, "nothing is lost");
    assert_eq!(copies.values().filter(|copies| **copies == 2).count(), 16, "{copies:?}");
    let different: BTreeSet<_> = receiver.calls().into_iter().map(|call| (call.id, call.body)).collect();
    assert_eq!(different.len(), 40, "an id has one body");
    second.stop().await;
}

async fn what_is_held_flows_once_it_may(place: &Place) {
    let office = &place.office;
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    let node = office.node("a");
    office.tell(notifications(0..3)).await;
    place.is_done(id, 3).await;
    office.switch(id, Switch::Disable).await;
    office.tell(notifications(3..300)).await;
    // Another endpoint's messages went by meanwhile.
    let other = office.put("other", |_| {}).await;
    place.is_done(other, 300).await;
    assert_eq!(receiver.calls().len(), 3);
    office.switch(id, Switch::Enable).await;
    place.is_done(id, 300).await;
    assert_eq!(copies(&receiver).len(), 300);
    node.stop().await;
}

async fn what_is_exhausted_is_listed_and_replayed_with_its_id_and_bytes(place: &Place) {
    let office = &place.office;
    let id = office.put("shop", |e| e.settings.schedule = schedule(&[1])).await;
    let receiver = office.receiver("shop");
    receiver.does(&[DOWN]);
    let node = office.node("a");
    office.tell(notifications(0..3)).await;
    heard(&receiver, 6).await;
    place.is_done(id, 3).await;
    assert_eq!(office.rows(id, DeliveryState::Exhausted).await, [1, 2, 3]);
    receiver.does(&[OK]);
    assert_eq!(office.replay(id, Replay::Exhausted { rows_max: 100 }).await, 3);
    heard(&receiver, 9).await;
    place.is_done(id, 3).await;
    assert_eq!(office.rows(id, DeliveryState::Exhausted).await, [0_i64; 0]);
    let different: BTreeSet<_> = receiver.calls().into_iter().map(|call| (call.id, call.body)).collect();
    assert_eq!(different.len(), 3, "an id has one body");
    node.stop().await;
}

/// What others do while calls are out: had a call a transaction, they would wait for it.
async fn trap_a_call_ran_inside_a_database_transaction(place: &Place) {
    let office = &place.office;
    let id = office.put("shop", |e| e.settings.total_max_ms = 120_000).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::Hangs]);
    let node = office.node("a");
    office.tell([registered("ORDERA"), Fact::Paid(paid("ORDERA", "A-1"))]).await;
    heard(&receiver, 1).await;
    let others = async {
        office.tell([Fact::Paid(paid("ORDERA", "A-2"))]).await;
        assert_eq!(office.put("shop", |e| e.sealed = Sealed(b"second".to_vec())).await, id);
        office.switch(id, Switch::Disable).await;
        office.switch(id, Switch::Enable).await;
        office.replay(id, Replay::Exhausted { rows_max: 10 }).await;
        place.an_hour_passes();
    };
    assert!(timeout(PATIENCE, others).await.is_ok(), "somebody waits for the call");
    office.pass(Duration::from_secs(3)).await;
    assert_eq!(place.transactions_that_last(), "0");
    assert_eq!(receiver.out(), receiver.calls().len(), "it is out all the while");
    node.dies().await;
}

macro_rules! on_each_store {
    ($($test:ident),+ $(,)?) => {
        on_each_store!(@ memory, sqlite, postgres: $($test),+);
    };
    (@ $($place:ident),+: $test:ident $(, $more:ident)*) => {
        mod $test {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $place() {
                    let Some(place) = super::Place::$place().await else { return };
                    super::$test(&place).await;
                }
            )+
        }
        $(on_each_store!(@ memory, sqlite, postgres: $more);)*
    };
}

on_each_store! {
    a_failing_message_holds_its_order_alone,
    three_nodes_make_no_more_attempts_than_one,
    what_a_dead_node_had_comes_to_another_under_the_same_id,
    what_is_held_flows_once_it_may,
    what_is_exhausted_is_listed_and_replayed_with_its_id_and_bytes,
    trap_a_call_ran_inside_a_database_transaction,
}
