//! Query and close: bytes, answers by state and mode, answers that belong to another order.

use serde_json::{Value, json};
use wechatpay::answer::AnswerError;
use wechatpay::api::{Call, CloseOrder, Operation, Order, OrderNumber, QueryOrder, Rule, Seller, TradeState};

use super::*;

fn by_number(merchant: Merchant, number: &str) -> QueryOrder {
    QueryOrder::new(merchant, OrderNumber::out_trade_no(number).unwrap())
}

fn by_id(merchant: Merchant, id: &str) -> QueryOrder {
    QueryOrder::new(merchant, OrderNumber::transaction_id(id).unwrap())
}

const ID: &str = "1217752501201407033233368018";

#[test]
fn bytes_of_queries() {
    for (call, line) in [
        (by_number(ordinary(), "a|b*c_-"), "/v3/pay/transactions/out-trade-no/a%7Cb*c_-?mchid=1900000001"),
        (by_id(ordinary(), ID), "/v3/pay/transactions/id/1217752501201407033233368018?mchid=1900000001"),
        (
            by_number(partner(), "a|b*c"),
            "/v3/pay/partner/transactions/out-trade-no/a%7Cb*c?sp_mchid=1900000001&sub_mchid=1900000109",
        ),
        (
            by_id(partner(), ID),
            "/v3/pay/partner/transactions/id/1217752501201407033233368018?sp_mchid=1900000001&sub_mchid=1900000109",
        ),
    ] {
        assert_sent(&call, &format!("GET {line}"), "");
        assert_eq!((call.operation(), call.signer()), (Operation::Query, Some("1900000001")));
    }
}

