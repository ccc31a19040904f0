//! A Galera cluster: members that do not see each other's locks, and meet at the commit.

use std::sync::Arc;

use async_trait::async_trait;
use payonce_core::{
    Outcome, Store, StoreError,
    order::OrderId,
    store::{Changes, OrderChange, OrderRow, Unavailability},
};
use payonce_store_conformance::{Fixture, suite};
use payonce_store_mysql::MySqlStore;
use payonce_test_servers::{Galera, require};

use crate::{
    fixture::{apply_all, key, mysql_shop_tables, open, options, outcomes, paid, reason, registered, told},
    sequencers::positions_have_no_gap_on,
};

/// Each store on a fresh database of the first member, further handles on the second.
struct Members {
    galera: Galera,
    made: std::sync::atomic::AtomicU32,
}

impl Members {
    fn start() -> Option<Self> {
        Some(Self { galera: require(Galera::start(2))?, made: 0.into() })
    }

    fn url(&self, member: usize) -> String {
        let made = self.made.load(std::sync::atomic::Ordering::Relaxed);
        self.galera.member(member).url(&format!("shop{made}"))
    }

    fn next_database(&self) {
        let made = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        self.galera.create_database(&format!("shop{made}")).expect("a fresh database");
    }

    /// Two nodes that start at once on a fresh database.
    async fn two_nodes(&self) -> [Arc<MySqlStore>; 2] {
        self.next_database();
        let (one, two) = (options(&self.url(0)), options(&self.url(1)));
        let (one, two) = tokio::join!(MySqlStore::open(&one), MySqlStore::open(&two));
        [one, two].map(|store| Arc::new(store.expect("it opens")))
    }
}

#[async_trait]
impl Fixture for Members {
    async fn open(&self) -> Box<dyn Store> {
        self.next_database();
        Box::new(open(&self.url(0)).await)
    }

    async fn reopen(&self) -> Option<Box<dyn Store>> {
        Some(Box::new(open(&self.url(1)).await))
    }

    async fn second_handle(&self) -> Option<Box<dyn Store>> {
        Some(Box::new(open(&self.url(1)).await))
    }

    async fn make_shop(&self) {
        let made = self.made.load(std::sync::atomic::Ordering::Relaxed);
        for table in mysql_shop_tables() {
            self.galera.member(0).execute(&format!("shop{made}"), &table).expect("it makes a table");
        }
    }
}

/// One more message of order A, read from `store`.
async fn next_message(store: &MySqlStore) -> Changes {
    let order = store.order(&key("A")).await.expect("it reads").expect("it is registered").order;
    let row = OrderRow::Registered {
        id: store.ledger_after(OrderId(0), 1).await.expect("it reads")[0].id,
        messages_before: order.messages,
    };
    let order = payonce_core::Order { messages: order.messages + 1, ..order };
    let orders = vec![OrderChange { row, key: key("A"), order: Some(order) }];
    Changes { orders, ..Changes::default() }
}

async fn the_slower_commit_is_a_conflict(members: &Members) {
    let [one, two] = members.two_nodes().await;
    outcomes(apply_all(&*one, &[registered("A")]).await);
    let changes = [next_message(&one).await, next_message(&two).await];
    let (mut first, mut second) =
        (one.begin().await.expect("it begins"), two.begin().await.expect("it begins"));
    first.save(&changes[0]).await.expect("it saves");
    second.save(&changes[1]).await.expect("the members do not see each other's locks");
    first.commit().await.expect("it commits");
    let slower = second.commit().await;
    assert!(matches!(slower, Err(StoreError::Conflict(_))), "{slower:?}");
}

/// The member that registers has not seen the payment that came in between.
async fn a_waiting_payment_and_a_registration_do_not_miss_each_other(members: &Members) {
    for turn in 0..40 {
        let [one, two] = members.two_nodes().await;
        outcomes(apply_all(&*one, &[paid("A", "P1")]).await);
        let (a, b) = if turn % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let (registration, payment) = ([registered("A")], [paid("A", "P2")]);
        let (registration, payment) = tokio::join!(apply_all(&**a, &registration), apply_all(&**b, &payment));
        assert_eq!(outcomes(registration), [Outcome::Applied]);
        let payment = outcomes(payment);
        assert!(matches!(payment[0], Outcome::Unmatched | Outcome::Incident), "{payment:?}");
        let mut told = told(&one).await;
        told.retain(|kind| kind != "payment.unmatched");
        assert_eq!(told, ["payment.succeeded", "payment.duplicated"], "turn {turn}: {payment:?}");
    }
}

async fn members_share_a_key(members: &Members) {
    let nodes = members.two_nodes().await;
    for node in &nodes {
        node.ping().await.expect("it answers");
    }
    let key = nodes[0].epoch().expect("it is known");
    assert_eq!(nodes[1].epoch(), Some(key.clone()));
    let later = open(&members.url(1)).await;
    later.ping().await.expect("it answers");
    assert_eq!(later.epoch(), Some(key));
}

async fn a_member_that_lost_the_others_is_passed_over(members: &Members) {
    let [one, two] = members.two_nodes().await;
    outcomes(apply_all(&*two, &[registered("A")]).await);
    members.galera.member(0).kill();
    drop(one);
    // Of two members, neither is a majority.
    let state =
        "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'wsrep_ready';";
    while members.galera.member(1).execute("mysql", state).expect("it answers") != "OFF" {}
    assert_eq!(reason(apply_all(&*two, &[paid("A", "P1")]).await.remove(0)), Unavailability::NotReady);
    let refused = MySqlStore::open(&options(&members.url(1))).await;
    assert_eq!(reason(refused), Unavailability::NotReady);
}

/// One test, because a cluster takes long to start.
#[test]
fn a_cluster_keeps_every_promise() {
    let Some(members) = Members::start() else { return };
    payonce_store_conformance::run(async {
        the_slower_commit_is_a_conflict(&members).await;
        a_waiting_payment_and_a_registration_do_not_miss_each_other(&members).await;
        members_share_a_key(&members).await;
        let [one, two] = members.two_nodes().await;
        positions_have_no_gap_on([&one, &two]).await;
        suite::concurrency::copies_that_arrive_at_once_take_effect_once(&members).await;
        suite::concurrency::payments_that_compete_settle_an_order_once(&members).await;
        suite::concurrency::registrations_and_payments_may_race(&members).await;
        suite::concurrency::all_facts_from_all_tasks_take_effect_once(&members).await;
        suite::concurrency::a_reader_beside_the_writers_sees_whole_transactions(&members).await;
        suite::transactions::what_is_committed_outlives_the_handles(&members).await;
        suite::leases::of_many_who_ask_at_once_one_gets_it(&members).await;
        suite::leases::positions_are_given_to_the_holder_alone(&members).await;
        suite::notes::unopened_callbacks_are_shared_out(&members).await;
        suite::effects::copies_on_two_nodes_run_an_effect_once(&members).await;
        suite::effects::neighbours_of_a_failing_effect_are_applied(&members).await;
        suite::effects::failures_are_counted_and_resolve_by_themselves(&members).await;
        a_member_that_lost_the_others_is_passed_over(&members).await;
    });
}
