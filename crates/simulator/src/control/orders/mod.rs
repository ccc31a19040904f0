//! Orders and refunds, as users and merchants bring them about by hand.

mod acts;
mod refunds;

pub(super) use acts::{cancel, close, list, pay};
pub(super) use refunds::{end_refund, list_refunds, refund, set_funds};
