//! Whatever the interleaving: each message reaches each endpoint that wants it, and is due to it once at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use payonce_core::{
    Fact, Store,
    delivery::{EndpointId, Next},
    store::{
        Position,
        delivery::{Due, FanOut, Replay, Switch},
    },
};
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::{tell, tell_of_orders};
use crate::{
    Fixture,
    desk::Desk,
    facts::{paid, passed, registered},
    post::{AT_ONCE, HOUR, LATER, Post, owner, settled},
    suite::convergence::for_random_cases,
};

/// The endpoints of the property below: what they want, and whether in order.
const ENDPOINTS: [(&str, &str, bool); 3] =
    [("all", "*", false), ("ordered", "*", true), ("payments", "payment.*", true)];
const TAKERS: [&str; 2] = ["a", "b"];

/// Something that happens.
#[derive(Clone, Debug)]
enum Op {
    /// A message without an order is written.
    Tell,
    /// Another payment of an order is told of.
    Pay { order: usize },
    /// Somebody plans steps of fanning out.
    Plan,
    /// What was planned is done, be it stale or not.
    FanOut,
    /// Somebody takes, with time or none.
    Take { taker: usize, endpoint: usize, limit: usize, crashes: bool },
    /// What somebody has is settled, the first of it or all.
    Settle { taker: usize, all: bool, next: Next },
    /// What somebody has is given back.
    GiveBack { taker: usize },
    /// An endpoint is disabled, or enabled again.
    Switch { endpoint: usize, to: Switch },
    /// What is exhausted begins anew.
    Replay { endpoint: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let next = prop_oneof![
        4 => Just(Next::Delivered),
        2 => Just(AT_ONCE),
        1 => Just(Next::Again { after: Duration::from_millis(2) }),
        1 => Just(Next::Exhausted),
        1 => Just(Next::Gone),
    ];
    let (taker, endpoint) = (0..TAKERS.len(), 0..ENDPOINTS.len());
    prop_oneof![
        2 => Just(Op::Tell),
        3 => (0..3_usize).prop_map(|order| Op::Pay { order }),
        3 => Just(Op::Plan),
        5 => Just(Op::FanOut),
        6 => (taker.clone(), endpoint.clone(), 1..5_usize, prop::bool::weighted(0.2))
            .prop_map(|(taker, endpoint, limit, crashes)| Op::Take { taker, endpoint, limit, crashes }),
        6 => (taker.clone(), any::<bool>(), next).prop_map(|(taker, all, next)| Op::Settle { taker, all, next }),
        1 => taker.prop_map(|taker| Op::GiveBack { taker }),
        1 => (endpoint.clone(), prop::bool::ANY).prop_map(|(endpoint, enables)| {
            Op::Switch { endpoint, to: if enables { Switch::Enable } else { Switch::Disable } }
        }),
        1 => endpoint.prop_map(|endpoint| Op::Replay { endpoint }),
    ]
}

/// What the test knows of what it did.
struct Course<'a> {
    desk: Desk<'a>,
    post: Post<'a>,
    endpoints: Vec<EndpointId>,
    told: usize,
    paid: usize,
    planned: Vec<FanOut>,
    /// What each taker has, as far as it knows.
    has: [Vec<Due>; TAKERS.len()],
    /// The calls that were answered well, by endpoint.
    delivered: BTreeMap<EndpointId, Vec<i64>>,
}

