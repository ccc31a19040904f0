//! What a fact means for an order: the table of the money, as a pure function.
//!
//! Invariants: no I/O, no clock, no randomness. A business refusal is an [`Outcome`] that commits, never an
//! error: retrying would not help. Over the money it is a join: an agreeing statement settles its order
//! whenever it comes, a disagreeing one never does.

use crate::{
    fact::{Content, Fact, Paid},
    message::MessageKind,
    order::{Order, OrderState, Terms},
};

/// What came of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It changed what we know.
    Applied,
    /// It was known already.
    Duplicate,
    /// Its order is not registered; a payment is kept until it is.
    Unmatched,
    /// Money that does not add up: kept, announced and listed for an operator.
    Incident,
    /// A registration under a number that stands for other terms. Nothing changed.
    Refused,
}

impl Outcome {
    /// The word that stands in the database, in answers and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Unmatched => "unmatched",
            Self::Incident => "incident",
            Self::Refused => "refused",
        }
    }
}

/// What the merchant chose for the cases in which there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A payment for an order that was closed.
    pub late_payment: LatePayment,
    /// A payment for an order that nobody registered.
    pub unknown_order: UnknownOrder,
    /// A second payment of a paid order.
    pub second_payment: Remedy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            late_payment: LatePayment::Report(Remedy::Hold),
            unknown_order: UnknownOrder::Hold,
            second_payment: Remedy::Hold,
        }
    }
}

/// What to do with a payment that came after its order was closed. The order is paid either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatePayment {
    /// Take it as an ordinary payment, marked `late`.
    Accept,
    /// Mark it `late` and open an incident.
    Report(Remedy),
}

/// What to do with a payment whose order is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownOrder {
    /// Keep it until the order is registered.
    Hold,
    /// Register the order as the payment states it.
    Adopt,
}

/// What is to become of money that should not have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Keep it; an operator decides.
    Hold,
    /// Give it back.
    Refund,
}

/// How a payment that was kept stands to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It paid the order.
    Settling,
    /// It agrees with the order, which another payment had paid.
    Second,
    /// It disagrees with the order, or with what WeChat said before under the same number.
    Disputed,
    /// Its order is not registered.
    Unmatched,
}

/// Why an operator should look. Each belongs to one kept payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncidentKind {
    /// The amount differs from the order's.
    AmountMismatch,
    /// The currency differs from the order's.
    CurrencyMismatch,
    /// It was paid in another app than the order's.
    AppidMismatch,
    /// In partner mode, paid to another sub-merchant, or to one where the order knows none.
    SubMerchantMismatch,
    /// One payment number, two contents.
    Contradiction,
    /// Two payments for one order.
    PaidTwice,
    /// Paid after the order was closed.
    PaidAfterClose,
    /// No order is registered under this number.
    UnknownOrder,
}

impl IncidentKind {
    /// The word that stands in the database and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AmountMismatch => "amount_mismatch",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::AppidMismatch => "appid_mismatch",
            Self::SubMerchantMismatch => "sub_mchid_mismatch",
            Self::Contradiction => "contradiction",
            Self::PaidTwice => "paid_twice",
            Self::PaidAfterClose => "paid_after_close",
            Self::UnknownOrder => "unknown_order",
        }
    }
}

/// What becomes of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderEffect {
    /// Nothing.
    Unchanged,
    /// It comes to be, in state `Pending`.
    Register(Terms),
    /// It comes to be as its payment states it, and is paid.
    Adopt(Terms),
    /// It moves to this state.
    Become(OrderState),
}

/// What a fact means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// In one word.
    pub outcome: Outcome,
    /// For the order.
    pub order: OrderEffect,
    /// The payment is kept in this standing; `None` if it is kept already or there is none.
    pub standing: Option<Standing>,
    /// What the merchant's system is told.
    pub message: Option<MessageKind>,
    /// What an operator should look at, and what is to become of the money.
    pub incident: Option<(IncidentKind, Remedy)>,
}

impl Decision {
    fn nothing(outcome: Outcome) -> Self {
        Self { outcome, order: OrderEffect::Unchanged, standing: None, message: None, incident: None }
    }

    fn keep(standing: Standing, message: MessageKind) -> Self {
        Self { standing: Some(standing), message: Some(message), ..Self::nothing(Outcome::Applied) }
    }

    fn becoming(self, state: OrderState) -> Self {
        Self { order: OrderEffect::Become(state), ..self }
    }

    fn incident(self, kind: IncidentKind, remedy: Remedy) -> Self {
        Self { outcome: Outcome::Incident, incident: Some((kind, remedy)), ..self }
    }
}

/// What was kept before under the fact's [claim](Fact::claim).
#[derive(Clone, Copy, Debug)]
pub enum Earlier<'a> {
    /// Nothing.
    Nothing,
    /// These statements about the same payment, for whichever order.
    Statements(&'a [(&'a Content, Standing)]),
    /// The notification was passed on.
    Passed,
}

