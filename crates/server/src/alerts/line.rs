//! The line to one channel: groups alerts, keeps to the channel's pace, tries again what does not get through.
//!
//! Invariants: what waits is bounded, and what finds no room is counted and logged; a notice has the same id at every attempt;
//! whoever waits for an alert hears of its end, be it that it was given up. One call is out at a time, and what is
//! asked for meanwhile is heard.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

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
    queue::{Queue, Waiting},
    under_way::Receipt,
};
use crate::metrics::Metrics;

/// Tests that wait for a call that is out.
const TESTS_MAX: usize = 8;

/// Seconds from one attempt to the next: half an hour in all, in which a robot's trouble mostly passes.
const PAUSES: [u64; 8] = [1, 10, 30, 60, 120, 300, 600, 600];

/// What a line is asked for.
pub(super) enum Ask {
    Tell(Alert, Option<Receipt>),
    /// A test, that goes out at once and once.
    Test(oneshot::Sender<Result<(), String>>),
}

/// What makes the calls.
pub(super) struct Caller {
    pub channel: Arc<ChannelSettings>,
    pub posts: Posts,
    pub clock: Arc<dyn Clock>,
    /// How long a call may take in all.
    pub answer_max: Duration,
}

pub(super) struct Line {
    pub caller: Arc<Caller>,
    pub node: String,
    pub metrics: Arc<Metrics>,
    pub random: Box<dyn FnMut() -> u64 + Send>,
}

/// What a line has before it.
struct Desk {
    groups: Groups<Receipt>,
    pace: Pace,
    queue: Queue,
    /// Who waits for a test.
    tests: VecDeque<oneshot::Sender<Result<(), String>>>,
}

/// Why an attempt failed.
struct Failed {
    heard: Heard,
    words: String,
    pause: Option<Duration>,
    /// It may take others.
    by_itself: bool,
}

impl Line {
    /// Tells what is asked for, until `stopping`. What waits then is given up: what has to be told all the same comes again
    /// from the database at the next start.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>, mut stopping: watch::Receiver<bool>) {
        let channel = &self.caller.channel;
        let mut desk = Desk {
            groups: Groups::new(channel.group),
            pace: Pace::new(channel.per_minute),
            queue: Queue::default(),
            tests: VecDeque::new(),
        };
        tokio::select! {
            () = self.work(&mut desk, &mut asks) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }

    async fn work(&mut self, desk: &mut Desk, asks: &mut mpsc::Receiver<Ask>) {
        loop {
            while let Some(answer) = desk.tests.pop_front() {
                let _ = answer.send(self.test(desk, asks).await);
            }
            let now = Instant::now();
            for grouped in desk.groups.due(now) {
                self.queue(&mut desk.queue, grouped, now);
            }
            let next = desk.queue.next_due().map(|due| due.max(desk.pace.free_at(now)));
            if next.is_some_and(|next| next <= now)
                && let Some(first) = desk.queue.take(now)
            {
                self.attempt(first, desk, asks).await;
                continue;
            }
            let wake = [next, desk.groups.next_due()].into_iter().flatten().min();
            tokio::select! {
                ask = asks.recv() => match ask {
                    None => return,
                    Some(ask) => self.take(ask, desk),
                },
                () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {}
            }
        }
    }

    fn take(&mut self, ask: Ask, desk: &mut Desk) {
        match ask {
            Ask::Tell(alert, receipt) => {
                let now = Instant::now();
                if let Some(grouped) = desk.groups.raise(now, alert, receipt) {
                    self.queue(&mut desk.queue, grouped, now);
                }
            }
            Ask::Test(answer) if desk.tests.len() >= TESTS_MAX => {
                let _ = answer.send(Err("too many tests wait for it".to_owned()));
            }
            Ask::Test(answer) => desk.tests.push_back(answer),
        }
    }

    fn queue(&mut self, queue: &mut Queue, grouped: Grouped<Receipt>, now: Instant) {
        let Grouped { shown, count, receipts } = grouped;
        let notice = self.notice(shown, count);
        if !queue.is_full() {
            return queue.push(notice, receipts, now);
        }
        let channel = &self.caller.channel;
        self.metrics.alerted(&channel.name, "dropped");
        let (kind, title) = (notice.kind().as_str(), notice.title(channel.language));
        let items = notice.items(channel.language);
        tracing::error!(
            channel = channel.name,
            kind,
            count,
            title,
            ?items,
            "too many alerts wait for a channel: one was dropped"
        );
    }

    fn notice(&mut self, shown: Vec<Alert>, count: u64) -> Notice {
        let id = format!("alert:{:016x}{:016x}", (self.random)(), (self.random)());
        Notice { id, at: self.caller.clock.now(), node: self.node.clone(), shown, count }
    }

