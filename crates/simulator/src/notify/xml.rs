//! A notice of APIv2: fields in XML, signed, or sealed where it tells of a refund.
//!
//! Invariant: the same notice has the same body over all attempts, since nothing in it is of one attempt.

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use rand::Rng;
use wechatpay::v2::{ApiV2Key, Fields, SignType, UnwritableError, sign, write_xml};

use crate::Tampering;
use crate::books::Protocol;

/// One POST of APIv2 to a notify URL.
#[derive(Clone, Debug)]
pub(crate) struct XmlCallback(Fields);

impl XmlCallback {
    /// Signs what is told.
    pub(crate) fn signed(
        told: &[(String, String)],
        nonce: &str,
        apiv2_key: &ApiV2Key,
        protocol: Protocol,
    ) -> Self {
        let mut fields = fields_of(told);
        fields.insert("nonce_str", nonce);
        let sign_type = if protocol == Protocol::V2Hmac { SignType::HmacSha256 } else { SignType::Md5 };
        let made = sign(&fields, sign_type, apiv2_key);
        fields.insert("sign", made);
        Self(fields)
    }

    /// Seals what is told of a refund under the MD5 of the APIv2 key, and signs nothing.
    pub(crate) fn sealed(
        outer: &[(String, String)],
        inner: &[(String, String)],
        nonce: &str,
        apiv2_key: &str,
    ) -> Result<Self, UnwritableError> {
        let inner = write_xml(&fields_of(inner))?;
        let inner = inner.strip_prefix("<xml>").and_then(|inner| inner.strip_suffix("</xml>"));
        let inner = format!("<root>{}</root>", inner.unwrap_or_default());
        let mut fields = fields_of(outer);
        fields.insert("nonce_str", nonce);
        fields.insert("req_info", req_info(&inner, apiv2_key));
        Ok(Self(fields))
    }

    /// The copy after somebody without the key had his hands on a field; on the body he has them later.
    pub(crate) fn tampered(mut self, tampering: Tampering, rng: &mut impl Rng) -> Self {
        let name = match tampering {
            Tampering::SignatureByte => "sign",
            Tampering::NonceByte => "nonce_str",
            _ => return self,
        };
        if let Some(mut value) = self.0.get(name).map(str::to_owned) {
            let at = rng.random_range(0..value.len());
            // Not a letter in the other case, which some take for the same.
            let other = if value.as_bytes()[at] == b'0' { "1" } else { "0" };
            value.replace_range(at..=at, other);
            self.0.insert(name, value);
        }
        self
    }

    /// As it is posted.
    pub(crate) fn body(&self) -> Result<Bytes, UnwritableError> {
        write_xml(&self.0).map(Bytes::from)
    }
}

fn fields_of(told: &[(String, String)]) -> Fields {
    let mut fields = Fields::default();
    told.iter().for_each(|(name, value)| fields.insert(name, value.as_str()));
    fields
}

/// AES-256-ECB with PKCS#7 padding, in base64.
fn req_info(plaintext: &str, apiv2_key: &str) -> String {
    let key: String = Md5::digest(apiv2_key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes())
        .expect("BUG: 32 hex digits are the length of an AES-256 key, and any bytes are one");
    let key = PaddedBlockEncryptingKey::ecb_pkcs7(key)
        .expect("BUG: ECB needs nothing of a key beyond what makes it one of AES-256");
    let mut sealed = plaintext.as_bytes().to_vec();
    key.encrypt(&mut sealed).expect("BUG: a vector grows by its padding");
    STANDARD.encode(sealed)
}
