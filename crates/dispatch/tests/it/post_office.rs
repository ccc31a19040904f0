//! Where the tests work: a store, dispatchers on it, and endpoints that do as they are told. On the model store all is in
//! tokio's paused time, and so is the store's own; real databases have a time that nobody pauses.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    Attempts, Clock, Fact, Policy, Store, Submission, UnixMillis, apply,
    delivery::{
        Answer, Endpoint, EndpointId, EndpointName, EndpointState, EndpointUrl, Filter, Schedule, Sealed,
        Settings,
    },
    store::{
        MessageView, Owner, Position, Role,
        delivery::{AttemptView, DeliveryState, EndpointView, Replay, Start, Switch},
    },
};
use payonce_dispatch::{Dispatcher, Event, Observer, Open, Report, Sender, Wake, fan_out};
use payonce_store_conformance::MemoryStore;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};

/// Times of tokio's paused clock.
pub(crate) struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> UnixMillis {
        let millis = i64::try_from(self.0.elapsed().as_millis()).expect("a test does not last that long");
        UnixMillis(1_772_414_107_250 + millis)
    }
}

/// A call that an endpoint got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) at: Duration,
    pub(crate) id: String,
    pub(crate) body: String,
    /// What stood in the secrets when the call was made.
    pub(crate) secret: Vec<u8>,
}

/// How an endpoint behaves.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Answers at once.
    Answers(Answer),
    /// Answers so and asks to be left alone for a while.
    AsksFor(Answer, Duration),
    /// Answers after a while.
    After(Duration, Answer),
    /// Never answers.
    Hangs,
    /// Is no endpoint, but a fault of ours.
    Panics,
}

pub(crate) const OK: Does = Does::Answers(Answer::Status(204));
pub(crate) const DOWN: Does = Does::Answers(Answer::Status(503));

/// An endpoint's own side.
#[derive(Default)]
pub(crate) struct Receiver {
    calls: Mutex<Vec<Call>>,
    /// What is done to a message of this id, again and again.
    by_id: Mutex<BTreeMap<String, Does>>,
    /// What is done to the next calls, one after the other; the last one goes on.
    script: Mutex<VecDeque<Does>>,
    out: Mutex<(usize, usize)>,
    heard: Notify,
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    pub(crate) fn does(&self, script: &[Does]) {
        *lock(&self.script) = script.iter().cloned().collect();
    }

    pub(crate) fn does_to(&self, id: &str, does: Does) {
        lock(&self.by_id).insert(id.to_owned(), does);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.id).collect()
    }

    /// The calls that are out.
    pub(crate) fn out(&self) -> usize {
        lock(&self.out).0
    }

    /// The most calls that were out at a time.
    pub(crate) fn most_out(&self) -> usize {
        lock(&self.out).1
    }

    /// Waits for so many calls in all.
    pub(crate) async fn heard(&self, calls: usize) {
        while lock(&self.calls).len() < calls {
            self.heard.notified().await;
        }
    }

    fn next(&self, id: &str) -> Does {
        if let Some(does) = lock(&self.by_id).get(id) {
            return does.clone();
        }
        let mut script = lock(&self.script);
        if script.len() > 1 {
            script.pop_front().expect("there are two")
        } else {
            script.front().cloned().unwrap_or(OK)
        }
    }
}

struct Way {
    receiver: Arc<Receiver>,
    secret: Vec<u8>,
    start: Instant,
}

#[async_trait]
impl Sender for Way {
    async fn send(&self, message: &MessageView) -> Report {
        let (id, body, secret) = (message.id.0.clone(), message.body.clone(), self.secret.clone());
        let does = self.receiver.next(&id);
        lock(&self.receiver.calls).push(Call { at: self.start.elapsed(), id, body, secret });
        self.receiver.heard.notify_one();
        {
            let mut out = lock(&self.receiver.out);
            out.0 += 1;
            out.1 = out.1.max(out.0);
        }
        let report = match does {
            Does::Answers(answer) => Report::of(answer),
            Does::AsksFor(answer, pause) => {
                let mut report = Report::of(answer);
                report.heard.retry_after = Some(pause);
                report
            }
            Does::After(pause, answer) => {
                tokio::time::sleep_until(Instant::now() + pause).await;
                Report::of(answer)
            }
            Does::Hangs => std::future::pending().await,
            Does::Panics => panic!("a fault that a test asked for"),
        };
        lock(&self.receiver.out).0 -= 1;
        report
    }
}

