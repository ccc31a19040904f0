//! `[[endpoints]]`: what is taken, and what a wrong one is told.

use payonce_core::{
    delivery::{Schedule, Settings},
    store::{Position, delivery::Start},
};
use payonce_dispatch::Algorithm;

use super::*;
use crate::config::{
    Warning,
    table::{ENDPOINT_SCHEDULE, Key, Raw, Section},
};

const DELIVERY: &str = "[delivery]\nsealing_key_file = \"sealing.key\"\n";
const SEALING_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn delivering(toml: &str) -> Setup {
    setup(&format!("{DELIVERY}{toml}")).file("sealing.key", SEALING_KEY).file("shop.secret", SECRET)
}

#[test]
fn endpoints_are_read_with_their_secrets() {
    let toml = r#"
[[endpoints]]
name = "shop"
url = "https://shop.example/hook"
kinds = ["payment.*"]
ordered = true
secret_file = "two.secrets"
headers_file = "shop.headers"
concurrency = 3
rate_per_second = 50
connect_max_ms = 1000
total_max_ms = 2000
schedule_seconds = [1, 60]
failing_max_seconds = 3600
start = 0

[[endpoints]]
name = "orders-queue"
url = "amqps://broker.example?queue=orders"
login_file = "broker.login"
"#;
    let loaded = delivering(toml)
        .file("two.secrets", &format!("# since March\n{SECRET}\n\n{OLD_SECRET}\n"))
        .file("shop.headers", "Authorization: Bearer rSx7\nX-Shop: 7\n")
        .file("broker.login", "payonce\nrSx7\n")
        .load()
        .expect("valid");
    let [shop, queue] = &loaded.config.endpoints[..] else { panic!("{:?}", loaded.config.endpoints) };
    assert_eq!((shop.name.as_str(), shop.place.to_string().as_str()), ("shop", "payonce.toml:4:1"));
    let expected = Settings {
        concurrency: 3,
        rate_per_second: Some(50),
        connect_max_ms: 1000,
        total_max_ms: 2000,
        schedule: Schedule::parse(&[1, 60]).expect("a schedule"),
        failing_max_seconds: 3600,
        is_configured: true,
    };
    assert_eq!(shop.endpoint.settings, expected);
    assert!(shop.endpoint.ordered && !shop.endpoint.filter.wants("order.closed"));
    assert_eq!(shop.start, Start::After(Position(0)));
    let keys: Vec<_> = shop.secrets.signing().iter().map(|signer| signer.key.secret_text()).collect();
    assert_eq!(keys, [SECRET, OLD_SECRET]);
    let headers: Vec<_> = shop.secrets.headers().iter().map(|header| header.name().as_str()).collect();
    assert_eq!(headers, ["authorization", "x-shop"]);

    assert_eq!(queue.endpoint.settings, Settings { is_configured: true, ..Settings::default() });
    assert!(queue.endpoint.filter.wants("order.closed") && !queue.endpoint.ordered);
    assert_eq!(queue.start, Start::Now);
    assert_eq!(
        queue.secrets.login().map(|login| (login.user(), login.password())),
        Some(("payonce", "rSx7"))
    );
    let shown = format!("{} {:?}", loaded.effective.render(), loaded.config);
    assert!(
        !shown.contains("rSx7") && !shown.contains("MfKQ") && shown.contains("secret = \"[REDACTED]\""),
        "{shown}"
    );
}

#[test]
fn secrets_may_come_from_the_environment() {
    let toml = "[[endpoints]]\nname = \"shop-1\"\nurl = \"https://shop.example/\"\n";
    let ed25519 = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let setup = delivering(toml)
        .variable("PAYONCE_ENDPOINT_SHOP_1_SECRET", ed25519)
        .variable("PAYONCE_ENDPOINT_SHOP_1_HEADERS", "x-shop: 7")
        .variable("PAYONCE_ENDPOINT_SHOP_1_SECRETS", SECRET)
        .variable("PAYONCE_ENDPOINT_SHOP_2_SECRET", SECRET);
    let loaded = setup.load().expect("valid");
    let secrets = &loaded.config.endpoints[0].secrets;
    assert_eq!(secrets.signing()[0].key.algorithm(), Algorithm::Ed25519);
    assert_eq!(secrets.headers().len(), 1);
    let stranger = |name: &str| Warning::NoSuchEndpoint { name: name.to_owned() };
    let strangers = ["PAYONCE_ENDPOINT_SHOP_1_SECRETS", "PAYONCE_ENDPOINT_SHOP_2_SECRET"].map(stranger);
    assert_eq!(loaded.warnings, strangers);
}

/// Endpoints with everything that can be wrong.
const WRONG: &str = r#"
[[endpoints]]
name = "Shop"
url = "ftp://shop.example/rSx7"
kinds = ["支付"]
ordered = "yes"
concurrency = 0
rate_per_second = "50"
schedule_seconds = [0]
start = "then"
secret_file = "bad.secret"
headers_file = "bad.headers"

[[endpoints]]
name = "shop"
url = "https://rSx7:rSx7@shop.example/"
secret = "whsec_rSx7"
schedule_seconds = 5
start = -1
retries = 3

[[endpoints]]
name = "till_1"
url = "http://till.example/"
secret_file = "shop.secret"

[[endpoints]]
name = "till-1"
url = "https://till.example/"

[[endpoints]]
name = "queue"
url = "nats+tls://broker.example/orders"
login_file = "bad.login"
headers_file = "no-colon.headers"

