//! Combined orders: bytes, refusals, answers.

use serde_json::json;
use wechatpay::Serial;
use wechatpay::answer::AnswerError;
use wechatpay::api::{
    Call, CloseCombine, ClosedSubOrder, H5, H5Type, Identity, IdentityType, InvalidField, LimitPay,
    NewCombine, NewSubOrder, Operation, QueryCombine, Rule, Scene, Store, TradeState,
};

use super::*;

fn part(number: &str) -> NewSubOrder {
    NewSubOrder::new("1900000109", number, "咖啡", fen(10), "7").unwrap()
}

fn whole() -> NewCombine {
    NewCombine::new(APPID, "1900000001", "W|1", [part("P1"), part("P2")], NOTIFY_URL).unwrap()
}

const BEGIN: &str =
    r#"{"combine_appid":"wx0123456789abcdef","combine_mchid":"1900000001","combine_out_trade_no":"W|1","#;
const PARTS: &str = concat!(
    r#""sub_orders":[{"mchid":"1900000109","attach":"7","amount":{"total_amount":10,"currency":"CNY"},"#,
    r#""out_trade_no":"P1","description":"咖啡"},{"mchid":"1900000109","attach":"7","#,
    r#""amount":{"total_amount":10,"currency":"CNY"},"out_trade_no":"P2","description":"咖啡"}],"#,
);
const END: &str = r#""notify_url":"https://pay.example.com/notify/v3/1900000001"}"#;

#[test]
fn bytes_of_prepay() {
    let base = "POST /v3/combine-transactions";
    let payer = r#""combine_payer_info":{"openid":"oUpF8"},"#;
    let jsapi = whole().jsapi("oUpF8").unwrap();
    assert_sent(&jsapi, &format!("{base}/jsapi"), &format!("{BEGIN}{PARTS}{payer}{END}"));
    assert_sent(&whole().app(), &format!("{base}/app"), &format!("{BEGIN}{PARTS}{END}"));
    assert_sent(&whole().native(), &format!("{base}/native"), &format!("{BEGIN}{PARTS}{END}"));
    let scene = Scene::new().payer_client_ip("14.23.150.211".parse().unwrap()).unwrap();
    let h5 = whole().scene(scene).unwrap().h5(H5::new(H5Type::Wap)).unwrap();
    let scene = r#""scene_info":{"payer_client_ip":"14.23.150.211","h5_info":{"type":"Wap"}},"#;
    assert_sent(&h5, &format!("{base}/h5"), &format!("{BEGIN}{scene}{PARTS}{END}"));
    assert_eq!((jsapi.operation(), jsapi.signer()), (Operation::Prepay, Some("1900000001")));
    assert_eq!(jsapi.combine_out_trade_no(), "W|1");
}

#[test]
fn every_optional_field() {
    let part = NewSubOrder::new("1900000001", "P1@", "咖啡", fen(1_000_000_000), "7").unwrap();
    let part = part.partner("1900000109", Some("wxsub")).unwrap().detail("买").unwrap();
    let part = part.goods_tag("WXG").unwrap().profit_sharing(true).subsidy_amount(fen(10));
    let scene = Scene::new().payer_client_ip("14.23.150.211".parse().unwrap()).unwrap();
    let serial = Serial::parse("01").unwrap();
    let call = NewCombine::new(APPID, "1900000001", "W1", [part], NOTIFY_URL)
        .and_then(|order| order.time_start("2018-06-08T10:34:56+08:00"))
        .and_then(|order| order.time_expire("2018-06-09T10:34:56+08:00"))
        .and_then(|order| order.scene(scene.device_id("0123456789abcdef")?))
        .unwrap()
        .limit_pay([LimitPay::NoBalance])
        .identity(Identity::new(IdentityType::PhoneNumber, Some("cipher"), None, serial.clone()))
        .jsapi_sub("oSub")
        .unwrap();
    assert_eq!(call.encrypted_for(), Some(&serial));
    assert_json(
        &call,
        &json!({
            "combine_appid": APPID, "combine_mchid": "1900000001", "combine_out_trade_no": "W1",
            "scene_info": {"payer_client_ip": "14.23.150.211", "device_id": "0123456789abcdef"},
            "sub_orders": [{
                "mchid": "1900000001", "sub_mchid": "1900000109", "sub_appid": "wxsub", "attach": "7",
                "amount": {"total_amount": 1_000_000_000, "currency": "CNY"}, "out_trade_no": "P1@",
                "description": "咖啡", "detail": "买", "goods_tag": "WXG",
                "settle_info": {"profit_sharing": true, "subsidy_amount": 10},
            }],
            "combine_payer_info": {"sub_openid": "oSub", "identity": {"type": "PHONE_NUMBER", "number": "cipher"}},
            "time_start": "2018-06-08T10:34:56+08:00", "time_expire": "2018-06-09T10:34:56+08:00",
            "notify_url": NOTIFY_URL, "limit_pay": ["no_balance"],
        }),
    );
}

