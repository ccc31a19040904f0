//! Payment notices: verified and read.

use wechatpay::v2::{Callback, FieldError, Notice, Prepaid, SignError, SignType, parse_xml};
use wechatpay::{Fen, UnixSeconds};

use super::{key, of, of_json, other_key, payment, signed, vector, verified};
use crate::fixture::vectors;

fn verify(body: &str) -> Result<Notice, SignError> {
    let Callback::Signed(callback) = Callback::parse(body.as_bytes()).unwrap() else { panic!("{body}") };
    Ok(callback.verify(&key(), None)?.notice().unwrap())
}

#[test]
fn every_vector() {
    let all = vectors("v2");
    let all = all["notices"].as_array().unwrap();
    assert_eq!(all.len(), 13);
    for vector in all {
        let (name, body) = (&vector["name"], vector["body"].as_str().unwrap());
        let notice = verify(body).unwrap();
        let kind = match &notice {
            Notice::Paid(_) => "paid",
            Notice::NotPaid { .. } => "not paid",
            _ => "other",
        };
        assert_eq!(kind, vector["kind"], "{name}");
        let expected = of_json(&vector["fields"]);
        for (field, value) in expected.iter() {
            let found = notice.fields().iter().find(|(known, _)| *known == field);
            assert_eq!(found, Some((field, value)), "{name}");
        }
        assert_eq!(notice.fields().len(), expected.len() + 1, "{name}: the sign is there besides");
        let sign_type = if vector["sign_type"] == "MD5" { SignType::Md5 } else { SignType::HmacSha256 };
        let Ok(Callback::Signed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{name}") };
        callback.verify(&key(), Some(sign_type)).unwrap();
        let Ok(Callback::Signed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{name}") };
        assert_eq!(callback.verify(&other_key(), None), Err(SignError::Mismatch), "{name}");
    }
}

#[test]
fn payment_has_every_field() {
    let Notice::Paid(paid) = verified(payment()).notice().unwrap() else { panic!("not paid") };
    let fen = |fen| Some(Fen::new(fen).unwrap());
    assert_eq!((paid.appid.as_str(), paid.mch_id.as_str()), ("wx0123456789abcdef", "1900000001"));
    assert_eq!((&paid.sub_appid, &paid.sub_mch_id, &paid.sub_openid), (&None, &None, &None));
    assert_eq!(paid.out_trade_no, "payonce-0001");
    assert_eq!(paid.transaction_id, "4200000000202506150000000001");
    assert_eq!((paid.trade_type.as_deref(), paid.bank_type.as_deref()), (Some("JSAPI"), Some("OTHERS")));
    assert_eq!(paid.openid.as_deref(), Some("oTestOpenid0000000000000000"));
    assert_eq!(
        (Some(paid.total_fee), paid.settlement_total_fee, paid.cash_fee),
        (fen(100), fen(95), fen(90))
    );
    assert_eq!((paid.fee_type.as_str(), paid.cash_fee_type.as_deref()), ("CNY", Some("CNY")));
    assert_eq!(paid.coupon_fee, fen(10));
    let coupons =
        paid.coupons.iter().map(|coupon| (coupon.coupon_type.as_deref(), coupon.id.as_deref(), coupon.fee));
    let expected = [(Some("CASH"), Some("10000"), fen(5)), (Some("NO_CASH"), Some("10001"), fen(5))];
    assert_eq!(coupons.collect::<Vec<_>>(), expected);
    assert_eq!(paid.attach.as_deref(), Some("桌 7 & \"A\" <b> ]]> 'x' = 1"));
    assert_eq!(paid.time_end.as_deref(), Some("20250615230640"));
    assert_eq!(paid.paid_at(), Some(UnixSeconds(1_750_000_000)));
    assert_eq!(paid.fields.get("field_of_tomorrow"), Some("neu"));
}

#[test]
fn partner_fields_and_defaults() {
    let named = |name| match verify(vector("notices", name)["body"].as_str().unwrap()) {
        Ok(Notice::Paid(paid)) => paid,
        other => panic!("{other:?}"),
    };
    let partner = named("partner");
    assert_eq!(partner.sub_mch_id.as_deref(), Some("1900000002"));
    assert_eq!((partner.sub_appid.as_deref(), partner.sub_openid.as_deref()), (Some("wxsub"), Some("oSub")));
    for name in ["without optional fields", "empty fields"] {
        let bare = named(name);
        assert_eq!((bare.fee_type.as_str(), bare.cash_fee, &bare.attach), ("CNY", None, &None), "{name}");
        assert!(bare.coupons.is_empty(), "{name}");
    }
}

#[test]
fn payment_without_what_makes_one_is_refused_by_name() {
    for field in ["appid", "mch_id", "out_trade_no", "transaction_id", "total_fee"] {
        let mut fields = payment();
        fields.insert(field, "");
        let error = verified(fields).notice().unwrap_err();
        assert_eq!(error, FieldError::Missing { field: field.to_owned() });
    }
    let mut fields = payment();
    fields.insert("result_code", "PERHAPS");
    assert_eq!(verified(fields).notice().unwrap_err(), FieldError::NotACode { field: "result_code" });
}

#[test]
fn amounts_are_whole_fen() {
    for field in ["total_fee", "settlement_total_fee", "cash_fee", "coupon_fee", "coupon_fee_1"] {
        for bad in ["-1", "+1", "1.0", "1e2", " 1", "1 ", "0x1", "１", "9223372036854775808", "null", "一"]
        {
            let mut fields = payment();
            fields.insert(field, bad);
            let error = verified(fields).notice().unwrap_err();
            assert_eq!(error, FieldError::NotANumber { field: field.to_owned() }, "{bad}");
        }
        let mut fields = payment();
        fields.insert(field, "9223372036854775807");
        verified(fields).notice().unwrap();
    }
}

#[test]
fn failures_are_a_case_of_their_own() {
    let Ok(Notice::NotPaid { failure: Some(failure), .. }) =
        verify(vector("notices", "result_code FAIL")["body"].as_str().unwrap())
    else {
        panic!("paid")
    };
    assert_eq!((failure.err_code.as_str(), failure.err_code_des.as_str()), ("SYSTEMERROR", "系统错误"));
    let text = "<xml><return_code>FAIL</return_code><return_msg>签名失败</return_msg></xml>";
    let Ok(Callback::Failed(failed)) = Callback::parse(text.as_bytes()) else { panic!("not failed") };
    assert_eq!(failed.unverified_return_msg, "签名失败");
    let silent = Callback::parse(b"<xml><return_code>FAIL</return_code></xml>");
    assert!(matches!(silent, Ok(Callback::Failed(failed)) if failed.unverified_return_msg.is_empty()));
}

#[test]
fn deduction_that_failed_is_no_payment() {
    let mut fields = payment();
    fields.insert("trade_state", "PAY_FAIL");
    assert!(matches!(verified(fields).notice(), Ok(Notice::NotPaid { failure: None, .. })));
    let mut fields = payment();
    fields.insert("trade_state", "SUCCESS");
    assert!(matches!(verified(fields).notice(), Ok(Notice::Paid(_))));
}

#[test]
fn json_is_the_same_for_every_resend_and_keeps_all_but_what_authenticates() {
    let mut resent = payment();
    resent.insert("nonce_str", "another");
    let resent = signed(resent, SignType::HmacSha256);
    let (first, resent) = (verified(payment()), parse_xml(resent.as_bytes()).unwrap());
    assert_eq!(first.to_json(), resent.to_json());
    let reordered = vector("notices", "another order of fields")["body"].as_str().unwrap().to_owned();
    assert_eq!(first.to_json(), parse_xml(reordered.as_bytes()).unwrap().to_json());
    let json: serde_json::Value = serde_json::from_str(&first.to_json()).unwrap();
    let mut expected = vector("notices", "cdata, MD5")["fields"].clone();
    expected.as_object_mut().unwrap().remove("nonce_str");
    assert_eq!(json, expected);
}

#[test]
fn dedupe_ids_tell_notices_apart_and_resends_not() {
    let id = |fields| verified(fields).notice().unwrap().dedupe_id();
    assert_eq!(id(payment()), "v2/payment/4200000000202506150000000001");
    let contract = |nonce, plan| {
        of([("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("plan_id", plan), ("nonce_str", nonce)])
    };
    assert_eq!(id(contract("a", "1")), id(contract("b", "1")));
    assert_ne!(id(contract("a", "1")), id(contract("a", "2")));
    assert!(id(contract("a", "1")).len() <= 64);
}

/// Found by the fuzz target `v2_notice`: a number as no payment of WeChat Pay's has it, but signed, made an id that no
/// store keeps.
#[test]
fn a_dedupe_id_fits_whatever_the_number() {
    let id = |number: &str| {
        let mut fields = payment();
        fields.insert("transaction_id", number);
        verified(fields).notice().unwrap().dedupe_id()
    };
    let (longest, too_long) = ("4".repeat(53), "4".repeat(54));
    assert_eq!(id(&longest), format!("v2/payment/{longest}"));
    let odd = [&too_long, "42 00", "四十二", "42\n", &"4".repeat(60_000)].map(id);
    for id in &odd {
        assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        assert_eq!(odd.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
    assert_eq!(id("42 00"), odd[1]);
}

#[test]
fn nothing_personal_is_shown() {
    let notice = verified(payment()).notice().unwrap();
    let shown = format!("{notice:?} {:?} {:?} {:?}", payment(), notice.fields(), key());
    assert!(shown.contains("4200000000202506150000000001") && shown.contains("\"openid\""), "{shown}");
    assert!(
        !shown.contains("oTestOpenid") && !shown.contains("桌") && !shown.contains("apiv2key"),
        "{shown}"
    );
}

#[test]
fn what_lets_one_pay_is_not_shown() {
    let prepaid = Prepaid {
        prepay_id: "wx2014".to_owned(),
        code_url: Some("weixin://wxpay/SECRET".to_owned()),
        mweb_url: Some("https://wx.tenpay.com/SECRET".to_owned()),
        fields: verified(of([("return_code", "SUCCESS"), ("code_url", "weixin://wxpay/SECRET")])),
    };
    let shown = format!("{prepaid:?}");
    assert!(shown.contains("wx2014") && !shown.contains("SECRET"), "{shown}");
}