#[test]
fn bytes_of_closing() {
    let close = |merchant| CloseOrder::new(merchant, "a|b*c").unwrap();
    let line = "POST /v3/pay/transactions/out-trade-no/a%7Cb*c/close";
    assert_sent(&close(ordinary()), line, r#"{"mchid":"1900000001"}"#);
    let line = "POST /v3/pay/partner/transactions/out-trade-no/a%7Cb*c/close";
    assert_sent(&close(partner()), line, r#"{"sp_mchid":"1900000001","sub_mchid":"1900000109"}"#);
    assert_eq!(close(ordinary()).operation(), Operation::Close);
    assert!(close(ordinary()).read(b"").is_ok());
}

#[test]
fn numbers_that_no_order_has_are_refused() {
    let allowed = Rule::Characters { allowed: "digits, ASCII letters, and _ - | * @" };
    for number in ["..", "a/b", "a?b", "a b", "%2e", "店"] {
        assert_invalid(OrderNumber::out_trade_no(number), "out_trade_no", &allowed);
        assert_invalid(OrderNumber::transaction_id(number), "transaction_id", &allowed);
        assert_invalid(CloseOrder::new(ordinary(), number), "out_trade_no", &allowed);
    }
    let length = Rule::Length { chars: 0, min: 1, max: 32 };
    assert_invalid(OrderNumber::out_trade_no(""), "out_trade_no", &length);
}

fn paid() -> Value {
    json!({
        "appid": APPID, "mchid": "1900000001", "out_trade_no": "ORDER1", "transaction_id": ID,
        "trade_type": "JSAPI", "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
        "bank_type": "CMC", "attach": "", "success_time": "2018-06-08T10:34:56+08:00",
        "payer": {"openid": "oUpF8uMuAJO"},
        "amount": {"total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY"},
        "scene_info": {"device_id": "013467007045764"},
        "promotion_detail": [{
            "coupon_id": "109519", "name": "单品惠-6", "scope": "GLOBAL", "type": "CASH", "amount": 10,
            "stock_id": "931386", "wechatpay_contribute": 0, "merchant_contribute": 0,
            "other_contribute": 10, "currency": "CNY", "goods_detail": [{
                "goods_id": "M1006", "quantity": 1, "unit_price": 100, "discount_amount": 1,
                "goods_remark": "商品备注信息",
            }],
        }],
        "field_of_tomorrow": {"a": [1]},
    })
}

fn read(call: &QueryOrder, answer: &Value) -> Result<Order, AnswerError> {
    call.read(answer.to_string().as_bytes())
}

#[test]
fn a_paid_order_is_also_the_payment_that_a_notification_brings() {
    let order = read(&by_number(ordinary(), "ORDER1"), &paid()).unwrap();
    let seller = Seller::Ordinary { appid: Some(APPID.to_owned()), mchid: "1900000001".to_owned() };
    assert_eq!((&order.seller, &order.trade_state), (&seller, &TradeState::Success));
    assert_eq!(order.transaction_id.as_deref(), Some(ID));
    assert_eq!(order.attach, None, "an empty text is none");
    let amount = order.amount.as_ref().unwrap();
    assert_eq!((amount.total, amount.payer_total), (Some(fen(100)), Some(fen(90))));
    assert_eq!(order.payer.as_ref().unwrap().openid.as_deref(), Some("oUpF8uMuAJO"));
    assert_eq!(order.promotion_detail[0].goods_detail[0].discount_amount, Some(fen(1)));
    assert_eq!(order.whole["field_of_tomorrow"], json!({"a": [1]}));

    let payment = order.payment().unwrap().unwrap();
    assert_eq!((payment.mchid, payment.sub_mchid, payment.appid), ("1900000001", None, APPID));
    assert_eq!((payment.out_trade_no, payment.transaction_id), ("ORDER1", ID));
    assert_eq!((payment.total, payment.currency, payment.state), (fen(100), "CNY", "SUCCESS"));
    assert_eq!(payment.success_time, Some("2018-06-08T10:34:56+08:00"));
    let transaction = order.transaction().unwrap().unwrap();
    assert_eq!(transaction.payment(), Some(payment));
    assert_eq!(
        (transaction.out_trade_no.as_str(), transaction.transaction_id.as_deref()),
        ("ORDER1", Some(ID))
    );
    assert!(!format!("{order:?}").contains("oUpF8uMuAJO"));
}

#[test]
fn an_unpaid_order_lacks_what_payment_brings() {
    let call = by_number(ordinary(), "ORDER1");
    for (state, desc, is_final) in
        [("NOTPAY", "订单未支付", false), ("CLOSED", "订单已关闭", true), ("TOMORROW", "", false)]
    {
        let answer = json!({
            "mchid": "1900000001", "out_trade_no": "ORDER1", "trade_state": state, "trade_state_desc": desc,
            "transaction_id": "", "trade_type": null, "payer": null, "amount": null, "promotion_detail": null,
        });
        let order = read(&call, &answer).unwrap();
        assert_eq!((order.trade_state.as_str(), order.transaction_id.as_deref()), (state, None));
        assert_eq!((order.trade_state.is_paid(), order.trade_state.is_final()), (false, is_final));
        assert_eq!((order.transaction().unwrap(), order.payment().unwrap()), (None, None));
    }
    let amount = json!({"total": 1, "currency": "CNY"});
    let answer = json!({
        "appid": APPID, "mchid": "1900000001", "out_trade_no": "ORDER1", "trade_state": "NOTPAY",
        "amount": amount, "payer": {}, "promotion_detail": [],
    });
    let order = read(&call, &answer).unwrap();
    assert_eq!((order.amount.unwrap().total, order.trade_state), (Some(fen(1)), TradeState::NotPay));
}

#[test]
fn a_partners_order() {
    let answer = json!({
        "sp_appid": APPID, "sp_mchid": "1900000001", "sub_appid": "", "sub_mchid": "1900000109",
        "out_trade_no": "ORDER1", "transaction_id": ID, "trade_state": "REFUND", "trade_type": "NATIVE",
        "payer": {"sp_openid": "oSp", "sub_openid": null}, "amount": {"total": 1},
    });
    let order = read(&by_id(partner(), ID), &answer).unwrap();
    let (sp_mchid, sub_mchid) = ("1900000001".to_owned(), "1900000109".to_owned());
    let sp_appid = Some(APPID.to_owned());
    assert_eq!(order.seller, Seller::Partner { sp_appid, sp_mchid, sub_appid: None, sub_mchid });
    let payer = order.payer.as_ref().unwrap();
    assert_eq!((payer.sp_openid.as_deref(), payer.sub_openid.as_deref()), (Some("oSp"), None));
    assert!(order.trade_state.is_paid());
    assert_eq!(order.transaction().unwrap(), None, "a payment of another kind");
    let payment = order.payment().unwrap().unwrap();
    assert_eq!((payment.mchid, payment.sub_mchid, payment.appid), ("1900000001", Some("1900000109"), APPID));
    assert_eq!((payment.transaction_id, payment.total, payment.currency), (ID, fen(1), "CNY"));
    assert_eq!((payment.state, payment.success_time), ("REFUND", None));
}

/// It must not look like an order that is not paid.
#[test]
fn a_paid_order_without_what_a_payment_has_is_no_unpaid_order() {
    for field in ["appid", "transaction_id", "amount"] {
        let mut answer = paid();
        answer[field] = Value::Null;
        let order = read(&by_number(ordinary(), "ORDER1"), &answer).unwrap();
        let error = order.payment().unwrap_err();
        assert!(matches!(&error, AnswerError::Malformed(_)) && error.to_string().contains(field), "{error}");
    }
    let mut answer = paid();
    answer["amount"] = json!({ "payer_total": 1 });
    assert!(read(&by_number(ordinary(), "ORDER1"), &answer).unwrap().payment().is_err());
}

#[test]
fn an_answer_about_another_order_is_refused() {
    let swapped = |call: QueryOrder| match read(&call, &paid()) {
        Err(AnswerError::AboutAnother { field }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(swapped(by_number(ordinary(), "ORDER2")), "out_trade_no");
    assert_eq!(swapped(by_id(ordinary(), "4200000000")), "transaction_id");
    assert_eq!(swapped(by_number(Merchant::ordinary("1900000002").unwrap(), "ORDER1")), "mchid");
    assert_eq!(swapped(by_number(partner(), "ORDER1")), "mchid");
}

#[test]
fn an_answer_that_is_no_order_is_refused_without_quoting_it() {
    let call = by_number(ordinary(), "ORDER1");
    for (field, value) in [
        ("amount", json!({"total": 1.5})),
        ("amount", json!({"total": -1})),
        ("amount", json!({"total": "oSECRET"})),
        ("trade_state", json!({"oSECRET": 1})),
        ("out_trade_no", json!(null)),
        ("mchid", json!("")),
        ("payer", json!("oSECRET")),
    ] {
        let mut answer = paid();
        answer[field] = value;
        let error = read(&call, &answer).unwrap_err();
        assert!(matches!(error, AnswerError::Malformed(_)), "{field}: {error}");
        assert!(!format!("{error} {error:?}").contains("oSECRET"), "{error:?}");
    }
}
