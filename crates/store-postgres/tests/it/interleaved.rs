//! Two transactions that meet at every step, on two connections: whatever waits for whom, the end is right.

use std::sync::Arc;

use payonce_core::{Fact, OrderState, Outcome, Store, order::OrderId};
use payonce_store_postgres::PostgresStore;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

use crate::{
    fixture::{apply_all, database, key, open, outcomes, paid, passed, registered, someone_waits},
    gated::{Gated, STEPS},
};

/// The store and a connection that sees who waits.
struct Stage {
    store: Arc<PostgresStore>,
    watcher: PgConnection,
}

impl Stage {
    async fn on(url: &str) -> Self {
        let watcher = PgConnection::connect(url).await.expect("it connects");
        Self { store: Arc::new(open(url).await), watcher }
    }

    /// One gets as far as its gate, then the other as far as its own or to where it waits for the one; then the one
    /// goes on to its end, as far as it can, and at last the other.
    async fn meet(&mut self, one: (Fact, usize), other: (Fact, usize)) -> [Outcome; 2] {
        let (first, one) = (Gated::new(&self.store, one.1), one.0);
        let (second, other) = (Gated::new(&self.store, other.1), other.0);
        let one = run(&first, one);
        first.arrived().await;
        let other = run(&second, other);
        tokio::select! {
            () = second.arrived() => {}
            () = someone_waits(&mut self.watcher, &other) => {}
        }
        first.let_on();
        someone_waits(&mut self.watcher, &one).await;
        second.let_on();
        [one.await.expect("it ran"), other.await.expect("it ran")]
    }

    /// What must hold in the end: one payment an order, one message for it, each number once.
    async fn audit(&self) {
        for line in self.store.ledger_after(OrderId(0), usize::MAX).await.expect("it reads") {
            assert!(line.adds_up(), "{line:?}");
        }
    }
}

fn run(gated: &Arc<Gated>, fact: Fact) -> JoinHandle<Outcome> {
    let gated = Arc::clone(gated);
    tokio::spawn(async move { outcomes(apply_all(&*gated, &[fact]).await)[0] })
}

/// All pairs of steps, each with a name of its own for orders and payments.
fn meetings() -> impl Iterator<Item = (usize, usize, String)> {
    (0..STEPS).flat_map(|i| (0..STEPS).map(move |j| (i, j, format!("{i}-{j}"))))
}

#[tokio::test]
async fn a_registration_and_a_payment_never_miss_each_other() {
    let Some(database) = database() else { return };
    let mut stage = Stage::on(&database.url()).await;
    for (i, j, name) in meetings() {
        for payment_first in [true, false] {
            let order = format!("{name}-{payment_first}");
            let mut facts = [registered(&order), paid(&order, &order)];
            if payment_first {
                facts.reverse();
            }
            let [one, other] = facts;
            let outcomes = stage.meet((one, i), (other, j)).await;
            let told = if payment_first { outcomes[0] } else { outcomes[1] };
            assert!(matches!(told, Outcome::Applied | Outcome::Unmatched), "{order}: {outcomes:?}");
            let view = stage.store.order(&key(&order)).await.expect("it reads").expect("it is registered");
            assert!(matches!(view.order.state, OrderState::Paid { late: false, .. }), "{order}: {view:?}");
        }
    }
    stage.audit().await;
}

#[tokio::test]
async fn of_two_copies_one_is_applied() {
    let Some(database) = database() else { return };
    let mut stage = Stage::on(&database.url()).await;
    for (i, j, name) in meetings() {
        outcomes(apply_all(&*stage.store, &[registered(&name)]).await);
        for fact in [paid(&name, &name), passed(&name), registered(&format!("{name}-new"))] {
            let mut outcomes = stage.meet((fact.clone(), i), (fact, j)).await;
            outcomes.sort_by_key(|outcome| outcome.as_str());
            assert_eq!(outcomes, [Outcome::Applied, Outcome::Duplicate], "{name}");
        }
    }
    stage.audit().await;
    let counts = stage.store.counts().await.expect("it counts");
    let each = (STEPS * STEPS) as u64;
    assert_eq!((counts.orders, counts.payments, counts.messages), (2 * each, each, 2 * each));
}

/// A payment waits under two orders, or under one while another is there: whichever comes to count, the other learns.
#[tokio::test]
async fn one_payment_number_that_waits_pays_one() {
    let Some(database) = database() else { return };
    let mut stage = Stage::on(&database.url()).await;
    for (i, j, name) in meetings() {
        for both_wait in [true, false] {
            let orders = ["a", "b"].map(|order| format!("{name}-{both_wait}-{order}"));
            let [first, second] = [0, 1].map(|place| paid(&orders[place], &format!("{name}-{both_wait}")));
            let [registers, other] = [0, 1].map(|place| registered(&orders[place]));
            let (before, other) = if both_wait { (second, other) } else { (other, second) };
            for fact in [first, before] {
                outcomes(apply_all(&*stage.store, &[fact]).await);
            }
            stage.meet((registers, i), (other, j)).await;
        }
    }
    stage.audit().await;
    let lines = stage.store.ledger_after(OrderId(0), usize::MAX).await.expect("it reads");
    let paid = lines.iter().filter(|line| line.paid).count();
    assert_eq!((lines.len(), paid), (4 * STEPS * STEPS, 2 * STEPS * STEPS), "one of each two");
}

#[tokio::test]
async fn one_payment_number_under_two_orders_pays_one() {
    let Some(database) = database() else { return };
    let mut stage = Stage::on(&database.url()).await;
    for (i, j, name) in meetings() {
        for known in [true, false] {
            let orders = ["a", "b"].map(|order| format!("{name}-{known}-{order}"));
            let register = [registered(&orders[0]), registered(&orders[1])];
            if known {
                outcomes(apply_all(&*stage.store, &register).await);
            }
            let [one, other] = [0, 1].map(|place| paid(&orders[place], &format!("{name}-{known}")));
            let mut told = stage.meet((one, i), (other, j)).await;
            told.sort_by_key(|outcome| outcome.as_str());
            let expected =
                if known { [Outcome::Applied, Outcome::Incident] } else { [Outcome::Unmatched; 2] };
            assert_eq!(told, expected, "{orders:?}");
            outcomes(apply_all(&*stage.store, &register).await);
        }
    }
    stage.audit().await;
    let lines = stage.store.ledger_after(OrderId(0), usize::MAX).await.expect("it reads");
    let paid = lines.iter().filter(|line| line.paid).count();
    assert_eq!((lines.len(), paid), (4 * STEPS * STEPS, 2 * STEPS * STEPS), "one of each two");
}
