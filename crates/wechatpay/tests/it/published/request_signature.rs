//! Request signatures and paySign: the message is built by our builders, the published signature must fit it.

use serde_json::Value;
use wechatpay::{PlatformKey, RequestToSign, UnixSeconds, VerifyError, pay_sign_message};

use super::{entries, load, text};

/// Bare strings that an SDK's signer was tested with; there is nothing to build.
const BARE: [&str; 4] = ["sign-07", "sign-08", "sign-16", "sign-17"];

/// Messages built wrongly on purpose: our builders never make them, and the published signature does not fit.
const WRONGLY_BUILT: [&str; 3] = ["sign-25", "sign-26", "sign-27"];

#[test]
fn every_entry() {
    let Some(file) = load("v3_request_signature.json") else { return };
    let (mut requests, mut payments, mut unsigned, mut bare, mut wrong) = (0, 0, 0, 0, 0);
    for entry in entries(&file, 23, 3) {
        let id = text(entry, "id");
        if WRONGLY_BUILT.contains(&id) {
            let signature = text(&entry["expected"], "signature_is_not");
            let result = key(&file, entry).verify(text(entry, "message").as_bytes(), signature);
            assert_eq!(result, Err(VerifyError::SignatureMismatch), "{id}");
            wrong += 1;
        } else if entry["canonical_message_only"] == true {
            assert_eq!(request(entry).message(), text(&entry["expected"], "message").as_bytes(), "{id}");
            unsigned += 1;
        } else if entry["method"].is_string() {
            signed(&file, entry, &request(entry).message());
            authorization(entry);
            requests += 1;
        } else if entry["appid"].is_string() {
            let (appid, nonce, package) =
                (text(entry, "appid"), text(entry, "nonce"), text(entry, "package"));
            signed(&file, entry, &pay_sign_message(appid, timestamp(entry), nonce, package));
            payments += 1;
        } else {
            assert!(BARE.contains(&id), "{id}");
            signed(&file, entry, text(entry, "message").as_bytes());
            bare += 1;
        }
    }
    assert_eq!((requests, payments, unsigned, bare, wrong), (8, 4, 7, 4, 3));
}

fn timestamp(entry: &Value) -> UnixSeconds {
    UnixSeconds(text(entry, "timestamp").parse().unwrap())
}

fn request(entry: &Value) -> RequestToSign<'_> {
    RequestToSign {
        method: text(entry, "method"),
        url: text(entry, "url"),
        timestamp: timestamp(entry),
        nonce: text(entry, "nonce"),
        body: text(entry, "body").as_bytes(),
    }
}

fn key(file: &Value, entry: &Value) -> PlatformKey {
    let pem = text(&file["public_keys"][text(entry, "key")], "public_pem");
    PlatformKey::from_public_key_pem("PUB_KEY_ID_1", pem).unwrap()
}

fn signed(file: &Value, entry: &Value, message: &[u8]) {
    let id = text(entry, "id");
    assert_eq!(message, text(entry, "message").as_bytes(), "{id}");
    let signature = text(&entry["expected"], "signature");
    key(file, entry).verify(message, signature).unwrap_or_else(|error| panic!("{id}: {error}"));
}

/// Where the whole header was published, it is laid out as ours.
fn authorization(entry: &Value) {
    let Some(published) = entry["authorization_header"].as_str() else { return };
    let layout = |header: &str| -> Vec<String> {
        let (scheme, fields) = header.split_once(' ').unwrap();
        let names = fields.split(',').map(|field| field.split_once("=\"").unwrap().0.to_owned());
        std::iter::once(scheme.to_owned()).chain(names).collect()
    };
    let own = crate::fixture::key_text("merchant", "private_pem");
    let own = wechatpay::MerchantKey::from_pkcs8_pem("01", own).unwrap();
    assert_eq!(layout(&request(entry).authorization("1", &own)), layout(published), "{}", entry["id"]);
    let signature = format!("signature=\"{}\"", text(&entry["expected"], "signature"));
    assert!(published.contains(&signature), "{}", entry["id"]);
}
