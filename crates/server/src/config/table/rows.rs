//! The rows. Defaults are TOML without quotes; they pass the same checks as a user's values.

use payonce_core::decide::{LatePayment, Remedy, UnknownOrder};

use super::{
    EFFECT_NAME, EFFECT_ON, EFFECT_ROWS, EFFECT_SQL, Key, Kind, Sample, Section, alerts::*, endpoints::*,
};
use crate::config::settings::LogFormat;

/// Every key, in the order in which they are shown.
pub(in crate::config) static KEYS: [&Key; 71] = [
    &Key {
        section: Section::Server,
        name: "listen",
        kind: Kind::Address(|config, address| config.server.listen = address),
        sample: Sample::Default("127.0.0.1:8080"),
        doc: "Where to listen, plain HTTP: a proxy in front of it does TLS.",
    },
    &Key {
        section: Section::Server,
        name: "public_url",
        kind: Kind::PublicUrl(|config, url| config.server.public_url = Some(url)),
        sample: Sample::Example("https://pay.example.com"),
        doc: "What that proxy is called by WeChat Pay: a merchant's notify_url is this, /notify/v3/ and its mchid.\n\
              `payonce doctor` looks whether callbacks arrive there.",
    },
    &Key {
        section: Section::Server,
        name: "queue_callbacks_max",
        kind: Kind::Integer {
            min: 1,
            max: 1_000_000,
            set: |config, number| config.server.queue_callbacks_max = number as usize,
        },
        sample: Sample::Default("4096"),
        doc: "Callbacks that may wait for the database; further ones are answered 503, and WeChat Pay retries.",
    },
    &Key {
        section: Section::Server,
        name: "connections_max",
        kind: Kind::Integer {
            min: 1,
            max: 100_000,
            set: |config, number| config.server.connections_max = number as usize,
        },
        sample: Sample::Default("1024"),
        doc: "Connections served at one time; further ones wait. Each takes a file descriptor.",
    },
    &Key {
        section: Section::Server,
        name: "shutdown_seconds_max",
        kind: Kind::Integer {
            min: 1,
            max: 600,
            set: |config, number| config.server.shutdown_seconds_max = number.into(),
        },
        sample: Sample::Default("30"),
        doc: "Seconds that open requests get to finish when payonce stops.",
    },
    &Key {
        section: Section::Store,
        name: "url",
        kind: Kind::StoreUrl(|config, url| config.store.url = url),
        sample: Sample::Default("sqlite://payonce.db"),
        doc: "The database. sqlite://PATH: a file, which is made if it does not exist, for one node.\n\
              postgres://USER@HOST:PORT/DATABASE or mysql://USER@HOST:PORT/DATABASE: a server (PostgreSQL, MySQL,\n\
              MariaDB), for any number of nodes. Several hosts, separated by commas, are tried in turn. The\n\
              drivers' TLS options follow a question mark: ?sslmode=verify-full&sslrootcert=/etc/ca.pem, or\n\
              ?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/ca.pem.",
    },
    &STORE_PASSWORD_FILE,
    &STORE_PASSWORD,
    &Key {
        section: Section::Store,
        name: "connections_max",
        kind: Kind::Integer {
            // One for transactions, one for messages on their way, one for everything else.
            min: 3,
            max: 10_000,
            set: |config, number| config.store.connections_max = number as usize,
        },
        sample: Sample::Default("10"),
        doc: "Connections to a database server, of this node. Besides those of its transactions, they\n\
              are for delivering, for reading and for what runs in the background.",
    },
    &Key {
        section: Section::Store,
        name: "transactions_max",
        kind: Kind::Integer {
            min: 1,
            max: 64,
            set: |config, number| config.store.transactions_max = number as usize,
        },
        sample: Sample::Default("1"),
        doc: "Transactions at the same time on a database server, of this node: at most half of connections_max. More\n\
              help where the server is far away; where it is near, fewer make larger groups, which cost less.",
    },
    &Key {
        section: Section::Store,
        name: "migrate",
        kind: Kind::Choice(&[
            ("auto", |config| config.store.migrate = true),
            ("manual", |config| config.store.migrate = false),
        ]),
        sample: Sample::Default("auto"),
        doc: "auto: bring a database server's schema up to date at the start. manual: refuse to start until\n\
              `payonce migrate apply` has done it. (A SQLite file is always brought up to date.)",
    },
    &Key {
        section: Section::Cache,
        name: "memory_mib_max",
        kind: Kind::Integer {
            min: 1,
            max: 65_536,
            set: |config, number| config.cache.memory_mib_max = number.into(),
        },
        sample: Sample::Default("32"),
        doc: "MiB of memory for the latest committed callbacks; one takes about 300 bytes.",
    },
    &Key {
        section: Section::Cache,
        name: "redis_url",
        kind: Kind::RedisUrl(|config, url| config.cache.redis_url = Some(url)),
        sample: Sample::Example("redis://127.0.0.1:6379/0"),
        doc: "A Redis that all nodes of a fleet share. Entries are sealed with a key that the database keeps.",
    },
    &CACHE_PASSWORD_FILE,
    &CACHE_PASSWORD,
    &API_KEY_FILE,
    &API_KEY,
    &Key {
        section: Section::Log,
        name: "format",
        kind: Kind::Choice(&[
            ("human", |config| config.log.format = LogFormat::Human),
            ("json", |config| config.log.format = LogFormat::Json),
        ]),
        sample: Sample::Default("human"),
        doc: "human: for eyes. json: one object a line.",
    },
    &Key {
        section: Section::Log,
        name: "filter",
        kind: Kind::Filter(|config, filter| config.log.filter = filter),
        sample: Sample::Default("info"),
        doc: "Which lines: a level (error, warn, info, debug, trace), or one for each target,\n\
              such as \"info,payonce_server=debug\".",
    },
    &Key {
        section: Section::Policy,
        name: "late_payment",
        kind: Kind::Choice(&[
            ("hold", |config| config.policy.late_payment = LatePayment::Report(Remedy::Hold)),
            ("accept", |config| config.policy.late_payment = LatePayment::Accept),
        ]),
        sample: Sample::Default("hold"),
        doc: "A payment for an order that was closed; the order is paid either way, marked late.\n\
              hold: also list it as an incident, for you to decide. accept: an ordinary payment.",
    },
    &Key {
        section: Section::Policy,
        name: "unknown_order",
        kind: Kind::Choice(&[
            ("hold", |config| config.policy.unknown_order = UnknownOrder::Hold),
            ("adopt", |config| config.policy.unknown_order = UnknownOrder::Adopt),
        ]),
        sample: Sample::Default("hold"),
        doc: "A payment for an order that nobody registered.\n\
              hold: keep it until the order is registered. adopt: register the order as the payment states it.",
    },
    &Key {
        section: Section::Retention,
        name: "rejected_rows_max",
        kind: Kind::Integer {
            min: 1,
            max: 10_000_000,
            set: |config, number| config.retention.rejected_rows_max = number.into(),
        },
        sample: Sample::Default("10000"),
        doc: "Rejected callbacks kept for inspection; the oldest go first.",
    },
    &Key {
        section: Section::Retention,
        name: "callback_days",
        kind: Kind::Integer {
            // WeChat Pay retries for 24 h 4 min: a receipt must outlive the last copy of its callback.
            min: 2,
            max: 3650,
            set: |config, number| config.retention.callback_days = number,
        },
        sample: Sample::Default("180"),
        doc: "Days that callbacks are kept: the receipts of accepted ones, refused ones whole. What keeps a payment\n\
              from counting twice is kept for ever.",
    },
    &Key {
        section: Section::Retention,
        name: "attempt_days",
        kind: Kind::Integer {
            min: 1,
            max: 3650,
            set: |config, number| config.retention.attempt_days = number,
        },
        sample: Sample::Default("30"),
        doc: "Days that attempts to hand messages over are kept, with what endpoints answered.",
    },
    &Key {
        section: Section::Wechat,
        name: "base_url",
        kind: Kind::Hosts(|config, hosts| config.wechat.hosts = hosts),
        sample: Sample::Example("http://127.0.0.1:8090"),
        doc: "In place of WeChat Pay's own hosts, primary and backup.",
    },
    &SEALING_KEY_FILE,
    &SEALING_KEY,
    &Key {
        section: Section::Delivery,
        name: "networks",
        kind: Kind::Networks(|config, networks| config.delivery.networks = networks),
        sample: Sample::Example("10.1.0.0/16 127.0.0.1"),
        doc: "Networks and addresses that endpoints may lie in besides the public internet. Without it, no address of a\n\
              private network, of this machine or of a cloud's metadata is ever called, whatever a name resolves to.",
    },
    &Key {
        section: Section::Delivery,
        name: "unencrypted",
        kind: Kind::Choice(&[
            ("refuse", |config| config.delivery.unencrypted = false),
            ("allow", |config| config.delivery.unencrypted = true),
        ]),
        sample: Sample::Default("refuse"),
        doc: "allow: http:// and brokers without TLS may be endpoints, such as those of one's own network.",
    },
    &ENDPOINT_NAME,
    &ENDPOINT_URL,
    &ENDPOINT_KINDS,
    &ENDPOINT_ORDERED,
    &ENDPOINT_SECRET_FILE,
    &ENDPOINT_SECRET,
    &ENDPOINT_HEADERS_FILE,
    &ENDPOINT_HEADERS,
    &ENDPOINT_LOGIN_FILE,
    &ENDPOINT_LOGIN,
    &ENDPOINT_CONCURRENCY,
    &ENDPOINT_RATE,
    &ENDPOINT_CONNECT_MAX,
    &ENDPOINT_TOTAL_MAX,
    &ENDPOINT_SCHEDULE,
    &ENDPOINT_FAILING_MAX,
    &ENDPOINT_START,
    &EFFECT_NAME,
    &EFFECT_ON,
    &EFFECT_SQL,
    &EFFECT_ROWS,
    &MCHID,
    &SELLERS,
    &APIV3_KEY_FILE,
    &APIV3_KEY,
    &APIV2_KEY_FILE,
    &APIV2_KEY,
    &PRIVATE_KEY_FILE,
    &API_CERTIFICATE_FILE,
    &PUBLIC_KEY_ID,
    &PUBLIC_KEY_FILE,
    &CERTIFICATE_FILE,
    &ALERT_NAME,
    &ALERT_KIND,
    &ALERT_URL_FILE,
    &ALERT_URL,
    &ALERT_SECRET_FILE,
    &ALERT_SECRET,
    &ALERT_LANGUAGE,
    &ALERT_ONLY,
    &ALERT_RATE,
    &ALERT_GROUP,
];

