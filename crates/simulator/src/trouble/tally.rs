//! The rules that are in force, and what they have hit so far.
//!
//! Invariants: an attempt is judged once, also when it is held back, or made again because the simulation was killed in the
//! middle of it; what a rule would do to it means something ([`NoticeTrouble::concerns`]); a notice is sent again for one
//! rule only once acknowledged. All of it can be written out and read back, so that a simulation goes on where it stopped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::dice::{Counted, Thing};
use super::fate::Echo;
use super::{CallRule, CallTrouble, Fate, Hold, NoticeRule, Scenario};
use crate::books::{Outbox, Progress, Sending};

/// Rules in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Troubles {
    /// The simulation's seed.
    seed: u64,
    /// The one that a scenario named instead.
    chosen_seed: Option<u64>,
    pub(crate) notices: Vec<Counted<NoticeRule>>,
    pub(crate) calls: Vec<Counted<CallRule>>,
    /// How many calls were judged.
    judged_calls: u64,
    /// What befalls attempts that have not come to an end, by notice.
    judged: BTreeMap<u64, Fate>,
    /// How many others go before a notice that is held back.
    behind: BTreeMap<u64, u32>,
    /// What is sent again although it was acknowledged, by notice.
    echoes: BTreeMap<u64, Echo>,
    /// Whether a rule is gone that changed keys.
    #[serde(skip)]
    is_calm: bool,
}

/// What a rule is asked about a call.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) merchant: Option<&'a str>,
    pub(super) orders: &'a [String],
}

impl Troubles {
    /// None.
    pub(crate) fn none(seed: u64) -> Self {
        Self {
            seed,
            chosen_seed: None,
            notices: Vec::new(),
            calls: Vec::new(),
            judged_calls: 0,
            judged: BTreeMap::new(),
            behind: BTreeMap::new(),
            echoes: BTreeMap::new(),
            is_calm: false,
        }
    }

    /// The seed by which dice are thrown.
    pub(crate) fn seed(&self) -> u64 {
        self.chosen_seed.unwrap_or(self.seed)
    }

    /// Adds rules behind those that are there. One of a name that is there takes its place.
    pub(crate) fn add(&mut self, scenario: Scenario) {
        self.chosen_seed = scenario.seed.or(self.chosen_seed);
        let named = scenario.names().map(str::to_owned).collect::<Vec<_>>();
        for rule in scenario.notices {
            let name =
                rule.name.clone().unwrap_or_else(|| self.free_name("notice", self.notices.len(), &named));
            self.remove(&name);
            let rule = NoticeRule { name: Some(name.clone()), ..rule };
            self.notices.push(Counted::new(name, rule));
        }
        for rule in scenario.calls {
            let name = rule.name.clone().unwrap_or_else(|| self.free_name("call", self.calls.len(), &named));
            self.remove(&name);
            let rule = CallRule { name: Some(name.clone()), ..rule };
            self.calls.push(Counted::new(name, rule));
        }
    }

