//! The line to one channel: groups alerts, keeps to the channel's pace, tries again what does not get through.
//!
//! Invariants: what waits is bounded, and what finds no room is counted and logged; a notice has the same id at every attempt;
//! whoever waits for an alert hears of its end, be it that it was given up. One call is out at a time: notices arrive in
//! their order.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use payonce_core::{
    Clock, UnixMillis,
    delivery::{Answer, Heard, Next, Schedule, Settings, judge},
    message::MessageId,
    store::{MessageView, Position},
};
use payonce_dispatch::Posts;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use super::{
    alert::Alert,
    channel::{ChannelSettings, Refused},
    grouping::{Grouped, Groups},
    notice::{Notice, foreign},
    pace::Pace,
};
use crate::metrics::Metrics;

/// Notices that wait for a channel. More are given up: nobody reads so many, and each may stand for thousands of alerts.
const NOTICES_MAX: usize = 100;

/// Seconds from one attempt to the next: half an hour in all, in which a robot's trouble mostly passes.
const PAUSES: [u64; 8] = [1, 10, 30, 60, 120, 300, 600, 600];

/// Held by whoever still has to tell of an alert; who waits for the last of them to go waits for all channels.
pub(super) type Receipt = mpsc::Sender<Infallible>;

/// What a line is asked for.
pub(super) enum Ask {
    Tell(Alert, Option<Receipt>),
    /// A test, that goes out at once and once.
    Test(oneshot::Sender<Result<(), String>>),
}

pub(super) struct Line {
    pub channel: Arc<ChannelSettings>,
    pub posts: Posts,
    pub clock: Arc<dyn Clock>,
    pub node: String,
    /// How long a call may take in all.
    pub answer_max: Duration,
    pub metrics: Arc<Metrics>,
    pub random: Box<dyn FnMut() -> u64 + Send>,
}

struct Waiting {
    notice: Notice,
    /// How many attempts were made.
    attempts: u32,
    due: Instant,
    /// Gone once the notice is told or given up.
    _receipts: Vec<Receipt>,
}

/// Why an attempt failed.
struct Failed {
    heard: Heard,
    words: String,
    pause: Option<Duration>,
}

impl Line {
    /// Tells what is asked for, until `stopping`. What waits then is given up: what has to be told all the same comes again
    /// from the database at the next start.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>, mut stopping: watch::Receiver<bool>) {
        let work = async {
            let mut groups = Groups::new(self.channel.group);
            let mut pace = Pace::new(self.channel.per_minute);
            let mut queue = VecDeque::new();
            loop {
                let now = Instant::now();
                for grouped in groups.due(now) {
                    self.queue(&mut queue, grouped, now);
                }
                let next = queue.front().map(|first: &Waiting| first.due.max(pace.free_at(now)));
                if next.is_some_and(|next| next <= now)
                    && let Some(first) = queue.pop_front()
                {
                    pace.made(now);
                    if let Some(again) = self.attempt(first, &mut pace).await {
                        queue.push_front(again);
                    }
                    continue;
                }
                let wake = [next, groups.next_due()].into_iter().flatten().min();
                tokio::select! {
                    ask = asks.recv() => match ask {
                        None => return,
                        Some(Ask::Tell(alert, receipt)) => {
                            let now = Instant::now();
                            if let Some(grouped) = groups.raise(now, alert, receipt) {
                                self.queue(&mut queue, grouped, now);
                            }
                        }
                        Some(Ask::Test(answer)) => {
                            let _ = answer.send(self.test(&mut pace).await);
                        }
                    },
                    () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {}
                }
            }
        };
        tokio::select! {
            () = work => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }

    fn queue(&mut self, queue: &mut VecDeque<Waiting>, grouped: Grouped<Receipt>, now: Instant) {
        let Grouped { shown, count, receipts } = grouped;
        if queue.len() >= NOTICES_MAX {
            self.metrics.alerted(&self.channel.name, "dropped");
            let (channel, kind) = (self.channel.name.as_str(), shown[0].kind().as_str());
            tracing::error!(channel, kind, count, "too many alerts wait for a channel: one was dropped");
            return;
        }
        let notice = self.notice(shown, count);
        queue.push_back(Waiting { notice, attempts: 0, due: now, _receipts: receipts });
    }