fn of(parts: impl IntoIterator<Item = NewSubOrder>) -> Result<NewCombine, InvalidField> {
    NewCombine::new(APPID, "1900000001", "W1", parts, NOTIFY_URL)
}

#[test]
fn what_wechat_pay_would_refuse_is_not_made() {
    let parts = |count| std::iter::repeat_with(|| part("P1")).take(count);
    let partner_parts = |count| {
        let of_provider = || NewSubOrder::new("1900000001", "P1", "a", fen(1), "a").unwrap();
        std::iter::repeat_with(move || of_provider().partner("1900000109", None).unwrap()).take(count)
    };
    assert!(of(parts(10)).is_ok() && of(partner_parts(1)).is_ok() && of(partner_parts(50)).is_ok());
    for count in [0, 1, 11] {
        assert_invalid(of(parts(count)), "sub_orders", &Rule::Count { count, min: 2, max: 10 });
    }
    assert_invalid(of(partner_parts(51)), "sub_orders", &Rule::Count { count: 51, min: 1, max: 50 });
    let new = |fen_, attach| NewSubOrder::new("1900000109", "P1", "a", fen(fen_), attach);
    let rule = |fen| Rule::Amount { fen, min: 1, max: 1_000_000_000 };
    assert_invalid(new(0, "a"), "sub_orders.amount.total_amount", &rule(0));
    assert_invalid(new(1_000_000_001, "a"), "sub_orders.amount.total_amount", &rule(1_000_000_001));
    let length = Rule::Length { chars: 0, min: 1, max: 128 };
    assert_invalid(new(1, ""), "sub_orders.attach", &length);
    let same = part("P1").partner("1900000109", None);
    assert_invalid(same, "sub_orders.sub_mchid", &Rule::SameAsProvider);
    assert_invalid(whole().jsapi_sub("o"), "combine_payer_info.sub_openid", &Rule::NeedsSubAppid);
    assert_invalid(whole().h5(H5::new(H5Type::Wap)), "scene_info.payer_client_ip", &Rule::Missing);
    assert_invalid(whole().scene(Scene::new()), "scene_info.payer_client_ip", &Rule::Missing);
    let scene = || Scene::new().payer_client_ip("14.23.150.211".parse().unwrap()).unwrap();
    let device = scene().device_id("0123456789abcdefg").unwrap();
    let rule = Rule::Length { chars: 17, min: 1, max: 16 };
    assert_invalid(whole().scene(device), "scene_info.device_id", &rule);
    let shop = whole().scene(scene().store(Store::new("1").unwrap()));
    assert_invalid(shop, "scene_info.store_info", &Rule::Excludes { other: "sub_orders" });
    let rule = Rule::Length { chars: 1, min: 2, max: 32 };
    assert_invalid(QueryCombine::new("W"), "combine_out_trade_no", &rule);
}

