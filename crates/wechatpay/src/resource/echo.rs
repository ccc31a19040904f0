//! The resource of the callback that `/v3/security/echo` asks for.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{debug_shows, text};

/// The self-test's message comes back.
#[derive(Clone, PartialEq, Deserialize)]
pub struct SecurityEcho {
    /// As it was sent.
    pub echo_message: String,
    /// The encrypted message, encrypted anew for the merchant's certificate. The calls spell the field
    /// `encrypted_echo_message`.
    #[serde(default, deserialize_with = "text")]
    pub encrypt_echo_message: Option<String>,
    /// Every other field. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(SecurityEcho:);
