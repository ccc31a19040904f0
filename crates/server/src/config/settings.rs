//! The typed configuration: what the rest of the server sees.
//!
//! Invariant: whoever holds a [`Config`] got it from [`Config::load`], which sets every field from the table.
//! Each field's meaning, range and default stand in the table alone (`docs/configuration.md`).

use std::{
    collections::BTreeSet,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use payonce_core::{
    MerchantId, Policy,
    decide::{LatePayment, UnknownOrder},
    delivery::{Endpoint, EndpointName, Filter},
    effect::SqlEffect,
    store::delivery::Start,
};
use payonce_dispatch::{Networks, SealingKeys, Secrets};
use wechatpay::{ApiV3Key, MerchantCertificate, MerchantKey, v2::ApiV2Key};
use wechatpay_client::{Hosts, KeyRing};

use super::{error::Problem, place::Place, table::Kind};
use crate::alerts::ChannelSettings;

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: ServerSettings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[cache]`
    pub cache: CacheSettings,
    /// `[api]`
    pub api: Api,
    /// `[log]`
    pub log: Log,
    /// `[policy]`
    pub policy: PolicySettings,
    /// `[retention]`
    pub retention: RetentionSettings,
    /// `[wechat]`
    pub wechat: WechatSettings,
    /// `[delivery]`
    pub delivery: DeliverySettings,
    /// `[[endpoints]]`, each name once.
    pub endpoints: Vec<EndpointSettings>,
    /// `[[effects]]`, each name once.
    pub effects: Vec<EffectSettings>,
    /// `[[alerts]]`, each name once.
    pub alerts: Vec<ChannelSettings>,
    /// `[[merchants]]`, each mchid once.
    pub merchants: Vec<Merchant>,
}

/// One of `[[endpoints]]`, its secrets read. There is a way to it, by `[delivery]`.
#[derive(Clone, Debug)]
pub struct EndpointSettings {
    /// How it is called.
    pub name: EndpointName,
    /// Where it stands.
    pub place: Place,
    /// What it is to be; not yet sealed.
    pub endpoint: Endpoint,
    /// What is to be sealed.
    pub secrets: Secrets,
    /// From which message on, if it is new.
    pub start: Start,
}

/// One of `[[effects]]`, its statements parsed.
#[derive(Clone, Debug)]
pub struct EffectSettings {
    /// For which messages.
    pub on: Filter,
    /// What happens.
    pub effect: SqlEffect,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// By what URL WeChat Pay reaches it.
    pub public_url: Option<String>,
    /// Facts that may wait for the writer.
    pub queue_callbacks_max: usize,
    /// Connections served at one time.
    pub connections_max: usize,
    /// Seconds that open requests get when the server stops.
    pub shutdown_seconds_max: u64,
}

/// `[store]`
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where the orders are kept.
    pub url: StoreUrl,
    /// Connections to a database server.
    pub connections_max: usize,
    /// Transactions at the same time on a database server.
    pub transactions_max: usize,
    /// Whether a database server's schema is brought up to date at the start.
    pub migrate: bool,
}

impl StoreSettings {
    /// How many transactions may run at the same time on a database server: its store keeps the other
    /// connections for all else. `None` where there are no connections.
    #[must_use]
    pub fn transactions_possible(&self) -> Option<usize> {
        match self.url {
            StoreUrl::Sqlite(_) => None,
            StoreUrl::Postgres(_) | StoreUrl::MySql(_) => Some(self.connections_max / 2),
        }
    }
}

/// Where the orders are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// `sqlite://PATH`, the path already resolved against the configuration's folder.
    Sqlite(PathBuf),
    /// `postgres://…`
    Postgres(SecretUrl),
    /// `mysql://…`
    MySql(SecretUrl),
}

impl StoreUrl {
    /// Checks a URL. A relative path starts from `base`.
    ///
    /// # Errors
    /// What is expected. It repeats nothing that may be a password.
    pub fn parse(url: &str, base: &Path) -> Result<Self, Problem> {
        Kind::StoreUrl(|_, _| ()).store_url(url, base)
    }

    /// The same with this password. `None` for a file, which takes none.
    #[must_use]
    pub fn with_password(&self, password: &str) -> Option<Self> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => Some(Self::Postgres(url.with_password(password))),
            Self::MySql(url) => Some(Self::MySql(url.with_password(password))),
        }
    }
}

