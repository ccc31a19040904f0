//! Everything that can be wrong, split by whose fault it is.
//!
//! [`KeyError`] is the configuration's, [`HeaderError`] and [`VerifyError`] are the sender's (who need not be WeChat),
//! [`OpenError`] is met only after the signature was verified: WeChat sent it so, or our APIv3 key is wrong.
//! [`FieldError`] is the caller's, who gave a text or a key that does not go.
//! Deliberately absent: HTTP statuses, and the contents of keys and of decrypted text.

use serde::de::Error as _;

use crate::{Notification, Suite, UnixSeconds};

/// A key, certificate, serial or secret that cannot be used as given. Each text says what to give instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A certificate where a bare key belongs.
    #[error(
        "this file is a certificate; give the key: `pub_key.pem` for WeChat Pay's public key, `apiclient_key.pem` \
         for the merchant's private key"
    )]
    CertificateInsteadOfKey,
    /// A bare key where a certificate belongs.
    #[error("this file is a key; give WeChat Pay's platform certificate (`-----BEGIN CERTIFICATE-----`)")]
    KeyInsteadOfCertificate,
    /// A bare key where the merchant's certificate belongs.
    #[error("this file is a key; give the merchant's API certificate, `apiclient_cert.pem`")]
    KeyInsteadOfMerchantCertificate,
    /// A private key where a public one belongs.
    #[error(
        "this file is a private key, which WeChat Pay would never hand out; give WeChat Pay's public key, `pub_key.pem`"
    )]
    PrivateInsteadOfPublic,
    /// A public key where a private one belongs.
    #[error("this file is a public key; give the merchant's private key, `apiclient_key.pem`")]
    PublicInsteadOfPrivate,
    /// A private key under a passphrase.
    #[error(
        "this private key is encrypted; decrypt it first: `openssl pkcs8 -in FILE -out apiclient_key.pem`"
    )]
    EncryptedPrivateKey,
    /// Not one PEM block.
    #[error(
        "this is not one PEM block: it must begin with a line `-----BEGIN …-----`, end with a line `-----END …-----` \
         and hold base64 in lines of 64 between them"
    )]
    NotPem,
    /// A PEM block of a kind that has no use here.
    #[error(
        "a PEM block of the kind {label:?} is of no use here; give a CERTIFICATE, PUBLIC KEY or PRIVATE KEY"
    )]
    UnexpectedPem {
        /// The kind that the block's first line names; `(unreadable)` where that is no label.
        label: String,
    },
    /// PEM, but what it holds is broken.
    #[error("the contents of this PEM block are damaged; copy the file anew")]
    Malformed,
    /// A key of another algorithm.
    #[error(
        "this key is not an RSA key; WeChat Pay's `WECHATPAY2-SHA256-RSA2048` needs one (and `WECHATPAY2-SM2-WITH-SM3` \
         an SM2 key, a private one as PKCS#8)"
    )]
    NotRsa,
    /// An SM2 key, where the crate was built without 国密.
    #[error(
        "this is an SM2 key, and this build has no 国密; build with the feature `sm`, or give an RSA key"
    )]
    SmNotBuilt,
    /// An SM2 key where the cashier wants RSA.
    #[error(
        "this is an SM2 key, and payments are confirmed under `signType` RSA, the only one that WeChat Pay documents; \
         give an RSA key of the merchant's"
    )]
    PaymentNeedsRsa,
    /// An RSA key that is too weak.
    #[error("this RSA key has {bits} bits; at least 2048 are needed")]
    TooShort {
        /// Bits of its modulus.
        bits: u32,
    },
    /// An RSA key that is larger than any in use.
    #[error("this RSA key has {bits} bits; at most 8192 are supported")]
    TooLong {
        /// Bits of its modulus.
        bits: u32,
    },
    /// An APIv3 key that does not have 32 bytes.
    #[error(
        "an APIv3 key has exactly 32 characters, this has {bytes} bytes; set it on the merchant platform"
    )]
    ApiV3KeyLength {
        /// Bytes given.
        bytes: usize,
    },
    /// An APIv3 key with a character outside ASCII.
    #[error("an APIv3 key is made of ASCII letters and digits; this one has another character")]
    ApiV3KeyNotAscii,
    /// An APIv2 key that does not have 32 bytes.
    #[error(
        "an APIv2 key has exactly 32 characters, this has {bytes} bytes; set it on the merchant platform"
    )]
    ApiV2KeyLength {
        /// Bytes given.
        bytes: usize,
    },
    /// An APIv2 key with a character outside ASCII.
    #[error("an APIv2 key is made of ASCII letters and digits; this one has another character")]
    ApiV2KeyNotAscii,
    /// Neither a public-key id nor a certificate's serial.
    #[error(
        "a serial is `PUB_KEY_ID_…`, as the merchant platform shows it, or a certificate's, 1 to 40 hex digits"
    )]
    SerialMalformed,
    /// A certificate's serial where the id of a public key belongs.
    #[error("a public key goes with its id, `PUB_KEY_ID_…`; a hex serial belongs to a certificate")]
    CertificateSerialInsteadOfPublicKeyId,
    /// The id of a public key where a certificate's serial belongs.
    #[error(
        "a merchant's key goes with its API certificate's serial, hex digits; `PUB_KEY_ID_…` is WeChat Pay's"
    )]
    PublicKeyIdInsteadOfCertificateSerial,
}

