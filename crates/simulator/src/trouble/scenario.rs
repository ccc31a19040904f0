//! A scenario: rules of trouble, as TOML or as JSON, with the same keys.
//!
//! Invariant: a key that is not known is refused, with its name and those that are. Deliberately absent: what the rules
//! do ([`super::Fate`], [`super::layer`]).

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::dice::Draw;
use super::{CallTrouble, NoticeTrouble, glob};

/// Copies that are sent at one moment at most.
const COPIES_MAX: u8 = 100;

/// WeChat waits no longer.
const PATIENCE_MILLIS_MAX: u32 = 5000;

/// The headers of a notice that can be changed.
const HEADERS: [&str; 7] = [
    "content-type",
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-serial",
    "wechatpay-signature-type",
    "request-id",
];

/// Rules, in the order in which they are judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Names the throws of its dice; without it, the simulation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What happens to notices.
    #[serde(default)]
    pub notices: Vec<NoticeRule>,
    /// What happens to calls of the API.
    #[serde(default)]
    pub calls: Vec<CallRule>,
}

/// A rule for notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRule {
    /// By which it is switched off. One is made up where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it hits.
    #[serde(default)]
    pub when: NoticeSelector,
    /// What it does.
    #[serde(rename = "do")]
    pub trouble: NoticeTrouble,
}

/// Which notices a rule hits. What is not said fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeSelector {
    /// Of orders with such a number; `*` stands for any characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Of this merchant, in partner mode the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// Of this `event_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// This attempt; without it, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<NonZeroU32>,
    /// Every attempt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub every_attempt: bool,
    /// The how-many-th notice of those that fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<NonZeroU32>,
    /// Every so-many-th of those that fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<NonZeroU32>,
    /// So many in a hundred, by the seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// So often at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<NonZeroU32>,
}

/// A rule for calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRule {
    /// By which it is switched off. One is made up where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it hits.
    #[serde(default)]
    pub when: CallSelector,
    /// What it does.
    #[serde(rename = "do")]
    pub trouble: CallTrouble,
}

/// Which calls a rule hits. What is not said fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallSelector {
    /// `GET` or `POST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Of this path without its query; `*` stands for any characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// By this merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// About orders with such a number; `*` stands for any characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The how-many-th call of those that fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<NonZeroU32>,
    /// Every so-many-th of those that fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<NonZeroU32>,
    /// So many in a hundred, by the seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// So often at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<NonZeroU32>,
}

/// Why a scenario is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("the scenario cannot be read; docs/simulator.md lists every key\n{0}")]
    Malformed(#[from] toml::de::Error),
    /// A value is out of its range.
    #[error("rule {rule} of {list}: {reason}")]
    Value {
        /// `notices` or `calls`.
        list: &'static str,
        /// The first is 1.
        rule: usize,
        /// What to give instead.
        reason: &'static str,
    },
}

