//! The calls of APIv3: what goes on the wire for each, and what its answer says.
//!
//! Invariant: a call is data; its bytes are made once and signed as they are sent. Deliberately absent: sending, clocks,
//! nonces, keys.

use crate::Serial;
use crate::answer::AnswerError;

/// One call. Whoever sends it signs `method`, `path_and_query` and `body` exactly as given here, and hands the body
/// of a *verified* answer to `read`.
pub trait Call {
    /// What a success says.
    type Answer;

    /// In upper case.
    fn method(&self) -> &'static str;

    /// Absolute path and query, percent-encoded as they go on the wire.
    fn path_and_query(&self) -> String;

    /// The JSON body; `None` for a call without one.
    fn body(&self) -> Option<Vec<u8>> {
        None
    }

    /// What may be done when the outcome is unknown.
    fn operation(&self) -> Operation;

    /// The key for which fields of the body are encrypted, named in `Wechatpay-Serial`.
    fn encrypted_for(&self) -> Option<&Serial> {
        None
    }

    /// Reads the body of a success (2xx).
    ///
    /// # Errors
    /// Where it is not what WeChat Pay documents.
    fn read(&self, body: &[u8]) -> Result<Self::Answer, AnswerError>;
}

/// What a call does, as far as repeating it goes (WeChat Pay's rules on re-entry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Changes nothing: may be repeated.
    Query,
    /// A prepay: the same number with the same parameters may be sent again.
    Prepay,
    /// Closing an order: re-entrant.
    Close,
    /// A refund: what failed in any way is asked for before it is repeated, with the same number.
    Refund,
    /// A statement of bills: may be repeated.
    Bill,
    /// Anything else: never repeated by itself.
    Other,
}
