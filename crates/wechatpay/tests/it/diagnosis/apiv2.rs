//! Notices of APIv2.

use wechatpay::ApiV3Key;
use wechatpay::diagnosis::{Account, Class, Diagnosis};
use wechatpay::v2::{self, ApiV2Key, Fields, SignType};

use super::{MCHID, among, codes};
use crate::fixture::{Sent, apiv3_key, platform_keys};

const OTHER: &str = "1900000002";

fn key(text: &str) -> ApiV2Key {
    ApiV2Key::new(&text.repeat(32)).unwrap()
}

/// A payment notice that this key signed.
fn notice(key: &ApiV2Key) -> String {
    let mut fields = Fields::default();
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx1"),
        ("mch_id", MCHID),
        ("total_fee", "100"),
        ("transaction_id", "42"),
        ("out_trade_no", "A1"),
        ("attach", "茶壶"),
        ("nonce_str", "n"),
    ] {
        fields.insert(name, value);
    }
    fields.insert("sign", v2::sign(&fields, SignType::HmacSha256, key));
    v2::write_xml(&fields).unwrap()
}

fn look(
    body: impl Into<Vec<u8>>,
    own: Option<&ApiV2Key>,
    other: Option<&ApiV2Key>,
    path: Option<&str>,
) -> Diagnosis {
    let (keys, apiv3_key): (_, ApiV3Key) = (platform_keys(), apiv3_key());
    let (mut others, mut owns) =
        (Account::new(OTHER, &keys, &apiv3_key), Account::new(MCHID, &keys, &apiv3_key));
    if let Some(key) = other {
        others = others.with_apiv2_key(key);
    }
    if let Some(key) = own {
        owns = owns.with_apiv2_key(key);
    }
    let accounts = [others, owns];
    among(&Sent { headers: Vec::new(), body: body.into() }, &accounts, path, None)
}

#[test]
fn table_of_notices() {
    let (a, b) = (key("a"), key("b"));
    let good = notice(&a);
    let mojibake: String = good.bytes().map(char::from).collect();
    let unsigned = good.replace("sign>", "sigh>");
    for (what, body, own, other, class, causes) in [
        ("good", good.clone(), Some(&a), None, Class::Accepted, &[][..]),
        ("a newline is nothing to XML", format!("{good}\n"), Some(&a), None, Class::Accepted, &[]),
        ("no key", good.clone(), None, None, Class::ApiV2, &["apiv2_key_missing"]),
        ("another key", good.clone(), Some(&b), None, Class::Unverified, &["wrong_apiv2_key", "none_found"]),
        ("another merchant's", good.clone(), Some(&b), Some(&a), Class::WrongMerchant, &["wrong_merchant"]),
        ("charset", mojibake, Some(&a), None, Class::Changed, &["read_as_latin1"]),
        ("no sign", unsigned, Some(&a), None, Class::Malformed, &["sign_malformed"]),
        ("DTD", format!("<!DOCTYPE xml>{good}"), Some(&a), None, Class::Malformed, &["not_a_notification"]),
        ("cut", good[..90].to_owned(), Some(&a), None, Class::Malformed, &["not_a_notification"]),
        (
            "a failure",
            "<xml><return_code>FAIL</return_code></xml>".to_owned(),
            Some(&a),
            None,
            Class::Unreadable,
            &["not_a_notification"],
        ),
        (
            "a refund that does not open",
            "<xml><return_code>SUCCESS</return_code><req_info>QUJD</req_info></xml>".to_owned(),
            Some(&a),
            None,
            Class::DoesNotOpen,
            &["wrong_apiv2_key"],
        ),
    ] {
        let found = look(body, own, other, Some(MCHID));
        assert_eq!((found.class, codes(&found).as_slice()), (class, causes), "{what}: {found:#?}");
    }
}

#[test]
fn the_merchant_is_the_one_that_the_notice_names() {
    let a = key("a");
    let found = look(notice(&a), Some(&a), None, None);
    assert_eq!((found.class, found.merchant.as_deref()), (Class::Accepted, Some(MCHID)));
    let found = look(notice(&a), None, Some(&a), Some(OTHER));
    assert_eq!((found.class, codes(&found)), (Class::WrongMerchant, vec!["about_other_merchant"]));
}
