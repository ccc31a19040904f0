//! Every vector of `tests/vectors`, made by openssl and Python's `cryptography`.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use wechatpay::{
    ApiV3Key, Fen, MerchantKey, RequestToSign, Resource, UnixSeconds, callback_message, pay_sign,
    pay_sign_message,
};

use crate::fixture::{Sent, apiv3_key, key_text, platform_keys, vectors};

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

fn sha256_hex(message: &[u8]) -> String {
    digest(&SHA256, message).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn merchant_key(pem: &str) -> MerchantKey {
    MerchantKey::from_pkcs8_pem(key_text("merchant", "serial"), key_text("merchant", pem)).unwrap()
}

#[test]
fn callbacks_verify_and_open() {
    let callbacks = vectors("callbacks");
    let callbacks = callbacks["vectors"].as_array().unwrap();
    assert_eq!(callbacks.len(), 17);
    for vector in callbacks {
        let (name, expected, sent) = (text(vector, "name"), &vector["expected"], Sent::of_vector(vector));
        let notification = sent.receive(&platform_keys(), sent.timestamp(), &apiv3_key());
        let notification = notification.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(notification.id, text(expected, "id"), "{name}");
        assert_eq!(notification.event_type, text(expected, "event_type"), "{name}");
        assert_eq!(notification.create_time, "2025-06-15T23:06:40+08:00", "{name}");
        assert_eq!(notification.summary, text(expected, "summary"), "{name}");
        assert_eq!(notification.original_type.as_deref(), expected["original_type"].as_str(), "{name}");
        assert_eq!(notification.plaintext, text(expected, "plaintext"), "{name}");
        let kind = match notification.resource {
            Resource::Transaction(_) => "transaction",
            Resource::PartnerTransaction(_) => "partner",
            Resource::CombineTransaction(_) => "combine",
            Resource::ProfitSharing(_) => "profitsharing",
            Resource::Refund(_) => "refund",
            _ => "other",
        };
        assert_eq!(kind, text(expected, "kind"), "{name}");
    }
}

#[test]
fn transaction_has_every_field() {
    let callbacks = vectors("callbacks");
    let named = |name: &str| {
        let mut all = callbacks["vectors"].as_array().unwrap().iter();
        let sent = Sent::of_vector(all.find(|vector| vector["name"] == name).unwrap());
        let notification = sent.receive(&platform_keys(), sent.timestamp(), &apiv3_key()).unwrap();
        let Resource::Transaction(transaction) = notification.resource else { panic!("{name}") };
        transaction
    };
    let ordinary = named("ordinary");
    assert_eq!((ordinary.mchid.as_str(), ordinary.appid.as_str()), ("1900000001", "wx0123456789abcdef"));
    assert_eq!(ordinary.out_trade_no, "payonce-0001");
    assert_eq!(ordinary.transaction_id.as_deref(), Some("4200000000202506150000000001"));
    assert_eq!(ordinary.trade_state, "SUCCESS");
    assert_eq!(ordinary.trade_type.as_deref(), Some("JSAPI"));
    assert_eq!(ordinary.trade_state_desc.as_deref(), Some("支付成功"));
    assert_eq!(ordinary.bank_type.as_deref(), Some("OTHERS"));
    assert_eq!(ordinary.attach.as_deref(), Some("桌 7 / \"A\""));
    assert_eq!(ordinary.success_time.as_deref(), Some("2025-06-15T23:06:39+08:00"));
    assert_eq!(ordinary.payer.unwrap().openid.as_deref(), Some("oTestOpenid0000000000000000"));
    let amount = ordinary.amount.unwrap();
    assert_eq!((amount.total.get(), amount.payer_total.map(Fen::get)), (100, Some(90)));
    assert_eq!((amount.currency.as_str(), amount.payer_currency.as_deref()), ("CNY", Some("CNY")));
    assert!(ordinary.other.is_empty() && amount.other.is_empty());

    let unknown = named("unknown fields");
    assert_eq!(unknown.other["scene_info"]["device_id"], "013467007045764");
    assert_eq!(unknown.other["field_of_tomorrow"][1]["x"], Value::Null);
    assert_eq!(unknown.amount.unwrap().other["settlement_rate"], 65000);

    let bare = named("optional fields null");
    let amount = bare.amount.unwrap();
    assert_eq!((amount.total.get(), amount.payer_total, amount.currency.as_str()), (1, None, "CNY"));
    assert_eq!((bare.payer, bare.success_time), (None, None));
}

#[test]
fn resources_open_and_no_byte_may_differ() {
    let resources = vectors("resources");
    let resources = resources["vectors"].as_array().unwrap();
    assert_eq!(resources.len(), 12);
    for vector in resources {
        let key = ApiV3Key::new(text(vector, "apiv3_key")).unwrap();
        let (nonce, data) = (text(vector, "nonce"), text(vector, "associated_data"));
        let plaintext = key.open(nonce, data, text(vector, "ciphertext")).unwrap();
        assert_eq!(String::from_utf8(plaintext).unwrap(), text(vector, "plaintext"));
        assert!(key.open(nonce, &format!("{data}x"), text(vector, "ciphertext")).is_err());
        assert!(key.open("abcdefghijkL", data, text(vector, "ciphertext")).is_err());
    }
}

#[test]
fn known_signing_strings() {
    // Length and SHA-256 as WeChat Pay's protocol has them, here so that both sides of the vectors are held to them.
    let vectors = vectors("requests");
    let digests = |list: &str| -> Vec<String> {
        let all = vectors[list].as_array().unwrap().iter().take(2);
        all.map(|vector| text(vector, "message_sha256")[..16].to_owned()).collect()
    };
    assert_eq!(digests("requests"), ["fab5c8a222049f38", "4f4194e18b3a3c6c"]);
    assert_eq!(digests("callback_messages"), ["9a93f7031fb2c30d", "daf021c5077b1341"]);
    for vector in vectors["callback_messages"].as_array().unwrap() {
        let body = text(vector, "body").as_bytes();
        let message = callback_message(text(vector, "timestamp"), text(vector, "nonce"), body);
        assert_eq!(Some(message.len() as u64), vector["message_bytes"].as_u64());
        assert_eq!(sha256_hex(&message), text(vector, "message_sha256"));
    }
}

#[test]
fn requests_are_signed_as_openssl_signs_them() {
    for pem in ["private_pem", "pkcs1_pem"] {
        let key = merchant_key(pem);
        for vector in vectors("requests")["requests"].as_array().unwrap() {
            let request = RequestToSign {
                method: text(vector, "method"),
                url: text(vector, "url"),
                timestamp: UnixSeconds(vector["timestamp"].as_i64().unwrap()),
                nonce: text(vector, "nonce"),
                body: text(vector, "body").as_bytes(),
            };
            let message = request.message();
            assert_eq!(Some(message.len() as u64), vector["message_bytes"].as_u64());
            assert_eq!(sha256_hex(&message), text(vector, "message_sha256"));
            assert_eq!(request.authorization(text(vector, "mchid"), &key), text(vector, "authorization"));
        }
    }
}

#[test]
fn payments_are_signed_as_openssl_signs_them() {
    let key = merchant_key("private_pem");
    for vector in vectors("requests")["payments"].as_array().unwrap() {
        let timestamp = UnixSeconds(vector["timestamp"].as_i64().unwrap());
        let (appid, nonce, prepay_id) =
            (text(vector, "appid"), text(vector, "nonce"), text(vector, "prepay_id"));
        let payment = pay_sign(appid, timestamp, nonce, prepay_id, &key).unwrap();
        assert_eq!(serde_json::to_value(&payment).unwrap(), vector["expected"]);
        let message = pay_sign_message(appid, timestamp, nonce, &payment.package);
        assert_eq!(payment.pay_sign, key.sign(&message));
    }
}
