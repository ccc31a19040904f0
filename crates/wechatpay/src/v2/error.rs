//! What can be wrong with a message of APIv2, split by whose fault it is.
//!
//! [`XmlError`] and [`SignError`] are the sender's (who need not be WeChat Pay), [`OpenError`] is our key's or the
//! sender's, [`FieldError`] is met only after a message was verified or opened, [`UnwritableError`] is the caller's.
//! Deliberately absent: values of fields, and keys (those are [`crate::KeyError`]).

use super::{Failure, Retry, SignType};

/// The body is not the flat XML of APIv2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Larger than any message of APIv2.
    #[error("the body has {bytes} bytes; at most {bytes_max} are allowed")]
    Oversized {
        /// Bytes it has.
        bytes: usize,
        /// Bytes it may have.
        bytes_max: usize,
    },
    /// Another encoding, or none.
    #[error("the body is not UTF-8, the one encoding of APIv2; does a proxy convert it?")]
    NotUtf8,
    /// A document type declaration: the door to entities, which read files and addresses (XXE).
    #[error("the body declares a document type (DTD); WeChat Pay never does: refuse it")]
    Doctype,
    /// A reference to an entity other than the five predefined ones.
    #[error("the body refers to an entity that XML does not predefine; WeChat Pay never does: refuse it")]
    UnknownEntity,
    /// A processing instruction or a comment.
    #[error("the body has a processing instruction or a comment, which APIv2 does not use: refuse it")]
    NotAField,
    /// An attribute, which no signature covers.
    #[error("an element has attributes, which APIv2 does not use: refuse it")]
    Attribute,
    /// The outermost element goes by another name.
    #[error("the outermost element is not <{expected}>; is this APIv2's XML?")]
    Root {
        /// The name that it should have.
        expected: &'static str,
    },
    /// An element within a field.
    #[error("a field holds an element; the fields of APIv2 are flat: refuse it")]
    Nested,
    /// A name that no field of APIv2 has.
    #[error("a field's name is not made of ASCII letters, digits, `_`, `-` and `.`, or it has over 64 bytes")]
    Name,
    /// One field twice.
    #[error("the field {field} is there more than once: refuse it")]
    Repeated {
        /// Its name.
        field: String,
    },
    /// More fields than any message of APIv2 has.
    #[error("the body has more than {fields_max} fields; refuse it")]
    TooManyFields {
        /// How many there may be.
        fields_max: usize,
    },
    /// A character that XML does not allow, such as a zero.
    #[error("the body holds a control character that XML does not allow: refuse it")]
    Character,
    /// Not well-formed in another way.
    #[error("the body is not well-formed XML at byte {position}; is it APIv2's, and whole?")]
    Malformed {
        /// Where reading ended, in bytes from the start of the document.
        position: u64,
    },
}

/// The message is not proven to come from one who knows the APIv2 key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no `sign`, or an empty one.
    #[error("the message has no sign: do not believe it")]
    Missing,
    /// `sign_type` names another algorithm.
    #[error("the sign_type {sign_type:?} is not supported, only MD5 and HMAC-SHA256")]
    UnknownType {
        /// The first characters of it.
        sign_type: String,
    },
    /// Not the length of any algorithm's signature.
    #[error("the sign has {bytes} bytes; MD5 makes 32 and HMAC-SHA256 makes 64 hex digits")]
    Length {
        /// Bytes it has.
        bytes: usize,
    },
    /// Signed by another algorithm than the caller insists on.
    #[error("signed with {found}, but {expected} is asked for")]
    UnexpectedType {
        /// Insisted on.
        expected: SignType,
        /// Named by the message, or told by the length of its sign.
        found: SignType,
    },
    /// The key did not sign these fields.
    #[error("the sign does not fit; is this the APIv2 key of that merchant, and was it reset?")]
    Mismatch,
}

/// A refund notice's `req_info` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not canonical base64.
    #[error("req_info is not base64")]
    NotBase64,
    /// It does not become XML with this key. Length, padding, encoding and XML are one error on purpose: the cipher
    /// has no authentication, and who may send us texts shall not learn more.
    #[error("req_info does not open with this APIv2 key; was the key reset on the merchant platform?")]
    WrongKey,
    /// It opened, but it is no refund.
    #[error("the opened refund notice: {0}")]
    Malformed(#[from] FieldError),
}

