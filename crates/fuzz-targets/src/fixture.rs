//! Keys of the test vectors, and what WeChat Pay does with its own: signing and sealing.
//!
//! Deliberately absent: any key that is in use anywhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::Value;
use wechatpay::answer::Answer;
use wechatpay::v2::ApiV2Key;
use wechatpay::{
    ApiV3Key, Callback, MerchantKey, PlatformKey, PlatformKeys, UnixSeconds, VerifiedCallback,
    callback_message, headers,
};

/// When the vectors were signed, and when everything is looked at.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_750_000_000);

/// The merchant of the vectors.
pub(crate) const MCHID: &str = "1900000001";

/// The nonce of what is sealed here, 12 bytes.
pub(crate) const SEAL_NONCE: &str = "nonce0000099";

/// The associated data of what is sealed here.
pub(crate) const SEAL_DATA: &str = "transaction";

const NONCE: &str = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS";

const OTHER_KEY: &str = "00000000000000000000000000000000";

/// A vector file, parsed once.
pub(crate) fn vectors(text: &str) -> Value {
    serde_json::from_str(text).expect("BUG: the vectors are JSON, and tests read them too")
}

pub(crate) static VECTORS: LazyLock<Vectors> = LazyLock::new(Vectors::read);

pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(Keys::read);

/// What WeChat Pay signed, by its message: the signature's key and the signature. Whatever verifies is one of these.
pub(crate) static GENUINE: LazyLock<BTreeMap<Vec<u8>, Genuine>> = LazyLock::new(genuine);

pub(crate) struct Vectors {
    pub(crate) keys: Value,
    pub(crate) callbacks: Value,
    pub(crate) sm: Value,
    pub(crate) v2: Value,
}

impl Vectors {
    fn read() -> Self {
        Self {
            keys: vectors(include_str!("../../wechatpay/tests/vectors/keys.json")),
            callbacks: vectors(include_str!("../../wechatpay/tests/vectors/callbacks.json")),
            sm: vectors(include_str!("../../wechatpay/tests/vectors/sm.json")),
            v2: vectors(include_str!("../../wechatpay/tests/vectors/v2.json")),
        }
    }
}

/// A text of a vector.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("BUG: the vectors have it, and tests read it too")
}

pub(crate) struct Keys {
    pub(crate) platform: PlatformKeys,
    pub(crate) signer: MerchantKey,
    pub(crate) merchant: MerchantKey,
    pub(crate) apiv3: ApiV3Key,
    pub(crate) other_apiv3: ApiV3Key,
    pub(crate) apiv2: ApiV2Key,
    pub(crate) other_apiv2: ApiV2Key,
    signer_id: String,
    sealing: LessSafeKey,
    sealing_v2: PaddedBlockEncryptingKey,
}

impl Keys {
    fn read() -> Self {
        const FIT: &str = "BUG: the keys of the vectors are good, and tests use them too";
        let (keys, sm) = (&VECTORS.keys, &VECTORS.sm["keys"]);
        let public = |key: &Value| PlatformKey::from_public_key_pem(text(key, "id"), text(key, "public_pem"));
        let certificate = |key: &Value| PlatformKey::from_certificate_pem(text(key, "certificate_pem"));
        let private = |key: &Value| MerchantKey::from_pkcs8_pem("01", text(key, "private_pem")).expect(FIT);
        // Those of 国密 are keys only in a build that has it.
        let platform = [
            public(&keys["public_key"]),
            certificate(&keys["certificate"]),
            certificate(&keys["certificate_4096"]),
            public(&sm["public_key"]),
            certificate(&sm["certificate"]),
        ];
        let (apiv3, apiv2) = (text(keys, "apiv3_key"), text(&VECTORS.v2, "apiv2_key"));
        let sealing = UnboundKey::new(&AES_256_GCM, apiv3.as_bytes()).expect(FIT);
        let sealing_v2: String = Md5::digest(apiv2).iter().map(|byte| format!("{byte:02x}")).collect();
        let sealing_v2 = UnboundCipherKey::new(&AES_256, sealing_v2.as_bytes()).expect(FIT);
        Self {
            platform: PlatformKeys::new(platform.into_iter().flatten()),
            signer: private(&keys["public_key"]),
            merchant: private(&keys["merchant"]),
            apiv3: ApiV3Key::new(apiv3).expect(FIT),
            other_apiv3: ApiV3Key::new(OTHER_KEY).expect(FIT),
            apiv2: ApiV2Key::new(apiv2).expect(FIT),
            other_apiv2: ApiV2Key::new(OTHER_KEY).expect(FIT),
            signer_id: text(&keys["public_key"], "id").to_owned(),
            sealing: LessSafeKey::new(sealing),
            sealing_v2: PaddedBlockEncryptingKey::ecb_pkcs7(sealing_v2).expect(FIT),
        }
    }
}

