//! Reads the fields of a request, and says of the first that breaks its rule where it is and what is wrong.
//!
//! Invariants: what is taken was checked; lengths are in characters; a field that no page of WeChat's has is refused, and
//! so is `null`. Deliberately absent: rules across fields.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use wechatpay::UnixSeconds;

use super::error::{FieldError, FieldRule};

type Checked<T> = Result<T, FieldError>;

/// An object in the body, with its place.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
}

/// The body as JSON.
pub(super) fn parse(body: &[u8]) -> Checked<Value> {
    let value = serde_json::from_slice(body).ok().filter(Value::is_object);
    value.ok_or_else(|| FieldError {
        location: "body",
        field: String::new(),
        name: "请求主体",
        value: Value::String(String::new()),
        rule: FieldRule::NotA("JSON 对象"),
    })
}

impl<'a> Object<'a> {
    /// The whole body, that [`parse`] gave, with no other fields than these.
    pub(super) fn whole(value: &'a Value, known: &[&str]) -> Checked<Self> {
        Self::of(value, String::new(), "请求主体")?.knows(known)
    }

    fn of(value: &'a Value, pointer: String, name: &'static str) -> Checked<Self> {
        match value {
            Value::Object(map) => Ok(Self { map, pointer }),
            other => Err(error(pointer, name, other.clone(), FieldRule::NotA("JSON 对象"))),
        }
    }

    /// Refuses fields that are not among these.
    fn knows(self, known: &[&str]) -> Checked<Self> {
        match self.map.iter().find(|(field, _)| !known.contains(&field.as_str())) {
            Some((field, value)) => Err(self.error(field, "", value.clone(), FieldRule::Extra)),
            None => Ok(self),
        }
    }

    /// A text that must be there.
    pub(super) fn text(
        &self,
        field: &str,
        name: &'static str,
        chars: RangeInclusive<usize>,
    ) -> Checked<String> {
        let value = self.must(field, name)?;
        self.as_text(field, name, value, chars)
    }

    /// A text that may be there. An empty one counts as none.
    pub(super) fn optional_text(
        &self,
        field: &str,
        name: &'static str,
        chars_max: usize,
    ) -> Checked<Option<String>> {
        let text = self.map.get(field).map(|value| self.as_text(field, name, value, 0..=chars_max));
        Ok(text.transpose()?.filter(|text| !text.is_empty()))
    }

