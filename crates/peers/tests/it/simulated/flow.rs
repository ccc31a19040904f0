//! An order from its placing to its refund, and one that is closed, in both kinds of WeChat Pay's keys; and what an SDK
//! must not believe.

use std::time::Duration;

use payonce_peers::Sdk;
use payonce_simulator::books::Progress;
use payonce_simulator::keys::Mode;
use serde_json::{Value, json};

use super::stage::Stage;

#[test]
fn wechatpayv3_takes_the_simulator_for_wechat_pay() {
    whole_life(Sdk::Wechatpayv3, Mode::PublicKey);
}

/// It downloads the certificates itself.
#[test]
fn wechatpayv3_takes_it_by_certificates() {
    whole_life(Sdk::Wechatpayv3, Mode::Certificates);
}

#[test]
fn wechatpay_axios_plugin_takes_the_simulator_for_wechat_pay() {
    whole_life(Sdk::WechatpayAxiosPlugin, Mode::PublicKey);
}

#[test]
fn wechatpay_axios_plugin_takes_it_by_certificates() {
    whole_life(Sdk::WechatpayAxiosPlugin, Mode::Certificates);
}

#[test]
fn wechatpayv3_believes_no_changed_answer_and_no_changed_notice() {
    nothing_changed_is_believed(Sdk::Wechatpayv3);
}

#[test]
fn wechatpay_axios_plugin_believes_no_changed_answer_and_no_changed_notice() {
    nothing_changed_is_believed(Sdk::WechatpayAxiosPlugin);
}

fn order(stage: &Stage, kind: &str, number: &str) -> Value {
    json!({
        "kind": kind, "out_trade_no": number, "description": "咖啡豆 500g", "amount_fen": 100,
        "notify_url": stage.notify_url, "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    })
}

fn whole_life(sdk: Sdk, mode: Mode) {
    let Some(mut stage) = Stage::set(sdk, mode, "") else { return };
    let first = json!({ "out_trade_no": "ORDER1" });
    let (status, placed) = stage.call("place", order(&stage, "native", "ORDER1"));
    assert_eq!(status, 200, "{placed}");
    assert!(placed["code_url"].as_str().unwrap().starts_with("weixin://"), "{placed}");
    let (status, queried) = stage.call("query", first.clone());
    assert_eq!((status, &queried["trade_state"]), (200, &json!("NOTPAY")));

    stage.pay("ORDER1");
    let told = stage.received();
    assert_eq!(told["event_type"], "TRANSACTION.SUCCESS");
    let (status, queried) = stage.call("query", first);
    assert_eq!((status, &queried["trade_state"]), (200, &json!("SUCCESS")));
    assert_eq!(told["resource"], queried, "it is told what it is answered");

    let refund = json!({
        "out_trade_no": "ORDER1", "out_refund_no": "R1", "refund_fen": 40, "total_fen": 100,
        "notify_url": stage.notify_url,
    });
    let (status, accepted) = stage.call("refund", refund);
    assert_eq!((status, &accepted["status"]), (200, &json!("PROCESSING")), "{accepted}");
    stage.simulator.step(Duration::from_secs(60));
    stage.runtime.block_on(stage.simulator.quiet());
    let told = stage.received();
    assert_eq!(
        (&told["event_type"], &told["resource"]["refund_status"], &told["resource"]["amount"]["refund"]),
        (&json!("REFUND.SUCCESS"), &json!("SUCCESS"), &json!(40))
    );
    let (status, refund) = stage.call("query_refund", json!({ "out_refund_no": "R1" }));
    assert_eq!((status, &refund["status"]), (200, &json!("SUCCESS")));
    assert_eq!(refund["refund_id"], told["resource"]["refund_id"]);
    closes_another(&mut stage);
    let all = stage
        .simulator
        .read(|books| books.notices.entries().map(|(_, entry)| entry.progress).collect::<Vec<_>>());
    assert_eq!(all, [Progress::Acknowledged; 2], "the SDK acknowledged each at the first attempt");
}

fn closes_another(stage: &mut Stage) {
    let second = json!({ "out_trade_no": "ORDER2" });
    let (status, placed) = stage.call("place", order(stage, "jsapi", "ORDER2"));
    assert_eq!(status, 200, "{placed}");
    assert!(placed["prepay_id"].as_str().unwrap().starts_with("wx"), "{placed}");
    assert_eq!(stage.call("close", second.clone()).0, 204);
    assert_eq!(stage.call("query", second).1["trade_state"], "CLOSED");
    let (status, refused) = stage.call("place", order(stage, "jsapi", "ORDER2"));
    assert_eq!((status, &refused["code"]), (400, &json!("ORDER_CLOSED")), "{refused}");
}

fn nothing_changed_is_believed(sdk: Sdk) {
    let trouble = "[[calls]]\nwhen = { method = \"GET\", nth = 1 }\ndo = { answer = \"signature_changed\" }\n\
                   [[notices]]\nwhen = { nth = 1 }\ndo = \"body_bit\"";
    let Some(mut stage) = Stage::set(sdk, Mode::PublicKey, trouble) else { return };
    assert_eq!(stage.call("place", order(&stage, "native", "ORDER1")).0, 200);
    let query = json!({ "out_trade_no": "ORDER1" });
    let refused = stage.disbelieved("query", query.clone()).to_lowercase();
    assert!(refused.contains("verify"), "{refused}");
    assert_eq!(stage.call("query", query).0, 200, "the second is as it was signed");
    stage.pay("ORDER1");
    let progress =
        |stage: &Stage| stage.simulator.read(|books| books.notices.entries().next().unwrap().1.progress);
    assert!(matches!(progress(&stage), Progress::Due { .. }), "not acknowledged");
    stage.simulator.step(Duration::from_secs(15));
    stage.runtime.block_on(stage.simulator.quiet());
    assert_eq!(stage.received()["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(progress(&stage), Progress::Acknowledged);
}