impl Course<'_> {
    async fn run(&mut self, op: &Op) {
        let deliveries = self.post.deliveries;
        match op {
            Op::Tell => {
                self.told += 1;
                tell(&self.desk, self.told - 1..self.told).await;
            }
            Op::Pay { order } => {
                self.paid += 1;
                let order = format!("ORDER{order}");
                let payment = paid(&order, &format!("P{}", self.paid));
                self.desk.apply_all(&[registered(&order), Fact::Paid(payment)]).await;
                self.desk.sequence().await;
            }
            Op::Plan => self.planned = self.post.steps().await,
            Op::FanOut => drop(deliveries.fan_out(&self.planned).await.expect("the store fans out")),
            Op::Take { taker, endpoint, limit, crashes } => {
                let ttl = if *crashes { Duration::ZERO } else { HOUR };
                let (by, id) = (TAKERS[*taker], self.endpoints[*endpoint]);
                let due = self.post.take_for(ttl, by, id, *limit).await;
                self.has[*taker].extend(due);
            }
            Op::Settle { taker, all, next } => self.settle(*taker, *all, *next).await,
            Op::GiveBack { taker } => {
                let taken: Vec<_> = self.has[*taker].drain(..).map(|due| due.taken).collect();
                deliveries.give_back(&owner(TAKERS[*taker]), &taken).await.expect("it takes them back");
            }
            Op::Switch { endpoint, to } => {
                deliveries.switch_endpoint(self.endpoints[*endpoint], *to).await.expect("it switches");
            }
            Op::Replay { endpoint } => {
                let exhausted = Replay::Exhausted { rows_max: 2 };
                deliveries.replay(self.endpoints[*endpoint], exhausted).await.expect("it replays");
            }
        }
    }

    async fn settle(&mut self, taker: usize, all: bool, next: Next) {
        let has = &mut self.has[taker];
        let count = if all { has.len() } else { has.len().min(1) };
        let due: Vec<Due> = has.drain(..count).collect();
        let batch: Vec<_> = due.iter().map(|due| settled(due.taken, next)).collect();
        let lost = self.post.deliveries.settle(&owner(TAKERS[taker]), &batch).await;
        let lost: BTreeSet<_> = lost.expect("the store settles").into_iter().collect();
        if next == Next::Delivered {
            for due in due.iter().filter(|due| !lost.contains(&due.taken)) {
                self.delivered.entry(due.taken.endpoint).or_default().push(due.taken.position.0);
            }
        }
    }

    /// Everything that was begun is brought to its end.
    async fn finish(&mut self) {
        let deliveries = self.post.deliveries;
        for (taker, by) in TAKERS.iter().enumerate() {
            let taken: Vec<_> = self.has[taker].drain(..).map(|due| due.taken).collect();
            deliveries.give_back(&owner(by), &taken).await.expect("the store takes them back");
        }
        for id in self.endpoints.clone() {
            deliveries.switch_endpoint(id, Switch::Enable).await.expect("the store switches");
            let exhausted = Replay::Exhausted { rows_max: usize::MAX };
            deliveries.replay(id, exhausted).await.expect("the store replays");
        }
        self.post.fan_out().await;
        for id in self.endpoints.clone() {
            while !self.post.pending(id).await.is_empty() {
                let delivered = self.post.deliver("last", id).await;
                self.delivered.entry(id).or_default().extend(delivered);
            }
        }
    }
}

/// Random courses with stale plans, crashes, failures and disabled endpoints: in the end every message was delivered to
/// every endpoint that wants it, and settled as delivered once.
pub async fn every_message_reaches_every_endpoint_that_wants_it(fixture: &dyn Fixture) {
    let courses = prop::collection::vec(op(), 10..60);
    for_random_cases(fixture.property_cases(), &courses, async |ops| {
        let store = fixture.open().await;
        let (desk, post) = (Desk::at(&*store), Post::at(&*store));
        let mut endpoints = Vec::new();
        for (name, kinds, ordered) in ENDPOINTS {
            endpoints.push(post.endpoint(name, &[kinds], ordered).await);
        }
        let (planned, has, delivered) = (Vec::new(), [const { Vec::new() }; 2], BTreeMap::new());
        let mut course = Course { desk, post, endpoints, told: 0, paid: 0, planned, has, delivered };
        for op in &ops {
            course.run(op).await;
        }
        course.finish().await;
        let messages = course.desk.messages().await;
        for (id, (name, kinds, _)) in course.endpoints.iter().zip(ENDPOINTS) {
            let wanted = |kind: &str| kinds == "*" || kind.starts_with("payment.");
            let wanted = messages.iter().filter(|message| wanted(&message.kind));
            let wanted: Vec<i64> = wanted.map(|message| message.position.0).collect();
            let mut delivered = course.delivered.remove(id).unwrap_or_default();
            delivered.sort_unstable();
            assert_eq!(delivered, wanted, "{name}");
        }
    });
}