    /// A number of the merchant's own: ASCII letters, digits, and some marks.
    pub(super) fn number(
        &self,
        field: &str,
        name: &'static str,
        chars: RangeInclusive<usize>,
        marks: &[u8],
    ) -> Checked<String> {
        let number = self.text(field, name, chars)?;
        let fits = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte));
        if fits { Ok(number) } else { Err(self.breaks(field, name, FieldRule::Characters)) }
    }

    /// Where a notice goes. WeChat asks for a public `https` address; a look-alike on the merchant's own machine cannot, and
    /// takes `http` and any host.
    pub(super) fn url(&self, field: &str, name: &'static str, chars_max: usize) -> Checked<String> {
        let url = self.text(field, name, 1..=chars_max)?;
        if is_notify_url(&url) { Ok(url) } else { Err(self.breaks(field, name, FieldRule::NotA(" URL"))) }
    }

    /// The same where it may be missing.
    pub(super) fn optional_url(
        &self,
        field: &str,
        name: &'static str,
        chars_max: usize,
    ) -> Checked<Option<String>> {
        let given = self.optional_text(field, name, chars_max)?;
        given.map(|_| self.url(field, name, chars_max)).transpose()
    }

    /// A text that must be there and be one of these.
    pub(super) fn one_of(&self, field: &str, name: &'static str, allowed: &[&str]) -> Checked<String> {
        let text = self.text(field, name, 1..=64)?;
        if allowed.contains(&text.as_str()) {
            Ok(text)
        } else {
            Err(self.breaks(field, name, FieldRule::NotOneOf))
        }
    }

    /// The address of a user's device, IPv4 or IPv6.
    pub(super) fn address(&self, field: &str, name: &'static str) -> Checked<String> {
        let text = self.text(field, name, 1..=45)?;
        let wrong = |_| self.breaks(field, name, FieldRule::NotA(" IP 地址"));
        text.parse::<IpAddr>().map_err(wrong)?;
        Ok(text)
    }

    /// The same where it may be missing.
    pub(super) fn optional_address(&self, field: &str, name: &'static str) -> Checked<Option<String>> {
        let given = self.optional_text(field, name, 45)?;
        given.map(|_| self.address(field, name)).transpose()
    }

    /// An integer that must be there and be one of these.
    pub(super) fn integer_of(&self, field: &str, name: &'static str, allowed: &[i64]) -> Checked<i64> {
        let number = self.integer(field, name, i64::MIN..=i64::MAX)?;
        if allowed.contains(&number) {
            Ok(number)
        } else {
            Err(self.breaks(field, name, FieldRule::NotOneOf))
        }
    }

    /// An integer that must be there.
    pub(super) fn integer(
        &self,
        field: &str,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Checked<i64> {
        let value = self.must(field, name)?;
        let wrong = |rule| self.error(field, name, value.clone(), rule);
        let number = value.as_i64().ok_or_else(|| wrong(FieldRule::NotA(" 64 位有符号整数")))?;
        if number < *range.start() {
            return Err(wrong(FieldRule::TooSmall { min: *range.start() }));
        }
        if number > *range.end() {
            return Err(wrong(FieldRule::TooLarge { max: *range.end() }));
        }
        Ok(number)
    }

    /// An integer that may be there.
    pub(super) fn optional_integer(
        &self,
        field: &str,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Checked<Option<i64>> {
        self.map.contains_key(field).then(|| self.integer(field, name, range)).transpose()
    }

    /// `true` or `false`, or nothing.
    pub(super) fn optional_bool(&self, field: &str, name: &'static str) -> Checked<Option<bool>> {
        let wrong = |value: &Value| self.error(field, name, value.clone(), FieldRule::NotA("布尔值"));
        self.map.get(field).map(|value| value.as_bool().ok_or_else(|| wrong(value))).transpose()
    }

    /// An object that must be there, with no other fields than these.
    pub(super) fn object(&self, field: &str, name: &'static str, known: &[&str]) -> Checked<Object<'a>> {
        Self::of(self.must(field, name)?, self.at(field), name)?.knows(known)
    }

    /// An object that may be there.
    pub(super) fn optional_object(
        &self,
        field: &str,
        name: &'static str,
        known: &[&str],
    ) -> Checked<Option<Object<'a>>> {
        self.map.contains_key(field).then(|| self.object(field, name, known)).transpose()
    }

    /// A list of objects that may be there, each with no other fields than these.
    pub(super) fn objects(
        &self,
        field: &str,
        name: &'static str,
        known: &[&str],
    ) -> Checked<Vec<Object<'a>>> {
        let entries = self.array(field, name)?.iter().enumerate();
        let entry =
            |(place, value)| Self::of(value, format!("{}/{place}", self.at(field)), name)?.knows(known);
        entries.map(entry).collect()
    }

    /// A list of texts that may be there, each one of these.
    pub(super) fn words(&self, field: &str, name: &'static str, allowed: &[&str]) -> Checked<()> {
        for value in self.array(field, name)? {
            let text = self.as_text(field, name, value, 0..=64)?;
            if !allowed.contains(&text.as_str()) {
                return Err(self.error(field, name, value.clone(), FieldRule::NotOneOf));
            }
        }
        Ok(())
    }

    /// A time in RFC 3339 that may be there.
    pub(super) fn optional_time(&self, field: &str, name: &'static str) -> Checked<Option<UnixSeconds>> {
        let Some(text) = self.optional_text(field, name, 64)? else { return Ok(None) };
        // jiff reads more than that: times without seconds, without marks, with a zone in brackets.
        let time = is_rfc3339(&text).then(|| text.parse::<jiff::Timestamp>());
        match time {
            Some(Ok(time)) => Ok(Some(UnixSeconds(time.as_second()))),
            _ => Err(self.error(field, name, text.into(), FieldRule::NotA(" RFC 3339 时间"))),
        }
    }

    /// Whether a field is there.
    pub(super) fn has(&self, field: &str) -> bool {
        self.map.contains_key(field)
    }

    /// Bytes of it as compact JSON.
    pub(super) fn bytes(&self) -> usize {
        serde_json::to_vec(self.map).map_or(0, |json| json.len())
    }

    /// That a field breaks a rule of its own.
    pub(super) fn breaks(&self, field: &str, name: &'static str, rule: FieldRule) -> FieldError {
        self.error(field, name, self.map.get(field).cloned().unwrap_or_default(), rule)
    }

    fn array(&self, field: &str, name: &'static str) -> Checked<&'a [Value]> {
        match self.map.get(field) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(other) => Err(self.error(field, name, other.clone(), FieldRule::NotA("数组"))),
        }
    }

    fn must(&self, field: &str, name: &'static str) -> Checked<&'a Value> {
        let missing = || self.error(field, name, Value::String(String::new()), FieldRule::Missing);
        self.map.get(field).ok_or_else(missing)
    }

    fn as_text(
        &self,
        field: &str,
        name: &'static str,
        value: &Value,
        range: RangeInclusive<usize>,
    ) -> Checked<String> {
        let Value::String(text) = value else {
            return Err(self.error(field, name, value.clone(), FieldRule::NotA("字符串")));
        };
        let chars = text.chars().count();
        let wrong = |rule| self.error(field, name, chars.into(), rule);
        if chars < *range.start() {
            return Err(wrong(FieldRule::TooShort { chars, min: *range.start() }));
        }
        if chars > *range.end() {
            return Err(wrong(FieldRule::TooLong { chars, max: *range.end() }));
        }
        if !text.chars().all(is_printable) {
            return Err(self.error(field, name, value.clone(), FieldRule::Characters));
        }
        Ok(text.clone())
    }

    /// Where a field is, as a JSON pointer.
    pub(super) fn at(&self, field: &str) -> String {
        format!("{}/{}", self.pointer, field.replace('~', "~0").replace('/', "~1"))
    }

    fn error(&self, field: &str, name: &'static str, value: Value, rule: FieldRule) -> FieldError {
        error(self.at(field), name, value, rule)
    }
}

fn error(field: String, name: &'static str, value: Value, rule: FieldRule) -> FieldError {
    FieldError { location: "body", field, name, value, rule }
}

/// What a text may hold: no control characters but blanks and line ends. XML has no others either, in which APIv2 tells
/// of the same orders.
fn is_printable(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether it has the shape of `2018-06-08T10:34:56+08:00`, or of the same with a fraction or `Z`.
fn is_rfc3339(text: &str) -> bool {
    let has_shape = |text: &str, shape: &str| {
        let fits =
            |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
        text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
    };
    let Some((time, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else { return false };
    let zone = rest.strip_prefix('.').map_or(Some(rest), |fraction| {
        let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        (zone.len() < fraction.len()).then_some(zone)
    });
    let is_zone = |zone| zone == "Z" || has_shape(zone, "+00:00") || has_shape(zone, "-00:00");
    has_shape(time, "0000-00-00T00:00:00") && zone.is_some_and(is_zone)
}

/// Whether a notice can go there: absolute, without query and fragment.
pub(in crate::api) fn is_notify_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| {
        !rest.starts_with(['/', ':'])
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
    });
    fits && url.parse::<http::Uri>().is_ok()
}

/// A parameter of the query that may be there.
pub(super) fn optional_parameter<'a>(query: &'a [(String, String)], field: &str) -> Option<&'a str> {
    let found = query.iter().find(|(known, value)| known == field && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

/// That a parameter of the query breaks a rule of its own.
pub(super) fn parameter_breaks(
    field: &'static str,
    name: &'static str,
    value: &str,
    rule: FieldRule,
) -> FieldError {
    FieldError { location: "query", field: field.to_owned(), name, value: value.into(), rule }
}

/// A parameter of the query that must be there.
pub(super) fn parameter<'a>(
    query: &'a [(String, String)],
    field: &'static str,
    name: &'static str,
) -> Checked<&'a str> {
    optional_parameter(query, field).ok_or_else(|| parameter_breaks(field, name, "", FieldRule::Missing))
}
