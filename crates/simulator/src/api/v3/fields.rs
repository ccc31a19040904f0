//! Reads the fields of a request, and says of the first that breaks its rule where it is and what is wrong.
//!
//! Invariants: what is taken was checked; lengths are in characters; a field that no page of WeChat's has is refused, and
//! so is `null`. Deliberately absent: rules across fields.

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
        // jiff also reads times without an offset when asked for a civil time; for a timestamp it wants one.
        match text.parse::<jiff::Timestamp>() {
            Ok(time) => Ok(Some(UnixSeconds(time.as_second()))),
            Err(_) => Err(self.error(field, name, text.into(), FieldRule::NotA(" RFC 3339 时间"))),
        }
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
        Ok(text.clone())
    }

    fn at(&self, field: &str) -> String {
        format!("{}/{}", self.pointer, field.replace('~', "~0").replace('/', "~1"))
    }

    fn error(&self, field: &str, name: &'static str, value: Value, rule: FieldRule) -> FieldError {
        error(self.at(field), name, value, rule)
    }
}

fn error(field: String, name: &'static str, value: Value, rule: FieldRule) -> FieldError {
    FieldError { location: "body", field, name, value, rule }
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
