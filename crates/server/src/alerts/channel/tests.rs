//! What robots are sent, and what their answers mean. The signatures were made by Python's `hmac` and by openssl.

use payonce_core::delivery::EndpointName;
use serde_json::{Value, json};

use super::*;
use crate::alerts::alert::{Alert, Incident};

/// 2026-03-02T01:15:07Z
const NOW: UnixMillis = UnixMillis(1_772_414_107_000);
const KEY: &str = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa";

fn channel(robot: Robot, url: &str) -> ChannelSettings {
    ChannelSettings {
        name: "ops".to_owned(),
        robot,
        url: EndpointUrl::parse(url).unwrap(),
        language: Language::Chinese,
        only: AlertKind::CHOSEN.into(),
        per_minute: 18,
        group: Duration::from_secs(60),
    }
}

fn wecom() -> ChannelSettings {
    channel(Robot::Wecom, &format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"))
}

fn notice(alert: Alert) -> Notice {
    let (id, node) = ("alert:7".to_owned(), "node-a".to_owned());
    Notice { id, at: NOW, node, shown: vec![alert], count: 1 }
}

fn failing() -> Notice {
    notice(Alert::EndpointFailing { endpoint: EndpointName::parse("shop").unwrap() })
}

fn letter(channel: &ChannelSettings, notice: &Notice) -> (String, Value) {
    let letter = channel.letter(notice, NOW).unwrap();
    (letter.url.as_str().to_owned(), serde_json::from_str(&letter.body).unwrap())
}

#[test]
fn wecom_gets_a_text() {
    let (url, body) = letter(&wecom(), &failing());
    assert_eq!(url, format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"));
    assert_eq!(body["msgtype"], "text");
    let text = body["text"]["content"].as_str().unwrap();
    assert!(text.starts_with("[payonce] 端点 shop 连续失败"), "{text}");
}

#[test]
fn wecoms_limit_of_a_text_is_kept() {
    let endpoint = EndpointName::parse("shop").unwrap();
    let alert = Alert::EndpointUnusable { endpoint, why: "长".repeat(200) };
    let long = Notice { shown: vec![alert; 5], count: 5, ..failing() };
    let (_, body) = letter(&wecom(), &long);
    let text = body["text"]["content"].as_str().unwrap();
    assert!(text.len() <= 2048 && text.contains("处理：") && text.contains("另有"), "{text}");
}

#[test]
fn dingtalk_is_signed_in_the_query_where_it_asks_for_it() {
    let url = "https://oapi.dingtalk.com/robot/send?access_token=a0b1c2d3e4f5a6b7";
    let secret = Some(RobotSecret::new("SECthisisasecretofatest".to_owned()));
    let (signed, body) = letter(&channel(Robot::Dingtalk { secret }, url), &failing());
    let sign = "PfKHk12nu%2BwDoGJtcac%2FH8TApWW49%2FQRU31CdQlIvAI%3D";
    assert_eq!(signed, format!("{url}&timestamp=1772414107000&sign={sign}"));
    assert_eq!(body["msgtype"], "text");
    assert!(body["text"]["content"].as_str().unwrap().contains("shop"));
    let (unsigned, _) = letter(&channel(Robot::Dingtalk { secret: None }, url), &failing());
    assert_eq!(unsigned, url);
}

#[test]
fn feishu_is_signed_in_the_body_where_it_asks_for_it() {
    let url = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef";
    let secret = Some(RobotSecret::new("feishuSecretOfATest".to_owned()));
    let (called, body) = letter(&channel(Robot::Feishu { secret }, url), &failing());
    assert_eq!(
        (called.as_str(), &body["msg_type"], &body["timestamp"]),
        (url, &json!("text"), &json!("1772414107"))
    );
    assert_eq!(body["sign"], "wf/lEtZifncbO0uRYuEeqR1OLRXw9xw+mz06JCkyt/8=");
    let (_, body) = letter(&channel(Robot::Feishu { secret: None }, url), &failing());
    assert_eq!((body.get("sign"), body.get("timestamp")), (None, None));
}

/// Somebody who can bring words into an alert must not wake the whole group by them.
#[test]
fn nobody_is_mentioned_by_what_comes_from_elsewhere() {
    let why = "<at user_id=\"all\">all</at>".to_owned();
    let alert = Alert::EndpointUnusable { endpoint: EndpointName::parse("shop").unwrap(), why };
    let url = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef";
    let (_, body) = letter(&channel(Robot::Feishu { secret: None }, url), &notice(alert));
    let text = body["content"]["text"].as_str().unwrap();
    assert!(!text.contains('<') && text.contains("‹at user_id=\"all\"›"), "{text}");
}

#[test]
fn a_webhook_gets_the_alerts_as_data() {
    let alert = Alert::Incident(Incident {
        kind: "amount_mismatch".to_owned(),
        mchid: "1900000001".to_owned(),
        out_trade_no: "ORDER1".to_owned(),
        transaction_id: "42000000001".to_owned(),
        amount: 1,
        currency: "CNY".to_owned(),
        expected: Some(5990),
    });
    let mut channel = channel(Robot::Webhook { key: None }, "https://ops.example/alerts");
    channel.language = Language::English;
    let (_, body) = letter(&channel, &notice(alert));
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "data": {
        "alerts": [
          {
            "amount": 1,
            "currency": "CNY",
            "expected_amount": 5990,
            "incident": "amount_mismatch",
            "mchid": "1900000001",
            "out_trade_no": "ORDER1",
            "transaction_id": "42000000001"
          }
        ],
        "count": 1,
        "kind": "incident",
        "node": "node-a",
        "text": "[payonce] merchant 1900000001: a payment differs from its order in the amount (amount_mismatch)\n- order ORDER1, payment 42000000001, 0.01 CNY in place of 59.90\nWhat to do: look at GET /v1/orders/ORDER1?mchid=1900000001, then refund or deliver (docs/alerts.md)\nnode node-a, 2026-03-02T01:15:07.000Z",
        "title": "merchant 1900000001: a payment differs from its order in the amount (amount_mismatch)",
        "what_to_do": "What to do: look at GET /v1/orders/ORDER1?mchid=1900000001, then refund or deliver (docs/alerts.md)"
      },
      "timestamp": "2026-03-02T01:15:07.000Z",
      "type": "alert.incident"
    }
    "#);
}

/// Robots say in an answer of status 200 that they took nothing.
#[test]
fn what_answers_of_status_200_mean() {
    let url = "https://robot.example/0123456789abcdef";
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    let (wecom, dingtalk, feishu, webhook) = (
        channel(Robot::Wecom, url),
        channel(Robot::Dingtalk { secret: None }, url),
        channel(Robot::Feishu { secret: None }, url),
        channel(Robot::Webhook { key: None }, url),
    );
    for (channel, answer, expected) in [
        (&wecom, r#"{"errcode":0,"errmsg":"ok"}"#, None),
        (&wecom, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Some((Some(93000), None))),
        (&wecom, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Some((Some(45009), minutes(1)))),
        (&wecom, "", Some((None, None))),
        (&wecom, "<html>a proxy's own page</html>", Some((None, None))),
        (&wecom, "{}", Some((None, None))),
        (&dingtalk, r#"{"errcode":0,"errmsg":"ok"}"#, None),
        (&dingtalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Some((Some(310_000), None))),
        (&dingtalk, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Some((Some(130_101), minutes(10)))),
        (&feishu, r#"{"code":0,"msg":"success","data":{}}"#, None),
        (&feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#, None),
        (&feishu, r#"{"code":19021,"msg":"sign match fail"}"#, Some((Some(19021), None))),
        (&feishu, r#"{"code":11232,"msg":"frequency limited"}"#, Some((Some(11232), minutes(1)))),
        (&webhook, "", None),
        (&webhook, "whatever", None),
    ] {
        let refused = channel.hear(answer.as_bytes()).err().map(|refused| (refused.code, refused.pause));
        assert_eq!(refused, expected, "{:?}: {answer}", channel.robot);
    }
    let said = wecom.hear(br#"{"errcode":93000,"errmsg":"invalid webhook url"}"#).unwrap_err();
    assert_eq!(said.words, "invalid webhook url");
}

#[test]
fn neither_key_nor_secret_show() {
    let secret = Some(RobotSecret::new("SECthisisasecretofatest".to_owned()));
    let dingtalk = channel(Robot::Dingtalk { secret }, &format!("https://h/robot/send?access_token={KEY}"));
    for shown in [format!("{:?}", wecom()), format!("{dingtalk:?}")] {
        assert!(!shown.contains(KEY) && !shown.contains("SECthis"), "{shown}");
    }
    let echoed = wecom().hear(format!(r#"{{"errcode":1,"errmsg":"no such key {KEY}"}}"#).as_bytes());
    assert_eq!(echoed.unwrap_err().words, "[REDACTED]");
}
