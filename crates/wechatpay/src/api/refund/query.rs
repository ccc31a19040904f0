//! What became of a refund. Deliberately absent: polling, and its pace.

use super::{PATH, Refund};
use crate::answer::AnswerError;
use crate::api::field::{InvalidField, known_number};
use crate::api::wire::Target;
use crate::api::{Call, Merchant, Operation};

/// Asks for a refund: `GET /v3/refund/domestic/refunds/{out_refund_no}`. 404 `RESOURCE_NOT_EXISTS`, and nothing else,
/// says that it was never accepted: then the same request may be sent again.
#[derive(Clone, Debug)]
pub struct QueryRefund {
    merchant: Merchant,
    out_refund_no: String,
}

impl QueryRefund {
    /// The refund of this merchant with this number.
    ///
    /// # Errors
    /// Where the number does not have 1 to 64 of `0-9 A-Z a-z _ - | * @`.
    pub fn new(merchant: Merchant, out_refund_no: &str) -> Result<Self, InvalidField> {
        Ok(Self::of(merchant, known_number("out_refund_no", out_refund_no, 64)?))
    }

    pub(super) fn of(merchant: Merchant, out_refund_no: String) -> Self {
        Self { merchant, out_refund_no }
    }
}

impl Call for QueryRefund {
    type Answer = Refund;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        let target = Target::new(PATH).segment(&self.out_refund_no);
        target.query_optional("sub_mchid", self.merchant.sub_mchid()).finish()
    }

    fn operation(&self) -> Operation {
        Operation::Query
    }

    fn signer(&self) -> Option<&str> {
        Some(self.merchant.signer())
    }

    fn read(&self, body: &[u8]) -> Result<Refund, AnswerError> {
        Refund::read(body, &self.out_refund_no)
    }
}
