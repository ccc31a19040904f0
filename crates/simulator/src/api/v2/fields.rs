//! Reads the fields of a request. What is taken was checked; lengths are in bytes, as APIv2 counts.

use wechatpay::UnixSeconds;
use wechatpay::v2::Fields;

use super::error::Error;
use crate::calendar;

/// The dearest order, in fen.
const AMOUNT_FEN_MAX: i64 = 1_000_000_000;

/// A text that must be there.
pub(super) fn text(fields: &Fields, name: &str, bytes_max: usize) -> Result<String, Error> {
    optional_text(fields, name, bytes_max)?.ok_or_else(|| Error::missing(name))
}

/// A text that may be there.
pub(super) fn optional_text(fields: &Fields, name: &str, bytes_max: usize) -> Result<Option<String>, Error> {
    match fields.get(name) {
        Some(text) if text.len() > bytes_max => Err(Error::Said(format!("{name}参数长度有误"))),
        text => Ok(text.map(str::to_owned)),
    }
}

/// A number of the merchant's own.
pub(super) fn number(fields: &Fields, name: &str, bytes_max: usize, marks: &[u8]) -> Result<String, Error> {
    let number = text(fields, name, bytes_max)?;
    let fits = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte));
    if fits { Ok(number) } else { Err(Error::invalid(name)) }
}

/// An amount in fen, one at least.
pub(super) fn fen(fields: &Fields, name: &str) -> Result<i64, Error> {
    let given = fields.fen_optional(name).map_err(|_| Error::invalid(name))?;
    let fen = given.ok_or_else(|| Error::missing(name))?.get();
    if (1..=AMOUNT_FEN_MAX).contains(&fen) { Ok(fen) } else { Err(Error::invalid(name)) }
}

/// `yyyyMMddHHmmss` that may be there.
pub(super) fn optional_time(fields: &Fields, name: &str) -> Result<Option<UnixSeconds>, Error> {
    let Some(text) = fields.get(name) else { return Ok(None) };
    calendar::second(text).map(Some).ok_or_else(|| Error::invalid(name))
}

/// One of these, or nothing.
pub(super) fn optional_word<'a>(
    fields: &'a Fields,
    name: &str,
    allowed: &[&str],
) -> Result<Option<&'a str>, Error> {
    match fields.get(name) {
        Some(word) if !allowed.contains(&word) => Err(Error::invalid(name)),
        word => Ok(word),
    }
}
