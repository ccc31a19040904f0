//! Sends copies to the notify URL over keep-alive connections, judges the answers as WeChat does and resends what
//! was not acknowledged.
//!
//! Invariants: at most [`Courier::connections`] copies are in flight; a copy counts as sent once it was tried, so
//! every attempt gives one [`Answer`]; a broken connection is made anew for the next attempt; copies that must be
//! refused are never resent. Redirects are not followed and answers carry no trust: both as with WeChat. A fleet's load
//! balancer is played by a [`Route`].

mod line;
mod payload;
mod plan;
mod posted;
mod queue;
mod report;
mod retry;
mod signer;
#[cfg(test)]
mod tests;
mod way;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::{Error, SignedCallback};
use queue::{Job, Queue};

pub(crate) use line::post_once;
use line::{Dial, Line, Tcp};
pub(crate) use payload::Carriage;
use payload::Payload;
pub use plan::{Delivery, Plan};
pub(crate) use posted::Posted;
pub use report::{Answer, Report, Tally, Verdict, unacknowledged};
pub use retry::{OFFICIAL_WAITS, Retry};
pub(crate) use signer::REPLAY_AGE_SECONDS;
pub use signer::Signer;
pub(crate) use way::{NoCertificate, Trust, Way, certificates};

/// WeChat waits this long for the whole answer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Where a callback goes: the notify URL, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    addr: SocketAddr,
    /// What the `Host` header says.
    host: String,
    path: Uri,
}

impl Target {
    /// A receiver at `addr` (plain HTTP) and an absolute path.
    ///
    /// # Errors
    /// [`Error::PathMalformed`]: WeChat takes no notify URL with a query or fragment.
    pub fn new(addr: SocketAddr, path: &str) -> Result<Self, Error> {
        let malformed = || Error::PathMalformed { path: path.to_owned() };
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(malformed());
        }
        let path = path.parse().map_err(|_| malformed())?;
        Ok(Self { addr, host: addr.to_string(), path })
    }

    /// The same receiver, called by this name.
    pub(crate) fn named(self, host: &Authority) -> Self {
        Self { host: host.to_string(), ..self }
    }
}

/// Chooses the receiver of one attempt (the first is 1).
pub type Route = Arc<dyn Fn(&Delivery, u32) -> Target + Send + Sync>;

/// Delivers callbacks.
#[derive(Clone)]
pub struct Courier {
    /// Where they go.
    pub route: Route,
    /// How many keep-alive connections are used at once (to each receiver, where the route knows several).
    pub connections: NonZeroUsize,
    /// How long one answer may take, [`ANSWER_LIMIT`] by default.
    pub answer_limit: Duration,
    /// What happens to copies that were not acknowledged, [`Retry::NEVER`] by default.
    pub retry: Retry,
}

impl Courier {
    /// A courier to one target with WeChat's time limit, who does not resend.
    #[must_use]
    pub fn new(target: Target, connections: NonZeroUsize) -> Self {
        Self::routed(Arc::new(move |_, _| target.clone()), connections)
    }

    /// The same to a target that is asked for before each attempt.
    #[must_use]
    pub fn routed(route: Route, connections: NonZeroUsize) -> Self {
        Self { route, connections, answer_limit: ANSWER_LIMIT, retry: Retry::NEVER }
    }

    /// The same courier, resending as `retry` says.
    #[must_use]
    pub fn retrying(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Sends every delivery, and resends the unacknowledged ones until they are acknowledged or the retries end.
    ///
    /// `callback` makes the bytes of one attempt (the first is 1), see [`crate::Signer::callback`]; `on_answer` sees
    /// each answer as it comes. Returns all answers in the order in which they came. Dropping the future stops the
    /// courier. Needs a tokio runtime with I/O and time.
    ///
    /// # Panics
    /// Where `callback` panics.
    pub async fn deliver(
        &self,
        deliveries: impl IntoIterator<Item = Delivery>,
        callback: impl Fn(&Delivery, u32) -> SignedCallback + Send + Sync + 'static,
        on_answer: impl FnMut(&Answer),
    ) -> Vec<Answer> {
        self.deliver_over(Tcp, deliveries, callback, on_answer).await
    }

    async fn deliver_over<D: Dial>(
        &self,
        dial: D,
        deliveries: impl IntoIterator<Item = Delivery>,
        callback: impl Fn(&Delivery, u32) -> SignedCallback + Send + Sync + 'static,
        mut on_answer: impl FnMut(&Answer),
    ) -> Vec<Answer> {
        let run = Arc::new(Run { courier: self.clone(), dial, queue: Queue::of(deliveries), callback });
        let (sender, mut receiver) = unbounded_channel();
        let mut workers = JoinSet::new();
        for _ in 0..self.connections.get() {
            workers.spawn(work(Arc::clone(&run), sender.clone()));
        }
        drop(sender); // so that the channel ends when the last worker does
        let mut answers = Vec::new();
        while let Some(answer) = receiver.recv().await {
            on_answer(&answer);
            answers.push(answer);
        }
        workers.join_all().await;
        answers
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("connections", &self.connections)
            .field("answer_limit", &self.answer_limit)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// What the workers of one run share.
struct Run<D, F> {
    courier: Courier,
    dial: D,
    queue: Queue,
    callback: F,
}

/// One worker's work: take what is due, send it, judge the answer, until nothing is left to send.
async fn work<D, F>(run: Arc<Run<D, F>>, answers: UnboundedSender<Answer>)
where
    D: Dial,
    F: Fn(&Delivery, u32) -> SignedCallback + Send + Sync + 'static,
{
    let mut lines = BTreeMap::new();
    while let Some(job) = run.queue.next().await {
        let target = (run.courier.route)(&job.delivery, job.attempt);
        let line = lines.entry(target.addr).or_insert_with(|| Line::new(&run.dial, target.addr));
        let answer = attempt(&run, &target, line, &job).await;
        let wait = run.courier.retry.wait_after(job.attempt);
        match wait.filter(|_| answer.is_resent()) {
            Some(wait) => job.again_at(Instant::now() + wait),
            None => job.done(),
        }
        if answers.send(answer).is_err() {
            return; // nobody waits for answers any more: the run was dropped
        }
    }
}

async fn attempt<D, F>(run: &Run<D, F>, target: &Target, line: &mut Line<'_, D>, job: &Job<'_>) -> Answer
where
    D: Dial,
    F: Fn(&Delivery, u32) -> SignedCallback,
{
    let callback = (run.callback)(&job.delivery, job.attempt);
    // Of this run no two attempts have the same.
    let request = (job.delivery.number as u128) << 32 | u128::from(job.attempt);
    let posted = Posted::of(&callback, request);
    let started = Instant::now();
    let reply = timeout(run.courier.answer_limit, line.post(target, &posted)).await;
    let status = reply.ok().and_then(Result::ok).map(|reply| reply.status);
    if status.is_none() {
        line.hang_up(); // a late answer must not be taken for the next one's
    }
    Answer { delivery: job.delivery, attempt: job.attempt, status, elapsed: started.elapsed() }
}
