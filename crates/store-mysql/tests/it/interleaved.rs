//! Two transactions that meet at every step, on two connections: whatever waits for whom, the end is right.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    Fact, MerchantId, NotificationId, OrderKey, Outcome, Store, StoreError, Tx, UnixMillis,
    fact::Claim,
    order::OrderId,
    store::{
        Changes, Claimed, Consumers, Counts, EffectBook, Epoch, KeptPayment, KnownOrder, Lease, LeaseView,
        Leases, LedgerLine, MessageView, Note, OrderView, Owner, Position, Rejected, RejectedRow, Role,
        Statements, Unopened, UnopenedRow, delivery::Deliveries,
    },
};
use payonce_store_mysql::MySqlStore;
use payonce_test_servers::MariaDb;
use tokio::sync::Notify;

use crate::fixture::{SHOP, apply_all, options, outcomes, own_server, paid, passed, registered, told};

/// The steps of a transaction: begin, lock, claim, save, commit.
const STEPS: usize = 5;

/// A store whose first transaction stops before one of its steps, until it is let go.
struct Gated {
    store: MySqlStore,
    stop_before: usize,
    steps: AtomicUsize,
    arrived: Notify,
    open: Notify,
}

struct GatedTx<'a> {
    tx: Box<dyn Tx + 'a>,
    gate: &'a Gated,
}

impl Gated {
    fn new(store: MySqlStore, stop_before: usize) -> Arc<Self> {
        let (arrived, open) = (Notify::new(), Notify::new());
        Arc::new(Self { store, stop_before, steps: AtomicUsize::new(0), arrived, open })
    }

    async fn step(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) == self.stop_before {
            self.arrived.notify_one();
            self.open.notified().await;
        }
    }
}

#[async_trait]
impl Tx for GatedTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        self.gate.step().await;
        self.tx.orders_for_update(keys).await
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        self.gate.step().await;
        self.tx.claim(claims).await
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        self.tx.payments_under(awaited).await
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.gate.step().await;
        self.tx.save(changes).await
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self.tx.statements()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.gate.step().await;
        self.tx.commit().await
    }
}

/// What `apply` never asks for.
macro_rules! never {
    () => {
        unreachable!("apply only begins transactions")
    };
}

#[async_trait]
impl Leases for Gated {
    async fn lease(&self, _: &Role, _: &Owner, _: Duration) -> Result<Option<Lease>, StoreError> {
        never!()
    }
    async fn release(&self, _: &Lease) -> Result<(), StoreError> {
        never!()
    }
    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        never!()
    }
}

#[async_trait]
impl Store for Gated {
    fn deliveries(&self) -> &dyn Deliveries {
        never!()
    }

    fn consumers(&self) -> &dyn Consumers {
        never!()
    }

    fn effects(&self) -> &dyn EffectBook {
        never!()
    }

    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError> {
        self.step().await;
        Ok(Box::new(GatedTx { tx: self.store.begin().await?, gate: self }))
    }

    fn epoch(&self) -> Option<Epoch> {
        never!()
    }
    fn needs_sequencer(&self) -> bool {
        never!()
    }
    async fn note(&self, _: &[Note]) -> Result<(), StoreError> {
        never!()
    }
    async fn rejected_before(&self, _: RejectedRow, _: usize) -> Result<Option<RejectedRow>, StoreError> {
        never!()
    }

    async fn forget_rejected(&self, _: RejectedRow, _: usize) -> Result<usize, StoreError> {
        never!()
    }

    async fn prune(&self, _: UnixMillis, _: usize) -> Result<usize, StoreError> {
        never!()
    }
    async fn sequence(&self, _: &Lease, _: usize) -> Result<usize, StoreError> {
        never!()
    }
    async fn order(&self, _: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        never!()
    }
    async fn messages_after(&self, _: Position, _: usize) -> Result<Vec<MessageView>, StoreError> {
        never!()
    }
    async fn ledger_after(&self, _: OrderId, _: usize) -> Result<Vec<LedgerLine>, StoreError> {
        never!()
    }
    async fn rejected_latest(&self, _: usize) -> Result<Vec<Rejected>, StoreError> {
        never!()
    }
    async fn take_unopened(
        &self,
        _: &Owner,
        _: Duration,
        _: UnopenedRow,
        _: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        never!()
    }
    async fn return_unopened(&self, _: &Owner) -> Result<(), StoreError> {
        never!()
    }
    async fn forget_unopened(&self, _: &MerchantId, _: &NotificationId) -> Result<(), StoreError> {
        never!()
    }
    async fn counts(&self) -> Result<Counts, StoreError> {
        never!()
    }
    async fn ping(&self) -> Result<(), StoreError> {
        never!()
    }
}

/// Two facts that meet after others, what comes of them, and what is told in the end.
struct Meeting {
    before: Vec<Fact>,
    facts: [Fact; 2],
    /// Either order of the two; they may differ.
    outcomes: &'static [[Outcome; 2]],
    /// Without `payment.unmatched`, which is told if a payment comes first.
    told: &'static [&'static str],
}

