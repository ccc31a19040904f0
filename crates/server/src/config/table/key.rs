//! A row of the table: which columns there are, and the names that follow from them.

use std::net::SocketAddr;

use payonce_dispatch::Networks;
use wechatpay_client::Hosts;

use super::{Section, section::Times};
use crate::config::{
    environment::{ALERT_PREFIX, ENDPOINT_PREFIX, MERCHANT_PREFIX, PREFIX},
    settings::{Config, SecretUrl, StoreUrl},
};

/// One of the words that a key takes, and what it sets.
pub(in crate::config) type Choice = (&'static str, fn(&mut Config));

/// What a key takes, and which field it sets. Those without a field are read where their section is.
pub(in crate::config) enum Kind {
    Address(fn(&mut Config, SocketAddr)),
    Integer {
        min: u32,
        max: u32,
        set: fn(&mut Config, u32),
    },
    Choice(&'static [Choice]),
    Filter(fn(&mut Config, String)),
    StoreUrl(fn(&mut Config, StoreUrl)),
    RedisUrl(fn(&mut Config, SecretUrl)),
    Hosts(fn(&mut Config, Hosts)),
    PublicUrl(fn(&mut Config, String)),
    Networks(fn(&mut Config, Networks)),
    MerchantNumber,
    MerchantNumbers,
    EndpointName,
    EndpointUrl,
    Truth,
    /// An integer in a section that stands as often as needed.
    Number {
        min: u32,
        max: u32,
    },
    Pauses,
    Start,
    EffectName,
    MessageKinds,
    Sql,
    Rows,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of kinds of alerts.
    AlertKinds,
    PublicKeyId,
    File,
    /// Stands in the file that the key `file` names, or in the environment; never in the TOML file.
    Secret {
        file: &'static Key,
        holds: &'static str,
    },
}

/// The value that stands, commented out, in the starter file.
pub(in crate::config) enum Sample {
    Default(&'static str),
    Example(&'static str),
}

/// A row of the table.
pub(in crate::config) struct Key {
    pub section: Section,
    pub name: &'static str,
    pub kind: Kind,
    pub sample: Sample,
    pub doc: &'static str,
}

impl Key {
    /// The full name, such as `server.listen`.
    pub(in crate::config) fn path(&self) -> String {
        format!("{}.{}", self.section.path(), self.name)
    }

    pub(in crate::config) fn default(&self) -> Option<&'static str> {
        match self.sample {
            Sample::Default(value) => Some(value),
            Sample::Example(_) => None,
        }
    }

    pub(in crate::config) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret { .. })
    }

    /// The variable that overrides it. What stands once for each merchant, endpoint or channel has none, except for its
    /// secrets: those have one of the number, or the name, `of` whom they are.
    pub(in crate::config) fn variable(&self, of: Option<&str>) -> Option<String> {
        let name = self.name.to_uppercase();
        let of_name = |prefix, of: &str| format!("{prefix}{}_{name}", of.to_uppercase().replace('-', "_"));
        match (self.section, self.section.times()) {
            (_, Times::Once) => Some(format!("{PREFIX}{}_{name}", self.section.name().to_uppercase())),
            (_, Times::Many) if !self.is_secret() => None,
            (Section::Endpoints, Times::Many) => of.map(|of| of_name(ENDPOINT_PREFIX, of)),
            (Section::Alerts, Times::Many) => of.map(|of| of_name(ALERT_PREFIX, of)),
            (_, Times::Many) => of.map(|of| format!("{MERCHANT_PREFIX}{of}_{name}")),
        }
    }
}
