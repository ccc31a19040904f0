//! The flat set of fields that every message of APIv2 is.
//!
//! Invariants: names are unique; order is the message's; every field is kept, known or not; `Debug` shows names alone.
//! Deliberately absent: nesting, which APIv2 does not have, and what a field means.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::FieldError;
use crate::Fen;

/// Left out of [`Fields::to_json`]: they authenticate one copy of a message, and another copy has others.
const OF_ONE_COPY: [&str; 2] = ["sign", "nonce_str"];

/// Fields of a message, in its order. Nothing in it is believed; see [`VerifiedFields`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Fields whose names are known to be unique.
    pub(super) fn of_unique(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// Sets a field: in place where there is one of this name, else behind all others.
    pub fn insert(&mut self, name: &str, value: impl Into<String>) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
    }

    /// Sets a field that may be absent: `None` and `""` leave it out.
    pub fn insert_optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.insert(name, value);
        }
    }

    /// A field's value; `None` where absent or empty, between which APIv2 makes no difference.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every field, name and value, in the message's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// [`FieldError::Missing`].
    pub fn required(&self, name: &str) -> Result<&str, FieldError> {
        self.get(name).ok_or_else(|| FieldError::Missing { field: name.to_owned() })
    }

    /// An amount in fen that must be there.
    ///
    /// # Errors
    /// [`FieldError::Missing`], [`FieldError::NotANumber`].
    pub fn fen(&self, name: &str) -> Result<Fen, FieldError> {
        self.fen_optional(name)?.ok_or_else(|| FieldError::Missing { field: name.to_owned() })
    }

    /// An amount in fen.
    ///
    /// # Errors
    /// [`FieldError::NotANumber`].
    pub fn fen_optional(&self, name: &str) -> Result<Option<Fen>, FieldError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let malformed = || FieldError::NotANumber { field: name.to_owned() };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let fen = text.parse().ok().and_then(|fen| Fen::new(fen).ok());
        fen.map(Some).ok_or_else(malformed)
    }

    /// A count.
    ///
    /// # Errors
    /// [`FieldError::NotANumber`].
    pub(super) fn count_optional(&self, name: &str) -> Result<Option<u64>, FieldError> {
        Ok(self.fen_optional(name)?.and_then(|count| u64::try_from(count.get()).ok()))
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The fields as a flat JSON object of texts, for handing on: sorted by name, without empty ones and without `sign`
    /// and `nonce_str`, so that every resend of a notice gives the same text. It names the payer: not for logs.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("BUG: a map of texts is always representable in JSON")
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let handed_on = self.iter().filter(|(name, value)| !value.is_empty() && !OF_ONE_COPY.contains(name));
        let mut handed_on: Vec<_> = handed_on.collect();
        handed_on.sort_unstable();
        serializer.collect_map(handed_on)
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Fields whose `sign` was verified: one who knows the APIv2 key wrote all of them. There is one way to get it,
/// [`Fields::verify`]:
///
/// ```compile_fail,E0423
/// let forged = wechatpay::v2::VerifiedFields(wechatpay::v2::Fields::default());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedFields(pub(super) Fields);

impl Deref for VerifiedFields {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl fmt::Debug for VerifiedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifiedFields").field(&self.0).finish()
    }
}
