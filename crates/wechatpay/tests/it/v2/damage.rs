//! Damaged and arbitrary messages: nothing panics, and what is believed is what was signed.

use proptest::prelude::*;
use wechatpay::v2::{
    ApiV2Key, Callback, Fields, OrderNumber, OrderQuery, RefundNumber, RefundQuery, VerifiedFields,
    is_bill_failure, parse_xml, read_answer, read_bill_failure,
};

use super::{caller, key, payment, signed, vector};
use wechatpay::v2::SignType;

fn believed(body: &[u8]) -> Option<VerifiedFields> {
    match Callback::parse(body).ok()? {
        Callback::Signed(callback) => callback.verify(&key(), None).ok(),
        _ => None,
    }
}

/// All but the sign, whose letter case is free.
fn signed_part(fields: &Fields) -> Vec<(String, String)> {
    let signed = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    signed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Every single changed byte is refused, or changed nothing that is signed (white space between fields, say).
fn proof_against_one_byte(body: &str) -> usize {
    let original = signed_part(&believed(body.as_bytes()).unwrap());
    let (mut body, mut equivalent) = (body.as_bytes().to_vec(), 0);
    for position in 0..body.len() {
        let byte = body[position];
        for other in [
            0,
            b' ',
            b'\n',
            b'!',
            b'&',
            b'/',
            b'0',
            b'1',
            b'<',
            b'=',
            b'>',
            b'A',
            b'a',
            b']',
            byte ^ 0x20,
            byte ^ 1,
            0xff,
        ] {
            body[position] = other;
            if other != byte
                && let Some(fields) = believed(&body)
            {
                assert_eq!(signed_part(&fields), original, "[{position}] = {other:#04x}");
                equivalent += 1;
            }
        }
        body[position] = byte;
    }
    equivalent
}

#[test]
fn one_byte_of_cdata() {
    // The letters of the sign, in the other case (once as `A`/`a`, once as byte ^ 0x20), and nothing else.
    let body = signed(payment(), SignType::Md5);
    let sign = believed(body.as_bytes()).unwrap().get("sign").unwrap().to_owned();
    let letters = sign.bytes().filter(u8::is_ascii_alphabetic).count();
    let a = sign.bytes().filter(|byte| *byte == b'A').count();
    assert_eq!(proof_against_one_byte(&body), letters + a);
}

#[test]
fn one_byte_of_text_between_line_breaks() {
    let vector = vector("notices", "declaration, line breaks, both");
    assert!(proof_against_one_byte(vector["body"].as_str().unwrap()) > 0);
}

#[test]
fn every_cut() {
    let body = signed(payment(), SignType::HmacSha256);
    for end in 0..body.len() {
        assert!(Callback::parse(&body.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_field_more_less_or_moved() {
    let whole = signed(payment(), SignType::Md5);
    let fields = parse_xml(whole.as_bytes()).unwrap();
    for (left_out, value) in fields.iter() {
        let mut fewer = Fields::default();
        fields
            .iter()
            .filter(|(name, _)| *name != left_out)
            .for_each(|(name, value)| fewer.insert(name, value));
        assert!(fewer.verify(&key(), None).is_err(), "{left_out} = {value}");
    }
    for name in ["a", "zz", "sign_type2", "total_fee2"] {
        let mut more = fields.clone();
        more.insert(name, "1");
        assert!(more.verify(&key(), None).is_err(), "{name}");
    }
    let mut moved = Fields::default();
    let mut reversed: Vec<_> = fields.iter().collect();
    reversed.reverse();
    reversed.into_iter().for_each(|(name, value)| moved.insert(name, value));
    moved.verify(&key(), None).unwrap();
}

fn document() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "<xml>",
        "</xml>",
        "<a>",
        "</a>",
        "<a/>",
        "<sign>",
        "</sign>",
        "<![CDATA[",
        "]]>",
        "]]",
        "&amp;",
        "&#65;",
        "&#",
        "&",
        ";",
        "<!",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!DOCTYPE",
        "<!ENTITY",
        "[",
        "]",
        ">",
        "<",
        "\u{feff}",
        " ",
        "\n",
        "x",
        "=",
        "\"",
        "'",
        "<?xml version=\"1.0\"?>",
        "<return_code>FAIL</return_code>",
        "<req_info>AAAA</req_info>",
    ]);
    prop_oneof![
        any::<Vec<u8>>(),
        prop::collection::vec(piece.clone(), 0..30).prop_map(|pieces| pieces.concat().into_bytes()),
        prop::collection::vec(piece, 0..20).prop_map(|pieces| format!(
            "<xml><a>{}</a></xml>",
            pieces.concat()
        )
        .into_bytes()),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bodies(body in document()) {
        prop_assert!(believed(&body).is_none());
        if let Ok(Callback::Sealed(callback)) = Callback::parse(&body) {
            prop_assert!(callback.open(&key()).is_err());
        }
        let query = OrderQuery(OrderNumber::OutTradeNo("1".to_owned()));
        prop_assert!(read_answer(&query, &caller(), &body, &key()).is_err());
        let _ = is_bill_failure(&body);
        let _ = read_bill_failure(&body);
    }

    #[test]
    fn arbitrary_refunds(req_info in prop_oneof![".*", "[A-Za-z0-9+/]{0,200}={0,2}"]) {
        prop_assert!(key().open_req_info(&req_info).is_err() || req_info.len() >= 24);
    }

    #[test]
    fn arbitrary_keys(text in ".{0,40}") {
        prop_assert_eq!(ApiV2Key::new(&text).is_ok(), text.len() == 32 && text.is_ascii());
    }

    #[test]
    fn arbitrary_signed_fields(
        changed in prop::sample::select(vec!["total_fee", "coupon_fee_0", "result_code", "time_end", "trade_state", "fee_type"]),
        value in "\\PC{0,20}",
    ) {
        let mut fields = payment();
        fields.insert(changed, value.replace(['\u{fffe}', '\u{ffff}'], ""));
        let verified = believed(signed(fields, SignType::HmacSha256).as_bytes()).unwrap();
        // Only panics are of interest: an arbitrary time is one that is not known.
        if let Ok(notice) = verified.notice() {
            let _ = notice.dedupe_id();
            let _ = notice.fields().to_json();
            if let wechatpay::v2::Notice::Paid(paid) = &notice {
                let _ = paid.paid_at();
            }
        }
    }

    #[test]
    fn arbitrary_refund_counts(count in prop_oneof!["[0-9]{1,22}", ".{0,5}"]) {
        let mut fields = payment();
        fields.insert("refund_count", count.replace(|c: char| c.is_control() || c > '\u{fffd}', ""));
        let query = RefundQuery { of: RefundNumber::RefundId("1".to_owned()), offset: None };
        let answer = read_answer(&query, &caller(), signed(fields, SignType::Md5).as_bytes(), &key());
        prop_assert!(answer.map_or(true, |answer| answer.refunds.is_empty()));
    }
}
