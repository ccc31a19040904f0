//! Where messages go.
//!
//! Invariants: a name, an address or a setting that exists can be used. Secrets and the merchant's own headers are sealed
//! by the server before they come here: a dump of the database does not give them away. Deliberately absent: which
//! addresses may be called; that is known only when the host's name is resolved.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{EndpointUrl, Filter, Schedule};

/// The number that a store gave to an endpoint. It is never given to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub i64);

/// How the merchant calls an endpoint: 1 to 64 of `a-z`, `0-9`, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointName(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no name of an endpoint; expected 1 to {} of a-z, 0-9, - and _", EndpointName::BYTES_MAX)]
pub struct NameError {
    /// What was written.
    pub name: String,
}

impl EndpointName {
    /// How long it may be.
    pub const BYTES_MAX: usize = 64;

    /// Checks length and characters.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if (1..=Self::BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(NameError { name: text.to_owned() })
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Secrets and headers, encrypted by the server. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// How an endpoint is called. What a later version adds has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Calls at the same time, on each node.
    pub concurrency: u16,
    /// Calls a second at the most, on each node; `None`: as many as it takes.
    pub rate_per_second: Option<u32>,
    /// How long it may take until the connection stands, in milliseconds.
    pub connect_max_ms: u32,
    /// How long a call may take in all, in milliseconds.
    pub total_max_ms: u32,
    /// When to try again.
    pub schedule: Schedule,
    /// After how many seconds of failing it is disabled.
    pub failing_max_seconds: u32,
    /// Whether the configuration defines it, and not the API.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_configured: bool,
}

impl Settings {
    /// After how long it is disabled if it keeps failing.
    #[must_use]
    pub fn failing_max(&self) -> Duration {
        Duration::from_secs(self.failing_max_seconds.into())
    }
}

impl Default for Settings {
    /// Sixteen calls at once, of 5 s and 15 s at most; disabled after five days without one success.
    fn default() -> Self {
        Self {
            concurrency: 16,
            rate_per_second: None,
            connect_max_ms: 5_000,
            total_max_ms: 15_000,
            schedule: Schedule::default(),
            failing_max_seconds: 5 * 24 * 60 * 60,
            is_configured: false,
        }
    }
}

/// An endpoint as the merchant defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub url: EndpointUrl,
    /// Which messages it wants.
    pub filter: Filter,
    /// Whether an order's messages come one at a time, in their sequence.
    pub ordered: bool,
    /// How it is called.
    pub settings: Settings,
    /// Its secrets and headers.
    pub sealed: Sealed,
}

/// Whether messages go to an endpoint. Those to a disabled one are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointState {
    /// They do.
    Enabled,
    /// Somebody disabled it.
    Disabled,
    /// It answered 410: gone for good.
    Gone,
    /// It failed for too long.
    Failing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        let long = "n".repeat(64);
        for good in ["a", "shop-1", "shop_1", "0", long.as_str()] {
            assert_eq!(EndpointName::parse(good).expect("a name").as_str(), good);
        }
        let longer = "n".repeat(65);
        for bad in ["", "Shop", "a b", "a/b", "店", "a\n", longer.as_str()] {
            assert_eq!(EndpointName::parse(bad), Err(NameError { name: bad.to_owned() }));
        }
    }

    #[test]
    fn settings_of_another_version_are_read() {
        let read = |json: &str| serde_json::from_str::<Settings>(json).expect("settings");
        assert_eq!(read("{}"), Settings::default());
        let other = Settings { concurrency: 3, ..Settings::default() };
        assert_eq!(read(r#"{"concurrency": 3, "of_a_later_version": true}"#), other);
        assert_eq!(read(&serde_json::to_string(&other).expect("it serialises")), other);
        let configured = Settings { is_configured: true, ..other };
        assert_eq!(read(&serde_json::to_string(&configured).expect("it serialises")), configured);
    }

    #[test]
    fn secrets_do_not_show() {
        let endpoint = Endpoint {
            url: EndpointUrl::parse("https://h/rSx7").expect("an address"),
            filter: Filter::all(),
            ordered: false,
            settings: Settings::default(),
            sealed: Sealed(b"rSx7".to_vec()),
        };
        let shown = format!("{endpoint:?}");
        assert!(!shown.contains("rSx7") && !shown.contains("114, 83"), "{shown}");
    }
}