pub(crate) struct Genuine {
    pub(crate) serial: String,
    pub(crate) signature: String,
    pub(crate) plaintext: String,
}

fn genuine() -> BTreeMap<Vec<u8>, Genuine> {
    let mut all = BTreeMap::new();
    let of_sm = VECTORS.sm["callbacks"].as_array().into_iter().flatten();
    for vector in VECTORS.callbacks["vectors"].as_array().into_iter().flatten().chain(of_sm) {
        let sent = &vector["headers"];
        let (timestamp, nonce) = (text(sent, "Wechatpay-Timestamp"), text(sent, "Wechatpay-Nonce"));
        let plaintext =
            vector["expected"]["plaintext"].as_str().unwrap_or_else(|| text(&VECTORS.sm, "plaintext"));
        let entry = Genuine {
            serial: text(sent, "Wechatpay-Serial").to_owned(),
            signature: text(sent, "Wechatpay-Signature").to_owned(),
            plaintext: plaintext.to_owned(),
        };
        all.insert(callback_message(timestamp, nonce, text(vector, "body").as_bytes()), entry);
    }
    all
}

/// A body that WeChat Pay signed a moment ago.
pub(crate) struct Signed<'a> {
    headers: [(&'static str, String); 4],
    body: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let timestamp = NOW.0.to_string();
        let signature = KEYS.signer.sign(&callback_message(&timestamp, NONCE, body));
        let serial = KEYS.signer_id.clone();
        let headers = [
            (headers::TIMESTAMP, timestamp),
            (headers::NONCE, NONCE.to_owned()),
            (headers::SIGNATURE, signature),
            (headers::SERIAL, serial),
        ];
        Self { headers, body }
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (*name, value.as_bytes()))
    }

    /// What is signed verifies, whatever it says.
    pub(crate) fn verified(&self) -> VerifiedCallback<'_> {
        let callback = Callback::parse(self.headers(), self.body).expect("BUG: these are four good headers");
        callback.verify(&KEYS.platform, NOW).expect("BUG: it was signed just now by one of these keys")
    }

    /// The same bytes as an answer.
    pub(crate) fn answer(&self) -> Answer<'_> {
        Answer::parse(200, self.headers(), self.body).expect("BUG: these are four good headers")
    }
}

/// Base64 of ciphertext and tag under the APIv3 key, with [`SEAL_NONCE`] and this associated data.
pub(crate) fn seal(plaintext: &[u8], associated_data: &str) -> String {
    let nonce = Nonce::try_assume_unique_for_key(SEAL_NONCE.as_bytes()).expect("BUG: it has 12 bytes");
    let mut sealed = plaintext.to_vec();
    KEYS.sealing
        .seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut sealed)
        .expect("BUG: inputs are far from the 64 GiB that the cipher takes");
    STANDARD.encode(sealed)
}

/// A `req_info` of APIv2 with this text in it.
pub(crate) fn seal_v2(plaintext: &[u8]) -> String {
    let mut sealed = plaintext.to_vec();
    KEYS.sealing_v2.encrypt(&mut sealed).expect("BUG: ECB takes whole blocks, and PKCS#7 makes them whole");
    STANDARD.encode(sealed)
}
