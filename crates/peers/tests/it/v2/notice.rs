//! Whole messages of APIv2: the SDK takes what we send, we take what it sends, and neither once a byte has changed.

use serde_json::{Value, json};
use wechatpay::v2::{Callback, Fields, Notice, SignType, sign, write_xml};

use super::{by_name, fields, json_by_name};
use crate::fixture::{INPUTS, Parties, checks};
use crate::generate;

checks! {
    WechatpayAxiosPlugin in wechatpay_axios_plugin { what_we_sign_is_taken, what_they_sign_is_taken }
}

const TYPES: [SignType; 2] = [SignType::Md5, SignType::HmacSha256];

fn what_we_sign_is_taken(parties: &mut Parties) {
    for number in 0..INPUTS {
        let mut fields = paid(parties, number);
        let signed = sign(&fields, TYPES[number % 2], &parties.apiv2_key());
        fields.insert("sign", signed);
        let theirs = parties.ask("v2_receive", json!({ "xml": write_xml(&fields).unwrap() }));
        assert_eq!(json_by_name(&theirs), by_name(&fields));

        fields.insert("total_fee", "1");
        let theirs = parties.ask("v2_receive", json!({ "xml": write_xml(&fields).unwrap() }));
        assert_eq!(theirs, Value::Null, "another amount under the same sign");
    }
}

fn what_they_sign_is_taken(parties: &mut Parties) {
    let key = parties.apiv2_key();
    for number in 0..INPUTS {
        let mut fields = paid(parties, number);
        // It signs by what this says, and by MD5 where it is absent.
        if number % 2 == 1 {
            fields.insert("sign_type", SignType::HmacSha256.as_str());
        }
        let xml = parties.ask_text("v2_send", json!({ "fields": super::to_json(&fields) }));
        let verify = |xml: &str| match Callback::parse(xml.as_bytes()).unwrap() {
            Callback::Signed(signed) => signed.verify(&key, Some(TYPES[number % 2])),
            other => panic!("{other:?}"),
        };
        let Notice::Paid(transaction) = verify(&xml).unwrap().notice().unwrap() else { panic!("{xml}") };
        assert_eq!(transaction.total_fee.get(), 100 + i64::try_from(number).unwrap());
        assert_eq!(transaction.attach.unwrap_or_default(), fields.get("attach").unwrap_or_default());

        let total = format!("<total_fee>{}<", 100 + number);
        assert!(xml.contains(&total), "{xml}");
        verify(&xml.replace(&total, "<total_fee>1<")).unwrap_err();
    }
}

/// A notice of a payment.
fn paid(parties: &mut Parties, number: usize) -> Fields {
    let mut fields = fields(&mut parties.rng, number);
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", parties.merchant.appid()),
        ("mch_id", parties.merchant.mchid()),
        ("transaction_id", "4200000001202506150000000001"),
    ] {
        fields.insert(name, value);
    }
    fields.insert("total_fee", (100 + number).to_string());
    fields.insert("nonce_str", generate::alphanumeric(&mut parties.rng, 32));
    fields
}
