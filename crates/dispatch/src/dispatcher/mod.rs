//! Takes what is due, has it called, and settles what came of it.
//!
//! One loop a node, for all endpoints: it alone speaks with the database, so that what ended while a transaction ran is
//! settled in the next one, together. Calls run beside it. Invariants: no transaction is open while a call is out; what
//! was taken is settled, given back, or left to its lease; what could not be settled is kept until it is, and nothing
//! more is taken meanwhile. Run it where a store may block.

mod call;
mod lane;
mod rate;
mod settling;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use payonce_core::{
    Store, StoreError,
    delivery::{EndpointId, EndpointState},
    fault,
    store::{
        Owner,
        delivery::{EndpointView, Switch, Taken},
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    event::{Event, Observer},
    sender::Open,
    wake::{News, Wake},
};
use call::Ended;
use lane::Lane;
use settling::Unsettled;

/// How often endpoints are read anew, and what is due is looked for: what other nodes changed is known so much later.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// From one round to the next that writes. Each is some transactions; where there is one writer, callbacks wait for them.
const REST: Duration = Duration::from_millis(2);

/// How long to wait while the database refuses.
const PATIENCE: Duration = Duration::from_secs(1);

/// Calls settled in one transaction at the most.
const SETTLED_MAX: usize = 512;

/// What a dispatcher works with.
pub struct Dispatcher {
    /// Where deliveries are.
    pub store: Arc<dyn Store>,
    /// This node.
    pub owner: Owner,
    /// Finds the way to endpoints.
    pub opener: Arc<dyn Open>,
    /// Who is told.
    pub observer: Arc<dyn Observer>,
    /// Any numbers, for the jitter of pauses.
    pub random: Box<dyn FnMut() -> u64 + Send + Sync>,
    /// Tells when rows may be due, or endpoints have changed.
    pub wake: Arc<Wake>,
    /// How long calls get that are out when it stops.
    pub stop_max: Duration,
}

impl Dispatcher {
    /// Works until `stopping`: then nothing new begins, and what is out is settled.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let (sender, ended) = mpsc::unbounded_channel();
        let mut work = Work {
            dispatcher: self,
            lanes: BTreeMap::new(),
            failing: BTreeSet::new(),
            unsettled: Unsettled::default(),
            look_at: Instant::now(),
            sender,
            ended,
        };
        while !*stopping.borrow() {
            let rest = match work.round().await {
                Ok(()) => REST,
                Err(error) => {
                    tracing::warn!(error = error.with_causes(), "messages wait for being delivered");
                    PATIENCE
                }
            };
            tokio::select! {
                () = work.wait(Instant::now() + rest) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        }
        work.stop().await;
    }
}

struct Work {
    dispatcher: Dispatcher,
    lanes: BTreeMap<EndpointId, Lane>,
    /// Of which was told that they fail, and nothing since: also while they are disabled, and under another definition.
    failing: BTreeSet<EndpointId>,
    unsettled: Unsettled,
    /// When endpoints are read anew.
    look_at: Instant,
    sender: mpsc::UnboundedSender<Ended>,
    ended: mpsc::UnboundedReceiver<Ended>,
}

impl Work {
    /// Does whatever is to be done in the database now.
    async fn round(&mut self) -> Result<(), StoreError> {
        self.settle().await?;
        let now = Instant::now();
        if self.look_at <= now {
            self.look().await?;
            self.look_at = now + LOOK_EVERY;
        }
        self.give_up().await?;
        self.take().await?;
        self.begin();
        Ok(())
    }

    /// Waits until there is something to do in the database, but not for less than until `rested`. Calls that need nothing
    /// of it go on meanwhile.
    async fn wait(&mut self, rested: Instant) {
        let mut is_woken = false;
        loop {
            let now = Instant::now();
            let next = self.lanes.values().filter_map(|lane| lane.next(now)).fold(self.look_at, Instant::min);
            let is_due = is_woken || !self.unsettled.is_empty() || next <= now;
            if is_due && rested <= now {
                return;
            }
            let until = if is_due { rested } else { next.max(rested) };
            tokio::select! {
                Some(ended) = self.ended.recv() => {
                    self.note(ended);
                    self.begin();
                }
                news = self.dispatcher.wake.heard() => {
                    is_woken = true;
                    self.hear(&news, Instant::now());
                }
                () = sleep_until(until) => {}
            }
        }
    }

    fn hear(&mut self, news: &News, now: Instant) {
        if news.endpoints_changed {
            self.look_at = now;
        }
        for id in &news.due {
            match self.lanes.get_mut(id) {
                Some(lane) => lane.look(now),
                // It is new.
                None => self.look_at = now,
            }
        }
    }

    /// Reads the endpoints, and what is due to them.
    async fn look(&mut self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.dispatcher.store);
        let deliveries = store.deliveries();
        let views = deliveries.endpoints().await?;
        self.failing.retain(|id| views.iter().any(|view| view.id == *id));
        let enabled = views.into_iter().filter(|view| view.state == EndpointState::Enabled);
        let enabled: BTreeMap<EndpointId, EndpointView> = enabled.map(|view| (view.id, view)).collect();
        let gone: Vec<EndpointId> =
            self.lanes.keys().filter(|id| !enabled.contains_key(id)).copied().collect();
        for id in gone {
            self.leave(id).await?;
        }
        for view in enabled.into_values() {
            self.define(view);
        }
        let now = Instant::now();
        for backlog in deliveries.backlogs().await? {
            if let (Some(lane), Some(next_due)) = (self.lanes.get_mut(&backlog.endpoint), backlog.next_due) {
                lane.look(now + next_due);
            }
        }
        Ok(())
    }

