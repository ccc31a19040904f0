//! What merchants' engineers suffered from, as far as APIv2 goes: one test each, named after the trap.

use wechatpay::v2::{
    ACK_BODY, Callback, Notice, SignError, SignType, XmlError, fail_body, parse_xml, read_answer, sign,
    write_xml,
};
use wechatpay::v2::{OrderNumber, OrderQuery};

use super::{caller, key, of, payment, signed, vector, verified};

#[test]
fn trap_v2_acked_with_json() {
    assert_eq!(
        ACK_BODY,
        "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
    );
    let ack = parse_xml(ACK_BODY.as_bytes()).unwrap();
    assert_eq!((ack.get("return_code"), ack.get("return_msg")), (Some("SUCCESS"), Some("OK")));
    assert_eq!(
        fail_body("no ]]> such\r\n<merchant>\0"),
        "<xml><return_code><![CDATA[FAIL]]></return_code>\
         <return_msg><![CDATA[no ]]]]><![CDATA[> such \n<merchant> ]]></return_msg></xml>"
    );
}

/// A notice that names no type is signed with MD5, or with what the order asked for: both are seen.
#[test]
fn trap_sign_type_missing_means_md5_even_if_hmac_was_asked_for_in_the_order() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let body = signed(payment(), sign_type);
        let Ok(Callback::Signed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{body}") };
        assert!(matches!(callback.verify(&key(), None).unwrap().notice(), Ok(Notice::Paid(_))));
    }
}

#[test]
fn verification_was_skipped_when_the_sign_was_null() {
    let missing = write_xml(&payment()).unwrap();
    let empty = missing.replace("</xml>", "<sign></sign></xml>");
    let null = missing.replace("</xml>", "<sign>null</sign></xml>");
    for (body, expected) in
        [(missing, SignError::Missing), (empty, SignError::Missing), (null, SignError::Length { bytes: 4 })]
    {
        let Ok(Callback::Signed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{body}") };
        assert_eq!(callback.verify(&key(), None), Err(expected));
    }
}

/// A merchant's server was made to read its own files: the DTD is refused before anything in it is looked at.
#[test]
fn xxe_read_the_merchants_files() {
    let body = "<?xml version=\"1.0\"?><!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
                <xml><return_code>SUCCESS</return_code><attach>&x;</attach></xml>";
    assert_eq!(Callback::parse(body.as_bytes()).unwrap_err(), XmlError::Doctype);
}

/// Only known fields were signed over: a new field of WeChat Pay's broke every callback, and an added one went through.
#[test]
fn unknown_fields_take_part_in_the_sign() {
    let mut fields = payment();
    fields.insert("sign", sign(&fields, SignType::Md5, &key()));
    fields.insert("field_of_the_day_after", "1");
    assert_eq!(fields.verify(&key(), None), Err(SignError::Mismatch));
}

#[test]
fn body_was_changed_on_the_way() {
    let body = vector("notices", "cdata, MD5")["body"].as_str().unwrap().to_owned();
    let believed = |body: &str| match Callback::parse(body.as_bytes()) {
        Ok(Callback::Signed(callback)) => callback.verify(&key(), None).is_ok(),
        _ => false,
    };
    // What XML calls the same is the same: only values are signed.
    for same in [
        format!("{body}\n"),
        format!("\u{feff}{body}"),
        body.replace("><", ">\r\n<").replace(">\r\n<!", "><!").replace("]>\r\n<", "]><"),
    ] {
        assert!(believed(&same), "{same}");
    }
    // A value that lost or won something is not.
    for other in [
        body.replace("桌 7", "桌7"),
        body.replace("桌", "?"),
        body.replace("[100]", "[1]"),
        body.replace("&", "&amp;"),
    ] {
        assert!(other != body && !believed(&other), "{other}");
    }
    let mut gbk = body.into_bytes();
    let at = gbk.windows(3).position(|bytes| bytes == "桌".as_bytes()).unwrap();
    gbk.splice(at..at + 3, [0xd7, 0xc0]);
    assert_eq!(Callback::parse(&gbk).unwrap_err(), XmlError::NotUtf8);
}

/// `a=1&b=2` may be one field or two: who may write `attach` must not gain a field by it, nor lose the amount.
#[test]
fn a_payers_words_do_not_become_fields() {
    let mut ordered = payment();
    ordered.insert("attach", "x&total_fee=1");
    let signed = signed(ordered, SignType::Md5);
    let notice = parse_xml(signed.as_bytes()).unwrap();
    // Divided, the field would come twice, which XML's reader refuses; in place of the other, the sign does not fit.
    let twice = signed
        .replace("<attach><![CDATA[x&total_fee=1]]></attach>", "<attach>x</attach><total_fee>1</total_fee>");
    assert_ne!(twice, signed);
    assert_eq!(parse_xml(twice.as_bytes()), Err(XmlError::Repeated { field: "total_fee".to_owned() }));
    let mut instead = notice.clone();
    instead.insert("attach", "x");
    instead.insert("total_fee", "1");
    assert_eq!(instead.verify(&key(), None), Err(SignError::Mismatch));
    notice.verify(&key(), None).unwrap();
}

#[test]
fn a_resend_has_another_nonce_and_sign_but_is_the_same_notice() {
    let mut resent = payment();
    resent.insert("nonce_str", "another");
    let (first, resent) = (verified(payment()), verified(resent));
    assert_ne!(first.get("sign"), resent.get("sign"));
    let (first, resent) = (first.notice().unwrap(), resent.notice().unwrap());
    assert_eq!(first.dedupe_id(), resent.dedupe_id());
    assert_eq!(first.fields().to_json(), resent.fields().to_json());
}

/// The transport's SUCCESS was taken for the payment's.
#[test]
fn return_code_success_is_not_paid() {
    let mut fields = payment();
    fields.insert("result_code", "FAIL");
    assert!(matches!(verified(fields).notice(), Ok(Notice::NotPaid { failure: Some(_), .. })));
    let mut unpaid = payment();
    unpaid.insert("trade_state", "NOTPAY");
    let query = OrderQuery(OrderNumber::OutTradeNo("payonce-0001".to_owned()));
    let answer = read_answer(&query, &caller(), signed(unpaid, SignType::Md5).as_bytes(), &key()).unwrap();
    assert_eq!((answer.trade_state.as_str(), answer.transaction), ("NOTPAY", None));
}

#[test]
fn refund_received_account_is_misspelt() {
    let body = vector("refunds", "ordinary")["body"].as_str().unwrap().to_owned();
    let Ok(Callback::Sealed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{body}") };
    assert_eq!(callback.open(&key()).unwrap().refund_recv_account.as_deref(), Some("招商银行信用卡0403"));
}

/// A refund notice cannot be taken for a payment, nor be verified: it has no sign.
#[test]
fn refund_notice_has_no_sign() {
    let fields = of([("return_code", "SUCCESS"), ("req_info", "AAAA")]);
    let body = write_xml(&fields).unwrap();
    assert!(matches!(Callback::parse(body.as_bytes()), Ok(Callback::Sealed(_))));
}
