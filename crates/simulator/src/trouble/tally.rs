//! The rules that are in force, and what they have hit so far.
//!
//! Invariants: an attempt is judged once, also when it is held back; a notice is sent again for one rule only once
//! acknowledged. All of it can be written out and read back, so that a simulation goes on where it stopped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::dice::Counted;
use super::fate::Echo;
use super::{CallRule, CallTrouble, Fate, Hold, NoticeRule, Scenario};
use crate::books::{Outbox, Progress, Sending};

/// Rules in force.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Troubles {
    seed: u64,
    pub(crate) notices: Vec<Counted<NoticeRule>>,
    pub(crate) calls: Vec<Counted<CallRule>>,
    /// How many rules were ever added: for their names.
    added: u64,
    /// How many calls were judged.
    judged_calls: u64,
    /// What was judged and is held back, by notice.
    held: BTreeMap<u64, Fate>,
    /// How many others go before a notice that is held back.
    behind: BTreeMap<u64, u32>,
    /// What is sent again although it was acknowledged, by notice.
    echoes: BTreeMap<u64, Echo>,
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
            notices: Vec::new(),
            calls: Vec::new(),
            added: 0,
            judged_calls: 0,
            held: BTreeMap::new(),
            behind: BTreeMap::new(),
            echoes: BTreeMap::new(),
        }
    }

    /// Adds rules behind those that are there. One of a name that is there takes its place.
    pub(crate) fn add(&mut self, scenario: Scenario) {
        self.seed = scenario.seed.unwrap_or(self.seed);
        for rule in scenario.notices {
            let name = rule.name.clone().unwrap_or_else(|| self.next_name("notice"));
            self.remove(&name);
            let rule = NoticeRule { name: Some(name.clone()), ..rule };
            self.notices.push(Counted::new(name, rule));
        }
        for rule in scenario.calls {
            let name = rule.name.clone().unwrap_or_else(|| self.next_name("call"));
            self.remove(&name);
            let rule = CallRule { name: Some(name.clone()), ..rule };
            self.calls.push(Counted::new(name, rule));
        }
    }

    /// Switches a rule off. What it did to notices that are held back stays done.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.notices.len() + self.calls.len();
        self.notices.retain(|rule| rule.name != name);
        self.calls.retain(|rule| rule.name != name);
        self.notices.len() + self.calls.len() < before
    }

    /// Switches all rules off.
    pub(crate) fn clear(&mut self) {
        self.notices.clear();
        self.calls.clear();
    }

    /// What befalls an attempt at a notice about these orders.
    pub(crate) fn judge(&mut self, sending: &Sending, orders: &[String]) -> Fate {
        if let Some(fate) = self.held.remove(&sending.number) {
            self.behind.remove(&sending.number);
            return fate;
        }
        let notice = &sending.notice;
        let (seed, mut fate) = (self.seed, Fate::default());
        for counted in &mut self.notices {
            let when = &counted.rule.when;
            if !when.fits(&notice.mchid, orders, notice.event_type(), sending.attempt) {
                continue;
            }
            let draw = when.draw();
            if counted.strikes(draw, seed, sending.number, sending.attempt) {
                fate.suffer(&counted.name, &counted.rule.trouble);
            }
        }
        if let Some(echo) = fate.echo {
            self.echoes.entry(sending.number).or_insert(echo);
        }
        if let Some(hold) = fate.hold {
            self.held.insert(sending.number, Fate { hold: None, ..fate.clone() });
            if let Hold::Behind(notices, _) = hold {
                self.behind.insert(sending.number, notices);
            }
        }
        fate
    }

    /// What follows once an attempt has come to an end: others that waited for it go, and it may be sent once more.
    pub(crate) fn settled(&mut self, number: u64, outbox: &mut Outbox, now: UnixSeconds) {
        let mut go = Vec::new();
        for (waiting, left) in &mut self.behind {
            *left -= u32::from(*waiting != number);
            if *left == 0 {
                go.push(*waiting);
            }
        }
        for waiting in go {
            self.behind.remove(&waiting);
            outbox.reschedule(waiting, now);
        }
        let acknowledged = outbox.entry(number).is_some_and(|entry| entry.progress == Progress::Acknowledged);
        if let Some(echo) = self.echoes.get_mut(&number).filter(|echo| acknowledged && echo.left > 0) {
            echo.left -= 1;
            outbox.reschedule(number, UnixSeconds(now.0 + i64::from(echo.apart_seconds)));
        }
    }

    /// Forgets what happened to notices that are no more. Rules stay, and count anew.
    pub(crate) fn reset(&mut self) {
        let scenario = Scenario {
            seed: None,
            notices: std::mem::take(&mut self.notices).into_iter().map(|counted| counted.rule).collect(),
            calls: std::mem::take(&mut self.calls).into_iter().map(|counted| counted.rule).collect(),
        };
        *self = Self { added: self.added, ..Self::none(self.seed) };
        self.add(scenario);
    }

    /// Whether a call may be hit at all.
    pub(super) fn hits_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// What befalls a call.
    pub(super) fn judge_call(&mut self, call: &Call<'_>) -> Vec<CallTrouble> {
        self.judged_calls += 1;
        let (seed, thing) = (self.seed, self.judged_calls);
        let mut troubles = Vec::new();
        for counted in &mut self.calls {
            let when = &counted.rule.when;
            let draw = when.draw();
            if when.fits(call.method, call.path, call.merchant, call.orders)
                && counted.strikes(draw, seed, thing, 1)
            {
                troubles.push(counted.rule.trouble.clone());
            }
        }
        troubles
    }

    fn next_name(&mut self, kind: &str) -> String {
        self.added += 1;
        format!("{kind}-{}", self.added)
    }
}
