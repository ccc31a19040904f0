//! The role that commits: takes what waits, applies it in one transaction, answers each.
//!
//! Natural group commit: what arrives while a commit is in flight forms the next batch; there is no timer. On a database
//! server several transactions run at the same time, each fed by a lane of its own; what concerns one order goes
//! through one lane, so that a node does not wait for its own locks. Notes are written beside the lanes there; an
//! embedded database has one writer, and its lane writes them between facts.
//! Invariants: an answer leaves after the commit; the queues are bounded and shed; closing them drains them.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    Clock, Fact, NotApplied, Outcome, Pace, Policy, Store, StoreError, Submission, apply_with,
    effect::{EffectFailure, Effects},
    store::{Epoch, Note},
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use super::{
    committed::Committed,
    effects,
    notes::{Book, Flood, NOTES_LINGER, NOTES_MAX, Notes, lingering},
};
use crate::{alerts::Alerts, metrics::Metrics};

/// Facts in one transaction. More would save little (the cost of a commit is spread already) and make the
/// first wait for the last.
pub const BATCH_CALLBACKS_MAX: usize = 256;

/// The same where effects run: each message costs some round trips of its own, and all of them are to fit into the time
/// that a transaction has.
pub(crate) const BATCH_WITH_EFFECTS_MAX: usize = 64;

/// What came of a submission: committed with this outcome, or not committed.
pub(super) type Verdict = Result<Outcome, NotApplied>;

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Verdict>,
}

/// The way in: clones of it feed the one applier.
#[derive(Clone)]
pub(crate) struct Intake {
    lanes: Arc<[mpsc::Sender<Waiting>]>,
    notes: mpsc::Sender<Note>,
    metrics: Arc<Metrics>,
}

/// Why a submission was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shed {
    /// Too much waits already.
    QueueFull,
    /// The applier is gone.
    Closed,
}

impl Intake {
    /// Hands a fact in. The receiver hears what came of it, after the commit.
    pub(crate) fn submit(&self, submission: Submission) -> Result<oneshot::Receiver<Verdict>, Shed> {
        let (answer, verdict) = oneshot::channel();
        match self.lane_of(&submission.fact).try_send(Waiting { submission, answer }) {
            Ok(()) => Ok(verdict),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Shed::QueueFull),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Shed::Closed),
        }
    }

    /// Whether there is an applier at the other end of every lane.
    pub(crate) fn is_open(&self) -> bool {
        !self.lanes.iter().any(mpsc::Sender::is_closed)
    }

    fn lane_of(&self, fact: &Fact) -> &mpsc::Sender<Waiting> {
        if let [only] = &*self.lanes {
            return only;
        }
        let mut hasher = DefaultHasher::new();
        match fact.order_key() {
            Some(key) => key.hash(&mut hasher),
            None => fact.claim().hash(&mut hasher),
        }
        &self.lanes[(hasher.finish() % self.lanes.len() as u64) as usize]
    }

    /// Hands a note in; if too many wait, it is counted and dropped.
    pub(crate) fn note(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            self.metrics.notes_dropped.inc();
        }
    }
}

/// How facts are put together into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Transactions at the same time, on a database server. An embedded database commits one at a time.
    pub lanes: usize,
    /// Facts in one transaction.
    pub batch_facts_max: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Self { lanes: 1, batch_facts_max: BATCH_CALLBACKS_MAX }
    }
}

/// The applier at work.
pub(crate) struct Applying {
    tasks: Vec<JoinHandle<()>>,
    /// Ends when the first of its tasks does, be it by a panic.
    pub ended: oneshot::Receiver<()>,
    /// Taken by the end.
    thread: Option<Runtime>,
}

impl Applying {
    /// Waits until everything that was handed in is written. The last [`Intake`] must be gone.
    pub(crate) async fn drain(&mut self) {
        for task in self.tasks.drain(..) {
            // What made it panic was said when it did.
            let _ = task.await;
        }
    }
}

impl Drop for Applying {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Whoever drops this may be a thread that must not wait.
            thread.shutdown_background();
        }
    }
}

