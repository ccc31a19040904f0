//! `POST /v3/security/echo`: WeChat Pay's self-test of keys and of callbacks, without money. Deliberately absent:
//! encrypting, and the notice that it sends.

use serde::{Deserialize, Serialize};

use super::field::{InvalidField, notify_url};
use super::wire::text;
use super::{Call, Operation, wire};
use crate::Serial;
use crate::answer::AnswerError;

/// Has a message come back: proves that signing and verifying work; with a ciphertext, encryption too; with a
/// `notify_url`, that a real callback (`SECURITY_ECHO.SUCCESS`) arrives.
///
/// ```
/// use wechatpay::api::{Call, Echo};
///
/// // Costs nothing, and proves the whole way: keys, the proxy in front, the server.
/// let call = Echo::new("hello").notify_url("https://pay.example.com/notify/v3/1900000001")?;
/// assert_eq!(call.path_and_query(), "/v3/security/echo");
///
/// let answer = call.read(br#"{"echo_message":"hello"}"#)?;
/// assert_eq!(answer.echo_message, "hello");
/// assert!(call.read(br#"{"echo_message":"goodbye"}"#).is_err()); // another call's answer
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Echo {
    echo_message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted_echo_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<String>,
    #[serde(skip)]
    encrypted_for: Option<Serial>,
}

impl Echo {
    /// This message, in clear text.
    #[must_use]
    pub fn new(echo_message: &str) -> Self {
        let echo_message = echo_message.to_owned();
        Self { echo_message, encrypted_echo_message: None, notify_url: None, encrypted_for: None }
    }

    /// And this ciphertext (RSA-OAEP or SM2, base64) for WeChat Pay's key with the serial `encrypted_for`.
    #[must_use]
    pub fn encrypted(mut self, ciphertext: &str, encrypted_for: Serial) -> Self {
        self.encrypted_echo_message = Some(ciphertext.to_owned());
        self.encrypted_for = Some(encrypted_for);
        self
    }

    /// And a callback to this URL.
    ///
    /// # Errors
    /// Where it is not `https` (`http` at the loopback), has a query, or more than 255 characters.
    pub fn notify_url(mut self, notify_url: &str) -> Result<Self, InvalidField> {
        self.notify_url = Some(self::notify_url(notify_url)?);
        Ok(self)
    }
}

impl Call for Echo {
    type Answer = Echoed;

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        "/v3/security/echo".to_owned()
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(self))
    }

    /// [`Operation::Other`]: each one with a `notify_url` sends a callback.
    fn operation(&self) -> Operation {
        Operation::Other
    }

    fn encrypted_for(&self) -> Option<&Serial> {
        self.encrypted_for.as_ref()
    }

    fn read(&self, body: &[u8]) -> Result<Echoed, AnswerError> {
        let echoed: Echoed = wire::read(body)?;
        let is_same = echoed.echo_message == self.echo_message;
        if is_same { Ok(echoed) } else { Err(AnswerError::AboutAnother { field: "echo_message" }) }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Echoed {
    /// The message, unchanged.
    pub echo_message: String,
    /// The other one, encrypted for the merchant's certificate, where one was sent.
    #[serde(default, deserialize_with = "text")]
    pub encrypted_echo_message: Option<String>,
}
