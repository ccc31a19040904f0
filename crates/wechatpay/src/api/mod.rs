//! The calls of APIv3: what goes on the wire for each, and what its answer says. [`SUPPORTED`] lists them.
//!
//! Invariants: a call is data; its bytes depend on nothing but what it was made of, so that repeating it repeats them;
//! what WeChat Pay would certainly refuse is not made ([`InvalidField`]). Deliberately absent: sending, clocks, nonces,
//! keys, encryption.
//!
//! Money is [`crate::Fen`], times are RFC 3339 with an offset, days are Beijing's. In answers a text that is absent,
//! `null` or empty is `None`; unknown fields and values never fail.

mod account;
mod any;
mod bill;
mod certificates;
mod combine;
mod echo;
mod field;
mod login;
mod order;
mod prepay;
mod refund;
mod supported;
mod wire;

pub use account::{Account, Merchant};
pub use any::{AnyCall, UploadFile};
pub use bill::{AccountType, BillType, DownloadFile, FundFlowBill, Statement, TradeBill};
pub use certificates::{
    CertificateAlgorithm, Certificates, EncryptedCertificate, ListCertificates, SealedCertificate,
};
pub use combine::{
    CloseCombine, ClosedSubOrder, CombineAmount, CombineOrder, CombinePrepay, CombineSubOrder, NewCombine,
    NewSubOrder, QueryCombine,
};
pub use echo::{Echo, Echoed};
pub use field::{InvalidField, Rule};
pub use login::{Code2Session, LoginError, Session};
pub use order::{
    CloseOrder, Order, OrderAmount, OrderNumber, OrderPayer, Promotion, PromotionGoods, QueryOrder, Seller,
    TradeState,
};
pub use prepay::{
    CodeUrl, Goods, H5, H5Type, H5Url, Identity, IdentityType, LimitPay, NewOrder, OrderDetail, Prepay,
    PrepayId, Scene, Store,
};
pub use refund::{
    AbnormalRefund, BankCard, FundsAccount, QueryRefund, Refund, RefundAmount, RefundFrom, RefundGoods,
    RefundPromotion, RefundStatus, RequestRefund,
};
pub use supported::{Mode, SUPPORTED, SUPPORTED_V2, Supported, SupportedV2};

use crate::Serial;
use crate::answer::AnswerError;

/// The kind of every body but an upload's.
const JSON: &str = "application/json";

/// One call. Whoever sends it signs `method`, `path_and_query` and `body` exactly as given here (of an upload
/// `signed_instead_of_body`), and hands the body of a *verified* answer to `read`.
pub trait Call {
    /// What a success says.
    type Answer;

    /// In upper case.
    fn method(&self) -> &'static str;

    /// Absolute path and query, percent-encoded as they go on the wire.
    fn path_and_query(&self) -> String;

    /// The body, JSON but for an upload; `None` for a call without one.
    fn body(&self) -> Option<Vec<u8>> {
        None
    }

    /// What kind of body it is.
    fn content_type(&self) -> &str {
        JSON
    }

    /// What is signed where the body would be: of an upload, the JSON of its part `meta`. `None`: the body itself.
    fn signed_instead_of_body(&self) -> Option<Vec<u8>> {
        None
    }

    /// What may be done when the outcome is unknown.
    fn operation(&self) -> Operation;

    /// The merchant whose key signs, where the call names one: in partner mode the provider. WeChat Pay refuses the
    /// call where the `Authorization` header names another.
    fn signer(&self) -> Option<&str> {
        None
    }

    /// The key for which fields of the body are encrypted, named in `Wechatpay-Serial`.
    fn encrypted_for(&self) -> Option<&Serial> {
        None
    }

    /// Whether a success is signed. `false` only for files, which prove themselves by a hash that was signed before.
    fn answer_is_signed(&self) -> bool {
        true
    }

    /// Reads the body of a success: 200 or 204. A 202 is none: its work is not finished.
    ///
    /// # Errors
    /// Where it is not what WeChat Pay documents, or is about something else than was asked for.
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