    /// Makes one attempt.
    async fn attempt(&mut self, waiting: Waiting, desk: &mut Desk, asks: &mut mpsc::Receiver<Ask>) {
        let channel = Arc::clone(&self.caller.channel);
        let kind = waiting.notice.kind().as_str();
        let Err(failed) = self.call(&waiting.notice, desk, asks).await else {
            desk.queue.taken();
            self.metrics.alerted(&channel.name, "sent");
            tracing::debug!(channel = channel.name, kind, "an alert was sent");
            return;
        };
        let now = Instant::now();
        if let Some(pause) = failed.pause {
            desk.pace.pause(now, pause);
        }
        let schedule = Schedule::parse(&PAUSES).expect("BUG: each pause is one to some hundred seconds");
        let Failed { heard, words, by_itself, .. } = failed;
        let attempts = waiting.attempts;
        match judge(&heard, attempts, &schedule, (self.random)()) {
            Next::Again { after } if !desk.queue.is_away() => {
                self.metrics.alerted(&channel.name, "failed");
                tracing::warn!(
                    channel = channel.name,
                    kind,
                    attempts,
                    words,
                    "an alert did not get through; it is tried again"
                );
                desk.queue.again(waiting, now + after, by_itself);
            }
            Next::Again { .. } | Next::Delivered | Next::Exhausted | Next::Gone => {
                self.metrics.alerted(&channel.name, "given_up");
                let Notice { count, .. } = waiting.notice;
                let title = waiting.notice.title(channel.language);
                // What somebody has to find again all the same: orders, payments, messages.
                let items = waiting.notice.items(channel.language);
                tracing::error!(
                    channel = channel.name,
                    kind,
                    attempts,
                    words,
                    title,
                    count,
                    ?items,
                    "an alert was given up"
                );
                desk.queue.given_up(&waiting);
            }
        }
    }

    /// Calls, and hears meanwhile what is asked for: a slow channel must not fill the way to it.
    async fn call(
        &mut self,
        notice: &Notice,
        desk: &mut Desk,
        asks: &mut mpsc::Receiver<Ask>,
    ) -> Result<(), Failed> {
        desk.pace.made(Instant::now());
        let caller = Arc::clone(&self.caller);
        let mut call = pin!(caller.call(notice));
        loop {
            tokio::select! {
                biased;
                called = &mut call => return called,
                Some(ask) = asks.recv() => self.take(ask, desk),
            }
        }
    }

    async fn test(&mut self, desk: &mut Desk, asks: &mut mpsc::Receiver<Ask>) -> Result<(), String> {
        let now = Instant::now();
        let wait = desk.pace.free_at(now).saturating_duration_since(now);
        if wait > Duration::from_secs(1) {
            return Err(format!("its rate is used up: ask again in {} s", wait.as_secs() + 1));
        }
        let notice = self.notice(vec![Alert::Test], 1);
        let called = self.call(&notice, desk, asks).await;
        self.metrics.alerted(&self.caller.channel.name, if called.is_ok() { "sent" } else { "failed" });
        called.map_err(|failed| failed.words)
    }
}

impl Caller {
    async fn call(&self, notice: &Notice) -> Result<(), Failed> {
        let unusable = |words: String| Failed {
            heard: Answer::Status(400).into(),
            words,
            pause: None,
            by_itself: false,
        };
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
                    by_itself: false,
                })
            }
            Answer::Status(status) => {
                let (words, pause) = (format!("it answered {status}"), report.heard.retry_after);
                Err(Failed { heard: report.heard, words, pause, by_itself: false })
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
    // Robots look at the words of each; whether it had too many, or is no robot at all, concerns every notice.
    let by_itself = refused.code.is_some() && refused.pause.is_none();
    Failed { heard: Answer::Status(502).into(), words, pause: refused.pause, by_itself }
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

#[cfg(test)]
mod tests {
    use payonce_core::{
        SystemClock,
        delivery::{EndpointName, EndpointUrl},
    };
    use payonce_dispatch::Networks;
    use tokio::{net::TcpListener, task::yield_now};

    use super::*;
    use crate::{
        alerts::{self, AlertKind, Language, Robot, channel::ChannelSettings},
        config::DeliverySettings,
    };

    /// Many of one kind must not take the room of the one that follows them.
    #[tokio::test]
    async fn what_is_raised_while_a_call_hangs_is_not_dropped() {
        let robot = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", robot.local_addr().unwrap());
        let channel = ChannelSettings {
            name: "ops".to_owned(),
            robot: Robot::Webhook { key: None },
            url: EndpointUrl::parse(&url).unwrap(),
            language: Language::English,
            only: AlertKind::CHOSEN.into(),
            per_minute: 18,
            group: Duration::from_secs(60),
        };
        let delivery = DeliverySettings {
            sealing_keys: None,
            networks: Networks::parse(["127.0.0.1"]).unwrap(),
            unencrypted: true,
        };
        let (metrics, clock) = (Arc::new(Metrics::new()), Arc::new(SystemClock) as Arc<dyn Clock>);
        let call_max = Duration::from_secs(3600);
        let (alerts, lines) = alerts::begin(vec![channel], &delivery, &clock, &metrics, ("a", call_max));
        let failing = |name: &str| Alert::EndpointFailing { endpoint: EndpointName::parse(name).unwrap() };
        alerts.raise(failing("first"));
        // It is called, and does not answer.
        let _call = robot.accept().await.unwrap();
        for _ in 0..10_000 {
            alerts.raise(failing("many"));
            yield_now().await;
        }
        lines.end().await;
        let figures = metrics.render(std::iter::empty());
        assert!(!figures.contains("payonce_alerts_total{"), "nothing has come of any yet: {figures}");
    }
}
