//! The one task that keeps the keys of all merchants fresh, off every callback's path.
//!
//! Invariants: one download a merchant at a time, and at most one a minute, whoever asks (forged serials must not drive
//! it); a few merchants at a time, spread out by jitter; what fails is tried again, with pauses that double; the keys
//! known so far stay in every case. Deliberately absent: a lease. Each process keeps its own keys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinSet};
use tokio::time::{Instant, sleep_until};
use wechatpay::UnixSeconds;
use wechatpay::answer::certificates::CertificatesError;

use crate::environment::jitter;
use crate::{Client, ClientError};

/// How often certificates are asked for: WeChat Pay wants it at least every 12 hours.
const EVERY: Duration = Duration::from_secs(8 * 3600);

/// How far that is spread.
const SPREAD: Duration = Duration::from_secs(3 * 3600);

/// How often a merchant is asked for that has no certificates, only WeChat Pay's public key.
const WITHOUT_CERTIFICATES: Duration = Duration::from_secs(24 * 3600);

/// How far the first downloads are spread. A start is not the moment for 1,500 of them.
const FIRST_SPREAD: Duration = Duration::from_secs(60);

/// From one download to the next, whoever asks for it.
pub(crate) const REST: Duration = Duration::from_secs(60);

/// The longest pause after failures.
const FAILED_MAX: Duration = Duration::from_secs(3600);

/// Downloads at the same time.
const AT_ONCE: usize = 4;

/// Calls to wake up that may wait; further ones add nothing.
const WAKES_MAX: usize = 1024;

/// Why keys were not refreshed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The merchant has no platform certificates: WeChat Pay's public key is the only way.
    #[error("WeChat Pay has no platform certificates for this merchant: configure its public key")]
    NoCertificates,
    /// The call failed.
    #[error("{0}")]
    Call(#[source] ClientError),
    /// The answer gives no keys.
    #[error("{0}")]
    Certificates(#[from] CertificatesError),
    /// The download ended by a fault of this program.
    #[error("the download of certificates ended by a fault of the program's own; its log says where")]
    Fault,
}

/// How a merchant's refreshing goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefreshStatus {
    /// When certificates were downloaded last.
    pub succeeded_at: Option<UnixSeconds>,
    /// Why the last attempt failed, if it did.
    pub error: Option<String>,
    /// The merchant has no certificates.
    pub without_certificates: bool,
}

/// Asks for a merchant's keys to be refreshed. Cheap to clone; never waits.
#[derive(Clone, Debug)]
pub struct Waker(mpsc::Sender<String>);

impl Waker {
    /// Asks. Too many askers are one.
    pub fn wake(&self, mchid: &str) {
        let _ = self.0.try_send(mchid.to_owned());
    }
}

/// When a refresher asked for each merchant and how that went, so that another one goes on where it stopped.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<BTreeMap<String, Course>>>);

/// Of one merchant.
#[derive(Clone, Debug)]
struct Course {
    status: Arc<Mutex<RefreshStatus>>,
    last: Instant,
    /// `None` if it was being asked for.
    due: Option<Instant>,
    failures: u32,
}

/// Keeps the keys of these merchants fresh while it [`run`](Self::run)s. One of them is enough for a process.
///
/// ```no_run
/// use tokio::sync::watch;
/// use wechatpay_client::{Client, Refresher};
///
/// # async fn f(clients: Vec<Client>) -> Result<(), Box<dyn std::error::Error>> {
/// let refresher = Refresher::new(clients);
/// let (waker, status) = (refresher.waker(), refresher.status());
/// let (stop, stopping) = watch::channel(false);
/// let running = tokio::spawn(refresher.run(stopping));
///
/// // A callback names a serial that nobody knows: answer it 401, WeChat Pay sends it again.
/// waker.wake("1900000001");
/// println!("{:?}", status["1900000001"].lock());
///
/// stop.send(true)?;
/// running.await?;
/// # Ok(())
/// # }
/// ```
pub struct Refresher {
    merchants: BTreeMap<String, Merchant>,
    history: History,
    waker: Waker,
    wakes: mpsc::Receiver<String>,
}

struct Merchant {
    client: Client,
    status: Arc<Mutex<RefreshStatus>>,
    /// When it is asked for next; `None` while it is.
    due: Option<Instant>,
    /// Which task asks.
    running: Option<task::Id>,
    last: Option<Instant>,
    failures: u32,
    /// Asked for during a download: what it brings may be older than the question.
    woken: bool,
}

impl Refresher {
    /// For these merchants.
    #[must_use]
    pub fn new(clients: impl IntoIterator<Item = Client>) -> Self {
        Self::after(&History::default(), clients)
    }

    /// For these merchants, in place of another refresher: of those that it had too, none is asked for sooner than it
    /// would have asked, but where that failed: what was wrong may have been mended.
    #[must_use]
    pub fn after(before: &History, clients: impl IntoIterator<Item = Client>) -> Self {
        let (waker, wakes) = mpsc::channel(WAKES_MAX);
        let before = before.courses();
        let mut courses = BTreeMap::new();
        let merchant = |client: Client| {
            let mchid = client.mchid().to_owned();
            let merchant = match before.get(&mchid) {
                None => Merchant::new(client),
                Some(course) => {
                    courses.insert(mchid.clone(), course.clone());
                    Merchant::going_on(client, course)
                }
            };
            (mchid, merchant)
        };
        let merchants = clients.into_iter().map(merchant).collect();
        let history = History(Arc::new(Mutex::new(courses)));
        Self { merchants, history, waker: Waker(waker), wakes }
    }

