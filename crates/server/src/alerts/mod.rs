//! Alerts: people are told what they have to know of, by a group's robot or a webhook.
//!
//! The way of an alert: whoever sees something raises an [`alert`] → each channel's [`line`] groups it with others of its
//! kind and subject ([`grouping`]) → a [`notice`] in the [`words`] of a language → a [`channel`]'s form → one call. What a
//! node sees itself (an endpoint that fails, callbacks that it refuses) it raises itself; what stands in the database is
//! raised by whoever has the role ([`incidents`], [`expiry`]), so that a fleet tells it once.
//!
//! Invariants: without a channel nothing runs; to raise an alert waits for nothing; no alert holds an openid or a secret, and
//! no log a channel's URL. Deliberately absent: keeping what a node saw itself beyond its life; its log has it.

mod alert;
mod channel;
pub(crate) mod expiry;
mod grouping;
pub(crate) mod incidents;
mod line;
mod notice;
mod pace;
mod queue;
mod refusals;
mod under_way;
mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use payonce_core::{Clock, MerchantId, UnixMillis};
use payonce_dispatch::{Posts, SystemResolver, Trust};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    task::JoinSet,
    time::timeout,
};

pub(crate) use alert::{Alert, Disabled};
pub use {
    alert::AlertKind,
    channel::{ChannelSettings, Robot, RobotSecret},
    words::Language,
};

use crate::{config::DeliverySettings, metrics::Metrics};
use line::{Ask, Caller, Line};
use refusals::Refusals;
use under_way::Receipt;

/// Alerts that wait until a line looks at them.
const ASKS_MAX: usize = 256;

/// How long a test may take: a line may have a call out, which ends after ten seconds.
const TEST_MAX: Duration = Duration::from_secs(25);

/// Where alerts are raised.
pub(crate) struct Alerts {
    lines: Vec<(Arc<ChannelSettings>, mpsc::Sender<Ask>)>,
    refusals: Mutex<Refusals>,
    metrics: Arc<Metrics>,
}

/// The lines at work.
pub(crate) struct Lines {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// A line is not there any longer: payonce is stopping, or the line is broken.
#[derive(Debug)]
pub(crate) struct LineEnded;

/// What came of a test.
pub(crate) struct Tested {
    pub channel: String,
    pub result: Result<(), String>,
}

/// Begins the lines of these channels, each of which obeys the same rules as endpoints about which addresses are called.
pub(crate) fn begin(
    channels: Vec<ChannelSettings>,
    delivery: &DeliverySettings,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    (node, answer_max): (&str, Duration),
) -> (Arc<Alerts>, Lines) {
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut lines = Vec::with_capacity(channels.len());
    for channel in channels {
        let channel = Arc::new(channel);
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let mut random = SmallRng::from_os_rng();
        let caller = Caller {
            channel: Arc::clone(&channel),
            posts: Posts {
                clock: Arc::clone(clock),
                networks: delivery.networks.clone(),
                plain: delivery.unencrypted,
                resolver: Arc::new(SystemResolver),
                trust: Trust::system(),
            },
            clock: Arc::clone(clock),
            answer_max,
        };
        let line = Line {
            caller: Arc::new(caller),
            node: node.to_owned(),
            metrics: Arc::clone(metrics),
            random: Box::new(move || random.random()),
        };
        tasks.spawn(line.run(asked, stopping.clone()));
        lines.push((channel, asks));
    }
    let alerts = Alerts { lines, refusals: Mutex::default(), metrics: Arc::clone(metrics) };
    (Arc::new(alerts), Lines { tasks, stop })
}

impl Lines {
    /// Ends them. A call that is out is dropped.
    pub(crate) async fn end(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Alerts {
    /// Whether anybody is told.
    pub(crate) fn is_on(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Tells every channel that wants it. Where too much waits it is dropped, and counted.
    pub(crate) fn raise(&self, alert: Alert) {
        for (channel, asks) in self.wanting(&alert) {
            let because = match asks.try_send(Ask::Tell(alert.clone(), None)) {
                Ok(()) => continue,
                Err(TrySendError::Full(_)) => "too many at once",
                Err(TrySendError::Closed(_)) => "the channel's line has ended: restart payonce",
            };
            self.metrics.alerted(&channel.name, "dropped");
            let (channel, kind) = (channel.name.as_str(), alert.kind().as_str());
            tracing::error!(channel, kind, because, "an alert was dropped");
        }
    }

    /// Tells every channel that wants them, and waits for room. The receipt's copies are gone when each has told or given up
    /// all of them.
    ///
    /// # Errors
    /// [`LineEnded`] if a channel tells nothing any longer. The others tell them all the same.
    pub(crate) async fn raise_all(
        &self,
        alerts: Vec<Alert>,
        receipt: Option<&Receipt>,
    ) -> Result<(), LineEnded> {
        let mut result = Ok(());
        for alert in alerts {
            for (_, asks) in self.wanting(&alert) {
                if asks.send(Ask::Tell(alert.clone(), receipt.cloned())).await.is_err() {
                    result = Err(LineEnded);
                }
            }
        }
        result
    }

    /// A callback was refused. `merchant` is one that is configured.
    pub(crate) fn refused(&self, merchant: Option<&MerchantId>, verdict: &'static str, now: UnixMillis) {
        if !self.is_on() {
            return;
        }
        let alert =
            self.refusals.lock().unwrap_or_else(PoisonError::into_inner).refused(merchant, verdict, now);
        if let Some(alert) = alert {
            self.raise(alert);
        }
    }

    /// Sends a test to one channel, or to all of them, at once and once.
    pub(crate) async fn test(&self, name: Option<&str>) -> Vec<Tested> {
        let chosen = self.lines.iter().filter(|(channel, _)| name.is_none_or(|name| channel.name == name));
        let mut under_way = Vec::new();
        for (channel, asks) in chosen {
            let (answer, answered) = oneshot::channel();
            let asked = asks.try_send(Ask::Test(answer)).is_ok();
            under_way.push((channel.name.clone(), asked.then_some(answered)));
        }
        let mut tested = Vec::with_capacity(under_way.len());
        for (channel, answered) in under_way {
            let result = match answered {
                None => Err("too much waits for it".to_owned()),
                Some(answered) => match timeout(TEST_MAX, answered).await {
                    Ok(Ok(result)) => result,
                    Ok(Err(_)) => Err("payonce is stopping".to_owned()),
                    Err(_) => Err("it is busy with other alerts, which do not get through".to_owned()),
                },
            };
            tested.push(Tested { channel, result });
        }
        tested
    }

    fn wanting(&self, alert: &Alert) -> impl Iterator<Item = &(Arc<ChannelSettings>, mpsc::Sender<Ask>)> {
        let kind = alert.kind();
        self.lines.iter().filter(move |(channel, _)| channel.wants(kind))
    }
}
