//! The states of an order. Deliberately absent: judging a step from one to the next, which needs the order's past.

use crate::api::wire::open_list;

open_list! {
    /// What became of an order.
    TradeState {
        /// Not paid, perhaps after a failed attempt: close it before another way of paying is offered.
        NotPay = "NOTPAY",
        /// Paid.
        Success = "SUCCESS",
        /// Paid, and at least one refund, perhaps of a part, was accepted: ask for the refund.
        Refund = "REFUND",
        /// Closed; the number cannot be paid again.
        Closed = "CLOSED",
        /// Reversed; code payment only.
        Revoked = "REVOKED",
        /// The user is entering the password; code payment only.
        UserPaying = "USERPAYING",
        /// Failed, say at the bank; code payment only.
        PayError = "PAYERROR",
        /// Accepted, to be deducted later.
        Accept = "ACCEPT",
    }
}

impl TradeState {
    /// Whether money was taken: paid, refunded or not.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        matches!(self, Self::Success | Self::Refund)
    }

    /// Whether the order can no longer come to be paid or unpaid. `false` for a state that is not known.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Success | Self::Refund | Self::Closed | Self::Revoked | Self::PayError)
    }
}
