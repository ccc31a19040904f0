//! An answer that is no success: WeChat Pay's code and words, a hint, and what may be done next.
//!
//! Invariants: any body makes one, HTML and nothing among them; texts of WeChat Pay's are for people, only codes are
//! branched on. Such answers are often unsigned: none of them decides about money without a query. `Display` and
//! `Debug` quote no value of the request. Deliberately absent: sending anything again.

use std::fmt;

use serde_json::{Map, Value};

use super::hints::{self, Hint};
use super::retry::{self, Retry};
use crate::api::Operation;

/// An error as WeChat Pay answered it.
#[derive(Clone, PartialEq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// WeChat Pay's code, such as `PARAM_ERROR`. `None` where the body is none of WeChat Pay's (HTML, nothing).
    pub code: Option<String>,
    /// WeChat Pay's words, which change without notice: for logs and people.
    pub message: Option<String>,
    /// What is wrong where, for some codes.
    pub detail: Option<Detail>,
    /// `Request-Id`, to quote to support; may be absent.
    pub request_id: Option<String>,
}

impl ApiError {
    /// From an answer's status, its `Request-Id` header and its body, whatever that is.
    ///
    /// ```
    /// use wechatpay::answer::{ApiError, Retry};
    /// use wechatpay::api::Operation;
    ///
    /// let body = r#"{"code":"OUT_TRADE_NO_USED","message":"请求重入时，参数与首次请求时不一致"}"#;
    /// let error = ApiError::new(403, Some("08E68E97CC0610DF8C92D0D6F2-268498688"), body.as_bytes());
    /// assert_eq!(error.numeric_code(), Some(268498688));
    /// assert_eq!(error.retry(Operation::Prepay), Retry::Query);
    /// assert!(error.hint().is_some_and(|hint| hint.fix.contains("same parameters")));
    /// ```
    #[must_use]
    pub fn new(status: u16, request_id: Option<&str>, body: &[u8]) -> Self {
        let mut fields = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let request_id = request_id.filter(|id| !id.is_empty()).map(str::to_owned);
        Self {
            status,
            code: text(&fields, "code"),
            message: text(&fields, "message"),
            detail: fields.remove("detail").filter(|detail| !detail.is_null()).map(Detail::of),
            request_id,
        }
    }

    /// The digits after the last `-` of the `Request-Id`: finer than `code`.
    #[must_use]
    pub fn numeric_code(&self) -> Option<u64> {
        let (_, digits) = self.request_id.as_ref()?.rsplit_once('-')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    }

    /// Whether the code is this one. WeChat Pay spells some with and without underscores (`ORDER_NOT_EXIST`,
    /// `ORDERNOTEXIST`): they are the same here.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| hints::is_same_code(own, code))
    }

    /// What it means and what to do, by the numeric code if that is known, else by the code.
    #[must_use]
    pub fn hint(&self) -> Option<&'static Hint> {
        let by_number = self.numeric_code().and_then(Hint::of_numeric_code);
        by_number.or_else(|| self.code.as_ref().and_then(|code| Hint::of_code(code)))
    }

    /// What may be done next, for a call that does this.
    #[must_use]
    pub fn retry(&self, operation: Operation) -> Retry {
        retry::after(self.status, self.code.as_deref(), operation)
    }
}

impl std::error::Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, code, message, detail, request_id } = self;
        write!(f, "WeChat Pay answered {status}")?;
        for part in [code, message].into_iter().flatten() {
            write!(f, " {part}")?;
        }
        if let Some(Detail { field, issue, .. }) = detail {
            let (field, issue) = (field.as_deref(), issue.as_deref());
            write!(f, " ({}: {})", field.unwrap_or("field"), issue.unwrap_or("see detail"))?;
        }
        if let Some(request_id) = request_id {
            write!(f, ", Request-Id {request_id}")?;
        }
        if let Some(Hint { meaning, fix }) = self.hint() {
            write!(f, "; {meaning}: {fix}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("detail", &self.detail)
            .field("request_id", &self.request_id)
            .finish()
    }
}

/// What is wrong where, as far as it could be read: its shape differs by endpoint.
#[derive(Clone, PartialEq)]
pub struct Detail {
    /// A JSON pointer (`/amount/currency`), a parameter's name, or `signature`.
    pub field: Option<String>,
    /// Why.
    pub issue: Option<String>,
    /// `body`, `url`, `query` or `authorization`.
    pub location: Option<String>,
    /// The string that WeChat Pay verified a wrong signature against, on 401.
    pub sign_information: Option<SignInformation>,
    /// All of it, the offending value too: not for logs.
    pub whole: Value,
}

impl Detail {
    fn of(whole: Value) -> Self {
        let none = Map::new();
        let fields = whole.as_object().unwrap_or(&none);
        let inner = fields.get("detail").and_then(Value::as_object).unwrap_or(&none);
        let of_either = |name| text(fields, name).or_else(|| text(inner, name));
        let sign_information = fields.get("sign_information").or_else(|| inner.get("sign_information"));
        Self {
            field: of_either("field"),
            issue: of_either("issue"),
            location: of_either("location"),
            sign_information: sign_information.and_then(Value::as_object).map(SignInformation::of),
            whole,
        }
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detail")
            .field("field", &self.field)
            .field("issue", &self.issue)
            .field("location", &self.location)
            .field("sign_information", &self.sign_information)
            .finish_non_exhaustive()
    }
}

/// What WeChat Pay took as the signed string: hold it against [`crate::RequestToSign::message`].
#[derive(Clone, PartialEq, Eq)]
pub struct SignInformation {
    /// The method that it saw.
    pub method: Option<String>,
    /// The path and query that it saw.
    pub url: Option<String>,
    /// The string, its end cut off. It holds the beginning of the body: not for logs.
    pub truncated_sign_message: Option<String>,
    /// Bytes of the whole string.
    pub sign_message_length: Option<u64>,
}

impl SignInformation {
    fn of(fields: &Map<String, Value>) -> Self {
        let length = text(fields, "sign_message_length");
        Self {
            method: text(fields, "method"),
            url: text(fields, "url"),
            truncated_sign_message: text(fields, "truncated_sign_message"),
            sign_message_length: length.and_then(|length| length.parse().ok()),
        }
    }
}

impl fmt::Debug for SignInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInformation")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("sign_message_length", &self.sign_message_length)
            .finish_non_exhaustive()
    }
}

/// A text, or a number as text.
fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
