//! What a resource tells of its product by the fields it has, where the names leave several: payments and refunds.
//!
//! A field that is absent, `null` or `""` is not there. Order matters: parking, deduction and cross-border payments
//! occur in ordinary and in partner mode, so they are told apart before the two modes are.

use serde::Deserialize;
use serde_json::Value;

use super::{Product, Refund, Transaction};

const SCENE_PARKING: &str = "PARKING";
const EXCHANGE_RATE: &str = "exchange_rate";

/// The distinguishing fields, whatever they hold.
#[derive(Deserialize)]
pub(super) struct Shape {
    mchid: Option<Value>,
    sp_mchid: Option<Value>,
    combine_mchid: Option<Value>,
    combine_out_trade_no: Option<Value>,
    out_trade_no: Option<Value>,
    transaction_id: Option<Value>,
    order_id: Option<Value>,
    receiver: Option<Value>,
    trade_scene: Option<Value>,
    trade_type: Option<Value>,
    amount: Option<Value>,
}

impl Shape {
    /// Of a resource under the event of payments.
    pub(super) fn payment_product(&self) -> Product {
        let scene = self.trade_scene.as_ref().and_then(Value::as_str);
        if there(&self.receiver) {
            if there(&self.order_id) { Product::ProfitSharing } else { Product::Unknown }
        } else if there(&self.combine_mchid) || there(&self.combine_out_trade_no) {
            Product::CombinePayment
        } else if self.is_cross_border() {
            Product::CrossBorderPayment
        } else if scene.is_some_and(|scene| scene.starts_with(SCENE_PARKING)) {
            Product::Parking
        } else if self.trade_type.as_ref().and_then(Value::as_str).is_some_and(is_deduction) {
            Product::Deduction
        } else if there(&self.trade_scene) || !there(&self.out_trade_no) || !there(&self.transaction_id) {
            Product::Unknown
        } else if there(&self.sp_mchid) {
            Product::PartnerPayment
        } else if there(&self.mchid) {
            Product::Payment
        } else {
            Product::Unknown
        }
    }

    /// Whether there is an exchange rate.
    pub(super) fn is_cross_border(&self) -> bool {
        let Some(Value::Object(amount)) = &self.amount else { return false };
        amount.get(EXCHANGE_RATE).is_some_and(|rate| !rate.is_null())
    }
}

/// Whether this payment, which was read as an ordinary one, is one: as [`Shape::payment_product`] has it, without
/// reading the text again. `false` where in doubt.
pub(super) fn is_plainly_ordinary(transaction: &Transaction) -> bool {
    /// Fields of [`Shape`] that a [`Transaction`] does not know.
    const FOREIGN: [&str; 5] =
        ["combine_mchid", "combine_out_trade_no", "receiver", "sp_mchid", "trade_scene"];
    let rated = |amount: &super::Amount| amount.other.contains_key(EXCHANGE_RATE);
    !FOREIGN.iter().any(|field| transaction.other.contains_key(*field))
        && !transaction.mchid.is_empty()
        && !transaction.out_trade_no.is_empty()
        && transaction.transaction_id.is_some()
        && !transaction.trade_type.as_deref().is_some_and(is_deduction)
        && !transaction.amount.as_ref().is_some_and(rated)
}

/// The same for a refund.
pub(super) fn is_plainly_domestic(refund: &Refund) -> bool {
    !refund.amount.other.contains_key(EXCHANGE_RATE)
}

/// Deductions by contract.
fn is_deduction(trade_type: &str) -> bool {
    matches!(trade_type, "PAP" | "AUTH")
}

fn there(field: &Option<Value>) -> bool {
    field.as_ref().is_some_and(|value| value.as_str() != Some(""))
}