/// The receivers by their endpoints' names.
#[derive(Default)]
struct Town {
    receivers: Mutex<BTreeMap<String, Arc<Receiver>>>,
    start: Mutex<Option<Instant>>,
}

impl Town {
    fn receiver(&self, name: &str) -> Arc<Receiver> {
        Arc::clone(lock(&self.receivers).entry(name.to_owned()).or_default())
    }
}

impl Open for Town {
    fn open(&self, name: &EndpointName, endpoint: &Endpoint) -> Result<Arc<dyn Sender>, String> {
        if endpoint.sealed.0 == b"does not open" {
            return Err("no key opens the secrets".to_owned());
        }
        let start = lock(&self.start).expect("time began");
        Ok(Arc::new(Way { receiver: self.receiver(name.as_str()), secret: endpoint.sealed.0.clone(), start }))
    }
}

/// What observers were told.
#[derive(Default)]
struct Book(Mutex<Vec<(String, Event)>>);

impl Observer for Book {
    fn event(&self, endpoint: &EndpointName, event: Event) {
        lock(&self.0).push((endpoint.to_string(), event));
    }

    fn attempted(&self, _: &EndpointName, _: Answer, _: Duration) {}
}

/// A store that several nodes may have.
pub(crate) trait Shared: Clone {
    fn of_another_node(&self) -> Self;
    fn store(&self) -> Arc<dyn Store>;
}

impl Shared for MemoryStore {
    fn of_another_node(&self) -> Self {
        Self::of_another_node(self)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }
}

impl Shared for Arc<dyn Store> {
    fn of_another_node(&self) -> Self {
        Self::clone(self)
    }

    fn store(&self) -> Arc<dyn Store> {
        Self::clone(self)
    }
}

/// A dispatcher at work.
pub(crate) struct Node<S = MemoryStore> {
    /// Its own handle: whether it reaches the database can be set of the model store's.
    pub(crate) store: S,
    stop: watch::Sender<bool>,
    work: JoinHandle<()>,
}

impl<S> Node<S> {
    pub(crate) async fn stop(self) {
        self.stop.send(true).expect("it runs");
        self.work.await.expect("it does not panic");
    }

    /// As a power cut does.
    pub(crate) async fn dies(self) {
        self.work.abort();
        assert!(self.work.await.is_err_and(|error| error.is_cancelled()));
    }
}

pub(crate) struct PostOffice<S = MemoryStore> {
    pub(crate) store: S,
    at: Arc<dyn Store>,
    town: Arc<Town>,
    book: Arc<Book>,
    start: Instant,
}

impl PostOffice {
    pub(crate) fn open() -> Self {
        Self::with_clock(|time| time)
    }

    /// With a database whose clock may go another way than time does.
    pub(crate) fn with_clock<C: Clock + 'static>(clock: impl FnOnce(Paused) -> C) -> Self {
        Self::on(MemoryStore::with_clock(Arc::new(clock(Paused(Instant::now())))))
    }
}

impl<S: Shared> PostOffice<S> {
    pub(crate) fn on(store: S) -> Self {
        let start = Instant::now();
        let town = Town { start: Mutex::new(Some(start)), ..Town::default() };
        Self { at: store.store(), store, town: Arc::new(town), book: Arc::default(), start }
    }

    pub(crate) fn receiver(&self, name: &str) -> Arc<Receiver> {
        self.town.receiver(name)
    }