/// Messages are written, fanned out, taken and settled at once, on two handles, with failures: each is delivered once, and
/// an order's messages in their sequence, one at a time.
pub async fn orders_stay_in_sequence_whoever_takes(fixture: &dyn Fixture) {
    const ORDERS: usize = 6;
    const EACH: usize = 3;
    const TAKERS: usize = 4;
    let first: Arc<dyn Store> = Arc::from(fixture.open().await);
    let second: Arc<dyn Store> = fixture.second_handle().await.map_or_else(|| Arc::clone(&first), Arc::from);
    let handle = |at: usize| Arc::clone(if at.is_multiple_of(2) { &first } else { &second });
    let id = Post::at(&*first).endpoint("a", &["*"], true).await;
    let all_written = Arc::new(AtomicBool::new(false));

    let mut writers = JoinSet::new();
    for order in 0..ORDERS {
        let store = handle(order);
        writers.spawn(async move {
            let (desk, order) = (Desk::among_others(&*store), format!("ORDER{order}"));
            desk.apply(registered(&order)).await;
            for payment in 0..EACH {
                desk.apply(Fact::Paid(paid(&order, &format!("{order}-{payment}")))).await;
                desk.apply(Fact::Other(passed(&format!("{order}-{payment}")))).await;
            }
        });
    }
    let mut workers = JoinSet::new();
    for fanner in 0..2 {
        let (store, all_written) = (handle(fanner), Arc::clone(&all_written));
        workers.spawn(async move {
            loop {
                let done = all_written.load(Ordering::SeqCst);
                if fanner == 0 {
                    Desk::at(&*store).sequence().await;
                }
                let steps = Post::at(&*store).steps().await;
                if steps.is_empty() && done {
                    return Vec::new();
                }
                store.deliveries().fan_out(&steps).await.expect("the store fans out");
            }
        });
    }
    for taker in 0..TAKERS {
        let (store, all_written) = (handle(taker), Arc::clone(&all_written));
        workers.spawn(async move { take_until_the_end(&*store, id, taker, &all_written).await });
    }
    writers.join_all().await;
    Desk::at(&*first).sequence().await;
    all_written.store(true, Ordering::SeqCst);
    let mut calls: Vec<Call> = workers.join_all().await.concat();
    calls.sort_unstable();
    check(&calls, 2 * ORDERS * EACH);
}

/// A call: when it was settled, counted over all takers; and of what.
type Call = (u64, i64, Option<(i64, u32)>, bool);

static CALLS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

async fn take_until_the_end(
    store: &dyn Store,
    id: EndpointId,
    taker: usize,
    all_written: &AtomicBool,
) -> Vec<Call> {
    let (post, by) = (Post::at(store), format!("t{taker}"));
    let (mut calls, mut failures) = (Vec::new(), 0);
    loop {
        // Order matters: what is not there after this was asked will never be.
        let done = all_written.load(Ordering::SeqCst);
        let due = post.take(&by, id, 3).await;
        if due.is_empty() && done && post.steps().await.is_empty() && post.pending(id).await.is_empty() {
            return calls;
        }
        for due in due {
            // A few of them fail.
            failures += 1;
            let next = if failures % 4 == 0 { AT_ONCE } else { Next::Delivered };
            // Order matters: the call is over before it is settled, and no later one has begun.
            let at = CALLS.fetch_add(1, Ordering::SeqCst);
            let order = due.order.map(|(order, number)| (order.0, number));
            calls.push((at, due.taken.position.0, order, next == Next::Delivered));
            let lost = post.settle(&by, std::slice::from_ref(&due), next).await;
            assert_eq!(lost, [0_i64; 0], "nobody else has it");
        }
        tokio::task::yield_now().await;
    }
}

/// Each message was delivered once, and no message of an order was called before the one in front was delivered.
fn check(calls: &[Call], messages: usize) {
    let mut delivered: Vec<i64> = calls.iter().filter(|call| call.3).map(|call| call.1).collect();
    delivered.sort_unstable();
    assert_eq!(delivered, (1..=messages as i64).collect::<Vec<_>>());
    let mut front: BTreeMap<i64, u32> = BTreeMap::new();
    for (_, position, order, is_delivered) in calls {
        let Some((order, number)) = order else { continue };
        let last = front.entry(*order).or_default();
        assert_eq!(*number, *last + 1, "message {position} of order {order}");
        *last += u32::from(*is_delivered);
    }
}

/// However many messages wait for their next attempt, those that come later are handed out.
pub async fn failing_messages_do_not_stop_the_others(fixture: &dyn Fixture) {
    const FAILING: usize = 40;
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], true).await;
    tell(&desk, 0..FAILING).await;
    post.fan_out().await;
    let due = post.take("a", id, FAILING).await;
    post.settle("a", &due, LATER).await;
    assert_eq!(post.backlog(id).await.map(|backlog| backlog.due), Some(0));
    tell_of_orders(&desk, &["A"]).await;
    post.fan_out().await;
    assert_eq!(post.deliver("a", id).await.len(), 3);
    assert_eq!(post.pending(id).await.len(), FAILING);
    assert_eq!(post.view(id).await.fanned_out, Position(FAILING as i64 + 3));
}
