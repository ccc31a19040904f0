//! From what stands in the file or the environment to a checked value in its field.

use std::{fmt, net::SocketAddr, path::Path};

use payonce_dispatch::Networks;
use tracing_subscriber::EnvFilter;
use wechatpay::{Serial, api::Echo};
use wechatpay_client::Hosts;

use super::{Key, Kind};
use crate::{
    alerts::AlertKind,
    config::{error::Problem, settings::Config},
};

/// A value as it was written.
#[derive(Clone, Debug)]
pub(in crate::config) enum Raw {
    Text(String),
    Integer(i64),
    Boolean(bool),
    /// Where a key takes several values.
    List(Vec<Self>),
    /// Of a type that no key takes, such as `a boolean`.
    Other(String),
}

impl Raw {
    /// A default, or a variable's value: text, or an integer where one is expected and written.
    pub(in crate::config) fn from_text(key: &Key, text: &str) -> Self {
        match (&key.kind, text.parse()) {
            (Kind::Integer { .. } | Kind::Number { .. } | Kind::Start, Ok(number)) => Self::Integer(number),
            (Kind::Truth, _) => Self::Boolean(text == "true"),
            (Kind::Pauses, _) => Self::List(
                text.split_whitespace().filter_map(|each| each.parse().ok()).map(Self::Integer).collect(),
            ),
            (Kind::MerchantNumbers | Kind::Networks(_) | Kind::MessageKinds | Kind::AlertKinds, _) => {
                Self::List(text.split_whitespace().map(|each| Self::Text(each.to_owned())).collect())
            }
            _ => Self::Text(text.to_owned()),
        }
    }

