//! The tables of the TOML file, their nesting and what they are about.

use super::{KEYS, Key};

/// A table of the TOML file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Section {
    Root,
    Server,
    Store,
    Cache,
    Api,
    Log,
    Policy,
    Retention,
    Wechat,
    Delivery,
    Endpoints,
    Effects,
    EffectStatements,
    Merchants,
    PlatformKeys,
    Alerts,
}

/// Whether a section stands once or as often as needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Times {
    Once,
    Many,
}

impl Section {
    /// In the order in which they are shown.
    pub(in crate::config) const ALL: [Self; 15] = [
        Self::Server,
        Self::Store,
        Self::Cache,
        Self::Api,
        Self::Log,
        Self::Policy,
        Self::Retention,
        Self::Wechat,
        Self::Delivery,
        Self::Endpoints,
        Self::Effects,
        Self::EffectStatements,
        Self::Merchants,
        Self::PlatformKeys,
        Self::Alerts,
    ];

    /// The name within its parent.
    pub(in crate::config) fn name(self) -> &'static str {
        match self {
            Self::Root => "",
            Self::Server => "server",
            Self::Store => "store",
            Self::Cache => "cache",
            Self::Api => "api",
            Self::Log => "log",
            Self::Policy => "policy",
            Self::Retention => "retention",
            Self::Wechat => "wechat",
            Self::Delivery => "delivery",
            Self::Endpoints => "endpoints",
            Self::Effects => "effects",
            Self::EffectStatements => "statements",
            Self::Merchants => "merchants",
            Self::PlatformKeys => "platform_keys",
            Self::Alerts => "alerts",
        }
    }

    fn parent(self) -> Self {
        match self {
            Self::PlatformKeys => Self::Merchants,
            Self::EffectStatements => Self::Effects,
            _ => Self::Root,
        }
    }

    pub(in crate::config) fn times(self) -> Times {
        match self {
            Self::Endpoints
            | Self::Effects
            | Self::EffectStatements
            | Self::Merchants
            | Self::PlatformKeys
            | Self::Alerts => Times::Many,
            _ => Times::Once,
        }
    }

    /// The full name, such as `merchants.platform_keys`.
    pub(in crate::config) fn path(self) -> String {
        match self.parent() {
            Self::Root => self.name().to_owned(),
            parent => format!("{}.{}", parent.name(), self.name()),
        }
    }

    /// As it stands in TOML, such as `[server]` or `[[merchants]]`.
    pub(in crate::config) fn header(self) -> String {
        match self.times() {
            Times::Once => format!("[{}]", self.path()),
            Times::Many => format!("[[{}]]", self.path()),
        }
    }

    pub(in crate::config) fn doc(self) -> &'static str {
        match self {
            Self::Root => "",
            Self::Server => "The HTTP server.",
            Self::Store => "Where orders, payments and messages are kept.",
            Self::Cache => {
                "What answers copies of callbacks without the database. It is never the truth: without it, all is the\n\
                 same but slower."
            }
            Self::Api => "The API for the merchant's own back end. payonce does not serve without a key.",
            Self::Log => "Logs go to standard error. No secret, openid or key is ever logged.",
            Self::Policy => "What to do where the merchant has a choice.",
            Self::Retention => "What is deleted when. Orders, payments and messages never are.",
            Self::Wechat => "Where WeChat Pay is: for simulators and tests.",
            Self::Delivery => {
                "How messages are handed over to endpoints, which are defined below or by the API (docs/delivery.md)."
            }
            Self::Endpoints => {
                "Where messages go. What is defined here is so at every start and whenever the file changes, and the API\n\
                 may switch it on and off and replay to it, but not define it. All nodes should have the same."
            }
            Self::Effects => {
                "What happens in the merchant's own tables in the very transaction in which payonce learns of a payment:\n\
                 both are there, or neither is. The tables stand in the database of [store]: docs/effects.md."
            }
            Self::EffectStatements => {
                "What is executed, in this order. Parameters are written :message_id, :kind, :mchid, :out_trade_no,\n\
                 :transaction_id, :amount (fen), :currency, :appid, :sub_mchid, :paid_at, :late, :sequence and :body\n\
                 (the whole message, JSON). The database is asked at the start whether it could execute them."
            }
            Self::Merchants => {
                "One for each merchant number. payonce does not serve without one.\n\
                 Its notify_url ends in /notify/v3/ and its mchid; of APIv2 in /notify/v2/ and its mchid."
            }
            Self::PlatformKeys => {
                "The keys by which WeChat Pay signs to this merchant; both kinds side by side while WeChat switches\n\
                 from one to the other. Each is either public_key_id with public_key_file, or certificate_file.\n\
                 None is needed where certificates can be downloaded: with private_key_file."
            }
            Self::Alerts => {
                "Where people are told of what goes wrong: a group's robot in WeCom, DingTalk or Feishu, or a webhook.\n\
                 Which addresses may be called says [delivery]. docs/alerts.md"
            }
        }
    }

    pub(in crate::config) fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.into_iter().filter(move |key| key.section == self)
    }

    pub(in crate::config) fn child(self, name: &str) -> Option<Self> {
        self.children().find(|section| section.name() == name)
    }

    pub(in crate::config) fn children(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |section| section.parent() == self)
    }
}
