//! What a configuration without fault comes to.

use payonce_core::{
    MerchantId, Policy,
    decide::{LatePayment, UnknownOrder},
};

use super::*;
use crate::config::{LogFormat, StoreUrl, Warning};

#[test]
fn without_file_and_environment_every_value_is_the_default() {
    let loaded = Setup::default().load().expect("defaults are valid");
    insta::assert_snapshot!(loaded.effective.render(), @r#"
    [server]
    listen = "127.0.0.1:8080"    # default
    queue_callbacks_max = 4096   # default
    connections_max = 1024       # default
    shutdown_seconds_max = 30    # default

    [store]
    url = "sqlite://payonce.db"  # default
    connections_max = 10         # default
    transactions_max = 1         # default
    migrate = "auto"             # default

    [cache]
    memory_mib_max = 32          # default

    [api]
    # nothing is set

    [log]
    format = "human"             # default
    filter = "info"              # default

    [policy]
    late_payment = "hold"        # default
    unknown_order = "hold"       # default

    [retention]
    rejected_rows_max = 10000    # default
    callback_days = 180          # default
    attempt_days = 30            # default

    [wechat]
    # nothing is set

    [delivery]
    unencrypted = "refuse"       # default
    "#);
}

#[test]
fn a_blank_configuration_is_typed_like_any_other() {
    let loaded = Setup::default().load().expect("defaults are valid");
    insta::assert_snapshot!(format!("{:#?}", loaded.config), @r#"
    Config {
        server: ServerSettings {
            listen: 127.0.0.1:8080,
            public_url: None,
            queue_callbacks_max: 4096,
            connections_max: 1024,
            shutdown_seconds_max: 30,
        },
        store: StoreSettings {
            url: Sqlite(
                "payonce.db",
            ),
            connections_max: 10,
            transactions_max: 1,
            migrate: true,
        },
        cache: CacheSettings {
            memory_mib_max: 32,
            redis_url: None,
        },
        api: Api {
            keys: [],
        },
        log: Log {
            format: Human,
            filter: "info",
        },
        policy: PolicySettings {
            late_payment: Report(
                Hold,
            ),
            unknown_order: Hold,
        },
        retention: RetentionSettings {
            rejected_rows_max: 10000,
            callback_days: 180,
            attempt_days: 30,
        },
        wechat: WechatSettings {
            hosts: Hosts(https://api.mch.weixin.qq.com/, https://api2.mch.weixin.qq.com/, https://api.weixin.qq.com/),
        },
        delivery: DeliverySettings {
            sealing_keys: None,
            networks: Networks {
                allowed: [],
            },
            unencrypted: false,
        },
        endpoints: [],
        effects: [],
        alerts: [],
        merchants: [],
    }
    "#);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn the_default_policy_is_that_of_the_core() {
    let policy = Setup::default().load().expect("defaults are valid").config.policy;
    let core = Policy::default();
    assert_eq!((policy.late_payment, policy.unknown_order), (core.late_payment, core.unknown_order));
}

/// Where each value stands is part of what is shown.
const SOME_SETTINGS: &str = r#"[server]
listen = "0.0.0.0:9090"

[store]
url = "sqlite:///var/lib/payonce/payonce.db"

[api]
key_file = "keys/api.key"

[log]
filter = "info,payonce_server=debug"
"#;

#[test]
fn the_effective_configuration_names_each_origin_and_no_secret() {
    let setup = setup(&format!("{SOME_SETTINGS}{MERCHANT}"))
        .variable("PAYONCE_SERVER_QUEUE_CALLBACKS_MAX", "100")
        .variable("PAYONCE_LOG_FORMAT", "json")
        .variable("PAYONCE_MERCHANT_1900000001_APIV3_KEY", APIV3_KEY);
    let loaded = setup.load().expect("valid");
    insta::assert_snapshot!(loaded.effective.render(), @r#"
    [server]
    listen = "0.0.0.0:9090"                       # file payonce.toml:2
    queue_callbacks_max = 100                     # environment PAYONCE_SERVER_QUEUE_CALLBACKS_MAX
    connections_max = 1024                        # default
    shutdown_seconds_max = 30                     # default

    [store]
    url = "sqlite:///var/lib/payonce/payonce.db"  # file payonce.toml:5
    connections_max = 10                          # default
    transactions_max = 1                          # default
    migrate = "auto"                              # default

    [cache]
    memory_mib_max = 32                           # default

    [api]
    key_file = "keys/api.key"                     # file payonce.toml:8
    key = "[REDACTED]"                            # file keys/api.key

    [log]
    format = "json"                               # environment PAYONCE_LOG_FORMAT
    filter = "info,payonce_server=debug"          # file payonce.toml:11

    [policy]
    late_payment = "hold"                         # default
    unknown_order = "hold"                        # default

    [retention]
    rejected_rows_max = 10000                     # default
    callback_days = 180                           # default
    attempt_days = 30                             # default

    [wechat]
    # nothing is set

    [delivery]
    unencrypted = "refuse"                        # default

    [[merchants]]
    mchid = "1900000001"                          # file payonce.toml:14
    apiv3_key_file = "keys/apiv3.key"             # file payonce.toml:15
    apiv3_key = "[REDACTED]"                      # environment PAYONCE_MERCHANT_1900000001_APIV3_KEY

    [[merchants.platform_keys]]
    public_key_id = "PUB_KEY_ID_0119000000012024101100000000000000"  # file payonce.toml:18
    public_key_file = "keys/public.pem"           # file payonce.toml:19

    [[merchants.platform_keys]]
    certificate_file = "keys/certificate.pem"     # file payonce.toml:22
    "#);
    let shown = format!("{} {loaded:?}", loaded.effective);
    assert!(!shown.contains(API_KEY) && !shown.contains(APIV3_KEY), "{shown}");
}

#[test]
fn the_environment_goes_before_the_file_and_every_setting_has_a_variable() {
    let setup = setup("server.listen = \"127.0.0.1:1\"\nlog = { format = \"human\" }")
        .variable("PAYONCE_SERVER_LISTEN", "[::1]:2")
        .variable("PAYONCE_SERVER_CONNECTIONS_MAX", "3")
        .variable("PAYONCE_SERVER_SHUTDOWN_SECONDS_MAX", "4")
        .variable("PAYONCE_STORE_URL", "sqlite://other.db")
        .variable("PAYONCE_LOG_FORMAT", "json")
        .variable("PAYONCE_LOG_FILTER", "warn")
        .variable("PAYONCE_POLICY_LATE_PAYMENT", "accept")
        .variable("PAYONCE_POLICY_UNKNOWN_ORDER", "adopt")
        .variable("PAYONCE_RETENTION_REJECTED_ROWS_MAX", "5")
        .variable("PAYONCE_RETENTION_CALLBACK_DAYS", "6");
    let config = setup.load().expect("valid").config;
    assert_eq!(config.server.listen.to_string(), "[::1]:2");
    assert_eq!((config.server.connections_max, config.server.shutdown_seconds_max), (3, 4));
    assert_eq!(config.store.url, StoreUrl::Sqlite("other.db".into()));
    assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Json, "warn"));
    assert_eq!(config.policy.late_payment, LatePayment::Accept);
    assert_eq!(config.policy.unknown_order, UnknownOrder::Adopt);
    assert_eq!((config.retention.rejected_rows_max, config.retention.callback_days), (5, 6));
}

#[test]
fn a_merchant_comes_with_its_keys() {
    let config = setup(MERCHANT).load().expect("valid").config;
    let [merchant] = config.merchants.as_slice() else { panic!("one merchant: {config:?}") };
    assert_eq!(merchant.mchid.as_str(), "1900000001");
    let mut serials: Vec<_> = merchant.keys.health().into_iter().map(|key| key.serial).collect();
    serials.sort_unstable();
    assert_eq!(
        serials,
        ["1A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D", "PUB_KEY_ID_0119000000012024101100000000000000"]
    );
}

#[test]
fn a_merchant_names_the_sellers_whose_orders_it_combines() {
    let mchid = "mchid = \"1900000001\"";
    let toml = MERCHANT.replace(mchid, &format!("{mchid}\nsellers = [\"1900000008\", \"1900000007\"]"));
    let loaded = setup(&toml).load().expect("valid");
    let sellers: Vec<_> = loaded.config.merchants[0].sellers.iter().map(MerchantId::as_str).collect();
    assert_eq!(sellers, ["1900000007", "1900000008"]);
    let shown = loaded.effective.render();
    assert!(shown.contains("sellers = [\"1900000008\", \"1900000007\"]"), "{shown}");
    let none = setup(MERCHANT).load().expect("valid").config;
    assert!(none.merchants[0].sellers.is_empty());
}

#[test]
fn merchants_may_be_written_inline() {
    let inline = r#"merchants = [{ mchid = "1900000001", apiv3_key_file = "keys/apiv3.key",
        platform_keys = [{ certificate_file = "keys/certificate.pem" }] }]"#;
    assert_eq!(setup(inline).load().expect("valid").config.merchants.len(), 1);
}