    pub(crate) fn events(&self, name: &str) -> Vec<Event> {
        lock(&self.book.0).iter().filter(|(of, _)| of == name).map(|(_, event)| event.clone()).collect()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn node(&self, name: &str) -> Node<S> {
        let (stop, stopping) = watch::channel(false);
        let wake = Arc::new(Wake::default());
        let mut random = 0_u64;
        let store = self.store.of_another_node();
        let dispatcher = Dispatcher {
            store: store.store(),
            owner: Owner(name.to_owned()),
            opener: Arc::clone(&self.town) as Arc<dyn Open>,
            observer: Arc::clone(&self.book) as Arc<dyn Observer>,
            random: Box::new(move || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                random >> 16
            }),
            wake: Arc::clone(&wake),
            stop_max: Duration::from_secs(20),
        };
        let fanning = store.store();
        let work = tokio::spawn(async move {
            let (_positions, positioned) = watch::channel(());
            tokio::select! {
                () = dispatcher.run(stopping) => {}
                () = fan_out(&*fanning, positioned, &wake) => {}
            }
        });
        Node { store, stop, work }
    }

    pub(crate) async fn put(&self, name: &str, change: impl FnOnce(&mut Endpoint)) -> EndpointId {
        let mut endpoint = Endpoint {
            url: EndpointUrl::parse("https://shop.example/hook").expect("an address"),
            filter: Filter::all(),
            ordered: false,
            settings: Settings::default(),
            sealed: Sealed(b"first".to_vec()),
        };
        change(&mut endpoint);
        let name = EndpointName::parse(name).expect("a name");
        let put = self.at.deliveries().put_endpoint(&name, &endpoint, Start::After(Position(0))).await;
        put.expect("the store writes")
    }

    pub(crate) async fn tell(&self, facts: impl IntoIterator<Item = Fact>) {
        let batch: Vec<Submission> = facts.into_iter().map(Submission::from).collect();
        let now = Paused(self.start).now();
        for outcome in apply(&*self.at, &batch, &Policy::default(), now, &Attempts(1)).await {
            outcome.expect("the store applies it");
        }
        self.give_positions().await;
    }

    /// What one node of a fleet does for all.
    async fn give_positions(&self) {
        const ENOUGH: usize = 1000;
        if !self.at.needs_sequencer() {
            return;
        }
        let owner = Owner("the sequencer".to_owned());
        let lease = self.at.lease(&Role::SEQUENCER, &owner, Duration::from_secs(60)).await;
        let lease = lease.expect("the store writes").expect("nobody else has it");
        while self.at.sequence(&lease, ENOUGH).await.expect("the store writes") > 0 {}
    }

    pub(crate) async fn view(&self, id: EndpointId) -> EndpointView {
        let all = self.at.deliveries().endpoints().await.expect("the store reads");
        all.into_iter().find(|view| view.id == id).expect("the endpoint is there")
    }

    pub(crate) async fn state(&self, id: EndpointId) -> EndpointState {
        self.view(id).await.state
    }

    pub(crate) async fn switch(&self, id: EndpointId, switch: Switch) {
        assert!(self.at.deliveries().switch_endpoint(id, switch).await.expect("the store writes"));
    }

    pub(crate) async fn replay(&self, id: EndpointId, replay: Replay) -> u64 {
        self.at.deliveries().replay(id, replay).await.expect("the store writes")
    }

    pub(crate) async fn rows(&self, id: EndpointId, state: DeliveryState) -> Vec<i64> {
        let rows = self.at.deliveries().undelivered(id, state, Position(0), 10_000).await;
        rows.expect("the store reads").into_iter().map(|row| row.position.0).collect()
    }

    pub(crate) async fn attempts(&self, id: EndpointId, position: i64) -> Vec<AttemptView> {
        let made = self.at.deliveries().attempts(id, Position(position), 100).await;
        made.expect("the store reads")
    }

    /// Lets time pass, in which everything is done that is due.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep_until(Instant::now() + time).await;
    }

    /// Waits until nothing is left to be delivered to an endpoint, or listed.
    pub(crate) async fn is_done(&self, id: EndpointId, messages: i64) {
        loop {
            let fanned_out = self.view(id).await.fanned_out.0;
            if fanned_out >= messages && self.rows(id, DeliveryState::Pending).await.is_empty() {
                return;
            }
            self.pass(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn schedule(seconds: &[u64]) -> Schedule {
    Schedule::parse(seconds).expect("a schedule")
}