/// Tells, once the first task has ended.
struct Alive(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl Alive {
    /// A task at whose end it tells.
    fn spawn(self, thread: &Runtime, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        thread.spawn(async move {
            let _alive = self;
            work.await;
        })
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody may listen any longer.
        let _ = told.map(|told| told.send(()));
    }
}

/// What the applier works with.
#[derive(Clone)]
pub(crate) struct Applier {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub policy: Policy,
    pub effects: Effects,
    pub flood: Arc<Flood>,
    pub caches: Arc<Committed>,
    pub metrics: Arc<Metrics>,
    pub alerts: Arc<Alerts>,
    /// Where answers are given, after the commit.
    pub answerers: Handle,
    pub grouping: Grouping,
    /// How long a batch may take: no callback waits longer.
    pub budget: Duration,
    /// Told after each commit.
    pub committed: Arc<Notify>,
}

impl Applier {
    /// Starts the applier on a thread of its own: a store may block there, and the next step of a transaction does
    /// not wait behind requests that are being verified. It ends, with everything written, when the last [`Intake`]
    /// is dropped; connections that it made work until [`Applying`] is.
    pub(crate) fn start(self, queue_max: usize) -> std::io::Result<(Intake, Applying)> {
        let serves_many = self.store.needs_sequencer();
        let lanes_max = if serves_many { self.grouping.lanes.max(1) } else { 1 };
        let (alive, ended) = oneshot::channel();
        let alive = Arc::new(Mutex::new(Some(alive)));
        let thread =
            Builder::new_multi_thread().worker_threads(1).thread_name("applier").enable_all().build()?;
        let (notes, notes_in) = mpsc::channel(NOTES_MAX);
        let mut notes_in = Some(Notes::new(notes_in, self.book()));
        let (mut tasks, mut lanes) = (Vec::new(), Vec::new());
        if serves_many && let Some(notes) = notes_in.take() {
            tasks.push(Alive(Arc::clone(&alive)).spawn(&thread, notes.run()));
        }
        for _ in 0..lanes_max {
            let (facts, facts_in) = mpsc::channel(queue_max.div_ceil(lanes_max));
            lanes.push(facts);
            let (alive, lane) = (Alive(Arc::clone(&alive)), self.clone());
            tasks.push(match notes_in.take() {
                Some(notes) => alive.spawn(&thread, lane.run_and_note(facts_in, notes)),
                None => alive.spawn(&thread, lane.run(facts_in)),
            });
        }
        let intake = Intake { lanes: lanes.into(), notes, metrics: self.metrics };
        Ok((intake, Applying { tasks, ended, thread: Some(thread) }))
    }

    fn book(&self) -> Book {
        Book {
            store: Arc::clone(&self.store),
            metrics: Arc::clone(&self.metrics),
            flood: Arc::clone(&self.flood),
        }
    }

    /// A lane.
    async fn run(self, mut facts: mpsc::Receiver<Waiting>) {
        let batch_max = self.grouping.batch_facts_max.max(1);
        let mut batch = Vec::with_capacity(batch_max);
        while facts.recv_many(&mut batch, batch_max).await > 0 {
            self.apply(&mut batch).await;
        }
    }

    /// The lane of an embedded database.
    async fn run_and_note(self, mut facts: mpsc::Receiver<Waiting>, mut notes: Notes) {
        let batch_max = self.grouping.batch_facts_max.max(1);
        let mut batch = Vec::with_capacity(batch_max);
        let mut linger = lingering();
        let mut notes_written = Instant::now();
        loop {
            tokio::select! {
                biased;
                taken = facts.recv_many(&mut batch, batch_max) => {
                    if taken == 0 {
                        break;
                    }
                    self.apply(&mut batch).await;
                    // Facts go first, but not for ever.
                    if notes.pile_up() || notes_written.elapsed() >= NOTES_LINGER {
                        notes.write().await;
                        notes_written = Instant::now();
                    }
                }
                _ = linger.tick() => {
                    notes.write().await;
                    notes_written = Instant::now();
                }
            }
        }
        notes.write_all().await;
    }

    async fn apply(&self, batch: &mut Vec<Waiting>) {
        self.metrics.batch_facts.observe(batch.len() as f64);
        let (submissions, answers): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|waiting| (waiting.submission, waiting.answer)).unzip();
        // Before the transaction begins: what it commits is true in this epoch, whatever comes in between.
        let epoch = self.store.epoch();
        let outcomes = self.apply_in_time(&submissions).await;
        self.committed.notify_one();
        let mut applied = Answers { submissions, answers, outcomes };
        let unapplied = applied.take_failed_effects();
        self.answer(applied, epoch.clone());
        if let Some((unapplied, failures)) = unapplied {
            // Whoever hears of it may look it up.
            effects::keep(&*self.store, &self.alerts, &failures).await;
            self.answer(unapplied, epoch);
        }
    }

    /// Answers each.
    fn answer(&self, answers: Answers, epoch: Option<Epoch>) {
        // On another thread: this one is what limits the server, and the next batch waits for it.
        let caches = Arc::clone(&self.caches);
        self.answerers.spawn(async move {
            let committed = answers.give();
            if let Some(epoch) = epoch {
                caches.remember(&committed, &epoch).await;
            }
        });
    }

    /// On a server, what is under way when the time is over is dropped, so that it holds up nobody behind it. An
    /// embedded database blocks: what it began it ends.
    async fn apply_in_time(&self, submissions: &[Submission]) -> Vec<Verdict> {
        let pace = Budget { ends: Instant::now() + self.budget };
        let now = self.clock.now();
        let applied = apply_with(&*self.store, submissions, &self.policy, &self.effects, now, &pace);
        if !self.store.needs_sequencer() {
            return applied.await;
        }
        timeout_at(pace.ends, applied).await.unwrap_or_else(|_| {
            let unknown = || StoreError::CommitUnknown(Box::new(CutShort(self.budget)));
            submissions.iter().map(|_| Err(unknown().into())).collect()
        })
    }
}