fn meetings() -> Vec<Meeting> {
    use Outcome::{Applied, Duplicate, Incident, Unmatched};
    const ONE_OF_TWO: &[[Outcome; 2]] = &[[Applied, Duplicate], [Duplicate, Applied]];
    const ONE_ODD: &[[Outcome; 2]] = &[[Applied, Incident], [Incident, Applied]];
    const SUCCEEDED: &str = "payment.succeeded";
    let copies = || [paid("A", "P1"), paid("A", "P1")];
    vec![
        Meeting {
            before: vec![],
            facts: [registered("A"), paid("A", "P1")],
            outcomes: &[[Applied, Applied], [Applied, Unmatched]],
            told: &[SUCCEEDED],
        },
        Meeting {
            before: vec![paid("A", "P1")],
            facts: [registered("A"), paid("A", "P2")],
            outcomes: &[[Applied, Incident], [Applied, Unmatched]],
            told: &[SUCCEEDED, "payment.duplicated"],
        },
        Meeting { before: vec![registered("A")], facts: copies(), outcomes: ONE_OF_TWO, told: &[SUCCEEDED] },
        Meeting {
            before: vec![],
            facts: copies(),
            outcomes: &[[Unmatched, Duplicate], [Duplicate, Unmatched]],
            told: &[],
        },
        Meeting {
            before: vec![registered("A")],
            facts: [paid("A", "P1"), paid("A", "P2")],
            outcomes: ONE_ODD,
            told: &[SUCCEEDED, "payment.duplicated"],
        },
        Meeting {
            before: vec![registered("A"), registered("B")],
            facts: [paid("A", "P1"), paid("B", "P1")],
            outcomes: ONE_ODD,
            told: &[SUCCEEDED, "payment.conflicted"],
        },
        Meeting {
            before: vec![paid("A", "P1"), paid("B", "P1")],
            facts: [registered("A"), registered("B")],
            outcomes: &[[Applied, Applied]],
            told: &[SUCCEEDED, "payment.conflicted"],
        },
        Meeting {
            before: vec![paid("A", "P1"), registered("B")],
            facts: [registered("A"), paid("B", "P1")],
            outcomes: &[[Applied, Incident], [Applied, Applied]],
            told: &[SUCCEEDED, "payment.conflicted"],
        },
        Meeting {
            before: vec![],
            facts: [passed("N1"), passed("N1")],
            outcomes: ONE_OF_TWO,
            told: &["wechat.REFUND.SUCCESS"],
        },
        Meeting {
            before: vec![],
            facts: [registered("A"), registered("A")],
            outcomes: ONE_OF_TWO,
            told: &[],
        },
    ]
}

/// Whether a transaction of the server waits for another.
fn one_waits(server: &MariaDb) -> bool {
    let waits = "SELECT variable_value FROM information_schema.global_status \
                 WHERE variable_name = 'innodb_row_lock_current_waits';";
    server.execute(SHOP, waits).expect("the server answers") != "0"
}

async fn meet(server: &MariaDb, database: &str, meeting: &Meeting, stop_before: usize) {
    server.create_database(database).expect("a fresh database");
    // However slow the machine is: what is tried here is no deadline.
    let mut options = options(&server.url(database));
    options.work_max = Duration::from_secs(60);
    let open = async || MySqlStore::open(&options).await.expect("it opens");
    let second = Arc::new(open().await);
    outcomes(apply_all(&*second, &meeting.before).await);
    let first = Gated::new(open().await, stop_before);
    let [one, two] = meeting.facts.clone();
    let other = {
        let second = Arc::clone(&second);
        async move { outcomes(apply_all(&*second, &[two]).await)[0] }
    };
    let held = {
        let first = Arc::clone(&first);
        tokio::spawn(async move { outcomes(apply_all(&*first, &[one]).await)[0] })
    };
    let other = if stop_before < STEPS {
        first.arrived.notified().await;
        let other = tokio::spawn(other);
        // The second goes as far as it can: to its end, or to a lock of the first.
        while !other.is_finished() && !tokio::task::block_in_place(|| one_waits(server)) {}
        first.open.notify_one();
        other
    } else {
        tokio::spawn(other)
    };
    let outcomes = [held.await.expect("it ends"), other.await.expect("it ends")];
    let context = format!("{:?}, stopped before step {stop_before}: {outcomes:?}", meeting.facts);
    assert!(meeting.outcomes.contains(&outcomes), "{context}");
    for line in second.ledger_after(OrderId(0), 9).await.expect("it reads") {
        assert!(line.adds_up(), "{context}: {line:?}");
    }
    let mut told = told(&second).await;
    told.retain(|kind| kind != "payment.unmatched");
    told.sort_by_key(|kind| kind != "payment.succeeded");
    assert_eq!(told, meeting.told, "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_meet_at_any_step_end_right() {
    // A server of its own, which counts no waits but theirs.
    let Some(server) = own_server(&[]) else { return };
    for (number, meeting) in meetings().iter().enumerate() {
        for stop_before in (0..STEPS).chain([usize::MAX]) {
            meet(&server, &format!("shop{number}_{stop_before}"), meeting, stop_before).await;
        }
    }
}
