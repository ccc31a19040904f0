//! A notice of APIv2, from bytes to trust.
//!
//! Order matters (WeChat Pay's rule): parse safely, `return_code`, sign, and only then fields; mch_id, appid and amount
//! are compared by those who have the order. Deliberately absent: freshness, since nothing signed says when it was sent.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use super::sign::hex;
use super::transaction::FEE;
use super::{
    ApiV2Key, Failure, FieldError, Fields, OpenError, OpenedRefund, SignError, SignType, Transaction,
    VerifiedFields, XmlError, parse_xml,
};

/// Characters of a dedupe id: as many as APIv3's numbers of notifications have at the most.
const DEDUPE_ID_LEN_MAX: usize = 64;

/// A notice, sorted by what could prove it. Nothing in it is believed.
///
/// What is not verified cannot be read:
///
/// ```compile_fail,E0599
/// # fn f(callback: wechatpay::v2::SignedCallback) {
/// let notice = callback.notice();
/// # }
/// ```
#[derive(Debug)]
pub enum Callback {
    /// A payment or anything else that must be signed.
    Signed(SignedCallback),
    /// A refund: unsigned, its inner fields encrypted.
    Sealed(SealedCallback),
    /// `return_code` is `FAIL`: unsigned, with a text only.
    Failed(FailedCallback),
}

impl Callback {
    /// Reads the raw body of a request.
    ///
    /// # Errors
    /// Where it is not the flat XML of APIv2.
    pub fn parse(body: &[u8]) -> Result<Self, XmlError> {
        let fields = parse_xml(body)?;
        if fields.get("return_code") == Some("FAIL") {
            let unverified_return_msg = fields.owned("return_msg").unwrap_or_default();
            return Ok(Self::Failed(FailedCallback { unverified_return_msg }));
        }
        if fields.get("req_info").is_some() {
            return Ok(Self::Sealed(SealedCallback(fields)));
        }
        Ok(Self::Signed(SignedCallback(fields)))
    }

    /// The merchant that the notice names, not verified: for logs only.
    #[must_use]
    pub fn unverified_mch_id(&self) -> Option<&str> {
        match self {
            Self::Signed(SignedCallback(fields)) | Self::Sealed(SealedCallback(fields)) => {
                fields.get("mch_id")
            }
            Self::Failed(_) => None,
        }
    }
}

/// A notice whose `sign` is still to be verified.
#[derive(Debug)]
pub struct SignedCallback(Fields);

impl SignedCallback {
    /// Proves that one who knows the key signed every field; see [`Fields::verify`]. Leave `expected` `None` unless
    /// the order's algorithm shall be insisted on.
    ///
    /// # Errors
    /// In this order: no sign, an unknown type or length, another type than `expected`, a sign that does not fit.
    pub fn verify(self, key: &ApiV2Key, expected: Option<SignType>) -> Result<VerifiedFields, SignError> {
        self.0.verify(key, expected)
    }
}

/// A refund notice that is still to be opened.
#[derive(Debug)]
pub struct SealedCallback(Fields);

impl SealedCallback {
    /// Decrypts `req_info`. What comes out is *opened*, not verified: see [`OpenedRefund`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(self, key: &ApiV2Key) -> Result<OpenedRefund, OpenError> {
        OpenedRefund::open(&self.0, key)
    }
}

/// WeChat Pay's, or anybody's, word that something failed. Nothing but a text: nothing follows from it.
pub struct FailedCallback {
    /// Why.
    pub unverified_return_msg: String,
}

impl fmt::Debug for FailedCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedCallback").finish_non_exhaustive()
    }
}

/// What a verified notice is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// Money was paid. Compare its amount, appid and mch_id with the order.
    Paid(Box<Transaction>),
    /// `result_code` is `FAIL`, or `trade_state` (of deductions) is not `SUCCESS`: nothing was paid.
    NotPaid {
        /// Why, where it is said.
        failure: Option<Failure>,
        /// Every field.
        fields: VerifiedFields,
    },
    /// Not about a payment, such as the signing of a deduction contract.
    Other(VerifiedFields),
}

impl VerifiedFields {
    /// Reads the fields as a notice.
    ///
    /// # Errors
    /// Where it is about a payment, but lacks what WeChat Pay documents for one.
    pub fn notice(self) -> Result<Notice, FieldError> {
        let failure = Failure::of(&self);
        if failure.is_some() || self.get("trade_state").is_some_and(|state| state != "SUCCESS") {
            return Ok(Notice::NotPaid { failure, fields: self });
        }
        if self.get(FEE).is_none() && self.get("transaction_id").is_none() {
            return Ok(Notice::Other(self));
        }
        if self.required("result_code")? != "SUCCESS" {
            return Err(FieldError::NotACode { field: "result_code" });
        }
        Transaction::read(self).map(|transaction| Notice::Paid(Box::new(transaction)))
    }
}

impl Notice {
    /// Every field, as verified.
    #[must_use]
    pub fn fields(&self) -> &VerifiedFields {
        match self {
            Self::Paid(transaction) => &transaction.fields,
            Self::NotPaid { fields, .. } | Self::Other(fields) => fields,
        }
    }

    /// What tells this notice from every other and is the same on every resend, which carries another `nonce_str` and
    /// `sign`: the payment's number; for what is not a payment, a hash of its fields. At most 64 visible characters,
    /// whatever the number.
    #[must_use]
    pub fn dedupe_id(&self) -> String {
        match self {
            Self::Paid(transaction) => dedupe_id("payment", &transaction.transaction_id),
            Self::NotPaid { fields, .. } | Self::Other(fields) => {
                format!("v2/notice/{}", hashed(&fields.to_json()))
            }
        }
    }
}

/// An id with the number in it, for people to find; where the number is not as WeChat Pay's are, with its hash.
pub(super) fn dedupe_id(kind: &str, number: &str) -> String {
    let id = format!("v2/{kind}/{number}");
    let is_fit = id.len() <= DEDUPE_ID_LEN_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_fit { id } else { format!("v2/{kind}-hash/{}", hashed(number)) }
}

/// 128 bits tell apart as many notices as there will be.
fn hashed(text: &str) -> String {
    hex(&digest(&SHA256, text.as_bytes()).as_ref()[..16], false)
}