/// The time was over while the database had not answered.
#[derive(Debug, thiserror::Error)]
#[error("cut short after {0:?}: nobody waits for it any longer")]
struct CutShort(Duration);

/// What came of submissions, and who waits for it; each list in the same order.
struct Answers {
    submissions: Vec<Submission>,
    answers: Vec<oneshot::Sender<Verdict>>,
    outcomes: Vec<Verdict>,
}

impl Answers {
    /// Takes out those whose effects failed, if there are some.
    fn take_failed_effects(&mut self) -> Option<(Self, Vec<EffectFailure>)> {
        let failed = |outcome: &Verdict| matches!(outcome, Err(NotApplied::Effects(_)));
        if !self.outcomes.iter().any(failed) {
            return None;
        }
        let (mut others, mut taken, mut failures) = (Self::empty(), Self::empty(), Vec::new());
        let all = self.submissions.drain(..).zip(self.answers.drain(..)).zip(self.outcomes.drain(..));
        for ((submission, answer), outcome) in all {
            if let Err(NotApplied::Effects(these)) = &outcome {
                failures.extend_from_slice(these);
            }
            let list = if failed(&outcome) { &mut taken } else { &mut others };
            list.submissions.push(submission);
            list.answers.push(answer);
            list.outcomes.push(outcome);
        }
        *self = others;
        Some((taken, failures))
    }

    fn empty() -> Self {
        Self { submissions: Vec::new(), answers: Vec::new(), outcomes: Vec::new() }
    }

    /// Tells each who waits what came of its fact. Returns what is committed.
    fn give(self) -> Vec<Fact> {
        let refused = |outcome: &Verdict| matches!(outcome, Err(NotApplied::Store(_)));
        if let Some(Err(NotApplied::Store(error))) = self.outcomes.iter().find(|outcome| refused(outcome)) {
            let facts = self.outcomes.iter().filter(|outcome| refused(outcome)).count();
            tracing::error!(error = error.with_causes(), facts, "facts were not committed");
        }
        let mut committed = Vec::with_capacity(self.submissions.len());
        let all = self.submissions.into_iter().zip(self.answers).zip(self.outcomes);
        for ((submission, answer), verdict) in all {
            if verdict.is_ok() {
                committed.push(submission.fact);
            }
            // Whoever asked may have gone (its time was over); the fact is committed all the same.
            let _ = answer.send(verdict);
        }
        committed
    }
}

/// Begins anew at once, then after growing pauses, until no callback of the batch waits any longer.
struct Budget {
    ends: Instant,
}

/// The longest pause: several attempts fit into a budget of 4 s while a server fails over.
const PAUSE_MAX: Duration = Duration::from_millis(250);

#[async_trait]
impl Pace for Budget {
    async fn again(&self, failed: u32) -> bool {
        // Twice at once: another transaction was faster, and is done. Then 2 ms, 4 ms …
        let pause = match failed {
            0..=2 => Duration::ZERO,
            _ => Duration::from_millis(1 << (failed - 2).min(8)).min(PAUSE_MAX),
        };
        if Instant::now() + pause >= self.ends {
            return false;
        }
        sleep(pause).await;
        true
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.ends
    }
}