impl OpenError {
    /// Whether our own APIv2 key may be at fault, so that the same bytes may open once it is mended.
    #[must_use]
    pub fn is_key_fault(&self) -> bool {
        matches!(self, Self::WrongKey)
    }
}

/// A message that was verified or opened does not have the fields that WeChat Pay documents. Quotes no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Absent or empty.
    #[error("the field {field} is missing; this is not what WeChat Pay documents")]
    Missing {
        /// Its name.
        field: String,
    },
    /// Not a whole, non-negative decimal number within `i64`.
    #[error("the field {field} is not a whole number, 0 or more; amounts are in fen")]
    NotANumber {
        /// Its name.
        field: String,
    },
    /// Neither `SUCCESS` nor `FAIL`.
    #[error("the field {field} is neither SUCCESS nor FAIL")]
    NotACode {
        /// Its name.
        field: &'static str,
    },
}

/// What the caller gave cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnwritableError {
    /// XML cannot hold the value, or would hand on another: control characters, and carriage returns, which the
    /// receiver's reader makes newlines.
    #[error(
        "the value of {field} holds a character that XML does not keep, such as a carriage return; remove it"
    )]
    Character {
        /// The field's name.
        field: String,
    },
    /// A name that no field of APIv2 has.
    #[error("the field name {field:?} is not made of ASCII letters, digits, `_`, `-` and `.`")]
    Name {
        /// As given.
        field: String,
    },
    /// A field that is filled in for every call.
    #[error("the field {field} is filled in for every call; leave it out of the call's own fields")]
    Reserved {
        /// The field's name.
        field: String,
    },
}

/// What becomes of a call that was not answered with a success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The body is not APIv2's XML.
    #[error("the answer: {0}")]
    Xml(#[from] XmlError),
    /// `return_code` is `FAIL`: refused before the call was looked at. Never signed.
    #[error(
        "WeChat Pay refused the message: {return_msg:?}; compare key, sign_type and fields with its manual"
    )]
    Refused {
        /// Why, Chinese or English.
        return_msg: String,
    },
    /// Not proven to be WeChat Pay's answer.
    #[error("the answer: {0}")]
    Sign(#[from] SignError),
    /// Neither a success nor a failure: `return_code` or `result_code` is missing, or another word.
    #[error("the answer: {0}")]
    NoOutcome(#[source] FieldError),
    /// It is genuine, but about something else than was asked for: another answer of WeChat Pay's in its place.
    #[error(
        "the answer is about another {field} than the call; ask again, and look for a proxy that mixes up answers"
    )]
    AboutAnother {
        /// What differs, by its name on the wire.
        field: &'static str,
    },
    /// `result_code` is `FAIL`: WeChat Pay's verified no.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// A verified success, but without what WeChat Pay documents for it: what was asked for has happened.
    #[error("the answer: {0}")]
    Malformed(#[from] FieldError),
}

/// The `return_msg` of a message that WeChat Pay did not come to look at, in any letter case.
const SYSTEM_ERROR: &str = "SYSTEMERROR";

impl AnswerError {
    /// What may be done next. An answer that cannot be read or believed leaves the outcome unknown: ask.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Xml(_) | Self::Sign(_) | Self::Malformed(_) => Retry::Query,
            Self::NoOutcome(_) | Self::AboutAnother { .. } => Retry::Query,
            Self::Refused { return_msg } if return_msg.eq_ignore_ascii_case(SYSTEM_ERROR) => Retry::Same,
            Self::Refused { .. } => Retry::No,
            Self::Failed(failure) => failure.retry(),
        }
    }

    /// Whether what was asked for may have happened, or may yet. Where it is neither open nor
    /// [`Malformed`](Self::Malformed), which is a success, WeChat Pay says no.
    #[must_use]
    pub fn leaves_outcome_open(&self) -> bool {
        match self {
            Self::Xml(_) | Self::Sign(_) | Self::NoOutcome(_) | Self::AboutAnother { .. } => true,
            Self::Refused { return_msg } => return_msg.eq_ignore_ascii_case(SYSTEM_ERROR),
            Self::Failed(failure) => failure.leaves_outcome_open(),
            Self::Malformed(_) => false,
        }
    }
}
