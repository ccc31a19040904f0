//! Target `v2_notice`: a notice of APIv2. The first line says what the rest is: `raw`, a body as it came; `signed`, a
//! message to be signed anew (its `sign_type` decides how); `sealed`, the inner fields of a refund.
//!
//! Held: of raw bodies only those verify whose signed string is that of a notice that WeChat Pay signed; what is signed
//! verifies, and its amounts, numbers and outcome are those of the fields; a refund opens with the right key alone, as
//! the fields that were sealed; a dedupe id is 1 to 64 visible characters; nobody's id is shown.

use wechatpay::v2::{
    Callback, Fields, Notice, OpenError, OpenedRefund, SignError, VerifiedFields, parse_xml, sign_message,
    write_xml,
};

use super::{GENUINE, has_unknown_type, signed_message};
use crate::fixture::{KEYS, seal_v2};
use crate::input::canary::{CANARY, assert_hidden};
use crate::input::lines;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "v2_notice",
    run,
    stages: &[
        "not XML",
        "failed",
        "does not open",
        "not signed",
        "genuine",
        "unknown sign type",
        "unwritable",
        "malformed",
        "paid",
        "not paid",
        "other",
        "refund malformed",
        "refund",
    ],
};

/// Fields that name a person, or where money went.
const PERSONAL: [&str; 4] = ["openid", "sub_openid", "refund_recv_accout", "refund_recv_account"];

fn run(input: &[u8]) -> Stage {
    match lines::first(input) {
        (b"signed", body) => signed(body),
        (b"sealed", inner) => sealed(inner),
        (b"raw", body) => raw(body),
        _ => raw(input),
    }
}

fn raw(body: &[u8]) -> Stage {
    match Callback::parse(body) {
        Err(_) => "not XML",
        Ok(Callback::Failed(_)) => "failed",
        Ok(Callback::Sealed(callback)) => match callback.open(&KEYS.apiv2) {
            Ok(refund) => opened(&refund),
            Err(_) => "does not open",
        },
        Ok(Callback::Signed(callback)) => match callback.verify(&KEYS.apiv2, None) {
            Err(_) => "not signed",
            Ok(verified) => {
                assert!(GENUINE.contains(&sign_message(&verified)), "what nobody signed verifies");
                "genuine"
            }
        },
    }
}

fn signed(body: &[u8]) -> Stage {
    let Ok(mut fields) = parse_xml(body) else { return "not XML" };
    let Ok(body) = signed_message(&mut fields) else { return "unwritable" };
    let callback = match Callback::parse(body.as_bytes()).expect("it was written as a message") {
        Callback::Signed(callback) => callback,
        Callback::Failed(_) => return "failed",
        Callback::Sealed(_) => return raw(body.as_bytes()),
    };
    match callback.verify(&KEYS.apiv2, None) {
        Ok(verified) => notice(verified),
        Err(SignError::UnknownType { .. }) => {
            assert!(has_unknown_type(&fields));
            "unknown sign type"
        }
        Err(error) => panic!("what was signed does not verify: {error}"),
    }
}

