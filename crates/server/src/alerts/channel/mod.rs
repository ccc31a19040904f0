//! The channels: to whom an alert goes, and in which form. Pure renderers; who calls is [`line`](super::line).
//!
//! Invariants: a channel's URL holds the robot's key, and its secret signs: no `Debug` shows either. Robots are written to in
//! plain text, in which nothing that comes from elsewhere can be read as a command (to notify everybody, to open a link).

mod dingtalk;
mod feishu;
mod webhook;
mod wecom;

use std::{collections::BTreeSet, fmt, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use payonce_core::{
    UnixMillis,
    delivery::{EndpointUrl, UrlError},
};
use payonce_dispatch::{Secrets, Signer, SigningKey};
use serde::Deserialize;

use super::{
    alert::AlertKind,
    notice::{Notice, foreign},
    words::Language,
};

/// Where alerts go: one of `[[alerts]]`.
#[derive(Clone, Debug)]
pub struct ChannelSettings {
    /// How it is called in logs and metrics.
    pub name: String,
    /// What is there.
    pub robot: Robot,
    /// Its URL, which holds its key.
    pub url: EndpointUrl,
    /// In which language it is written to.
    pub language: Language,
    /// Which alerts it gets.
    pub only: BTreeSet<AlertKind>,
    /// How many notices it gets a minute at the most, of each node.
    pub per_minute: u32,
    /// Within how long alerts of one kind and subject become one notice.
    pub group: Duration,
}

/// What takes alerts.
#[derive(Clone, Debug)]
pub enum Robot {
    /// A group's robot in WeCom (企业微信).
    Wecom,
    /// A group's robot in DingTalk (钉钉).
    Dingtalk {
        /// Its `SEC…`, if it asks for signatures.
        secret: Option<RobotSecret>,
    },
    /// A group's robot in Feishu (飞书).
    Feishu {
        /// Its secret, if it asks for signatures.
        secret: Option<RobotSecret>,
    },
    /// Anything that takes JSON.
    Webhook {
        /// What signs it by the Standard Webhooks scheme.
        key: Option<SigningKey>,
    },
}

/// A secret that a robot shares with us.
#[derive(Clone, PartialEq, Eq)]
pub struct RobotSecret(String);

impl RobotSecret {
    /// A secret as the robot's settings show it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for RobotSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// A call to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub url: EndpointUrl,
    /// JSON.
    pub body: String,
}

/// A robot's word that it did not take a notice, in an answer that HTTP calls a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// `None`: it said nothing that it says when it takes one.
    pub code: Option<i64>,
    pub words: String,
    /// It had too many, and asks for a pause.
    pub pause: Option<Duration>,
}

impl ChannelSettings {
    /// Whether it gets alerts of a kind. Everybody gets a test.
    pub(crate) fn wants(&self, kind: AlertKind) -> bool {
        kind == AlertKind::Test || self.only.contains(&kind)
    }

    /// What signs a call.
    pub(crate) fn secrets(&self) -> Secrets {
        match &self.robot {
            Robot::Webhook { key: Some(key) } => {
                Secrets::new(vec![Signer::lasting(key.clone())], vec![], None)
                    .expect("BUG: one key and no header fit")
            }
            Robot::Wecom | Robot::Dingtalk { .. } | Robot::Feishu { .. } | Robot::Webhook { key: None } => {
                Secrets::default()
            }
        }
    }

    /// The call that a notice is. Signatures hold for this time.
    pub(crate) fn letter(&self, notice: &Notice, now: UnixMillis) -> Result<Letter, UrlError> {
        let url = self.url.clone();
        Ok(match &self.robot {
            Robot::Wecom => Letter { url, body: wecom::body(notice, self.language) },
            Robot::Dingtalk { secret } => Letter {
                url: match secret {
                    Some(secret) => EndpointUrl::parse(&dingtalk::signed(url.as_str(), secret, now))?,
                    None => url,
                },
                body: dingtalk::body(notice, self.language),
            },
            Robot::Feishu { secret } => {
                Letter { url, body: feishu::body(notice, self.language, secret.as_ref(), now) }
            }
            Robot::Webhook { .. } => Letter { url, body: webhook::body(notice, self.language) },
        })
    }

    /// Whether an answer of status 2xx says that the notice was taken.
    pub(crate) fn hear(&self, body: &[u8]) -> Result<(), Refused> {
        let (code, words, pause) = match (&self.robot, said(body)) {
            (Robot::Webhook { .. }, _) => return Ok(()),
            (_, Some(said)) => match (said.errcode.or(said.code).or(said.status_code), said) {
                (Some(0), _) => return Ok(()),
                (Some(code), said) => (Some(code), said.errmsg.or(said.msg), self.pause_at(code)),
                (None, _) => (None, None, None),
            },
            (_, None) => (None, None, None),
        };
        let words =
            words.unwrap_or_else(|| "it did not answer as a robot does: is the URL that of one?".to_owned());
        Err(Refused { code, words: self.without_key(&foreign(&words)), pause })
    }

    /// How long to wait after a code that means that it had too many.
    fn pause_at(&self, code: i64) -> Option<Duration> {
        match self.robot {
            Robot::Wecom => (code == wecom::TOO_MANY).then_some(wecom::PAUSE),
            Robot::Dingtalk { .. } => (code == dingtalk::TOO_MANY).then_some(dingtalk::PAUSE),
            Robot::Feishu { .. } => feishu::TOO_MANY.contains(&code).then_some(feishu::PAUSE),
            Robot::Webhook { .. } => None,
        }
    }

    /// A text as it may be logged: an answer that repeats the URL's key is not shown.
    pub(crate) fn without_key(&self, text: &str) -> String {
        let behind = &self.url.as_str()[self.url.origin().len()..];
        let key = behind.rsplit(['/', '=', '&', '?']).find(|part| part.len() >= KEY_CHARS_MIN);
        match key {
            Some(key) if text.contains(key) => "[REDACTED]".to_owned(),
            _ => text.to_owned(),
        }
    }
}

/// No robot's key is shorter; what is shorter is a word of the path.
const KEY_CHARS_MIN: usize = 16;

/// What robots answer: WeCom and DingTalk `errcode` and `errmsg`, Feishu `code` and `msg`, before also `StatusCode`.
#[derive(Deserialize)]
struct Said {
    errcode: Option<i64>,
    errmsg: Option<String>,
    code: Option<i64>,
    msg: Option<String>,
    #[serde(rename = "StatusCode")]
    status_code: Option<i64>,
}

fn said(body: &[u8]) -> Option<Said> {
    serde_json::from_slice(body).ok()
}

/// HMAC-SHA256 in Base64.
fn mac(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

#[cfg(test)]
mod tests;
