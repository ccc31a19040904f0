//! The calls of APIv2: what goes on the wire for each, and what its answer says.
//!
//! Order matters in an answer (WeChat Pay's rule): `return_code`, sign, `result_code`, and only then the call's own
//! fields. Invariant: a call is data. Deliberately absent: sending, nonces, the client certificate; code payment and
//! reversal.

mod bill;
mod order;
mod refund;
mod refund_query;

pub use bill::{BillFailure, BillReason, BillType, DownloadBill, is_bill_failure, read_bill_failure};
pub use order::{
    CloseOrder, OrderNumber, OrderOptions, OrderQuery, Prepaid, QueriedOrder, Trade, UnifiedOrder,
};
pub use refund::{Refund, RefundAccepted};
pub use refund_query::{QueriedRefund, QueriedRefunds, RefundNumber, RefundQuery};

use super::{
    AnswerError, ApiV2Key, Failure, FieldError, Fields, SignType, UnwritableError, VerifiedFields, parse_xml,
    sign, write_xml,
};
use crate::api::Operation;

/// What goes on the wire: a POST of [`request_body`] to `path`, `Content-Type: text/xml; charset=utf-8`.
pub trait Request {
    /// The absolute path.
    fn path(&self) -> &'static str;

    /// What may be done when the outcome is unknown.
    fn operation(&self) -> Operation;

    /// Whether WeChat Pay asks for the merchant's TLS client certificate (`apiclient_cert`).
    fn needs_client_certificate(&self) -> bool {
        false
    }

    /// The call's own fields; those of every call are added by [`request_body`].
    fn fields(&self) -> Fields;
}

/// A call that is answered with a signed message, which [`read_answer`] reads.
pub trait Call: Request {
    /// What a success says.
    type Answer;

    /// Reads the verified fields of a success.
    ///
    /// # Errors
    /// Where they are not what WeChat Pay documents, or are about something else than was asked for.
    fn read(&self, verified: VerifiedFields) -> Result<Self::Answer, AnswerError>;
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The Mini Program or app; a service provider's own, in partner mode.
    pub appid: String,
    /// The merchant; the service provider, in partner mode.
    pub mch_id: String,
    /// Partner mode: the sub-merchant's app, where payers are known by it.
    pub sub_appid: Option<String>,
    /// Partner mode: the sub-merchant.
    pub sub_mch_id: Option<String>,
}

impl Caller {
    /// A merchant that calls for itself.
    #[must_use]
    pub fn merchant(appid: impl Into<String>, mch_id: impl Into<String>) -> Self {
        Self { appid: appid.into(), mch_id: mch_id.into(), sub_appid: None, sub_mch_id: None }
    }

    /// Whether an answer is this caller's. Its appid may be another, the order's, where a merchant has several.
    fn is_answered_by(&self, verified: &VerifiedFields) -> Result<(), AnswerError> {
        is_about(verified, "mch_id", &self.mch_id)?;
        self.sub_mch_id.as_ref().map_or(Ok(()), |sub_mch_id| is_about(verified, "sub_mch_id", sub_mch_id))
    }
}

/// The signed XML of a request. `nonce` is random, fresh for each attempt, 1 to 32 letters and digits.
///
/// # Errors
/// Where a value cannot be written, or the call names a field that is filled in here.
pub fn request_body(
    request: &impl Request,
    caller: &Caller,
    nonce: &str,
    sign_type: SignType,
    key: &ApiV2Key,
) -> Result<String, UnwritableError> {
    let mut fields = Fields::default();
    fields.insert("appid", caller.appid.as_str());
    fields.insert("mch_id", caller.mch_id.as_str());
    fields.insert_optional("sub_appid", caller.sub_appid.as_deref());
    fields.insert_optional("sub_mch_id", caller.sub_mch_id.as_deref());
    fields.insert("nonce_str", nonce);
    fields.insert("sign_type", sign_type.as_str());
    for (name, value) in request.fields().iter() {
        if name == "sign" || fields.get(name).is_some() {
            return Err(UnwritableError::Reserved { field: name.to_owned() });
        }
        fields.insert(name, value);
    }
    fields.insert("sign", sign(&fields, sign_type, key));
    write_xml(&fields)
}

/// Reads the body of the answer to a call of this caller; the HTTP status, always 200, says nothing.
///
/// # Errors
/// In this order: not APIv2's XML, `return_code` `FAIL`, the sign, another caller's, `result_code` `FAIL`, the call's own
/// fields.
pub fn read_answer<C: Call>(
    call: &C,
    caller: &Caller,
    body: &[u8],
    key: &ApiV2Key,
) -> Result<C::Answer, AnswerError> {
    let fields = parse_xml(body)?;
    match fields.required("return_code").map_err(AnswerError::NoOutcome)? {
        "SUCCESS" => (),
        "FAIL" => {
            return Err(AnswerError::Refused { return_msg: fields.owned("return_msg").unwrap_or_default() });
        }
        _ => return Err(AnswerError::NoOutcome(FieldError::NotACode { field: "return_code" })),
    }
    // No type is insisted on: not every answer is signed as its request asked.
    let verified = fields.verify(key, None)?;
    caller.is_answered_by(&verified)?;
    if let Some(failure) = Failure::of(&verified) {
        return Err(failure.into());
    }
    if verified.required("result_code").map_err(AnswerError::NoOutcome)? != "SUCCESS" {
        return Err(AnswerError::NoOutcome(FieldError::NotACode { field: "result_code" }));
    }
    call.read(verified)
}

/// Whether an answer is about what was asked for. A field that it leaves out, as it may, says nothing.
fn is_about(verified: &VerifiedFields, field: &'static str, expected: &str) -> Result<(), AnswerError> {
    match verified.get(field) {
        Some(other) if other != expected => Err(AnswerError::AboutAnother { field }),
        _ => Ok(()),
    }
}
