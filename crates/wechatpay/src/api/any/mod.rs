//! Any other endpoint of APIv3, signed and verified like the rest. Deliberately absent: knowing what it does.

mod upload;

use std::fmt;

use serde::Serialize;

use super::field::{InvalidField, Rule};
use super::wire::is_sent_unchanged;
use super::{Call, JSON, Operation};
use crate::Serial;
use crate::answer::AnswerError;
use upload::Multipart;
pub use upload::UploadFile;

/// A call of which nothing is known here; its answer is the verified body.
///
/// ```
/// use wechatpay::api::{AnyCall, Call, Operation};
///
/// let path = "/v3/profitsharing/transactions/4200000000202506150000000001/amounts";
/// let call = AnyCall::new("GET", path)?;
/// assert_eq!(call.operation(), Operation::Query);
/// assert!(AnyCall::new("GET", "/v3/a b").is_err()); // not as it goes on the wire
/// # Ok::<(), wechatpay::api::InvalidField>(())
/// ```
#[derive(Clone)]
pub struct AnyCall {
    method: &'static str,
    path_and_query: String,
    body: Body,
    operation: Operation,
    encrypted_for: Option<Serial>,
}

#[derive(Clone)]
enum Body {
    None,
    Json(Vec<u8>),
    Multipart(Multipart),
}

impl AnyCall {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE` of an absolute path and query, percent-encoded as they go on the wire.
    /// A `GET` counts as [`Operation::Query`], all else as [`Operation::Other`].
    ///
    /// # Errors
    /// Where the method is another, or an HTTP library would send the path and query in another form.
    pub fn new(method: &str, path_and_query: &str) -> Result<Self, InvalidField> {
        let method = match method {
            "GET" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => return Err(InvalidField::new("method", Rule::Method)),
        };
        if !is_sent_unchanged(path_and_query) {
            return Err(InvalidField::new("path and query", Rule::Target));
        }
        let operation = if method == "GET" { Operation::Query } else { Operation::Other };
        let path_and_query = path_and_query.to_owned();
        Ok(Self { method, path_and_query, body: Body::None, operation, encrypted_for: None })
    }

    /// With this JSON as its body.
    ///
    /// # Errors
    /// Where it does not serialize, such as a map with keys that are no text.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.body = Body::Json(serde_json::to_vec(body)?);
        Ok(self)
    }

    /// The upload of a file: `POST` of `multipart/form-data` to a path such as `/v3/merchant/media/upload`. Its signature is
    /// over the JSON of its part `meta`, which has the file's SHA-256.
    ///
    /// ```
    /// use wechatpay::api::{AnyCall, Call, UploadFile};
    ///
    /// let file = UploadFile { filename: "licence.jpg", content_type: "image/jpeg", bytes: b"\xff\xd8\xff\xd9" };
    /// let call = AnyCall::upload("/v3/merchant/media/upload", &file)?;
    /// assert!(call.content_type().starts_with("multipart/form-data; boundary="));
    /// let signed = call.signed_instead_of_body().expect("the JSON of meta");
    /// assert!(signed.starts_with(br#"{"filename":"licence.jpg","sha256":""#));
    /// # Ok::<(), wechatpay::api::InvalidField>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::new`], and where the file's name or kind cannot stand in the body.
    pub fn upload(path_and_query: &str, file: &UploadFile<'_>) -> Result<Self, InvalidField> {
        let body = Body::Multipart(Multipart::new(file)?);
        Ok(Self { body, ..Self::new("POST", path_and_query)? })
    }

    /// With what may be done when its outcome is unknown.
    #[must_use]
    pub fn as_operation(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    /// With fields of its body encrypted for this key of WeChat Pay's.
    #[must_use]
    pub fn with_encrypted_for(mut self, serial: Serial) -> Self {
        self.encrypted_for = Some(serial);
        self
    }
}

// Bodies may name users.
impl fmt::Debug for AnyCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyCall")
            .field("method", &self.method)
            .field("path_and_query", &self.path_and_query)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

impl Call for AnyCall {
    /// The verified body; empty for a 204.
    type Answer = Vec<u8>;

    fn method(&self) -> &'static str {
        self.method
    }

    fn path_and_query(&self) -> String {
        self.path_and_query.clone()
    }

    fn body(&self) -> Option<Vec<u8>> {
        match &self.body {
            Body::None => None,
            Body::Json(json) => Some(json.clone()),
            Body::Multipart(multipart) => Some(multipart.body.clone()),
        }
    }

    fn content_type(&self) -> &str {
        match &self.body {
            Body::None | Body::Json(_) => JSON,
            Body::Multipart(multipart) => &multipart.content_type,
        }
    }

    fn signed_instead_of_body(&self) -> Option<Vec<u8>> {
        match &self.body {
            Body::None | Body::Json(_) => None,
            Body::Multipart(multipart) => Some(multipart.meta.clone()),
        }
    }

    fn operation(&self) -> Operation {
        self.operation
    }

    fn encrypted_for(&self) -> Option<&Serial> {
        self.encrypted_for.as_ref()
    }

    fn read(&self, body: &[u8]) -> Result<Vec<u8>, AnswerError> {
        Ok(body.to_vec())
    }
}
