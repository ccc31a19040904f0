//! APIv2: XML, signed with a key that merchant and WeChat Pay share. For what APIv3 does not do (code payment, old
//! orders and deductions) and for refund notices that fall back to it.
//!
//! A notice's way from bytes to trust, each step consuming the one before:
//!
//! | kind | steps | what is proven |
//! |---|---|---|
//! | payment | [`Callback::parse`] → [`SignedCallback::verify`] → [`VerifiedFields`] → [`Notice`] | its sender knows the APIv2 key and signed every field |
//! | refund | [`Callback::parse`] → [`SealedCallback::open`] → [`OpenedRefund`] | whoever encrypted its inner fields knew the APIv2 key; nothing else |
//! | failure | [`Callback::parse`] → [`Callback::Failed`] | nothing |
//!
//! No notice of APIv2 carries a time: a captured one can be sent again for ever, so the receiver must remember
//! [`Notice::dedupe_id`].
//!
//! Invariants: a document with a DTD, an entity of its own, a nested or a repeated field is refused; fields that are
//! not known here take part in the signature and are kept. Deliberately absent: sending, nonces, the client certificate
//! that some calls need ([`Request::needs_client_certificate`]), and whether a payment is the order's (its amount,
//! appid and mch_id), which needs the order.
//!
//! ```
//! use wechatpay::v2::{self, ApiV2Key, Callback, Notice};
//!
//! let key = ApiV2Key::new("192006250b4c09247ec02edce69f6a2d")?;
//! # let mut fields = v2::Fields::default();
//! # let sent = "return_code SUCCESS result_code SUCCESS appid wx1 mch_id 10000100 total_fee 100 transaction_id 42 \
//! #     out_trade_no A1 nonce_str n";
//! # let mut words = sent.split(' ');
//! # while let (Some(name), Some(value)) = (words.next(), words.next()) { fields.insert(name, value); }
//! # fields.insert("sign", v2::sign(&fields, v2::SignType::Md5, &key));
//! # let body = v2::write_xml(&fields)?;
//! # let body = body.as_bytes();
//! // For each request to the path of APIv2: its raw body.
//! match Callback::parse(body)? {
//!     Callback::Signed(callback) => match callback.verify(&key, None)?.notice()? {
//!         Notice::Paid(transaction) => assert_eq!(transaction.total_fee.get(), 100), // fen
//!         other => panic!("{other:?}"),
//!     },
//!     Callback::Sealed(callback) => {
//!         let refund = callback.open(&key)?; // not signed: ask for the refund before acting on it
//!         println!("{}", refund.refund_status);
//!     }
//!     Callback::Failed(failed) => println!("{}", failed.unverified_return_msg),
//! }
//! assert!(v2::ACK_BODY.contains("SUCCESS")); // with status 200, once it is stored
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ack;
mod call;
mod callback;
mod error;
mod failure;
mod fields;
mod key;
mod pay_sign;
mod refund;
mod sign;
mod transaction;
mod xml;

pub use ack::{ACK_BODY, fail_body};
pub use call::{
    BillFailure, BillReason, BillType, Call, Caller, CloseOrder, DownloadBill, OrderNumber, OrderOptions,
    OrderQuery, Prepaid, QueriedOrder, QueriedRefund, QueriedRefunds, Refund, RefundAccepted, RefundNumber,
    RefundQuery, Request, Trade, UnifiedOrder, is_bill_failure, read_answer, read_bill_failure, request_body,
};
pub use callback::{Callback, FailedCallback, Notice, SealedCallback, SignedCallback};
pub use error::{AnswerError, FieldError, OpenError, SignError, UnwritableError, XmlError};
pub use failure::{Failure, Retry};
pub use fields::{Fields, VerifiedFields};
pub use key::ApiV2Key;
pub use pay_sign::{AppPayment, app_pay_sign, pay_sign};
pub use refund::OpenedRefund;
pub use sign::{SignType, sign, sign_message};
pub use transaction::{Coupon, Transaction};
pub use xml::{BYTES_MAX, FIELDS_MAX, parse_xml, write_xml};