impl Scenario {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ScenarioError::Value`].
    pub fn check(&self) -> Result<(), ScenarioError> {
        let notices = self.notices.iter().map(|rule| rule.objection().or(self.doubled(rule.name.as_deref())));
        let calls = self.calls.iter().map(|rule| rule.objection().or(self.doubled(rule.name.as_deref())));
        let refused = |list| move |(place, reason)| ScenarioError::Value { list, rule: place + 1, reason };
        match (first(notices), first(calls)) {
            (Some(found), _) => Err(refused("notices")(found)),
            (None, Some(found)) => Err(refused("calls")(found)),
            (None, None) => Ok(()),
        }
    }

    /// The names of those that have one.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let notices = self.notices.iter().filter_map(|rule| rule.name.as_deref());
        notices.chain(self.calls.iter().filter_map(|rule| rule.name.as_deref()))
    }

    fn doubled(&self, name: Option<&str>) -> Option<&'static str> {
        let again = self.names().filter(|known| Some(*known) == name).nth(1);
        again.map(|_| "two rules have this name; give each its own, or none")
    }
}

fn first(mut objections: impl Iterator<Item = Option<&'static str>>) -> Option<(usize, &'static str)> {
    objections.by_ref().enumerate().find_map(|(place, objection)| Some((place, objection?)))
}

const PERCENT: &str = "percent is 1 to 100";

impl NoticeRule {
    fn objection(&self) -> Option<&'static str> {
        let is_permille = |permille: Option<u16>| permille.is_none_or(|permille| permille <= 1000);
        if !self.when.percent.is_none_or(|percent| (1..=100).contains(&percent)) {
            return Some(PERCENT);
        }
        if self.when.every_attempt && self.when.attempt.is_some() {
            return Some("attempt and every_attempt exclude each other; leave one out");
        }
        match &self.trouble {
            NoticeTrouble::Concurrent { copies } if !(2..=COPIES_MAX).contains(&copies.get()) => {
                Some("concurrent copies are 2 to 100")
            }
            NoticeTrouble::Duplicate { copies, .. } if copies.get() > COPIES_MAX => {
                Some("duplicate copies are 1 to 100")
            }
            NoticeTrouble::OtherAmount { by_fen: 0 } => Some("by_fen is another number than 0"),
            NoticeTrouble::HangUp { millis } if *millis > PATIENCE_MILLIS_MAX => {
                Some("hang_up millis are 0 to 5000: WeChat waits no longer")
            }
            NoticeTrouble::ResourceNonce { chars: 12 } => {
                Some("chars is another number than 12, which is right")
            }
            NoticeTrouble::OtherField { path, .. } if !path.starts_with('/') || path.len() == 1 => {
                Some("path is a JSON pointer such as /amount/currency; of APIv2, / and the name of a field")
            }
            NoticeTrouble::HeaderMissing { header }
            | NoticeTrouble::HeaderDoubled { header }
            | NoticeTrouble::HeaderSpaced { header }
                if !HEADERS.iter().any(|known| known.eq_ignore_ascii_case(header)) =>
            {
                Some(
                    "header is Content-Type, Request-ID, or Wechatpay-Timestamp, -Nonce, -Signature, -Serial or \
                      -Signature-Type",
                )
            }
            NoticeTrouble::OtherMerchant { mchid } if mchid.is_empty() => Some("mchid is not empty"),
            NoticeTrouble::Grey { public_key_permille, new_certificate_permille }
                if !is_permille(*public_key_permille) || !is_permille(*new_certificate_permille) =>
            {
                Some("a permille is 0 to 1000")
            }
            _ => None,
        }
    }
}

impl CallRule {
    fn objection(&self) -> Option<&'static str> {
        use super::Failure::Status;
        if !self.when.percent.is_none_or(|percent| (1..=100).contains(&percent)) {
            return Some(PERCENT);
        }
        match self.trouble {
            CallTrouble::Fails(Status(status)) | CallTrouble::LosesAnswer(Status(status))
                if !(400..=599).contains(&status) =>
            {
                Some("a status that fails is 400 to 599")
            }
            _ => None,
        }
    }
}

impl NoticeSelector {
    /// Whether a notice fits, by what is known before the dice are thrown.
    pub(super) fn fits(&self, merchant: &str, orders: &[String], event: Option<&str>, attempt: u32) -> bool {
        let fits_attempt = self.every_attempt || self.attempt.map_or(1, NonZeroU32::get) == attempt;
        fits_attempt
            && self.merchant.as_deref().is_none_or(|wanted| wanted == merchant)
            && self.order.as_deref().is_none_or(|wanted| orders.iter().any(|order| glob::fits(wanted, order)))
            && self.event.as_deref().is_none_or(|wanted| event == Some(wanted))
    }

    pub(super) fn draw(&self) -> Draw {
        Draw { nth: self.nth, every: self.every, percent: self.percent, times: self.times }
    }
}

impl CallSelector {
    /// Whether a call fits, by what is known before the dice are thrown.
    pub(super) fn fits(&self, method: &str, path: &str, merchant: Option<&str>, orders: &[String]) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|wanted| glob::fits(wanted, path))
            && self.merchant.as_deref().is_none_or(|wanted| merchant == Some(wanted))
            && self.order.as_deref().is_none_or(|wanted| orders.iter().any(|order| glob::fits(wanted, order)))
    }

    pub(super) fn draw(&self) -> Draw {
        Draw { nth: self.nth, every: self.every, percent: self.percent, times: self.times }
    }
}
