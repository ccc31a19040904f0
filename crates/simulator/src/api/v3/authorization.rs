//! The `Authorization` header: who asks, and whether it is them.
//!
//! Order matters, since WeChat reports one fault at a time: grammar, scheme, time, serial, signature. Deliberately
//! absent: nonces are not remembered, as WeChat takes a repetition within the five minutes.

use std::sync::Arc;

use wechatpay::{Suite, UnixSeconds};

use super::error::SignError;
use crate::keys::Own;
use crate::simulator::Shared;

/// WeChat allows a request's clock to be off by less than this.
const CLOCK_SECONDS: i64 = 300;

/// Characters of the body that WeChat shows of its signing string.
const BODY_CHARS_SHOWN: usize = 8;

/// Who signed.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) mchid: String,
    /// The certificate whose key signed: sealed fields of the answer are for it.
    pub(super) own: Arc<Own>,
}

/// What is signed.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Path and query as they came.
    pub(super) url: &'a str,
    pub(super) body: &'a [u8],
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Fields<'a> {
    mchid: &'a str,
    nonce_str: &'a str,
    signature: &'a str,
    timestamp: &'a str,
    serial_no: &'a str,
}

/// Who asks.
pub(super) fn caller(
    shared: &Shared,
    header: Option<&str>,
    signed: &Signed<'_>,
) -> Result<Caller, SignError> {
    let (scheme, fields) = header.and_then(|header| header.split_once(' ')).ok_or(SignError::Malformed)?;
    if scheme != Suite::Rsa.scheme() {
        return Err(SignError::Scheme);
    }
    let fields = parse(fields).ok_or(SignError::Malformed)?;
    let timestamp = seconds(fields.timestamp).ok_or(SignError::Malformed)?;
    let UnixSeconds(now) = (shared.wall)();
    if now.saturating_sub(timestamp).saturating_abs() >= CLOCK_SECONDS {
        return Err(SignError::Timestamp);
    }
    let ring = shared.ring(fields.mchid).ok_or(SignError::Serial)?;
    let own = ring.own_of(fields.serial_no).ok_or(SignError::Serial)?;
    if own.certificate().expires.0 < now {
        return Err(SignError::Expired);
    }
    let message = message(signed, &fields);
    if !own.signed(&message, fields.signature) {
        return Err(mismatch(signed, &fields, message.len()));
    }
    Ok(Caller { mchid: fields.mchid.to_owned(), own: Arc::clone(own) })
}

/// A time as WeChat reads it: digits alone. Milliseconds are some, and too far off.
fn seconds(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_number.then(|| text.parse().ok()).flatten()
}

/// `key="value"`, joined by commas, each of the five once, in any order.
fn parse(text: &str) -> Option<Fields<'_>> {
    let mut fields = Fields::default();
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        let place = match name {
            "mchid" => &mut fields.mchid,
            "nonce_str" => &mut fields.nonce_str,
            "signature" => &mut fields.signature,
            "timestamp" => &mut fields.timestamp,
            "serial_no" => &mut fields.serial_no,
            _ => return None,
        };
        if !place.is_empty() || value.is_empty() {
            return None;
        }
        *place = value;
    }
    let Fields { mchid, nonce_str, signature, timestamp, serial_no } = &fields;
    let whole = [mchid, nonce_str, signature, timestamp, serial_no].iter().all(|value| !value.is_empty());
    whole.then_some(fields)
}

fn head(signed: &Signed<'_>, fields: &Fields<'_>) -> String {
    let Signed { method, url, .. } = signed;
    format!("{method}\n{url}\n{}\n{}\n", fields.timestamp, fields.nonce_str)
}

fn message(signed: &Signed<'_>, fields: &Fields<'_>) -> Vec<u8> {
    let mut message = head(signed, fields).into_bytes();
    message.extend_from_slice(signed.body);
    message.push(b'\n');
    message
}

fn mismatch(signed: &Signed<'_>, fields: &Fields<'_>, length: usize) -> SignError {
    let body = String::from_utf8_lossy(signed.body);
    let shown: String = body.chars().take(BODY_CHARS_SHOWN).collect();
    SignError::Mismatch {
        method: signed.method.to_owned(),
        url: signed.url.to_owned(),
        truncated: format!("{}{shown}\n", head(signed, fields)),
        length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_fields() {
        let whole = r#"mchid="1",nonce_str="n",signature="s=",timestamp="2",serial_no="AB""#;
        let fields = Fields { mchid: "1", nonce_str: "n", signature: "s=", timestamp: "2", serial_no: "AB" };
        let turned = r#"serial_no="AB",timestamp="2",signature="s=",nonce_str="n",mchid="1""#;
        assert_eq!(parse(whole), Some(fields));
        assert_eq!(parse(turned), parse(whole));
        for broken in [
            "",
            r#"mchid="1""#,
            &whole.replace("\"AB\"", "AB"),
            &whole.replace(',', ", "),
            &whole.replace("\"n\"", "\"\""),
            &format!(r#"{whole},mchid="1""#),
            &format!(r#"{whole},other="1""#),
            &format!("{whole},"),
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
