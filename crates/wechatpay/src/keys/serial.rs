//! By what name a key goes in `Wechatpay-Serial` and `serial_no`.
//!
//! A `PUB_KEY_ID_…` is opaque and compared verbatim; a certificate's serial is hex and compared without regard to
//! letter case. Deliberately absent: looking into a public-key id.

use std::fmt;

use crate::KeyError;

/// Begins the id of every WeChat Pay public key.
const PUBLIC_KEY_ID_PREFIX: &str = "PUB_KEY_ID_";

/// Characters of a public-key id; 45 have been seen. As long as the header may be.
const PUBLIC_KEY_ID_LEN_MAX: usize = 128;

/// Hex digits of a certificate's serial: 20 bytes (RFC 5280 §4.1.2.2).
const CERTIFICATE_SERIAL_LEN_MAX: usize = 40;

/// The name of a key: `PUB_KEY_ID_…` verbatim, or a certificate's serial in upper-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Serial(String);

impl Serial {
    /// Reads either kind.
    ///
    /// # Errors
    /// [`KeyError::SerialMalformed`] where it is neither.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let serial = match text.strip_prefix(PUBLIC_KEY_ID_PREFIX) {
            Some(rest) => {
                let well_formed = !rest.is_empty()
                    && text.len() <= PUBLIC_KEY_ID_LEN_MAX
                    && rest.bytes().all(|byte| byte.is_ascii_graphic());
                well_formed.then(|| text.to_owned())
            }
            None => {
                let well_formed = (1..=CERTIFICATE_SERIAL_LEN_MAX).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                well_formed.then(|| text.to_ascii_uppercase())
            }
        };
        serial.map(Self).ok_or(KeyError::SerialMalformed)
    }

    /// From the number in a certificate, big-endian. A leading zero byte is DER's sign, not part of the serial.
    pub(super) fn from_certificate(number: &[u8]) -> Self {
        let digits = number.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(number);
        Self(digits.iter().map(|byte| format!("{byte:02X}")).collect())
    }

    /// As WeChat Pay writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names a WeChat Pay public key, not a certificate.
    #[must_use]
    pub fn is_public_key_id(&self) -> bool {
        self.0.starts_with(PUBLIC_KEY_ID_PREFIX)
    }

    /// Whether a header's value is this serial.
    pub(super) fn is_named_by(&self, header: &str) -> bool {
        if self.is_public_key_id() { self.0 == header } else { self.0.eq_ignore_ascii_case(header) }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_what_is_a_serial() {
        for (text, expected) in [
            ("PUB_KEY_ID_0114232134912410000000000000", Some("PUB_KEY_ID_0114232134912410000000000000")),
            ("PUB_KEY_ID_aB", Some("PUB_KEY_ID_aB")),
            ("5f1C72e2a8931b72", Some("5F1C72E2A8931B72")),
            ("0123456789ABC", Some("0123456789ABC")),
            ("PUB_KEY_ID_", None),
            ("pub_key_id_01", None),
            ("PUB_KEY_ID_0 1", None),
            ("", None),
            ("5F1C 72E2", None),
            ("invalid serial number", None),
            ("00000000000000000000000000000000000000000", None),
        ] {
            assert_eq!(Serial::parse(text).ok().as_ref().map(Serial::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn certificate_number_loses_only_the_sign_byte() {
        assert_eq!(Serial::from_certificate(&[0, 0xD7, 0x0E]).as_str(), "D70E");
        assert_eq!(Serial::from_certificate(&[0x0A, 0x00]).as_str(), "0A00");
        assert_eq!(Serial::from_certificate(&[0]).as_str(), "00");
    }

    #[test]
    fn only_certificate_serials_ignore_letter_case() {
        assert!(Serial::parse("AB12").unwrap().is_named_by("ab12"));
        assert!(!Serial::parse("PUB_KEY_ID_AB").unwrap().is_named_by("PUB_KEY_ID_ab"));
    }
}