    /// As it would stand in TOML.
    pub(in crate::config) fn to_toml(&self) -> String {
        match self {
            Self::Text(text) => toml_edit::Value::from(text.as_str()).to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(truth) => truth.to_string(),
            Self::List(values) => {
                format!("[{}]", values.iter().map(Self::to_toml).collect::<Vec<_>>().join(", "))
            }
            Self::Other(kind) => kind.clone(),
        }
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(_) => f.write_str("a boolean"),
            Self::List(_) => f.write_str(&self.to_toml()),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

impl Kind {
    /// What it takes, for errors and the reference.
    pub(in crate::config) fn expected(&self) -> String {
        match self {
            Self::Address(_) => "an IP address and a port, such as 127.0.0.1:8080".to_owned(),
            Self::Integer { min, max, .. } | Self::Number { min, max } => {
                format!("an integer from {min} to {max}")
            }
            Self::Choice(choices) => {
                choices.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(" or ")
            }
            Self::Filter(_) => "a log filter, such as info or info,payonce_server=debug".to_owned(),
            Self::StoreUrl(_) => {
                "sqlite://PATH, postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE".to_owned()
            }
            Self::RedisUrl(_) => "redis://HOST or rediss://HOST".to_owned(),
            Self::Hosts(_) => {
                "a base URL, https unless on the loopback, such as https://api.mch.weixin.qq.com".to_owned()
            }
            Self::PublicUrl(_) => {
                "https://, a host and perhaps a path, without query, such as https://pay.example.com"
                    .to_owned()
            }
            Self::MerchantNumber => "a merchant number: 1 to 32 digits, in quotes".to_owned(),
            Self::MerchantNumbers => {
                "a list of merchant numbers, such as [\"1900000007\", \"1900000008\"]".to_owned()
            }
            Self::Networks(_) => {
                "a list of networks or addresses, such as [\"10.1.0.0/16\", \"127.0.0.1\"]".to_owned()
            }
            Self::EndpointName => {
                format!(
                    "a name of 1 to {} of a-z, 0-9, - and _",
                    payonce_core::delivery::EndpointName::BYTES_MAX
                )
            }
            Self::EndpointUrl => "a URL, such as https://shop.example.com/payonce".to_owned(),
            Self::Truth => "true or false".to_owned(),
            Self::Pauses => "a list of seconds, such as [5, 30, 120]".to_owned(),
            Self::Start => "\"now\", or a position from 0".to_owned(),
            Self::EffectName => "a name of 1 to 64 letters, digits, hyphens and underscores".to_owned(),
            Self::MessageKinds => {
                "a list of kinds of messages, such as [\"payment.succeeded\"] or [\"payment.*\"]".to_owned()
            }
            Self::Word(words) => {
                words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ")
            }
            Self::AlertKinds => {
                let kinds = AlertKind::CHOSEN.map(|kind| format!("{:?}", kind.as_str()));
                format!("a list of {}", kinds.join(", "))
            }
            Self::Sql => "an SQL statement: INSERT, UPDATE, DELETE …".to_owned(),
            Self::Rows => "\"1\", \"0..1\", \"1..\" or \"any\"".to_owned(),
            Self::PublicKeyId => "an id such as PUB_KEY_ID_0119…".to_owned(),
            Self::File => "the path of a file".to_owned(),
            Self::Secret { holds, .. } => (*holds).to_owned(),
        }
    }

    pub(in crate::config) fn mismatch(&self, raw: &Raw) -> Problem {
        let found = match (self, raw) {
            // Quotes alone are easily overlooked.
            (Self::Integer { .. } | Self::Number { .. }, Raw::Text(_)) => format!("the text {raw}"),
            _ => raw.to_string(),
        };
        Problem::Value { expected: self.expected(), found }
    }

    /// Checks a setting and sets its field; does nothing for the kinds that have none.
    pub(in crate::config) fn set(&self, config: &mut Config, raw: &Raw, base: &Path) -> Result<(), Problem> {
        match (self, raw) {
            (Self::Address(set), Raw::Text(text)) => {
                set(config, text.parse::<SocketAddr>().map_err(|_| self.mismatch(raw))?);
            }
            (Self::Integer { min, max, set }, Raw::Integer(number)) => {
                let number = u32::try_from(*number).ok().filter(|number| (min..=max).contains(&number));
                set(config, number.ok_or_else(|| self.mismatch(raw))?);
            }
            (Self::Choice(choices), Raw::Text(text)) => {
                let choice = choices.iter().find(|(name, _)| name == text);
                let (_, set) = choice.ok_or_else(|| self.mismatch(raw))?;
                set(config);
            }
            (Self::Filter(set), Raw::Text(text)) => {
                EnvFilter::builder().parse(text).map_err(|_| self.mismatch(raw))?;
                set(config, text.clone());
            }
            (Self::StoreUrl(set), Raw::Text(text)) => set(config, self.store_url(text, base)?),
            (Self::RedisUrl(set), Raw::Text(text)) => set(config, self.redis_url(text)?),
            (Self::Hosts(set), Raw::Text(text)) => {
                set(config, Hosts::all_at(text).map_err(|_| self.mismatch(raw))?);
            }
            (Self::PublicUrl(set), Raw::Text(text)) => {
                // What WeChat Pay would refuse as a notify_url is none here either.
                let example = format!("{}/notify/v3/1", text.trim_end_matches('/'));
                Echo::new("").notify_url(&example).map_err(|_| self.mismatch(raw))?;
                set(config, text.clone());
            }
            (Self::Networks(set), Raw::List(values)) => {
                let text = |value: &Raw| match value {
                    Raw::Text(text) => Ok(text.clone()),
                    _ => Err(self.mismatch(raw)),
                };
                let texts = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                set(config, Networks::parse(texts).map_err(|_| self.mismatch(raw))?);
            }
            (
                Self::MerchantNumber
                | Self::MerchantNumbers
                | Self::EndpointName
                | Self::EndpointUrl
                | Self::Truth
                | Self::Number { .. }
                | Self::Pauses
                | Self::Start
                | Self::EffectName
                | Self::MessageKinds
                | Self::Sql
                | Self::Rows
                | Self::Word(_)
                | Self::AlertKinds
                | Self::PublicKeyId
                | Self::File
                | Self::Secret { .. },
                _,
            ) => {}
            _ => return Err(self.mismatch(raw)),
        }
        Ok(())
    }

    /// Checks a value that stands for itself and returns it.
    pub(in crate::config) fn text(&self, raw: &Raw) -> Result<String, Problem> {
        match (self, raw) {
            // Somebody who confuses a file with its content must not find a private key in the log.
            (Self::File, Raw::Text(text)) if text.contains('\n') || text.contains("-----BEGIN") => {
                Err(Problem::ContentInsteadOfPath)
            }
            (Self::PublicKeyId, Raw::Text(text))
                if !Serial::parse(text).is_ok_and(|serial| serial.is_public_key_id()) =>
            {
                Err(self.mismatch(raw))
            }
            (Self::Word(words), Raw::Text(text)) if !words.contains(&text.as_str()) => {
                Err(self.mismatch(raw))
            }
            (_, Raw::Text(text)) => Ok(text.clone()),
            _ => Err(self.mismatch(raw)),
        }
    }
}
