//! `[[alerts]]`: what is taken, and what a wrong one is told. No URL and no secret is ever shown.

use std::time::Duration;

use super::*;
use crate::config::{AlertKind, Language, Robot, Warning};

const URL: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa";

#[test]
fn channels_are_read_and_their_urls_not_shown() {
    let toml = r#"
[[alerts]]
name = "ops"
kind = "wecom"
url_file = "ops.url"

[[alerts]]
name = "on-call"
kind = "dingtalk"
language = "en"
only = ["incident", "exhausted"]
per_minute = 5
group_seconds = 300

[[alerts]]
name = "own"
kind = "webhook"
url_file = "own.url"
secret_file = "own.secret"
"#;
    let loaded = setup(toml)
        .file("ops.url", &format!("{URL}\n"))
        .file("own.url", "https://ops.example/alerts")
        .file("own.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .variable("PAYONCE_ALERT_ON_CALL_URL", "https://oapi.dingtalk.com/robot/send?access_token=rSx7")
        .variable("PAYONCE_ALERT_ON_CALL_SECRET", "SECrSx8")
        .variable("PAYONCE_ALERT_NOBODY_URL", "https://h/rSx9")
        .load()
        .expect("valid");
    let [ops, on_call, own] = &loaded.config.alerts[..] else { panic!("{:?}", loaded.config.alerts) };
    assert_eq!((ops.name.as_str(), ops.url.as_str(), ops.language), ("ops", URL, Language::Chinese));
    assert_eq!((ops.only.len(), ops.per_minute, ops.group), (9, 18, Duration::from_secs(60)));
    assert!(matches!(ops.robot, Robot::Wecom));
    assert_eq!(
        (on_call.language, on_call.per_minute, on_call.group),
        (Language::English, 5, Duration::from_secs(300))
    );
    assert_eq!(on_call.only, [AlertKind::Exhausted, AlertKind::Incident].into());
    assert!(matches!(on_call.robot, Robot::Dingtalk { secret: Some(_) }));
    assert!(matches!(own.robot, Robot::Webhook { key: Some(_) }));
    assert_eq!(loaded.warnings, [Warning::NoSuchChannel { name: "PAYONCE_ALERT_NOBODY_URL".to_owned() }]);
    let shown = format!("{}{:?}{:?}", loaded.effective.render(), loaded.config, loaded.warnings);
    for secret in ["693a91f6", "rSx", "MfKQ9r8", "webhook/send"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert!(shown.contains("url = \"[REDACTED]\""), "{shown}");
}

#[test]
fn what_is_wrong_with_channels_is_told_all_at_once_and_no_url_with_it() {
    let toml = format!(
        r#"
[[alerts]]
name = "ops room"
kind = "slack"
url_file = "{URL}"

[[alerts]]
name = "a"
kind = "wecom"
url = "{URL}"
secret_file = "secret"
only = ["incidents"]
per_minute = 21

[[alerts]]
name = "a"
kind = "webhook"
url_file = "plain.url"
secret_file = "secret"
language = "fr"
group_seconds = 0
per_minute = "5"
only = []

[[alerts]]
"#
    );
    let setup = setup(&toml).file("secret", "rSx7").file("plain.url", "http://h/693a91f6");
    let said = setup.refused();
    assert!(!said.contains("693a91f6") && !said.contains("rSx7"), "{said}");
    insta::assert_snapshot!(said, @r##"
    payonce.toml:3:8: alerts[0].name: expected a name of 1 to 64 letters, digits, hyphens and underscores, found "ops room"
    payonce.toml:4:8: alerts[0].kind: expected "wecom" or "dingtalk" or "feishu" or "webhook", found "slack"
    payonce.toml:5:12: alerts[0].url_file: expected the path of a file, found what seems to be its content
    payonce.toml:7:1: alerts[1].url_file: expected the path of a file, or the environment variable PAYONCE_ALERT_A_URL, found nothing
    payonce.toml:10:7: alerts[1].url: expected no secret in this file: write it to a file of its own, name that by `url_file`, or set the environment variable PAYONCE_ALERT_A_URL
    payonce.toml:11:15: alerts[1].secret_file: expected no secret: robots of WeCom have none, found one
    payonce.toml:12:8: alerts[1].only: expected a list of "endpoint_failing", "endpoint_recovered", "endpoint_disabled", "endpoint_unusable", "exhausted", "incident", "effect_failed", "callbacks_refused", "key_expiring", found ["incidents"]
    payonce.toml:13:14: alerts[1].per_minute: expected at most 20, which is all that such a robot takes, found 21
    payonce.toml:16:8: alerts[2].name: a stands already at payonce.toml:8:8; expected it once
    payonce.toml:18:12: alerts[2].url_file: expected an https:// URL, or http:// with delivery.unencrypted = "allow", found one that is not encrypted, or a broker's
    payonce.toml:19:15: alerts[2].secret_file: expected whsec_… or whsk_…, found none: a signing key begins with whsec_ (HMAC) or whsk_ (ed25519)
    payonce.toml:20:12: alerts[2].language: expected "zh" or "en", found "fr"
    payonce.toml:21:17: alerts[2].group_seconds: expected an integer from 1 to 86400, found 0
    payonce.toml:22:14: alerts[2].per_minute: expected an integer from 1 to 600, found the text "5"
    payonce.toml:23:8: alerts[2].only: expected a list of "endpoint_failing", "endpoint_recovered", "endpoint_disabled", "endpoint_unusable", "exhausted", "incident", "effect_failed", "callbacks_refused", "key_expiring", found []
    payonce.toml:25:1: alerts[3].name: expected a name of 1 to 64 letters, digits, hyphens and underscores, found nothing
    payonce.toml:25:1: alerts[3].kind: expected "wecom" or "dingtalk" or "feishu" or "webhook", found nothing
    payonce.toml:25:1: alerts[3].url_file: expected the path of a file, or the environment variable PAYONCE_ALERT_<NAME>_URL, found nothing
    "##);
}

#[test]
fn channels_that_would_share_their_variables_are_refused() {
    let toml = r#"
[[alerts]]
name = "on-call"
kind = "wecom"

[[alerts]]
name = "On_Call"
kind = "wecom"
"#;
    let setup = setup(toml).variable("PAYONCE_ALERT_ON_CALL_URL", URL);
    let said = setup.refused();
    let expected = "alerts[1].name: On_Call stands already at payonce.toml:3:8; expected it once";
    assert!(said.contains(expected), "{said}");
}
