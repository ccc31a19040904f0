//! The headers that carry the signature of a callback or an answer, read strictly.
//!
//! Invariant: a value that is read is there exactly once, not empty, within its size limit and made of visible ASCII.
//! Deliberately absent: trimming (HTTP libraries have done it) and every other header.

use crate::error::HeaderError;

/// When the callback was signed, Unix seconds.
pub const TIMESTAMP: &str = "wechatpay-timestamp";
/// Random text, part of what is signed.
pub const NONCE: &str = "wechatpay-nonce";
/// The signature, base64.
pub const SIGNATURE: &str = "wechatpay-signature";
/// Which key signed: a public-key id or a certificate's serial.
pub const SERIAL: &str = "wechatpay-serial";
/// Which algorithm signed, a [`crate::Suite::scheme`]; absent means `WECHATPAY2-SHA256-RSA2048`.
pub const SIGNATURE_TYPE: &str = "wechatpay-signature-type";

/// All of them, in lower case. Names are compared without regard to case.
pub const ALL: &[&str; 5] = &[TIMESTAMP, NONCE, SIGNATURE, SERIAL, SIGNATURE_TYPE];

/// Bytes of each header in [`ALL`]. Seen at most 10, 32, 344, 45 and 25; an RSA-8192 signature has 1368, and a
/// probe is a signature with a prefix; the rest leaves room.
const LEN_MAX: [usize; 5] = [18, 128, SIGNATURE_LEN_MAX, 128, 64];

/// Bytes of a signature as text.
pub(crate) const SIGNATURE_LEN_MAX: usize = 1536;

/// The values of [`ALL`], checked one by one; what they say is not believed yet.
#[derive(Clone, Copy)]
pub(crate) struct Unverified<'a> {
    pub(crate) timestamp: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) serial: &'a str,
    pub(crate) signature_type: Option<&'a str>,
}

impl<'a> Unverified<'a> {
    /// Picks the five headers out of all.
    pub(crate) fn pick(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, HeaderError> {
        let mut values: [Option<&'a [u8]>; 5] = [None; 5];
        for (name, value) in headers {
            let Some(index) = ALL.iter().position(|known| known.eq_ignore_ascii_case(name)) else { continue };
            if values[index].replace(value).is_some() {
                return Err(HeaderError::Repeated { header: ALL[index] });
            }
        }
        let required = |index: usize| match values[index] {
            Some(value) => check(index, value),
            None => Err(HeaderError::Missing { header: ALL[index] }),
        };
        Ok(Self {
            timestamp: required(0)?,
            nonce: required(1)?,
            signature: required(2)?,
            serial: required(3)?,
            signature_type: values[4].map(|value| check(4, value)).transpose()?,
        })
    }
}

fn check(index: usize, value: &[u8]) -> Result<&str, HeaderError> {
    let (header, len, len_max) = (ALL[index], value.len(), LEN_MAX[index]);
    if len == 0 {
        return Err(HeaderError::Empty { header });
    }
    if len > len_max {
        return Err(HeaderError::Oversized { header, len, len_max });
    }
    if !value.iter().all(u8::is_ascii_graphic) {
        return Err(HeaderError::NotAscii { header });
    }
    std::str::from_utf8(value).map_err(|_| HeaderError::NotAscii { header })
}