pub(in crate::config) static STORE_PASSWORD_FILE: Key = Key {
    section: Section::Store,
    name: "password_file",
    kind: Kind::File,
    sample: Sample::Example("store.password"),
    doc: "The file of the database server's password. Only payonce should be able to read it.",
};

/// `store.password`
pub(in crate::config) static STORE_PASSWORD: Key = Key {
    section: Section::Store,
    name: "password",
    kind: Kind::Secret { file: &STORE_PASSWORD_FILE, holds: "the password of the database server's user" },
    sample: Sample::Example("[REDACTED]"),
    doc: "The password of the user in the URL.",
};

/// `cache.password_file`
pub(in crate::config) static CACHE_PASSWORD_FILE: Key = Key {
    section: Section::Cache,
    name: "password_file",
    kind: Kind::File,
    sample: Sample::Example("redis.password"),
    doc: "The file of Redis' password. Only payonce should be able to read it.",
};

/// `cache.password`
pub(in crate::config) static CACHE_PASSWORD: Key = Key {
    section: Section::Cache,
    name: "password",
    kind: Kind::Secret { file: &CACHE_PASSWORD_FILE, holds: "the password of Redis" },
    sample: Sample::Example("[REDACTED]"),
    doc: "The password of Redis.",
};

/// `api.key_file`
pub(in crate::config) static API_KEY_FILE: Key = Key {
    section: Section::Api,
    name: "key_file",
    kind: Kind::File,
    sample: Sample::Example("api.key"),
    doc: "The file of the keys; `openssl rand -hex 32` makes one. Only payonce should be able to read it.",
};