#[test]
fn relative_paths_start_from_the_files_folder() {
    let files = setup("").file("etc/payonce.toml", "api.key_file = \"k\"").file("etc/k", API_KEY);
    let named_by_argument = files.load_path(Some("etc/payonce.toml")).expect("valid").config;
    let named_by_variable =
        files.variable("PAYONCE_CONFIG", "etc/payonce.toml").load().expect("valid").config;
    for config in [named_by_argument, named_by_variable] {
        assert_eq!(config.store.url, StoreUrl::Sqlite("etc/payonce.db".into()));
        assert_eq!(config.api.keys.len(), 1);
    }
}

#[test]
fn several_api_keys_and_their_line_ends() {
    let second = "fedcba9876543210fedcba9876543210";
    let files = setup("api.key_file = \"keys/api.key\"");
    let config =
        files.file("keys/api.key", &format!("{API_KEY}\r\n{second}\r\n")).load().expect("valid").config;
    let keys: Vec<_> = config.api.keys.iter().map(|key| key.expose()).collect();
    assert_eq!(keys, [API_KEY, second]);
    assert_eq!(format!("{:?}", config.api.keys), "[[REDACTED], [REDACTED]]");
}

#[test]
fn the_environments_debug_shows_names_only() {
    let environment: Environment = [("PAYONCE_API_KEY".to_owned(), API_KEY.to_owned())].into_iter().collect();
    assert_eq!(format!("{environment:?}"), r#"{"PAYONCE_API_KEY"}"#);
}

#[test]
fn a_secret_that_others_may_read_brings_a_warning() {
    let setup = setup(MERCHANT).bytes("keys/apiv3.key", APIV3_KEY.as_bytes(), 0o644);
    let warnings = setup.load().expect("valid all the same").warnings;
    insta::assert_snapshot!(lines(&warnings), @"
    payonce.toml:4:18: merchants[0].apiv3_key_file: keys/apiv3.key is readable by others (mode 0644); `chmod 600` it
    ");
}

#[test]
fn a_secret_for_no_merchant_brings_a_warning() {
    let setup = setup(MERCHANT).variable("PAYONCE_MERCHANT_1900000002_APIV3_KEY", APIV3_KEY);
    let warnings = setup.load().expect("valid all the same").warnings;
    insta::assert_snapshot!(lines(&warnings), @"
    environment PAYONCE_MERCHANT_1900000002_APIV3_KEY: belongs to no configured merchant; expected PAYONCE_MERCHANT_<MCHID>_APIV3_KEY
    ");
}

#[test]
fn serving_needs_an_api_key_and_a_merchant() {
    let bare = Setup::default().load().expect("valid").config;
    insta::assert_snapshot!(bare.ready_to_serve().expect_err("not enough"), @"
    not set: api.key: expected a file of keys named by api.key_file, or the environment variable PAYONCE_API_KEY, found nothing
    not set: merchants: expected at least one [[merchants]] (`payonce init` writes an example), found nothing
    ");
    let full = setup(MERCHANT).variable("PAYONCE_API_KEY", API_KEY).load().expect("valid").config;
    full.ready_to_serve().expect("all is there");
}

fn lines(warnings: &[Warning]) -> String {
    warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_servers_url_takes_its_password_from_a_file_or_a_variable() {
    let toml = "store.url = \"postgres://shop@one:5432,two/payonce?sslmode=require\"\nstore.password_file = \"p\"\n\
                [cache]\nredis_url = \"redis://127.0.0.1/0\"\npassword_file = \"q\"";
    let loaded = setup(toml).file("p", "a/b@c:1\n").file("q", "geheim").load().expect("valid");
    let StoreUrl::Postgres(url) = &loaded.config.store.url else { panic!("{:?}", loaded.config.store) };
    assert_eq!(url.expose(), "postgres://shop:a%2Fb%40c%3A1@one:5432,two/payonce?sslmode=require");
    let redis = loaded.config.cache.redis_url.as_ref().expect("it is set");
    assert_eq!(redis.expose(), "redis://:geheim@127.0.0.1/0");
    for shown in [loaded.effective.render(), format!("{:?}", loaded.config)] {
        assert!(!shown.contains("geheim") && !shown.contains("a/b") && !shown.contains("a%2F"), "{shown}");
    }

    let setup = setup("").variable("PAYONCE_STORE_URL", "mariadb://shop:geheim@one/payonce");
    let loaded = setup.load().expect("valid");
    let StoreUrl::MySql(url) = &loaded.config.store.url else { panic!("{:?}", loaded.config.store) };
    assert_eq!(url.expose(), "mysql://shop:geheim@one/payonce");
    let shown = loaded.effective.render();
    assert!(shown.contains("mariadb://shop:[REDACTED]@one/payonce") && !shown.contains("geheim"), "{shown}");
}