    /// For whoever goes on [`after`](Self::after) it; stays true while it runs.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.clone()
    }

    /// To wake it with, as when a callback names a serial that nobody knows.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// How it goes, merchant by merchant; stays true while it runs.
    #[must_use]
    pub fn status(&self) -> BTreeMap<String, Arc<Mutex<RefreshStatus>>> {
        self.merchants.iter().map(|(mchid, merchant)| (mchid.clone(), Arc::clone(&merchant.status))).collect()
    }

    /// Refreshes until `stopping`.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let started = Instant::now();
        for merchant in self.merchants.values_mut() {
            merchant.due = Some(merchant.first_due(started));
        }
        let mut running = JoinSet::new();
        loop {
            self.start_due(&mut running);
            let next = self.next_due(running.len());
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                Some(mchid) = self.wakes.recv() => self.wake(&mchid),
                Some(done) = running.join_next_with_id() => {
                    let (id, result) = match done {
                        Ok(done) => done,
                        Err(ended) => (ended.id(), Err(RefreshError::Fault)),
                    };
                    self.settle(id, result);
                }
                () = sleep_until(next.unwrap_or(started)), if next.is_some() => {}
            }
        }
    }

    fn start_due(&mut self, running: &mut JoinSet<Result<usize, RefreshError>>) {
        let now = Instant::now();
        for (mchid, merchant) in &mut self.merchants {
            if running.len() >= AT_ONCE {
                return;
            }
            if merchant.due.is_some_and(|due| due <= now) {
                (merchant.due, merchant.last) = (None, Some(now));
                self.history.note(mchid, merchant);
                let client = merchant.client.clone();
                let task = running.spawn(async move { client.refresh_keys().await });
                merchant.running = Some(task.id());
            }
        }
    }

    /// `None` while no more may run.
    fn next_due(&self, running: usize) -> Option<Instant> {
        let due = self.merchants.values().filter_map(|merchant| merchant.due).min();
        due.filter(|_| running < AT_ONCE)
    }

    fn wake(&mut self, mchid: &str) {
        let Some(merchant) = self.merchants.get_mut(mchid) else { return };
        match merchant.due {
            None => merchant.woken = true,
            Some(due) => {
                let soonest = merchant.last.map_or_else(Instant::now, |last| last + REST);
                merchant.due = Some(due.min(soonest.max(Instant::now())));
            }
        }
    }

    fn settle(&mut self, id: task::Id, result: Result<usize, RefreshError>) {
        let mut merchants = self.merchants.iter_mut();
        let Some((mchid, merchant)) = merchants.find(|(_, merchant)| merchant.running == Some(id)) else {
            return;
        };
        merchant.running = None;
        let environment = merchant.client.transport().environment();
        let mut status = merchant.status.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = match result {
            Ok(new) => {
                if new > 0 {
                    tracing::info!(mchid, new, "WeChat Pay has new platform certificates");
                }
                let succeeded_at = Some(environment.now());
                *status = RefreshStatus { succeeded_at, error: None, without_certificates: false };
                merchant.failures = 0;
                EVERY + jitter(environment, SPREAD)
            }
            Err(RefreshError::NoCertificates) => {
                (status.error, status.without_certificates) = (None, true);
                merchant.failures = 0;
                WITHOUT_CERTIFICATES + jitter(environment, SPREAD)
            }
            Err(error) => {
                tracing::warn!(mchid, %error, "platform certificates were not refreshed; those known stay");
                status.error = Some(error.to_string());
                merchant.failures += 1;
                let pause = REST.saturating_mul(1 << (merchant.failures - 1).min(16)).min(FAILED_MAX);
                pause + jitter(environment, pause / 4)
            }
        };
        let pause = if std::mem::take(&mut merchant.woken) { pause.min(REST) } else { pause };
        drop(status);
        merchant.due = Some(Instant::now() + pause);
        self.history.note(mchid, merchant);
    }
}

impl History {
    fn courses(&self) -> MutexGuard<'_, BTreeMap<String, Course>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, mchid: &str, merchant: &Merchant) {
        let Merchant { status, due, last: Some(last), failures, .. } = merchant else { return };
        let course = Course { status: Arc::clone(status), last: *last, due: *due, failures: *failures };
        self.courses().insert(mchid.to_owned(), course);
    }
}

impl Merchant {
    fn new(client: Client) -> Self {
        let (due, running, last) = (None, None, None);
        Self { client, status: Arc::default(), due, running, last, failures: 0, woken: false }
    }

    fn going_on(client: Client, course: &Course) -> Self {
        let Course { status, last, due, failures } = course;
        let status = Arc::clone(status);
        let (due, last, failures) = (*due, Some(*last), *failures);
        Self { client, status, due, running: None, last, failures, woken: false }
    }

    fn first_due(&self, started: Instant) -> Instant {
        // Without any key nothing can be verified: those come first.
        let spread = if self.client.keys().health().is_empty() { REST / 10 } else { FIRST_SPREAD };
        let soon = started + jitter(self.client.transport().environment(), spread);
        match (self.last, self.due) {
            (None, _) => soon,
            (Some(_), Some(due)) if self.failures == 0 => due,
            (Some(last), _) => soon.max(last + REST),
        }
    }
}