/// The signature headers are not as WeChat sends them. `header` is one of [`crate::headers::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not there. Some proxies strip `Wechatpay-*`.
    #[error("the header {header} is missing; does a proxy strip it?")]
    Missing {
        /// Which.
        header: &'static str,
    },
    /// There more than once.
    #[error("the header {header} is there more than once")]
    Repeated {
        /// Which.
        header: &'static str,
    },
    /// There, without a value.
    #[error("the header {header} is empty")]
    Empty {
        /// Which.
        header: &'static str,
    },
    /// Longer than any that WeChat sends.
    #[error("the header {header} has {len} bytes; at most {len_max} are allowed")]
    Oversized {
        /// Which.
        header: &'static str,
        /// Bytes it has.
        len: usize,
        /// Bytes it may have.
        len_max: usize,
    },
    /// Holds a byte that is not visible ASCII.
    #[error("the header {header} holds a byte that is not visible ASCII")]
    NotAscii {
        /// Which.
        header: &'static str,
    },
    /// The timestamp is not a decimal number.
    #[error("the header {} is not a number of Unix seconds", crate::headers::TIMESTAMP)]
    MalformedTimestamp,
}

/// The callback or answer is not proven to come from WeChat Pay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// WeChat tests whether signatures are verified, by one that is deliberately wrong and begins with
    /// `WECHATPAY/SIGNTEST/`. Refuse it, and count it apart from forgeries.
    #[error("WeChat Pay's signature probe; refusing it is what it asks for")]
    SignatureProbe,
    /// Signed 300 s or more before or after now (WeChat's rule for replays; a resend is signed anew).
    #[error("signed at {} but it is {} now, Unix seconds; does this machine's clock run right?", timestamp.0, now.0)]
    StaleTimestamp {
        /// When it says that it was signed.
        timestamp: UnixSeconds,
        /// When it was looked at.
        now: UnixSeconds,
    },
    /// No key, or only a certificate that has expired, goes by this serial.
    #[error("no valid platform key has the serial {serial:?}")]
    UnknownSerial {
        /// As sent.
        serial: String,
    },
    /// Signed by an algorithm that this build does not know.
    #[error(
        "the signature type {signature_type:?} is not supported, only {}",
        supported("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3")
    )]
    UnsupportedSignatureType {
        /// As sent.
        signature_type: String,
    },
    /// The signature is said to be of one suite, and the key that goes by the serial is of the other.
    #[error(
        "the signature is said to be {signed}, but the key {serial:?} is one for {key}; was the right key configured?"
    )]
    OtherSuite {
        /// As sent.
        serial: String,
        /// The suite that `Wechatpay-Signature-Type` names; without it, RSA.
        signed: Suite,
        /// The suite of the key.
        key: Suite,
    },
    /// Not canonical base64.
    #[error("the signature is not base64")]
    MalformedSignature,
    /// The key named did not sign these bytes.
    #[error("the signature does not fit; was the body changed on its way?")]
    SignatureMismatch,
}

