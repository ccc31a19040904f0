//! Sensitive fields, such as names: they decrypt what we encrypt, we decrypt what they encrypt.

use serde_json::json;
use wechatpay::PlatformKey;

use crate::fixture::{INPUTS, Pair, Parties, THEIR_SERIAL, checks};
use crate::generate;

/// Bytes that RSA-2048 takes with OAEP and SHA-1.
const LENGTH_MAX: usize = 214;

checks! {
    Wechatpayv3 in wechatpayv3 { what_we_encrypt_is_decrypted, what_they_encrypt_is_decrypted }
    WechatpayAxiosPlugin in wechatpay_axios_plugin { what_we_encrypt_is_decrypted, what_they_encrypt_is_decrypted }
}

/// The SDKs decrypt with the merchant's key: we encrypt as WeChat Pay does for the merchant.
fn what_we_encrypt_is_decrypted(parties: &mut Parties) {
    let Pair { public_pem, .. } = &parties.merchant_pair;
    let key = PlatformKey::from_public_key_pem(THEIR_SERIAL, public_pem).unwrap();
    for text in texts(parties) {
        let ciphertext = key.encrypt(&text).unwrap();
        assert_eq!(parties.ask_text("decrypt", json!({ "ciphertext": ciphertext })), text);
    }
}

/// The SDKs encrypt for WeChat Pay: we decrypt as WeChat Pay does.
fn what_they_encrypt_is_decrypted(parties: &mut Parties) {
    let key = parties.their_signer();
    let public_pem = parties.their_platform.public_pem.clone();
    for text in texts(parties) {
        let ciphertext = parties.ask_text("encrypt", json!({ "text": text, "public_pem": public_pem }));
        assert_eq!(key.decrypt(&ciphertext).unwrap(), text);
    }
}

/// From one character to as many as fit.
fn texts(parties: &mut Parties) -> Vec<String> {
    let mut texts = vec!["x".repeat(LENGTH_MAX), "张三".to_owned()];
    while texts.len() < INPUTS {
        let mut text = generate::text(&mut parties.rng, 1 + texts.len());
        while text.len() > LENGTH_MAX {
            text.pop();
        }
        texts.push(text);
    }
    texts
}
