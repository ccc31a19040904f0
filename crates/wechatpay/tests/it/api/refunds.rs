//! Refund, its query, the abnormal refund: bytes, refusals, answers.

use serde_json::{Value, json};
use wechatpay::Serial;
use wechatpay::answer::AnswerError;
use wechatpay::api::{
    AbnormalRefund, BankCard, Call, FundsAccount, Operation, OrderNumber, QueryRefund, RefundGoods,
    RefundStatus, RequestRefund, Rule,
};

use super::*;

const ID: &str = "1217752501201407033233368018";

fn refund(merchant: Merchant) -> RequestRefund {
    let order = OrderNumber::transaction_id(ID).unwrap();
    RequestRefund::new(merchant, order, "R|1@a*", fen(90), fen(100)).unwrap()
}

#[test]
fn bytes_of_refunds() {
    let (line, amount) =
        ("POST /v3/refund/domestic/refunds", r#""amount":{"refund":90,"total":100,"currency":"CNY"}}"#);
    let body = format!(r#"{{"transaction_id":"{ID}","out_refund_no":"R|1@a*",{amount}"#);
    assert_sent(&refund(ordinary()), line, &body);
    let body =
        format!(r#"{{"sub_mchid":"1900000109","transaction_id":"{ID}","out_refund_no":"R|1@a*",{amount}"#);
    assert_sent(&refund(partner()), line, &body);
    let order = OrderNumber::out_trade_no("O1").unwrap();
    let by_number = RequestRefund::new(ordinary(), order, "R1", fen(90), fen(100)).unwrap();
    assert_sent(&by_number, line, &format!(r#"{{"out_trade_no":"O1","out_refund_no":"R1",{amount}"#));
    assert_eq!((by_number.operation(), by_number.signer()), (Operation::Refund, Some("1900000001")));
}

#[test]
fn every_optional_field() {
    let goods = RefundGoods::new("1217", 1, fen(100), fen(90)).unwrap();
    let goods = goods.wechatpay_goods_id("1001").unwrap().goods_name("iPhone").unwrap();
    let call =
        refund(ordinary()).reason("商品已售完").unwrap().notify_url(NOTIFY_URL).unwrap().goods([goods]);
    let mut expected = json!({
        "transaction_id": ID, "out_refund_no": "R|1@a*", "reason": "商品已售完", "notify_url": NOTIFY_URL,
        "amount": {"refund": 90, "total": 100, "currency": "CNY"},
        "goods_detail": [{
            "merchant_goods_id": "1217", "wechatpay_goods_id": "1001", "goods_name": "iPhone",
            "unit_price": 100, "refund_amount": 90, "refund_quantity": 1,
        }],
    });
    assert_json(&call, &expected);
    let parts = [(FundsAccount::Available, fen(60)), (FundsAccount::Unavailable, fen(30))];
    let from = call.clone().from(parts.clone()).unwrap();
    expected["amount"]["from"] =
        json!([{"account": "AVAILABLE", "amount": 60}, {"account": "UNAVAILABLE", "amount": 30}]);
    assert_json(&from, &expected);
    expected["amount"].as_object_mut().unwrap().remove("from");
    expected["funds_account"] = json!("UNSETTLED");
    let funds_account = call.funds_account(FundsAccount::Unsettled).unwrap();
    assert_json(&funds_account, &expected);

    let excluded = funds_account.from(parts);
    assert_invalid(excluded, "amount.from", &Rule::Excludes { other: "funds_account" });
    let excluded = from.funds_account(FundsAccount::Available);
    assert_invalid(excluded, "funds_account", &Rule::Excludes { other: "amount.from" });
}

#[test]
fn what_wechat_pay_would_refuse_is_not_made() {
    let new = |number: &str, refund: i64, total: i64| {
        let order = OrderNumber::transaction_id(ID).unwrap();
        RequestRefund::new(ordinary(), order, number, fen(refund), fen(total))
    };
    assert!(new(&"r".repeat(64), 100, 100).is_ok());
    let length = |chars| Rule::Length { chars, min: 1, max: 64 };
    assert_invalid(new(&"r".repeat(65), 1, 1), "out_refund_no", &length(65));
    assert_invalid(new("", 1, 1), "out_refund_no", &length(0));
    let allowed = Rule::Characters { allowed: "digits, ASCII letters, and _ - | * @" };
    assert_invalid(new("r/1", 1, 1), "out_refund_no", &allowed);
    assert_invalid(new("r", 101, 100), "amount.refund", &Rule::Amount { fen: 101, min: 1, max: 100 });
    assert_invalid(new("r", 0, 100), "amount.refund", &Rule::Amount { fen: 0, min: 1, max: 100 });
    let rule = Rule::Amount { fen: 0, min: 1, max: i64::MAX };
    assert_invalid(new("r", 0, 0), "amount.total", &rule);
    let reason = refund(ordinary()).reason(&"因".repeat(81));
    assert_invalid(reason, "reason", &Rule::Length { chars: 81, min: 1, max: 80 });
    let parts = [(FundsAccount::Available, fen(i64::MAX)), (FundsAccount::Unavailable, fen(91))];
    let rule = Rule::Sum { sum: i64::MAX, expected: 90 };
    assert_invalid(refund(ordinary()).from(parts), "amount.from", &rule);
}

#[test]
fn bytes_of_queries() {
    let line = "GET /v3/refund/domestic/refunds/R%7C1%40a*";
    assert_sent(&refund(ordinary()).query(), line, "");
    let query = QueryRefund::new(partner(), "R|1@a*").unwrap();
    assert_sent(&query, &format!("{line}?sub_mchid=1900000109"), "");
    assert_eq!(query.operation(), Operation::Query);
    let allowed = Rule::Characters { allowed: "digits, ASCII letters, and _ - | * @" };
    assert_invalid(QueryRefund::new(ordinary(), ".."), "out_refund_no", &allowed);
}

#[test]
fn bytes_of_abnormal_refunds() {
    let line = "POST /v3/refund/domestic/refunds/50000000382019052709732678859/apply-abnormal-refund";
    let id = "50000000382019052709732678859";
    let to_merchant = AbnormalRefund::to_merchant(ordinary(), id, "R1").unwrap();
    assert_sent(&to_merchant, line, r#"{"out_refund_no":"R1","type":"MERCHANT_BANK_CARD"}"#);
    let encrypted_for = Serial::parse("PUB_KEY_ID_1").unwrap();
    let card = BankCard {
        bank_type: "ICBC_DEBIT",
        bank_account: "ACCOUNT",
        real_name: "NAME",
        encrypted_for: encrypted_for.clone(),
    };
    let to_user = AbnormalRefund::to_user(partner(), id, "R1", card.clone()).unwrap();
    let body = concat!(
        r#"{"sub_mchid":"1900000109","out_refund_no":"R1","type":"USER_BANK_CARD","bank_type":"ICBC_DEBIT","#,
        r#""bank_account":"ACCOUNT","real_name":"NAME"}"#,
    );
    assert_sent(&to_user, line, body);
    assert_eq!((to_user.operation(), to_user.encrypted_for()), (Operation::Refund, Some(&encrypted_for)));
    let said = format!("{to_user:?} {card:?}");
    assert!(!said.contains("ACCOUNT") && !said.contains("NAME"), "{said}");
    let card = BankCard { bank_account: "", ..card };
    let rule = Rule::Length { chars: 0, min: 1, max: 1024 };
    assert_invalid(AbnormalRefund::to_user(partner(), id, "R1", card), "bank_account", &rule);
}

fn answer() -> Value {
    json!({
        "refund_id": "50000000382019052709732678859", "out_refund_no": "R|1@a*", "transaction_id": ID,
        "out_trade_no": "O1", "channel": "ORIGINAL", "user_received_account": "招商银行信用卡0403",
        "success_time": "", "create_time": "2020-12-01T16:18:12+08:00", "status": "PROCESSING",
        "funds_account": "UNSETTLED",
        "amount": {
            "total": 100, "refund": 90, "from": [{"account": "AVAILABLE", "amount": 90}], "payer_total": 90,
            "payer_refund": 80, "settlement_refund": 90, "settlement_total": 100, "discount_refund": 10,
            "currency": "CNY", "refund_fee": 1,
        },
        "promotion_detail": [{
            "promotion_id": "109519", "scope": "SINGLE", "type": "DISCOUNT", "amount": 5,
            "refund_amount": 10, "goods_detail": [{"merchant_goods_id": "1217"}],
        }],
        "tomorrow": true,
    })
}

#[test]
fn a_refund_is_read_whatever_became_of_it() {
    for (status, expected, is_final) in [
        ("PROCESSING", RefundStatus::Processing, false),
        ("SUCCESS", RefundStatus::Success, true),
        ("CLOSED", RefundStatus::Closed, true),
        ("ABNORMAL", RefundStatus::Abnormal, false),
        ("TOMORROW", RefundStatus::Other("TOMORROW".to_owned()), false),
    ] {
        let mut answer = answer();
        answer["status"] = json!(status);
        let read = refund(ordinary()).query().read(answer.to_string().as_bytes()).unwrap();
        assert_eq!((read.status.is_final(), read.status), (is_final, expected));
        assert_eq!((read.success_time, read.amount.refund), (None, fen(90)));
        assert_eq!(read.amount.from[0].amount, fen(90));
        assert_eq!(read.promotion_detail[0].refund_amount, Some(fen(10)));
        assert_eq!(read.other["tomorrow"], true);
    }
}

#[test]
fn what_is_optional_may_be_null_or_absent() {
    let bare = json!({
        "refund_id": "5", "out_refund_no": "R|1@a*", "transaction_id": ID, "out_trade_no": "O1",
        "status": "SUCCESS", "channel": null, "promotion_detail": null,
        "amount": {"total": 100, "refund": 90, "from": null},
    });
    let read = refund(ordinary()).read(bare.to_string().as_bytes()).unwrap();
    assert_eq!((read.channel, read.promotion_detail.len(), read.amount.from.len()), (None, 0, 0));
}

#[test]
fn an_answer_about_another_refund_is_refused() {
    let mut other = answer();
    other["out_refund_no"] = json!("R2");
    let error = refund(ordinary()).read(other.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, AnswerError::AboutAnother { field: "out_refund_no" }), "{error}");
    let read = refund(ordinary()).read(answer().to_string().as_bytes()).unwrap();
    assert!(!format!("{read:?}").contains("0403"));
}