#[test]
fn bytes_of_query_and_close() {
    let base = "/v3/combine-transactions/out-trade-no/W%7C1";
    assert_sent(&QueryCombine::new("W|1").unwrap(), &format!("GET {base}"), "");
    let by_id = QueryCombine::by_transaction_id("4200000000202506150000000001").unwrap();
    assert_sent(&by_id, "GET /v3/combine-transactions/id/4200000000202506150000000001", "");
    let allowed = Rule::Characters { allowed: "digits, ASCII letters, and _ - | * @" };
    assert_invalid(QueryCombine::by_transaction_id("a/b"), "combine_transaction_id", &allowed);
    let part = |number| ClosedSubOrder::new("1900000109", number).unwrap();
    let close = CloseCombine::new(APPID, "W|1", [part("P1"), part("P2")]).unwrap();
    let body = concat!(
        r#"{"combine_appid":"wx0123456789abcdef","sub_orders":[{"mchid":"1900000109","out_trade_no":"P1"},"#,
        r#"{"mchid":"1900000109","out_trade_no":"P2"}]}"#,
    );
    assert_sent(&close, &format!("POST {base}/close"), body);
    assert_eq!(close.operation(), Operation::Close);
    close.read(b"").unwrap();
    let part = ClosedSubOrder::new("1900000001", "P1").unwrap().partner("1900000109", Some("wxsub")).unwrap();
    let body = concat!(
        r#"{"combine_appid":"wx0123456789abcdef","sub_orders":[{"mchid":"1900000001","out_trade_no":"P1","#,
        r#""sub_mchid":"1900000109","sub_appid":"wxsub"}]}"#,
    );
    assert_sent(&CloseCombine::new(APPID, "W|1", [part]).unwrap(), &format!("POST {base}/close"), body);
}

#[test]
fn answers_are_read() {
    let sub_order = json!({
        "mchid": "1900000109", "trade_type": "JSAPI", "trade_state": "SUCCESS", "bank_type": "CMC",
        "attach": "7", "success_time": "2015-05-20T13:29:35.120+08:00", "transaction_id": "100",
        "out_trade_no": "P1",
        "amount": {"total_amount": 10, "currency": "CNY", "payer_amount": 10, "payer_currency": "CNY",
            "settlement_rate": 100_000_000},
        "promotion_detail": [{"coupon_id": "1", "amount": 1}],
    });
    let unpaid =
        json!({"mchid": "1900000109", "trade_state": "NOTPAY", "out_trade_no": "P2", "sub_openid": ""});
    let answer = json!({
        "combine_appid": APPID, "combine_mchid": "1900000001", "combine_out_trade_no": "W|1",
        "combine_transaction_id": "4200000000", "scene_info": {"device_id": "POS1:1"}, "combine_payer_info": {"openid": "oUpF8uMuAJO"},
        "sub_orders": [sub_order, unpaid],
    });
    let bytes = answer.to_string();
    let order = QueryCombine::new("W|1").unwrap().read(bytes.as_bytes()).unwrap();
    let states: Vec<&TradeState> = order.sub_orders.iter().map(|order| &order.trade_state).collect();
    assert_eq!(states, [&TradeState::Success, &TradeState::NotPay]);
    let amount = order.sub_orders[0].amount.as_ref().unwrap();
    assert_eq!((amount.total_amount, amount.payer_amount), (fen(10), Some(fen(10))));
    assert_eq!((&order.sub_orders[1].sub_openid, &order.sub_orders[1].amount), (&None, &None));
    assert!(!format!("{order:?}").contains("oUpF8uMuAJO"));
    let payments = order.payments().unwrap();
    assert_eq!(payments.len(), 1, "one sub-order is not paid");
    let payment = payments[0];
    assert_eq!((payment.mchid, payment.sub_mchid, payment.appid), ("1900000109", None, APPID));
    assert_eq!((payment.out_trade_no, payment.transaction_id), ("P1", "100"));
    assert_eq!((payment.total, payment.currency, payment.state), (fen(10), "CNY", "SUCCESS"));
    let other = QueryCombine::new("W2").unwrap().read(bytes.as_bytes()).unwrap_err();
    assert!(matches!(other, AnswerError::AboutAnother { field: "combine_out_trade_no" }), "{other}");
    let by_id = |id| QueryCombine::by_transaction_id(id).unwrap().read(bytes.as_bytes());
    assert_eq!(by_id("4200000000").unwrap(), order);
    let other = by_id("4200000001").unwrap_err();
    assert!(matches!(other, AnswerError::AboutAnother { field: "combine_transaction_id" }), "{other}");
    for (field, value) in [("/combine_appid", json!(null)), ("/sub_orders/0/transaction_id", json!(""))] {
        let mut answer = answer.clone();
        *answer.pointer_mut(field).unwrap() = value;
        let order = QueryCombine::new("W|1").unwrap().read(answer.to_string().as_bytes()).unwrap();
        assert!(order.payments().is_err(), "{field}");
    }
}