[[endpoints]]
name = "web"
url = "https://web.example/"
secret_file = "same.secret"
"#;

#[test]
fn what_is_wrong_with_endpoints_is_told_all_at_once() {
    let setup = delivering(WRONG)
        .file("bad.secret", &format!("{SECRET}\nrSx7\n"))
        .file("bad.headers", "X-Shop: 7\nX-Evil: a\u{1}rSx7\n")
        .file("no-colon.headers", "rSx7")
        .file("bad.login", "rSx7")
        .file("same.secret", &format!("{SECRET}\n{SECRET}"));
    let refused = setup.refused();
    assert!(!refused.contains("rSx7"), "{refused}");
    insta::assert_snapshot!(refused, @r#"
    payonce.toml:5:8: endpoints[0].name: expected a name of 1 to 64 of a-z, 0-9, - and _, found "Shop"
    payonce.toml:6:7: endpoints[0].url: the URL does not begin with https:// or http://, nor with a broker's scheme: amqps, amqp, nats+tls, nats, rediss, redis, kafka+tls, kafka
    payonce.toml:7:9: endpoints[0].kinds: "支付" is no kind of message; expected one like "payment.succeeded", "payment.*" or "*"
    payonce.toml:8:11: endpoints[0].ordered: expected true or false, found "yes"
    payonce.toml:9:15: endpoints[0].concurrency: expected an integer from 1 to 1000, found 0
    payonce.toml:10:19: endpoints[0].rate_per_second: expected an integer from 1 to 100000, found the text "50"
    payonce.toml:11:20: endpoints[0].schedule_seconds: a pause of 0 s; expected 1 to 604800 s
    payonce.toml:12:9: endpoints[0].start: expected "now", or a position from 0, found "then"
    payonce.toml:13:15: endpoints[0].secret_file: line 2: a signing key begins with whsec_ (HMAC) or whsk_ (ed25519)
    payonce.toml:14:16: endpoints[0].headers_file: line 2: the value of the header x-evil holds '\u{1}'; it may hold visible ASCII characters, and spaces between them: encode anything else (Base64, percent-encoding)
    payonce.toml:18:7: endpoints[1].url: the URL holds a user or a password; send an Authorization header instead, or give a broker's login by itself
    payonce.toml:19:10: endpoints[1].secret: expected no secret in this file: write it to a file of its own, name that by `secret_file`, or set the environment variable PAYONCE_ENDPOINT_SHOP_SECRET
    payonce.toml:20:20: endpoints[1].schedule_seconds: expected a list of seconds, such as [5, 30, 120], found 5
    payonce.toml:21:9: endpoints[1].start: expected "now", or a position from 0, found -1
    payonce.toml:22:1: endpoints[1].retries: there is no such key; expected one of docs/configuration.md
    payonce.toml:26:7: endpoints[2].url: http:// is not encrypted, and such calls are not allowed here; use the encrypted scheme
    payonce.toml:29:1: endpoints[3].secret_file: expected the path of a file, or the environment variable PAYONCE_ENDPOINT_<NAME>_SECRET, found nothing
    payonce.toml:30:8: endpoints[3].name: till-1 stands already at payonce.toml:25:8; expected it once
    payonce.toml:36:14: endpoints[4].login_file: expected two lines, of the user and of the password; their number is 1
    payonce.toml:37:16: endpoints[4].headers_file: line 1: expected a header, as in `Authorization: Bearer …`
    payonce.toml:42:15: endpoints[5].secret_file: a signing key is there twice; make a new one
    "#);
}

#[test]
fn endpoints_need_a_sealing_key() {
    let toml =
        "[[endpoints]]\nname = \"shop\"\nurl = \"https://shop.example/\"\nsecret_file = \"shop.secret\"\n";
    let refused = setup(toml).file("shop.secret", SECRET).refused();
    insta::assert_snapshot!(refused, @"not set: delivery.sealing_key_file: expected the path of a file that `openssl rand -base64 32` fills, or the environment variable PAYONCE_DELIVERY_SEALING_KEY, since there are [[endpoints]], whose secrets it seals, found nothing");
    // A key with which something else is wrong is not missing.
    let refused = delivering(toml).file("sealing.key", "no key").refused();
    insta::assert_snapshot!(refused, @"payonce.toml:2:20: delivery.sealing_key_file: line 1 is no key: expected 32 bytes in standard Base64; make one with `openssl rand -base64 32`");
}

#[test]
fn the_table_says_the_defaults_that_there_are() {
    let usual = Settings::default();
    let default = |name: &str| {
        let key: &Key = Section::Endpoints.keys().find(|key| key.name == name).expect("a key");
        key.default().map(str::to_owned)
    };
    for (name, expected) in [
        ("concurrency", u32::from(usual.concurrency)),
        ("connect_max_ms", usual.connect_max_ms),
        ("total_max_ms", usual.total_max_ms),
        ("failing_max_seconds", usual.failing_max_seconds),
    ] {
        assert_eq!(default(name), Some(expected.to_string()), "{name}");
    }
    let Raw::List(pauses) =
        Raw::from_text(&ENDPOINT_SCHEDULE, &default("schedule_seconds").expect("a default"))
    else {
        panic!("no list")
    };
    let seconds: Vec<u64> = pauses.iter().filter_map(|pause| pause.to_toml().parse().ok()).collect();
    assert_eq!(Schedule::parse(&seconds), Ok(usual.schedule));
}