    /// Lets an endpoint go to which nothing more is to be sent. Calls that are out end by themselves.
    async fn leave(&mut self, id: EndpointId) -> Result<(), StoreError> {
        let Some(lane) = self.lanes.get_mut(&id) else { return Ok(()) };
        let waiting = lane.give_back();
        if lane.is_idle() {
            self.lanes.remove(&id);
        }
        self.give_back(&waiting).await
    }

    fn define(&mut self, view: EndpointView) {
        let (id, view, now) = (view.id, Arc::new(view), Instant::now());
        let known = self.lanes.get_mut(&id);
        if let Some(lane) = known
            && lane.view.endpoint == view.endpoint
            && lane.view.name == view.name
        {
            lane.restate(view, now);
            return;
        }
        let sender = match self.dispatcher.opener.open(&view.name, &view.endpoint) {
            Ok(sender) => Some(sender),
            Err(why) => {
                self.dispatcher.observer.event(&view.name, Event::Unusable { why });
                None
            }
        };
        match self.lanes.get_mut(&id) {
            Some(lane) => lane.redefine(view, sender, now),
            None => drop(self.lanes.insert(id, Lane::new(view, sender, now))),
        }
    }

    async fn give_up(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        let late: Vec<Taken> = self.lanes.values_mut().flat_map(|lane| lane.give_up(now)).collect();
        self.give_back(&late).await
    }

    async fn give_back(&self, taken: &[Taken]) -> Result<(), StoreError> {
        if taken.is_empty() {
            return Ok(());
        }
        self.dispatcher.store.deliveries().give_back(&self.dispatcher.owner, taken).await
    }

    async fn take(&mut self) -> Result<(), StoreError> {
        let Dispatcher { store, owner, .. } = &self.dispatcher;
        for (id, lane) in &mut self.lanes {
            let wanted = lane.wants(Instant::now());
            if wanted > 0 {
                // Counted from before the question: the database may answer late.
                let asked = Instant::now();
                let due = store.deliveries().take_due(owner, *id, lane.lease(), wanted).await?;
                lane.took(due, wanted, asked);
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        let now = Instant::now();
        let mut any = false;
        for lane in self.lanes.values_mut() {
            while let Some((due, sender)) = lane.begin(now) {
                if !any {
                    fault!("dispatch: taken, not called");
                    any = true;
                }
                call::begin(due, Arc::clone(&lane.view), sender, self.sender.clone());
            }
        }
    }

    /// Settles what ended. If that fails, it is kept for the next time.
    async fn settle(&mut self) -> Result<(), StoreError> {
        loop {
            while self.unsettled.len() < SETTLED_MAX
                && let Ok(ended) = self.ended.try_recv()
            {
                self.note(ended);
            }
            if self.unsettled.is_empty() {
                return Ok(());
            }
            // Calls are not held up by the database: the next ones begin now.
            self.begin();
            fault!("dispatch: called, not settled");
            let Dispatcher { store, owner, .. } = &self.dispatcher;
            let lost = store.deliveries().settle(owner, self.unsettled.all()).await?;
            fault!("dispatch: settled");
            if !lost.is_empty() {
                tracing::debug!(
                    deliveries = lost.len(),
                    "somebody else took what was called here, or settled it"
                );
            }
            self.after_settling().await?;
        }
    }

    /// Follows up what was settled: looks for what became due by it, and disables who failed for too long.
    async fn after_settling(&mut self) -> Result<(), StoreError> {
        let settled = self.unsettled.take();
        let now = Instant::now();
        for id in settled.touched {
            let Some(lane) = self.lanes.get_mut(&id) else { continue };
            // What is next of an order is due now.
            if lane.view.endpoint.ordered {
                lane.look(now);
            }
        }
        for (id, after) in settled.again {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.look(now + after);
            }
        }
        for (name, event) in settled.events {
            self.dispatcher.observer.event(&name, event);
        }
        for (id, name, for_at_least) in settled.failing {
            let switch = Switch::DisableFailing { for_at_least };
            if self.dispatcher.store.deliveries().switch_endpoint(id, switch).await? {
                self.dispatcher.observer.event(&name, Event::DisabledFailing);
            }
        }
        Ok(())
    }

    /// A call ended: judges it, and keeps it to be settled.
    fn note(&mut self, ended: Ended) {
        let (name, answer) = (ended.view.name.clone(), ended.report.heard.answer);
        let Dispatcher { observer, random, .. } = &mut self.dispatcher;
        observer.attempted(&name, answer, ended.took);
        let mut is_failing = false;
        if let Some(lane) = self.lanes.get_mut(&ended.view.id) {
            is_failing = lane.view.failing_since.is_some();
            let fails = lane.ended(answer, Instant::now());
            if fails && self.failing.insert(ended.view.id) {
                observer.event(&name, Event::Failing);
            }
            if answer.is_success() && self.failing.remove(&ended.view.id) {
                observer.event(&name, Event::Recovered);
            }
        }
        self.unsettled.add(ended, is_failing, random());
    }

    /// Gives back what waits, lets calls end that are out, and settles them.
    async fn stop(&mut self) {
        let until = Instant::now() + self.dispatcher.stop_max;
        let waiting: Vec<Taken> = self.lanes.values_mut().flat_map(Lane::give_back).collect();
        if let Err(error) = self.give_back(&waiting).await {
            tracing::debug!(
                error = error.with_causes(),
                "what was not called yet comes to others by its time"
            );
        }
        while self.lanes.values().any(Lane::is_out) {
            match timeout_at(until, self.ended.recv()).await {
                Ok(Some(ended)) => self.note(ended),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = self.settle().await {
            tracing::warn!(error = error.with_causes(), "what was called last is called once more");
        }
    }
}
