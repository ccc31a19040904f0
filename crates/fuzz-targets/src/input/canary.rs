//! A text that stands in the seeds where a payer's id, a name or a secret stands, and must not come out in what is
//! shown.

use serde_json::Value;

/// The payer of the test vectors.
pub(crate) const CANARY: &str = "oTestOpenid";

/// Whether it stands somewhere in these bytes.
pub(crate) fn is_in(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// Holds what is shown against it.
#[track_caller]
pub(crate) fn assert_hidden(shown: &str) {
    assert!(!shown.contains(CANARY), "it is shown: {shown}");
}

/// Whether it stands in this document, its members of these names left out at every depth.
pub(crate) fn is_beside(value: &Value, names: &[&str]) -> bool {
    match value {
        Value::String(text) => text.contains(CANARY),
        Value::Array(values) => values.iter().any(|value| is_beside(value, names)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            name.contains(CANARY) || !names.contains(&name.as_str()) && is_beside(value, names)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