    fn notice(&mut self, shown: Vec<Alert>, count: u64) -> Notice {
        let id = format!("alert:{:016x}{:016x}", (self.random)(), (self.random)());
        Notice { id, at: self.clock.now(), node: self.node.clone(), shown, count }
    }

    /// Makes one attempt. Returns what is to be tried again.
    async fn attempt(&mut self, mut waiting: Waiting, pace: &mut Pace) -> Option<Waiting> {
        waiting.attempts += 1;
        let (channel, kind) = (self.channel.name.clone(), waiting.notice.kind().as_str());
        let Err(failed) = self.call(&waiting.notice).await else {
            self.metrics.alerted(&channel, "sent");
            tracing::debug!(channel, kind, "an alert was sent");
            return None;
        };
        let now = Instant::now();
        if let Some(pause) = failed.pause {
            pace.pause_until(now + pause);
        }
        let schedule = Schedule::parse(&PAUSES).expect("BUG: each pause is one to some hundred seconds");
        let (attempts, words) = (waiting.attempts, failed.words);
        match judge(&failed.heard, attempts, &schedule, (self.random)()) {
            Next::Again { after } => {
                self.metrics.alerted(&channel, "failed");
                tracing::warn!(
                    channel,
                    kind,
                    attempts,
                    words,
                    "an alert did not get through; it is tried again"
                );
                waiting.due = now + after;
                Some(waiting)
            }
            Next::Delivered | Next::Exhausted | Next::Gone => {
                self.metrics.alerted(&channel, "given_up");
                let title = waiting.notice.title(self.channel.language);
                tracing::error!(channel, kind, attempts, words, title, "an alert was given up");
                None
            }
        }
    }

    async fn test(&mut self, pace: &mut Pace) -> Result<(), String> {
        let now = Instant::now();
        let wait = pace.free_at(now).saturating_duration_since(now);
        if wait > Duration::from_secs(1) {
            return Err(format!("its rate is used up: ask again in {} s", wait.as_secs() + 1));
        }
        pace.made(now);
        let notice = self.notice(vec![Alert::Test], 1);
        let called = self.call(&notice).await;
        self.metrics.alerted(&self.channel.name, if called.is_ok() { "sent" } else { "failed" });
        called.map_err(|failed| failed.words)
    }

    async fn call(&mut self, notice: &Notice) -> Result<(), Failed> {
        let unusable = |words: String| Failed { heard: Answer::Status(400).into(), words, pause: None };
        let now = self.clock.now();
        let letter = self.channel.letter(notice, now).map_err(|error| unusable(error.to_string()))?;
        let total_max_ms = u32::try_from(self.answer_max.as_millis()).unwrap_or(u32::MAX);
        let settings = Settings { total_max_ms, concurrency: 1, ..Settings::default() };
        // A way for each call: they are rare, and a signature may be part of the URL.
        let sender = self
            .posts
            .open(&letter.url, self.channel.secrets(), &settings)
            .map_err(|error| unusable(error.to_string()))?;
        let report = sender.send(&message(notice, letter.body, now)).await;
        match report.heard.answer {
            answer if answer.is_success() => self.channel.hear(&report.body).map_err(refused),
            Answer::Fault(fault) => {
                let words = self.channel.without_key(&foreign(&String::from_utf8_lossy(&report.body)));
                Err(Failed {
                    heard: report.heard,
                    words: format!("{}: {words}", fault.as_str()),
                    pause: None,
                })
            }
            Answer::Status(status) => {
                let (words, pause) = (format!("it answered {status}"), report.heard.retry_after);
                Err(Failed { heard: report.heard, words, pause })
            }
            Answer::Confirmed => Ok(()),
        }
    }
}

/// What a robot refuses may go through later: a wrong key is mended, a limit passes.
fn refused(refused: Refused) -> Failed {
    let words = match refused.code {
        Some(code) => format!("it answered errcode {code}: {}", refused.words),
        None => refused.words,
    };
    Failed { heard: Answer::Status(502).into(), words, pause: refused.pause }
}

fn message(notice: &Notice, body: String, now: UnixMillis) -> MessageView {
    MessageView {
        position: Position(0),
        id: MessageId(notice.id.clone()),
        kind: format!("alert.{}", notice.kind().as_str()),
        body,
        created_at: now,
    }
}