/// Decides what `fact` means, given its order as it stands and what was kept under its claim.
#[must_use]
pub fn decide(order: Option<&Order>, earlier: Earlier<'_>, fact: &Fact, policy: &Policy) -> Decision {
    match fact {
        Fact::Registered { terms, .. } => register(order, terms),
        Fact::Paid(paid) => pay(order, earlier, paid, policy),
        Fact::Closed { .. } => close(order),
        Fact::Other(passed) => match earlier {
            Earlier::Passed => Decision::nothing(Outcome::Duplicate),
            _ => Decision {
                message: Some(MessageKind::Passed(passed.event_type.clone())),
                ..Decision::nothing(Outcome::Applied)
            },
        },
    }
}

fn register(order: Option<&Order>, terms: &Terms) -> Decision {
    match order {
        None => {
            Decision { order: OrderEffect::Register(terms.clone()), ..Decision::nothing(Outcome::Applied) }
        }
        Some(order) if same_terms(order, terms) => Decision::nothing(Outcome::Duplicate),
        Some(_) => Decision::nothing(Outcome::Refused),
    }
}

/// Whether a registration says what stands already. Until when a paid order could be paid matters no more; an
/// adopted one never knew.
fn same_terms(order: &Order, terms: &Terms) -> bool {
    let expires_at = match order.state {
        OrderState::Paid { .. } => terms.expires_at,
        OrderState::Pending | OrderState::Closed => order.terms.expires_at,
    };
    Terms { expires_at, ..order.terms.clone() } == *terms
}

fn close(order: Option<&Order>) -> Decision {
    match order.map(|order| &order.state) {
        None => Decision::nothing(Outcome::Unmatched),
        Some(OrderState::Pending) => {
            Decision { message: Some(MessageKind::OrderClosed), ..Decision::nothing(Outcome::Applied) }
                .becoming(OrderState::Closed)
        }
        // Paid wins: a close may race with the payment at WeChat's.
        Some(OrderState::Paid { .. } | OrderState::Closed) => Decision::nothing(Outcome::Duplicate),
    }
}

fn pay(order: Option<&Order>, earlier: Earlier<'_>, paid: &Paid, policy: &Policy) -> Decision {
    let earlier = match earlier {
        Earlier::Statements(statements) => statements,
        Earlier::Nothing | Earlier::Passed => &[],
    };
    if earlier.iter().any(|(content, _)| **content == paid.content) {
        return Decision::nothing(Outcome::Duplicate);
    }
    // One payment pays one order, once: a second statement under a number that counts already never counts.
    let contradicted =
        earlier.iter().any(|(_, standing)| matches!(standing, Standing::Settling | Standing::Second));
    if contradicted {
        return contradiction();
    }
    let Some(order) = order else { return unknown(paid, policy) };
    match disagreement(&order.terms, &paid.content) {
        Some(_) if !earlier.is_empty() => contradiction(),
        Some(kind) => {
            Decision::keep(Standing::Disputed, MessageKind::PaymentMismatched).incident(kind, Remedy::Hold)
        }
        None => settle(order, paid, policy),
    }
}

fn contradiction() -> Decision {
    Decision::keep(Standing::Disputed, MessageKind::PaymentConflicted)
        .incident(IncidentKind::Contradiction, Remedy::Hold)
}

fn unknown(paid: &Paid, policy: &Policy) -> Decision {
    match policy.unknown_order {
        UnknownOrder::Hold => Decision {
            outcome: Outcome::Unmatched,
            incident: Some((IncidentKind::UnknownOrder, Remedy::Hold)),
            ..Decision::keep(Standing::Unmatched, MessageKind::PaymentUnmatched)
        },
        UnknownOrder::Adopt => {
            let Content { amount, currency, appid, sub_merchant, .. } = paid.content.clone();
            Decision {
                order: OrderEffect::Adopt(Terms { amount, currency, appid, sub_merchant, expires_at: None }),
                ..Decision::keep(Standing::Settling, MessageKind::PaymentSucceeded)
            }
        }
    }
}

fn settle(order: &Order, paid: &Paid, policy: &Policy) -> Decision {
    let by = paid.content.payment.clone();
    match &order.state {
        OrderState::Pending => Decision::keep(Standing::Settling, MessageKind::PaymentSucceeded)
            .becoming(OrderState::Paid { by, late: false }),
        OrderState::Closed => {
            let settled = Decision::keep(Standing::Settling, MessageKind::PaymentSucceeded)
                .becoming(OrderState::Paid { by, late: true });
            match policy.late_payment {
                LatePayment::Accept => settled,
                LatePayment::Report(remedy) => settled.incident(IncidentKind::PaidAfterClose, remedy),
            }
        }
        OrderState::Paid { .. } => Decision::keep(Standing::Second, MessageKind::PaymentDuplicated)
            .incident(IncidentKind::PaidTwice, policy.second_payment),
    }
}

/// The first thing in which a payment disagrees with its order. The merchant agrees by the order's key.
fn disagreement(terms: &Terms, content: &Content) -> Option<IncidentKind> {
    if content.currency != terms.currency {
        Some(IncidentKind::CurrencyMismatch)
    } else if content.amount != terms.amount {
        Some(IncidentKind::AmountMismatch)
    } else if content.appid != terms.appid {
        Some(IncidentKind::AppidMismatch)
    } else if content.sub_merchant != terms.sub_merchant {
        Some(IncidentKind::SubMerchantMismatch)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