/// `api.key`
pub(in crate::config) static API_KEY: Key = Key {
    section: Section::Api,
    name: "key",
    kind: Kind::Secret { file: &API_KEY_FILE, holds: "an API key of at least 32 characters" },
    sample: Sample::Example("[REDACTED]"),
    doc: "The bearer keys of the merchant's own back end: one, or several with white space between them.",
};

/// `delivery.sealing_key_file`
pub(in crate::config) static SEALING_KEY_FILE: Key = Key {
    section: Section::Delivery,
    name: "sealing_key_file",
    kind: Kind::File,
    sample: Sample::Example("sealing.key"),
    doc: "The file of the keys that seal endpoints' secrets in the database, one a line: the first one seals, each one\n\
          opens. `openssl rand -base64 32` makes one. Only payonce should be able to read it.",
};

/// `delivery.sealing_key`
pub(in crate::config) static SEALING_KEY: Key = Key {
    section: Section::Delivery,
    name: "sealing_key",
    kind: Kind::Secret { file: &SEALING_KEY_FILE, holds: "keys of 32 bytes in Base64, one a line" },
    sample: Sample::Example("[REDACTED]"),
    doc: "Those keys. Without one there are no endpoints.",
};

/// `merchants.mchid`
pub(in crate::config) static MCHID: Key = Key {
    section: Section::Merchants,
    name: "mchid",
    kind: Kind::MerchantNumber,
    sample: Sample::Example("1900000001"),
    doc: "The merchant number.",
};