    /// Switches a rule off. What it did to notices that are held back stays done.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.notices.len() + self.calls.len();
        let mut goes = self.notices.iter().filter(|rule| rule.name == name);
        self.is_calm |= goes.any(|counted| counted.rule.trouble.changes_keys());
        self.notices.retain(|rule| rule.name != name);
        self.calls.retain(|rule| rule.name != name);
        self.notices.len() + self.calls.len() < before
    }

    /// Switches all rules off.
    pub(crate) fn clear(&mut self) {
        self.is_calm |= self.notices.iter().any(|counted| counted.rule.trouble.changes_keys());
        self.notices.clear();
        self.calls.clear();
        self.chosen_seed = None;
    }

    /// Whether a rule is gone that changed keys, so that they are to be what they were; asked once.
    pub(crate) fn take_calm(&mut self) -> bool {
        std::mem::take(&mut self.is_calm)
    }

    /// What befalls an attempt at a notice about these orders.
    pub(crate) fn judge(&mut self, sending: &Sending, orders: &[String]) -> Fate {
        if let Some(fate) = self.judged.get(&sending.number) {
            self.behind.remove(&sending.number);
            return fate.clone();
        }
        let notice = &sending.notice;
        let (seed, mut fate) = (self.seed(), Fate::default());
        let thing = Thing::Notice { number: sending.ordinal, attempt: sending.attempt };
        for counted in &mut self.notices {
            let (when, trouble) = (&counted.rule.when, &counted.rule.trouble);
            if when.fits(&notice.mchid, orders, notice.event_type(), sending.attempt)
                && trouble.concerns(&notice.content)
                && counted.strikes(when.draw(), seed, thing)
            {
                fate.suffer(&counted.name, &counted.rule.trouble);
            }
        }
        if fate.rules.is_empty() {
            return fate;
        }
        self.judged.insert(sending.number, Fate { hold: None, ..fate.clone() });
        if let Some(echo) = fate.echo {
            self.echoes.entry(sending.number).or_insert(echo);
        }
        if let Some(Hold::Behind(notices, _)) = fate.hold {
            self.behind.insert(sending.number, notices);
        }
        fate
    }

    /// What follows once an attempt has come to an end: others that waited for it go, and it may be sent once more.
    pub(crate) fn settled(&mut self, number: u64, outbox: &mut Outbox, now: UnixSeconds) {
        self.judged.remove(&number);
        let mut go = Vec::new();
        for (waiting, left) in &mut self.behind {
            *left -= u32::from(*waiting != number);
            if *left == 0 {
                go.push(*waiting);
            }
        }
        for waiting in go {
            self.behind.remove(&waiting);
            outbox.hasten(waiting, now);
        }
        let acknowledged = outbox.entry(number).is_some_and(|entry| entry.progress == Progress::Acknowledged);
        if let Some(echo) = self.echoes.get_mut(&number).filter(|_| acknowledged) {
            echo.left -= 1;
            outbox.send_again(number, UnixSeconds(now.0 + i64::from(echo.apart_seconds)));
            self.echoes.retain(|_, echo| echo.left > 0);
        }
    }

    /// Forgets what happened to notices that are no more. Rules stay, and count anew.
    pub(crate) fn reset(&mut self) {
        let scenario = Scenario {
            seed: None,
            notices: std::mem::take(&mut self.notices).into_iter().map(|counted| counted.rule).collect(),
            calls: std::mem::take(&mut self.calls).into_iter().map(|counted| counted.rule).collect(),
        };
        *self = Self { chosen_seed: self.chosen_seed, ..Self::none(self.seed) };
        self.add(scenario);
    }

    /// Whether a call may be hit at all.
    pub(super) fn hits_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// What befalls a call, and by which rule.
    pub(super) fn judge_call(&mut self, call: &Call<'_>) -> Vec<(String, CallTrouble)> {
        self.judged_calls += 1;
        let (seed, thing) = (self.seed(), Thing::Call { number: self.judged_calls });
        let mut troubles = Vec::new();
        for counted in &mut self.calls {
            let (when, trouble) = (&counted.rule.when, &counted.rule.trouble);
            if when.fits(call.method, call.path, call.merchant, call.orders)
                && trouble.concerns(call.path)
                && counted.strikes(when.draw(), seed, thing)
            {
                troubles.push((counted.name.clone(), counted.rule.trouble.clone()));
            }
        }
        troubles
    }

    /// A rule struck a call and could do nothing to it after all.
    pub(super) fn missed(&mut self, name: &str) {
        if let Some(counted) = self.calls.iter_mut().find(|counted| counted.name == name) {
            counted.hits = counted.hits.saturating_sub(1);
        }
    }

    /// A name for a rule that has none, by its place in the list; no name that is there or will be.
    fn free_name(&self, kind: &str, before: usize, named: &[String]) -> String {
        let is_taken = |name: &String| {
            named.contains(name)
                || self.notices.iter().any(|counted| counted.name == *name)
                || self.calls.iter().any(|counted| counted.name == *name)
        };
        let mut names = (before + 1..).map(|place| format!("{kind}-{place}"));
        names.find(|name| !is_taken(name)).unwrap_or_default()
    }
}
