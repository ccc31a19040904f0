//! A notice of APIv2: fields in XML, signed, or sealed where it tells of a refund.
//!
//! Invariant: the same notice has the same body over all attempts, since nothing in it is of one attempt.

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use wechatpay::v2::{ApiV2Key, Fields, SignType, UnwritableError, sign, write_xml};

use crate::books::Protocol;

/// One POST of APIv2 to a notify URL.
#[derive(Clone, Debug)]
pub(crate) struct XmlCallback(Bytes);

impl XmlCallback {
    /// Signs what is told.
    pub(crate) fn signed(
        told: &[(String, String)],
        nonce: &str,
        key: &ApiV2Key,
        protocol: Protocol,
    ) -> Result<Self, UnwritableError> {
        let mut fields = fields_of(told);
        fields.insert("nonce_str", nonce);
        let sign_type = if protocol == Protocol::V2Hmac { SignType::HmacSha256 } else { SignType::Md5 };
        let made = sign(&fields, sign_type, key);
        fields.insert("sign", made);
        Ok(Self(write_xml(&fields)?.into()))
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
        Ok(Self(write_xml(&fields)?.into()))
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.0
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