fn notice(verified: VerifiedFields) -> Stage {
    let is_shown = is_beside(&verified);
    let notice = match verified.notice() {
        Ok(notice) => notice,
        Err(error) => {
            assert_hidden(&format!("{error} {error:?}"));
            return "malformed";
        }
    };
    is_dedupe_id(&notice.dedupe_id());
    if !is_shown {
        assert_hidden(&format!("{notice:?}"));
    }
    let fields = notice.fields();
    let is_failure = fields.get("result_code") == Some("FAIL");
    let is_other_state = fields.get("trade_state").is_some_and(|state| state != "SUCCESS");
    match &notice {
        Notice::Paid(paid) => {
            assert!(!is_failure && !is_other_state && fields.get("result_code") == Some("SUCCESS"));
            assert_eq!(fields.get("total_fee").and_then(|fee| fee.parse().ok()), Some(paid.total_fee.get()));
            assert!(paid.total_fee.get() >= 0);
            for (name, value) in [
                ("transaction_id", &paid.transaction_id),
                ("out_trade_no", &paid.out_trade_no),
                ("mch_id", &paid.mch_id),
                ("appid", &paid.appid),
            ] {
                assert!(!value.is_empty() && fields.get(name) == Some(value), "{name}");
            }
            assert_eq!(fields.get("fee_type").unwrap_or("CNY"), paid.fee_type);
            assert!(paid.paid_at().is_none() || paid.time_end.is_some());
            "paid"
        }
        Notice::NotPaid { failure, .. } => {
            assert!(is_failure || is_other_state);
            assert_eq!(failure.is_some(), is_failure);
            "not paid"
        }
        Notice::Other(fields) => {
            assert!(fields.get("total_fee").is_none() && fields.get("transaction_id").is_none());
            "other"
        }
        other => panic!("a notice that is not known here: {other:?}"),
    }
}

fn sealed(inner: &[u8]) -> Stage {
    let mut outer = Fields::default();
    for (name, value) in
        [("return_code", "SUCCESS"), ("appid", "wx0123456789abcdef"), ("mch_id", "1900000001")]
    {
        outer.insert(name, value);
    }
    outer.insert("req_info", seal_v2(inner));
    let body = write_xml(&outer).expect("BUG: names and base64 can be written");
    // The limit of a message.
    let Ok(callback) = Callback::parse(body.as_bytes()) else { return "not XML" };
    let again = Callback::parse(body.as_bytes());
    let (Callback::Sealed(callback), Ok(Callback::Sealed(again))) = (callback, again) else {
        panic!("a refund notice is taken for another");
    };
    assert_eq!(again.open(&KEYS.other_apiv2), Err(OpenError::WrongKey), "another key opens it");
    match callback.open(&KEYS.apiv2) {
        Ok(refund) => {
            are_the_fields(&refund, inner);
            opened(&refund)
        }
        Err(OpenError::WrongKey) => {
            assert!(as_message(inner).is_none_or(|message| parse_xml(&message).is_err()), "it is XML");
            "does not open"
        }
        Err(OpenError::NotBase64) => panic!("it is base64"),
        Err(OpenError::Malformed(error)) => {
            assert_hidden(&format!("{error} {error:?}"));
            "refund malformed"
        }
    }
}

/// The inner fields, whose outermost element is `<root>`, as a message of APIv2, whose is `<xml>`.
fn as_message(inner: &[u8]) -> Option<Vec<u8>> {
    let inner = std::str::from_utf8(inner).ok()?.strip_prefix("<root>")?.strip_suffix("</root>")?;
    Some(format!("<xml>{inner}</xml>").into_bytes())
}

fn are_the_fields(refund: &OpenedRefund, inner: &[u8]) {
    if let Some(message) = as_message(inner) {
        assert_eq!(parse_xml(&message).as_ref(), Ok(&refund.fields));
    }
}

fn opened(refund: &OpenedRefund) -> Stage {
    let fields = &refund.fields;
    for (name, amount) in [("total_fee", refund.total_fee), ("refund_fee", refund.refund_fee)] {
        assert!(amount.get() >= 0);
        assert_eq!(fields.get(name).and_then(|fee| fee.parse().ok()), Some(amount.get()), "{name}");
    }
    assert!(!refund.refund_id.is_empty() && !refund.out_refund_no.is_empty());
    assert!(refund.refunded_at().is_none() || refund.success_time.is_some());
    is_dedupe_id(&refund.dedupe_id());
    if !is_beside(fields) {
        assert_hidden(&format!("{refund:?}"));
    }
    "refund"
}

fn is_dedupe_id(id: &str) {
    assert!((1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
}

/// Whether the payer's id stands in fields, or their names, where none belongs.
fn is_beside(fields: &Fields) -> bool {
    fields
        .iter()
        .any(|(name, value)| name.contains(CANARY) || !PERSONAL.contains(&name) && value.contains(CANARY))
}