/// `[cache]`
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// MiB of this process' memory.
    pub memory_mib_max: u64,
    /// A Redis that the nodes share.
    pub redis_url: Option<SecretUrl>,
}

/// A URL that may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// A URL as it was written.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL itself, to connect with.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same URL with this password. Its user stays; if it has none, the server takes its default one.
    #[must_use]
    pub fn with_password(&self, password: &str) -> Self {
        let (scheme, rest) = self.0.split_once("://").expect("BUG: what is a URL was checked");
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (user, hosts) = match rest[..end].rfind('@') {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => ("", rest),
        };
        let name = user.split(':').next().unwrap_or_default();
        let password = percent_encoded(password);
        Self(format!("{scheme}://{name}:{password}@{hosts}"))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// As RFC 3986 writes what is not unreserved.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// `[api]`
#[derive(Clone, Debug)]
pub struct Api {
    /// Any one of them opens the API; empty if none is configured, then nobody is let in.
    pub keys: Vec<ApiKey>,
}

/// A bearer key of the merchant's own back end.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(pub(super) String);

impl ApiKey {
    /// The key itself, to compare it with what a request carries.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Which lines there are, as tracing's `EnvFilter` reads it.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object a line.
    Json,
}

/// `[policy]`
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// A payment for an order that was closed.
    pub late_payment: LatePayment,
    /// A payment for an order that nobody registered.
    pub unknown_order: UnknownOrder,
}

/// `[retention]`
#[derive(Clone, Debug)]
pub struct RetentionSettings {
    /// Rejected callbacks kept.
    pub rejected_rows_max: u64,
    /// Days that receipts of accepted callbacks are kept.
    pub callback_days: u32,
    /// Days that attempts at deliveries are kept.
    pub attempt_days: u32,
}

/// `[delivery]`
#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// What seals endpoints' secrets; `None`: there can be no endpoints.
    pub sealing_keys: Option<Arc<SealingKeys>>,
    /// Where endpoints may lie.
    pub networks: Networks,
    /// Whether endpoints may be called without encryption.
    pub unencrypted: bool,
}

/// `[wechat]`
#[derive(Clone, Debug)]
pub struct WechatSettings {
    /// Where WeChat Pay is.
    pub hosts: Hosts,
}

/// One of `[[merchants]]`, its keys read.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The merchant number, the last part of its notify_url.
    pub mchid: MerchantId,
    /// Whose orders it combines: they are told of in its notifications, under their own numbers.
    pub sellers: BTreeSet<MerchantId>,
    /// The keys by which WeChat Pay signs to this merchant: at least one, unless they can be downloaded.
    pub keys: Arc<KeyRing>,
    /// The key by which WeChat Pay encrypts to this merchant.
    pub apiv3_key: ApiV3Key,
    /// The key of APIv2, if its notices are taken.
    pub apiv2_key: Option<ApiV2Key>,
    /// What signs this merchant's own requests, if it makes any.
    pub certificate: Option<SigningPair>,
}

/// The merchant's API certificate and its private key, which fit together.
#[derive(Clone, Debug)]
pub struct SigningPair {
    /// `apiclient_cert.pem`.
    pub certificate: MerchantCertificate,
    /// `apiclient_key.pem`.
    pub key: Arc<MerchantKey>,
}

impl Config {
    /// Values that nobody sees: the table has a row with a default for each, and loading sets them all.
    pub(super) fn blank() -> Self {
        let policy = Policy::default();
        Self {
            server: ServerSettings {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                public_url: None,
                queue_callbacks_max: 0,
                connections_max: 0,
                shutdown_seconds_max: 0,
            },
            store: StoreSettings {
                url: StoreUrl::Sqlite(PathBuf::new()),
                connections_max: 0,
                transactions_max: 0,
                migrate: false,
            },
            cache: CacheSettings { memory_mib_max: 0, redis_url: None },
            api: Api { keys: Vec::new() },
            log: Log { format: LogFormat::Human, filter: String::new() },
            policy: PolicySettings { late_payment: policy.late_payment, unknown_order: policy.unknown_order },
            retention: RetentionSettings { rejected_rows_max: 0, callback_days: 0, attempt_days: 0 },
            delivery: DeliverySettings {
                sealing_keys: None,
                networks: Networks::default(),
                unencrypted: false,
            },
            wechat: WechatSettings { hosts: Hosts::mainland() },
            endpoints: Vec::new(),
            effects: Vec::new(),
            alerts: Vec::new(),
            merchants: Vec::new(),
        }
    }
}