/// WeChat signed it, but it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The body is not UTF-8.
    #[error("the body is not UTF-8")]
    BodyNotUtf8,
    /// The body is not JSON, or not the envelope of a notification.
    #[error("the body is not a notification: {0}")]
    BodyNotJson(#[source] serde_json::Error),
    /// A `resource_type` other than `encrypt-resource`.
    #[error("the resource type {resource_type:?} is not supported, only encrypt-resource")]
    UnsupportedResourceType {
        /// As sent.
        resource_type: String,
    },
    /// A cipher that this build does not know.
    #[error(
        "the algorithm {algorithm:?} is not supported, only {}",
        supported("AEAD_AES_256_GCM", "AEAD_SM4_GCM")
    )]
    UnsupportedAlgorithm {
        /// As sent.
        algorithm: String,
    },
    /// The nonce does not have 12 bytes.
    #[error("the resource's nonce has {bytes} bytes instead of 12")]
    NonceLength {
        /// Bytes it has.
        bytes: usize,
    },
    /// The ciphertext is not canonical base64.
    #[error("the ciphertext is not base64")]
    CiphertextNotBase64,
    /// The ciphertext is shorter than its authentication tag.
    #[error("the ciphertext has {bytes} bytes, fewer than the 16 of its tag")]
    CiphertextTooShort {
        /// Bytes after base64.
        bytes: usize,
    },
    /// The authentication tag does not fit: as the envelope is WeChat's own, our APIv3 key is wrong.
    #[error("the resource does not open with this APIv3 key; was the key reset on the merchant platform?")]
    WrongKey,
    /// The decrypted text is not UTF-8.
    #[error("the decrypted resource is not UTF-8")]
    PlaintextNotUtf8,
    /// The decrypted text is not JSON.
    #[error("the decrypted resource is not JSON: {}", without_texts(.0))]
    PlaintextNotJson(#[source] serde_json::Error),
    /// The decrypted JSON does not have the fields or values of its type, such as an amount that is no whole
    /// number, negative, or over `i64`.
    #[error("the decrypted resource is no {original_type}: {}", without_texts(source))]
    ResourceMalformed {
        /// The type that it should have had.
        original_type: String,
        /// Where and why; it quotes no text of the resource.
        source: serde_json::Error,
        /// The rest of the notification: WeChat Pay signed it, so that it can be kept and handed on all the same.
        notification: Box<Notification>,
    },
}

impl OpenError {
    /// Whether our own APIv3 key is at fault, so that the same bytes may open once it is mended.
    #[must_use]
    pub fn is_key_fault(&self) -> bool {
        matches!(self, Self::WrongKey)
    }
}

/// A sensitive field (a name, a number) that cannot be encrypted for WeChat Pay or decrypted from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Nothing to encrypt.
    #[error("the field is empty; leave it out of the request instead")]
    Empty,
    /// More than one block of RSA takes.
    #[error("the field has {bytes} bytes; this key encrypts at most {bytes_max}")]
    TooLong {
        /// Bytes it has.
        bytes: usize,
        /// Bytes it may have.
        bytes_max: usize,
    },
    /// The key was read, but does not encrypt: it was never a real one.
    #[error("this platform key cannot encrypt; copy it anew from the merchant platform")]
    UnfitKey,
    /// Not canonical base64.
    #[error("the encrypted field is not base64")]
    NotBase64,
    /// Encrypted for another certificate than the one that this key belongs to.
    #[error(
        "the field does not open with this private key; is it the key of the certificate that signed the request?"
    )]
    WrongKey,
    /// The decrypted text is not UTF-8.
    #[error("the decrypted field is not UTF-8")]
    NotUtf8,
}

/// What this build knows, of two algorithms.
fn supported(rsa: &str, sm: &str) -> String {
    if cfg!(feature = "sm") {
        format!("{rsa} and {sm}")
    } else {
        format!("{rsa} (and {sm} with the feature `sm`)")
    }
}

/// What serde says, without the texts that it quotes: neither `Display` nor `Debug` nor the source of an error may name
/// the payer.
pub(crate) fn quiet(error: &serde_json::Error) -> serde_json::Error {
    serde_json::Error::custom(without_texts(error))
}

/// The same as a text.
fn without_texts(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match (said.find('"'), said.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &said[..=first], &said[last..]),
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_about_a_resource_does_not_quote_it() {
        let source = serde_json::from_str::<Vec<u8>>(r#""an \"openid\" of a payer""#).unwrap_err();
        let notification = Box::new(Notification {
            id: "EV-1".to_owned(),
            create_time: String::new(),
            event_type: String::new(),
            summary: String::new(),
            original_type: None,
            product: crate::Product::Payment,
            resource: crate::Resource::Other,
            plaintext: "an openid".to_owned(),
        });
        let original_type = "transaction".to_owned();
        let error = OpenError::ResourceMalformed { original_type, source, notification };
        let said = error.to_string();
        assert!(said.contains("invalid type: string \"…\", expected") && !said.contains("openid"), "{said}");
    }
}