/// `merchants.sellers`
pub(in crate::config) static SELLERS: Key = Key {
    section: Section::Merchants,
    name: "sellers",
    kind: Kind::MerchantNumbers,
    sample: Sample::Example("1900000007 1900000008"),
    doc: "The merchants whose orders this one combines (combine payments): their orders are registered and shown under\n\
          their own numbers. They need no keys here, since WeChat Pay tells this merchant of their payments.",
};

pub(in crate::config) static APIV3_KEY_FILE: Key = Key {
    section: Section::Merchants,
    name: "apiv3_key_file",
    kind: Kind::File,
    sample: Sample::Example("apiv3.key"),
    doc: "The file of the APIv3 key. Only payonce should be able to read it.",
};

/// `merchants.apiv3_key`
pub(in crate::config) static APIV3_KEY: Key = Key {
    section: Section::Merchants,
    name: "apiv3_key",
    kind: Kind::Secret { file: &APIV3_KEY_FILE, holds: "the APIv3 key of 32 characters" },
    sample: Sample::Example("[REDACTED]"),
    doc: "The APIv3 key that you set in WeChat Pay's merchant platform: 32 characters.",
};

/// `merchants.apiv2_key_file`
pub(in crate::config) static APIV2_KEY_FILE: Key = Key {
    section: Section::Merchants,
    name: "apiv2_key_file",
    kind: Kind::File,
    sample: Sample::Example("apiv2.key"),
    doc: "The file of the APIv2 key, where notices of APIv2 may come: for orders that were placed by it, and refunds\n\
          that fall back to it. Only payonce should be able to read it.",
};

/// `merchants.apiv2_key`
pub(in crate::config) static APIV2_KEY: Key = Key {
    section: Section::Merchants,
    name: "apiv2_key",
    kind: Kind::Secret { file: &APIV2_KEY_FILE, holds: "the APIv2 key of 32 characters" },
    sample: Sample::Example("[REDACTED]"),
    doc: "The APIv2 key that you set in WeChat Pay's merchant platform: 32 characters.",
};

/// `merchants.private_key_file`
pub(in crate::config) static PRIVATE_KEY_FILE: Key = Key {
    section: Section::Merchants,
    name: "private_key_file",
    kind: Kind::File,
    sample: Sample::Example("apiclient_key.pem"),
    doc: "The merchant's private key, PEM, with which payonce asks WeChat Pay: for platform certificates, at first.\n\
          Only payonce should be able to read it.",
};

/// `merchants.api_certificate_file`
pub(in crate::config) static API_CERTIFICATE_FILE: Key = Key {
    section: Section::Merchants,
    name: "api_certificate_file",
    kind: Kind::File,
    sample: Sample::Example("apiclient_cert.pem"),
    doc: "The merchant's API certificate that belongs to it, PEM.",
};

/// `merchants.platform_keys.public_key_id`
pub(in crate::config) static PUBLIC_KEY_ID: Key = Key {
    section: Section::PlatformKeys,
    name: "public_key_id",
    kind: Kind::PublicKeyId,
    sample: Sample::Example("PUB_KEY_ID_0119000000012024101100000000000000"),
    doc: "The id of a WeChat Pay public key, as the merchant platform shows it.",
};

/// `merchants.platform_keys.public_key_file`
pub(in crate::config) static PUBLIC_KEY_FILE: Key = Key {
    section: Section::PlatformKeys,
    name: "public_key_file",
    kind: Kind::File,
    sample: Sample::Example("wechatpay_public_key.pem"),
    doc: "That key, as downloaded: PEM, BEGIN PUBLIC KEY.",
};

/// `merchants.platform_keys.certificate_file`
pub(in crate::config) static CERTIFICATE_FILE: Key = Key {
    section: Section::PlatformKeys,
    name: "certificate_file",
    kind: Kind::File,
    sample: Sample::Example("wechatpay_certificate.pem"),
    doc: "A WeChat Pay platform certificate: PEM, BEGIN CERTIFICATE. It holds its serial number itself.",
};
