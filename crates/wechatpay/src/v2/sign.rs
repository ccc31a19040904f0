//! The `sign` of APIv2: made, and verified.
//!
//! Rule (WeChat Pay): all fields except `sign` and empty ones, sorted by name as bytes, joined `name=value` with `&`,
//! values raw; then `&key=` and the key; MD5 or HMAC-SHA256 of that under the key, as upper-case hex. Invariant: the
//! key is fed to the hash and never becomes part of a text.
//!
//! The rule does not say where a value ends: `a=1&b=2` may be one field or two. What keeps that harmless is the order
//! by name, which leaves a payer-given value (`attach`) room only for names between its neighbours, and that one field
//! may not come twice. Deliberately absent: signs that end in `&secret=` (WeCom's), which are not WeChat Pay's.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use md5::{Digest as _, Md5};

use super::{ApiV2Key, Fields, SignError, VerifiedFields};

const MD5: &str = "MD5";
const HMAC_SHA256: &str = "HMAC-SHA256";

/// Hex digits of MD5's 16 bytes.
const MD5_SIGN_LEN: usize = 32;
/// Hex digits of SHA-256's 32 bytes.
const HMAC_SHA256_SIGN_LEN: usize = 64;

/// How much of an unknown `sign_type` an error repeats, in characters; the known ones have at most 11.
const SIGN_TYPE_SHOWN: usize = 32;

/// Which algorithm makes a `sign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignType {
    /// MD5: what WeChat Pay takes for granted where `sign_type` is absent from a *request*.
    Md5,
    /// HMAC-SHA256.
    HmacSha256,
}

impl SignType {
    /// As in the field `sign_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => MD5,
            Self::HmacSha256 => HMAC_SHA256,
        }
    }

    /// What a message says that it was signed with. Notices mostly say nothing, whatever the order asked for; the
    /// length of the sign tells then.
    fn of(fields: &Fields, sign: &str) -> Result<Self, SignError> {
        match fields.get("sign_type") {
            Some(MD5) => Ok(Self::Md5),
            Some(HMAC_SHA256) => Ok(Self::HmacSha256),
            Some(other) => {
                Err(SignError::UnknownType { sign_type: other.chars().take(SIGN_TYPE_SHOWN).collect() })
            }
            None => match sign.len() {
                MD5_SIGN_LEN => Ok(Self::Md5),
                HMAC_SHA256_SIGN_LEN => Ok(Self::HmacSha256),
                bytes => Err(SignError::Length { bytes }),
            },
        }
    }
}

impl fmt::Display for SignType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is signed, up to `&key=` and the key. For looking into a sign that does not fit; it holds every value.
#[must_use]
pub fn sign_message(fields: &Fields) -> String {
    let mut signed: Vec<_> =
        fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    signed.sort_unstable();
    let mut message = String::new();
    for (name, value) in signed {
        if !message.is_empty() {
            message.push('&');
        }
        message.extend([name, "=", value]);
    }
    message
}

/// The sign of fields, upper-case hex. A field `sign` among them is passed over; `sign_type`, where there is one, is
/// signed like any other and should say what `sign_type` says.
#[must_use]
pub fn sign(fields: &Fields, sign_type: SignType, key: &ApiV2Key) -> String {
    let message = sign_message(fields);
    let parts = [message.as_bytes(), b"&key=", key.bytes()];
    match sign_type {
        SignType::Md5 => {
            let mut hash = Md5::new();
            parts.iter().for_each(|part| hash.update(part));
            hex(&hash.finalize(), true)
        }
        SignType::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
            let mut context = hmac::Context::with_key(&key);
            parts.iter().for_each(|part| context.update(part));
            hex(context.sign().as_ref(), true)
        }
    }
}

impl Fields {
    /// Proves that one who knows the key signed every field, by the algorithm that `sign_type` names or, where it is
    /// absent, that makes signs of this length. In constant time; letter case of the sign does not count.
    ///
    /// `expected` insists on an algorithm. Leave it `None` for notices: WeChat Pay has sent MD5 for orders that asked
    /// for HMAC-SHA256.
    ///
    /// # Errors
    /// In this order: no sign, an unknown type or length, another type than `expected`, a sign that does not fit.
    pub fn verify(self, key: &ApiV2Key, expected: Option<SignType>) -> Result<VerifiedFields, SignError> {
        let sent = self.get("sign").ok_or(SignError::Missing)?;
        let found = SignType::of(&self, sent)?;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(SignError::UnexpectedType { expected, found });
        }
        let made = sign(&self, found, key);
        verify_slices_are_equal(made.as_bytes(), sent.to_ascii_uppercase().as_bytes())
            .map_err(|_| SignError::Mismatch)?;
        Ok(VerifiedFields(self))
    }
}

pub(super) fn hex(bytes: &[u8], upper: bool) -> String {
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let digit = |nibble: u8| char::from(digits[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}
