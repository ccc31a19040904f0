//! Keys and callbacks of `tests/vectors`, and callbacks made to order with those keys.
//!
//! What is made here is sealed and signed with the test's own platform key, so that a test can reach what comes after
//! the signature.

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay::answer::Answer;
use wechatpay::{
    ApiV3Key, Callback, HeaderError, MerchantKey, Notification, OpenError, PlatformKey, PlatformKeys,
    UnixSeconds, VerifyError, callback_message, headers,
};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_750_000_000);

pub(crate) fn vectors(name: &str) -> Value {
    let text = match name {
        "keys" => include_str!("../vectors/keys.json"),
        "callbacks" => include_str!("../vectors/callbacks.json"),
        "requests" => include_str!("../vectors/requests.json"),
        "resources" => include_str!("../vectors/resources.json"),
        "certificates" => include_str!("../vectors/certificates.json"),
        "fields" => include_str!("../vectors/fields.json"),
        "sm" => include_str!("../vectors/sm.json"),
        "v2" => include_str!("../vectors/v2.json"),
        other => panic!("no vectors {other}"),
    };
    serde_json::from_str(text).unwrap()
}

/// A text of keys.json, such as `("merchant", "private_pem")`.
pub(crate) fn key_text(key: &str, field: &str) -> &'static str {
    static KEYS: OnceLock<Value> = OnceLock::new();
    KEYS.get_or_init(|| vectors("keys"))[key][field].as_str().unwrap()
}

pub(crate) fn apiv3_key_text() -> String {
    vectors("keys")["apiv3_key"].as_str().unwrap().to_owned()
}

pub(crate) fn apiv3_key() -> ApiV3Key {
    ApiV3Key::new(&apiv3_key_text()).unwrap()
}

pub(crate) fn public_key() -> PlatformKey {
    let (id, pem) = (key_text("public_key", "id"), key_text("public_key", "public_pem"));
    PlatformKey::from_public_key_pem(id, pem).unwrap()
}

/// `certificate` or `certificate_4096`.
pub(crate) fn certificate(name: &str) -> PlatformKey {
    PlatformKey::from_certificate_pem(key_text(name, "certificate_pem")).unwrap()
}

/// One of certificates.json, valid around [`NOW`] or not: `expired`, `old`, `new`, `future`.
pub(crate) fn dated(label: &str) -> PlatformKey {
    let pem = &vectors("certificates")["dated"][label]["certificate_pem"];
    PlatformKey::from_certificate_pem(pem.as_str().unwrap()).unwrap()
}

pub(crate) fn platform_keys() -> PlatformKeys {
    PlatformKeys::new([public_key(), certificate("certificate"), certificate("certificate_4096")])
}

/// A private key of keys.json, which signs as WeChat Pay or as the merchant.
pub(crate) fn private_key(name: &str) -> MerchantKey {
    MerchantKey::from_pkcs8_pem("01", key_text(name, "private_pem")).unwrap()
}

/// The entry of a file of vectors with this name.
pub(crate) fn named(entries: &Value, name: &str) -> Value {
    let mut all = entries.as_array().unwrap().iter();
    all.find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no vector {name}")).clone()
}

/// Why a callback was refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    Header(HeaderError),
    Verify(VerifyError),
    #[expect(dead_code, reason = "shown by Debug when a test fails")]
    Open(OpenError),
}

/// A callback as it comes off the wire.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    /// One entry of callbacks.json or of the published vectors.
    pub(crate) fn of_vector(vector: &Value) -> Self {
        let headers = vector["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect();
        Self { headers, body: vector["body"].as_str().unwrap().into() }
    }

    /// Signed at [`NOW`] with the test's platform key, all five headers.
    pub(crate) fn signed(body: impl Into<Vec<u8>>) -> Self {
        static SIGNER: OnceLock<MerchantKey> = OnceLock::new();
        let signer = SIGNER.get_or_init(|| private_key("public_key"));
        Self::signed_by(signer, key_text("public_key", "id"), body)
    }

    /// Signed at [`NOW`] with any key, under any serial.
    pub(crate) fn signed_by(signer: &MerchantKey, serial: &str, body: impl Into<Vec<u8>>) -> Self {
        let (body, timestamp, nonce) = (body.into(), NOW.0.to_string(), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS");
        let signature = signer.sign(&callback_message(&timestamp, nonce, &body));
        let headers = [
            (headers::TIMESTAMP, timestamp.as_str()),
            (headers::NONCE, nonce),
            (headers::SIGNATURE, &signature),
            (headers::SERIAL, serial),
            (headers::SIGNATURE_TYPE, signer.suite().scheme()),
        ];
        Self { headers: headers.map(|(name, value)| (name.to_owned(), value.into())).into(), body }
    }

    pub(crate) fn header_mut(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        &mut found.unwrap().1
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        *self.header_mut(name) = value.into();
        self
    }

    /// The time that it says it was signed at.
    pub(crate) fn timestamp(&self) -> UnixSeconds {
        self.parse().unwrap().unverified_timestamp()
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    pub(crate) fn parse(&self) -> Result<Callback<'_>, HeaderError> {
        Callback::parse(self.headers(), &self.body)
    }

    /// The same bytes as an answer.
    pub(crate) fn answer(&self, status: u16) -> Result<Answer<'_>, HeaderError> {
        Answer::parse(status, self.headers(), &self.body)
    }

    pub(crate) fn verify(&self, keys: &PlatformKeys, now: UnixSeconds) -> Result<(), Refusal> {
        self.parse().map_err(Refusal::Header)?.verify(keys, now).map(|_| ()).map_err(Refusal::Verify)
    }

    pub(crate) fn receive(
        &self,
        keys: &PlatformKeys,
        now: UnixSeconds,
        key: &ApiV3Key,
    ) -> Result<Notification, Refusal> {
        let callback = self.parse().map_err(Refusal::Header)?;
        let verified = callback.verify(keys, now).map_err(Refusal::Verify)?;
        verified.open(key).map_err(Refusal::Open)
    }
}

/// Base64 of ciphertext and tag under the test's APIv3 key.
pub(crate) fn seal(plaintext: &[u8], nonce: &str, associated_data: &str) -> String {
    let key = UnboundKey::new(&AES_256_GCM, apiv3_key_text().as_bytes()).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).unwrap();
    let mut sealed = plaintext.to_vec();
    let associated_data = Aad::from(associated_data.as_bytes());
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, associated_data, &mut sealed).unwrap();
    STANDARD.encode(sealed)
}

/// The envelope of a payment notification around a plaintext.
pub(crate) fn envelope(plaintext: &[u8]) -> Value {
    json!({
        "id": "00000000-0000-5000-8000-000000000099",
        "create_time": "2025-06-15T23:06:40+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": seal(plaintext, "nonce0000099", "transaction"),
            "associated_data": "transaction",
            "nonce": "nonce0000099",
        },
    })
}

/// What becomes of a body that WeChat signed.
pub(crate) fn open_body(body: impl Into<Vec<u8>>) -> Result<Notification, OpenError> {
    let sent = Sent::signed(body);
    let verified = sent.parse().unwrap().verify(&platform_keys(), NOW).unwrap();
    verified.open(&apiv3_key())
}

/// What becomes of a payment notification with this plaintext.
pub(crate) fn open_plaintext(plaintext: impl AsRef<[u8]>) -> Result<Notification, OpenError> {
    open_body(envelope(plaintext.as_ref()).to_string())
}
