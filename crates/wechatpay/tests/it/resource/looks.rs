//! What each kind of resource says once it is read.

use wechatpay::{Payment, Resource};

use super::{
    Kind, SECRET, authorization, batch, bill, combine, echo, kinds, ordinary, partner, refund, share,
};

fn resource(kind: &Kind) -> Resource {
    kind.open(&kind.plaintext.to_string()).unwrap().resource
}

/// A payment as text: merchant, sub-merchant, app, both numbers, amount.
fn line(payment: &Payment<'_>) -> String {
    let Payment { mchid, sub_mchid, appid, out_trade_no, transaction_id, total, currency, state, .. } =
        payment;
    assert_eq!((*currency, *state), ("CNY", "SUCCESS"));
    assert_eq!(payment.success_time, Some("2026-03-02T09:15:07+08:00"));
    format!("{mchid} {} {appid} {out_trade_no} {transaction_id} {total}", sub_mchid.unwrap_or("-"))
}

#[test]
fn ordinary_partner_and_combine_payments_are_looked_at_in_one_way() {
    for (kind, expected) in [
        (ordinary(), &["1900000001 - wx0 o1 42 100"][..]),
        (partner(), &["1900000002 1900000003 wx1 o2 43 200"]),
        (combine(), &["1900000004 1900000006 wx3 s1 Ts1 10", "1900000005 1900000006 wx3 s2 Ts2 20"]),
        (refund(), &[]),
        (share(), &[]),
        (bill(), &[]),
    ] {
        let resource = resource(&kind);
        assert_eq!(resource.payments().map(|payment| line(&payment)).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn an_answer_about_an_unpaid_order_is_the_same_type_without_a_payment() {
    let unpaid = r#"{"appid":"wx0","mchid":"1","out_trade_no":"o","trade_state":"NOTPAY","trade_state_desc":"订单未支付",
        "payer":{},"amount":{"total":1,"payer_currency":"CNY"},"promotion_detail":[]}"#;
    let unpaid: wechatpay::Transaction = serde_json::from_str(unpaid).unwrap();
    assert_eq!((unpaid.trade_state.as_str(), unpaid.payment()), ("NOTPAY", None));
    let closed =
        r#"{"sp_appid":"wx0","sp_mchid":"1","sub_mchid":"2","out_trade_no":"o","trade_state":"CLOSED"}"#;
    let closed: wechatpay::PartnerTransaction = serde_json::from_str(closed).unwrap();
    assert_eq!((closed.trade_state.as_str(), closed.payment()), ("CLOSED", None));
    let half = r#"{"combine_appid":"wx0","combine_mchid":"1","combine_out_trade_no":"c","sub_orders":[
        {"mchid":"1","out_trade_no":"a","trade_state":"NOTPAY"},
        {"mchid":"1","out_trade_no":"b","transaction_id":"4","trade_state":"SUCCESS","amount":{"total_amount":7}}]}"#;
    let half: wechatpay::CombineTransaction = serde_json::from_str(half).unwrap();
    assert_eq!(half.payments().map(|payment| payment.out_trade_no).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_refund_says_what_became_of_it() {
    let Resource::Refund(read) = resource(&refund()) else { panic!() };
    assert_eq!((read.refund_status.as_str(), read.merchant()), ("SUCCESS", Some("1900000001")));
    let amount = &read.amount;
    assert_eq!((amount.total.get(), amount.refund.get(), amount.currency.as_str()), (100, 60, "CNY"));
    assert_eq!((amount.payer_total.unwrap().get(), amount.payer_refund.unwrap().get()), (90, 54));
    // Partner mode; and a state that no one has documented.
    let mut partner = refund();
    let fields = partner.plaintext.as_object_mut().unwrap();
    fields.remove("mchid");
    fields.insert("sp_mchid".to_owned(), "1900000002".into());
    fields.insert("sub_mchid".to_owned(), "1900000003".into());
    fields.insert("refund_status".to_owned(), "PONDERING".into());
    let Resource::Refund(read) = resource(&partner) else { panic!() };
    assert_eq!((read.merchant(), read.sub_mchid.as_deref()), (Some("1900000002"), Some("1900000003")));
    assert_eq!(read.refund_status, "PONDERING");
}

#[test]
fn a_share_a_transfer_and_an_echo_say_theirs() {
    let Resource::ProfitSharing(read) = resource(&share()) else { panic!() };
    assert_eq!((read.receiver.account.as_str(), read.receiver.amount.get()), (SECRET, 888));
    assert_eq!((read.order_id.as_str(), read.merchant()), ("60", Some("1900000001")));
    let Resource::TransferBill(read) = resource(&bill()) else { panic!() };
    assert_eq!((read.state.as_str(), read.transfer_amount.get()), ("FAIL", 400_000));
    assert_eq!(read.other["user_name"], SECRET);
    let Resource::TransferBatch(read) = resource(&batch()) else { panic!() };
    assert_eq!((read.total_num, read.total_amount.get(), read.fail_num), (2, 200, Some(1)));
    let Resource::TransferAuthorization(read) = resource(&authorization()) else { panic!() };
    assert_eq!(read.close_info.unwrap().close_reason.as_deref(), Some("USER_CLOSE"));
    let Resource::SecurityEcho(read) = resource(&echo()) else { panic!() };
    assert_eq!((read.echo_message.as_str(), read.encrypt_echo_message.as_deref()), (SECRET, Some(SECRET)));
}

#[test]
fn the_merchant_of_a_transfer_has_two_spellings() {
    for (mchid, mch_id, expected) in [
        (None, None, None),
        (Some("1"), None, Some("1")),
        (None, Some("2"), Some("2")),
        (Some(""), Some("2"), Some("2")),
    ] {
        let mut kind = bill();
        kind.plaintext["mchid"] = mchid.into();
        kind.plaintext["mch_id"] = mch_id.into();
        let Resource::TransferBill(read) = resource(&kind) else { panic!() };
        assert_eq!(read.merchant(), expected);
    }
}

#[test]
fn debug_shows_numbers_and_no_person() {
    for kind in kinds() {
        let notification = kind.open(&kind.plaintext.to_string()).unwrap();
        assert!(notification.plaintext.contains(SECRET) || kind.event_type.contains("BATCH"));
        let shown = format!("{notification:?} {:?}", notification.resource);
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(!shown.contains("Other"), "{shown}");
    }
    let (Resource::PartnerTransaction(partner), Resource::CombineTransaction(combine)) =
        (resource(&partner()), resource(&combine()))
    else {
        panic!()
    };
    let shown = format!("{:?} {:?}", partner.payer, combine.combine_payer_info);
    assert_eq!(shown.matches("[REDACTED]").count(), 2);
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(format!("{combine:?}").contains("\"s2\""));
}
