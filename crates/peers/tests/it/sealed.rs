//! Resources of callbacks: they open what the simulator seals, we open what they seal.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use payonce_simulator::books::Terms;
use payonce_simulator::{Books, Notification};
use rand::Rng as _;
use serde_json::{Value, json};
use wechatpay::{Callback, Notification as Opened, PlatformKey, PlatformKeys, headers};

use crate::fixture::{INPUTS, NOW, Parties, THEIR_SERIAL, checks, received};
use crate::generate;

checks! {
    Wechatpayv3 in wechatpayv3 {
        what_the_simulator_seals_is_opened,
        what_is_sealed_with_any_associated_data_is_opened,
        what_they_seal_and_sign_is_opened,
    }
    WechatpayAxiosPlugin in wechatpay_axios_plugin {
        what_the_simulator_seals_is_opened,
        what_is_sealed_with_any_associated_data_is_opened,
        what_they_seal_and_sign_is_opened,
    }
}

fn what_the_simulator_seals_is_opened(parties: &mut Parties) {
    let mut books = Books::new();
    books.enrol(parties.merchant.account().clone(), &mut parties.rng);
    for number in 0..INPUTS {
        let (rng, merchant) = (&mut parties.rng, &parties.merchant);
        let attach = (number % 5 != 0).then(|| generate::text(rng, number));
        let out_trade_no = books.free_out_trade_no(merchant.mchid(), NOW, rng);
        let terms = merchant.terms(&out_trade_no, rng.random_range(1..1_000_000));
        books.prepay(Terms { attach, ..terms }, NOW, rng).unwrap();
        let payment = books.pay(&merchant.order_key(&out_trade_no), None, NOW, rng).unwrap();
        let notification = Notification::new(payment, merchant, NOW, rng);
        let callback = notification.signed(&parties.platform, NOW, rng);

        assert_eq!(parties.ask("open_callback", received(&callback, NOW)), notification.plaintext());
    }
}

/// The simulator always names the same associated data; WeChat Pay also sends none, or empty.
fn what_is_sealed_with_any_associated_data_is_opened(parties: &mut Parties) {
    let platform = &parties.platform;
    let key = PlatformKey::from_public_key_pem(platform.serial(), platform.public_key_pem()).unwrap();
    let keys = PlatformKeys::new([key]);
    for number in 0..INPUTS {
        let plaintext = generate::object(&mut parties.rng, number);
        let nonce = generate::alphanumeric(&mut parties.rng, 12);
        let associated_data = [None, Some(""), Some("transaction"), Some("退款 🎉")][number % 4];
        let sealed = seal(parties.merchant.apiv3_key(), &nonce, associated_data.unwrap_or(""), &plaintext);
        let body = envelope(&nonce, associated_data, &sealed);
        let nonce = parties.nonce();
        let callback = parties.platform.sign(body, NOW, nonce);

        assert_eq!(parties.ask("open_callback", received(&callback, NOW)), plaintext.as_str());
        let sent = callback.headers();
        let sent = sent.iter().map(|(name, value)| (*name, value.as_bytes()));
        assert_eq!(open(parties, sent, callback.body(), &keys).plaintext, plaintext);
    }
}

fn what_they_seal_and_sign_is_opened(parties: &mut Parties) {
    let keys = PlatformKeys::new([parties.their_key()]);
    for number in 0..INPUTS {
        let plaintext = generate::object(&mut parties.rng, number);
        let nonce = generate::alphanumeric(&mut parties.rng, 12);
        let associated_data = ["", "transaction", "退款 🎉"][number % 3];
        let given = json!({ "nonce": nonce, "associated_data": associated_data, "plaintext": plaintext });
        let sealed = parties.ask_text("seal", given);
        assert_eq!(sealed, seal(parties.merchant.apiv3_key(), &nonce, associated_data, &plaintext));

        let body = envelope(&nonce, Some(associated_data), &sealed);
        let (timestamp, nonce) = (NOW.0.to_string(), parties.nonce());
        let given = json!({ "timestamp": timestamp, "nonce": nonce, "body": STANDARD.encode(&body) });
        let signature = parties.ask_text("sign_callback", given);
        let sent = [
            (headers::TIMESTAMP, timestamp.as_bytes()),
            (headers::NONCE, nonce.as_bytes()),
            (headers::SIGNATURE, signature.as_bytes()),
            (headers::SERIAL, THEIR_SERIAL.as_bytes()),
        ];
        assert_eq!(open(parties, sent, &body, &keys).plaintext, plaintext);
    }
}

fn open<'a>(
    parties: &Parties,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &'a [u8],
    keys: &PlatformKeys,
) -> Opened {
    let callback = Callback::parse(headers, body).unwrap();
    callback.verify(keys, NOW).unwrap().open(&parties.apiv3_key()).unwrap()
}

/// As the simulator seals, with associated data of the test's choice.
fn seal(apiv3_key: &str, nonce: &str, associated_data: &str, plaintext: &str) -> String {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, apiv3_key.as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).unwrap();
    let mut sealed = plaintext.as_bytes().to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut sealed).unwrap();
    STANDARD.encode(sealed)
}

/// Under an event that nobody knows, so that any JSON is a resource.
fn envelope(nonce: &str, associated_data: Option<&str>, ciphertext: &str) -> Bytes {
    let mut resource = json!({
        "original_type": "anything",
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": ciphertext,
        "nonce": nonce,
    });
    if let Some(associated_data) = associated_data {
        resource["associated_data"] = Value::from(associated_data);
    }
    let envelope = json!({
        "id": "EV-2018022511223320873",
        "create_time": "2025-06-15T23:06:40+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "ANYTHING.HAPPENED",
        "summary": "测试",
        "resource": resource,
    });
    Bytes::from(envelope.to_string())
}
