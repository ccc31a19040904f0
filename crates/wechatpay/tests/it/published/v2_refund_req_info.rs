//! `req_info` of APIv2's refund notices.

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::Value;
use wechatpay::KeyError;
use wechatpay::v2::{ApiV2Key, Callback, OpenError, write_xml};

use super::{entries, load, text};

/// What opens to a whole notice.
const NOTICES: [&str; 4] = ["reqinfo-01", "reqinfo-02", "reqinfo-03", "reqinfo-04"];
/// What opens, but to no XML.
const NOT_XML: &str = "reqinfo-05";
/// The bare cipher, under keys that are no MD5 of anything: sound, by the cipher itself.
const RAW_KEYS: [&str; 2] = ["reqinfo-06", "reqinfo-07"];
/// Refused as `req_info`.
const WRONG: &str = "reqinfo-08";
/// A key that is none: refused as such.
const WRONG_AS_KEY: &str = "reqinfo-09";

#[test]
fn every_entry() {
    let Some(file) = load("v2_refund_req_info.json") else { return };
    for entry in entries(&file, 7, 2) {
        let (id, req_info) = (text(entry, "id"), text(entry, "req_info"));
        if RAW_KEYS.contains(&id) {
            let plaintext = decrypt(text(entry, "raw_key"), req_info);
            assert_eq!(plaintext, text(&entry["expected"], "plaintext").as_bytes(), "{id}");
            continue;
        }
        let key = ApiV2Key::new(text(entry, "api_key"));
        if id == WRONG_AS_KEY {
            assert!(matches!(key, Err(KeyError::ApiV2KeyLength { bytes: 8 })), "{id}");
            let other = ApiV2Key::new("wrongkeywrongkeywrongkeywrongkey").unwrap();
            assert_eq!(other.open_req_info(req_info), Err(OpenError::WrongKey), "{id}");
            continue;
        }
        let key = key.unwrap();
        if id == WRONG {
            assert_eq!(key.open_req_info(req_info), Err(OpenError::WrongKey), "{id}");
            assert_eq!(open(entry, &key).unwrap_err(), OpenError::WrongKey, "{id}");
            continue;
        }
        assert_eq!(key.open_req_info(req_info).as_deref(), Ok(text(&entry["expected"], "plaintext")), "{id}");
        let aes_key: String =
            Md5::digest(text(entry, "api_key")).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(aes_key, text(entry, "aes_key"), "{id}");
        if id == NOT_XML {
            assert_eq!(open(entry, &key).unwrap_err(), OpenError::WrongKey, "{id}");
        } else {
            assert!(NOTICES.contains(&id), "{id} stands in no table");
            whole(entry, &key);
        }
    }
}

fn open(entry: &Value, key: &ApiV2Key) -> Result<wechatpay::v2::OpenedRefund, OpenError> {
    let mut fields = wechatpay::v2::Fields::default();
    fields.insert("return_code", "SUCCESS");
    fields.insert("req_info", text(entry, "req_info"));
    let made = write_xml(&fields).unwrap();
    let body = entry["xml"].as_str().unwrap_or(&made);
    let Ok(Callback::Sealed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{body}") };
    callback.open(key)
}

/// Every element of the plaintext is a field of the notice.
fn whole(entry: &Value, key: &ApiV2Key) {
    let id = text(entry, "id");
    let refund = open(entry, key).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(refund.fields.len(), 13, "{id}");
    let plaintext = text(&entry["expected"], "plaintext");
    for (name, value) in refund.fields.iter() {
        assert!(plaintext.contains(&format!("<{name}><![CDATA[{value}]]></{name}>")), "{id}: {name}");
    }
    assert_eq!((refund.refund_status.as_str(), refund.total_fee), ("SUCCESS", refund.refund_fee), "{id}");
    assert!(refund.refunded_at().is_some() && refund.refund_recv_account.is_some(), "{id}");
}

fn decrypt(raw_key: &str, req_info: &str) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_256, raw_key.as_bytes()).unwrap();
    let mut buffer = STANDARD.decode(req_info).unwrap();
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).unwrap();
    key.decrypt(&mut buffer, DecryptionContext::None).unwrap().to_vec()
}
