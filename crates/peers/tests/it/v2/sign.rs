//! Signs of APIv2: the same digits, for messages and for payments that a client asks the user to confirm.

use serde_json::{Value, json};
use wechatpay::v2::{ApiV2Key, Fields, SignType, app_pay_sign, pay_sign, sign};

use super::{fields, to_json};
use crate::fixture::{INPUTS, NOW, Parties, checks};
use crate::generate;

checks! {
    Wechatpayv3 in wechatpayv3 { hmac_signs_are_alike }
    WechatpayAxiosPlugin in wechatpay_axios_plugin { signs_are_alike, payments_are_signed_alike }
}

const TYPES: [SignType; 2] = [SignType::Md5, SignType::HmacSha256];

fn signs_are_alike(parties: &mut Parties) {
    let key = parties.apiv2_key();
    for number in 0..INPUTS {
        let mut fields = fields(&mut parties.rng, number);
        if number % 3 == 0 {
            fields.insert("sign", "an old sign, which no sign covers");
        }
        for sign_type in TYPES {
            if number % 2 == 0 {
                fields.insert("sign_type", sign_type.as_str());
            }
            let given = json!({ "sign_type": sign_type.as_str(), "fields": to_json(&fields) });
            assert_eq!(
                sign(&fields, sign_type, &key),
                parties.ask_text("v2_sign", given),
                "{}",
                to_json(&fields)
            );
        }
    }
}

/// Its key is the APIv3 key, so ours is too. It signs empty fields, which APIv2's rule passes over.
fn hmac_signs_are_alike(parties: &mut Parties) {
    let key = ApiV2Key::new(parties.merchant.apiv3_key()).unwrap();
    for number in 0..INPUTS {
        let mut full = Fields::default();
        for (name, value) in fields(&mut parties.rng, number).iter().filter(|(_, value)| !value.is_empty()) {
            full.insert(name, value);
        }
        let theirs = parties.ask_text("hmac_sign", json!({ "fields": to_json(&full) }));
        assert_eq!(sign(&full, SignType::HmacSha256, &key), theirs, "{}", to_json(&full));

        full.insert("empty", "");
        let theirs = parties.ask_text("hmac_sign", json!({ "fields": to_json(&full) }));
        assert_ne!(
            sign(&full, SignType::HmacSha256, &key),
            theirs,
            "the SDK passes over empty fields by now"
        );
    }
}

fn payments_are_signed_alike(parties: &mut Parties) {
    let key = parties.apiv2_key();
    let (appid, mchid) = (parties.merchant.appid().to_owned(), parties.merchant.mchid().to_owned());
    for number in 0..INPUTS {
        let (prepay_id, nonce) = (generate::alphanumeric(&mut parties.rng, 36), parties.nonce());
        let sign_type = TYPES[number % 2];
        let mut theirs = |fields: Value| {
            parties.ask_text("v2_sign", json!({ "sign_type": sign_type.as_str(), "fields": fields }))
        };

        let jsapi = pay_sign(&appid, NOW, &nonce, &prepay_id, sign_type, &key);
        let signed = json!({
            "appId": appid, "timeStamp": jsapi.time_stamp, "nonceStr": nonce, "package": jsapi.package,
            "signType": sign_type.as_str(),
        });
        assert_eq!(jsapi.pay_sign, theirs(signed));

        let app = app_pay_sign(&appid, &mchid, NOW, &nonce, &prepay_id, sign_type, &key);
        let mut signed = serde_json::to_value(&app).unwrap();
        assert!(signed.as_object_mut().unwrap().remove("sign").is_some());
        assert_eq!(app.sign, theirs(signed));
    }
}
