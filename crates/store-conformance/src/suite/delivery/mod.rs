//! What becomes of messages. Effects, in their own transaction; deliveries: what becomes due to whom, who makes an attempt,
//! and what comes of it; and how far those have read who read by themselves.

pub mod consumers;
pub mod delivered_once;
pub mod effects;
pub mod endpoints;
pub mod fanning_out;
pub mod in_order;
pub mod replaying;
pub mod settling;
pub mod taking;

use payonce_core::Fact;

use crate::{
    desk::Desk,
    facts::{paid, paid_amount, passed, registered},
};

/// Writes so many messages that belong to no order.
async fn tell(desk: &Desk<'_>, messages: std::ops::Range<usize>) {
    let facts: Vec<Fact> = messages.map(|i| Fact::Other(passed(&format!("N{i}")))).collect();
    for batch in facts.chunks(2) {
        desk.apply_all(batch).await;
    }
    desk.sequence().await;
}

/// Writes three messages of each order: `payment.succeeded`, `payment.duplicated`, `payment.mismatched`. First those with
/// which each order begins, then the second ones, and so on.
async fn tell_of_orders(desk: &Desk<'_>, orders: &[&str]) {
    for order in orders {
        let first = Fact::Paid(paid(order, &format!("{order}-1")));
        desk.apply_all(&[registered(order), first]).await;
    }
    for order in orders {
        desk.apply(Fact::Paid(paid(order, &format!("{order}-2")))).await;
    }
    for order in orders {
        desk.apply(Fact::Paid(paid_amount(order, &format!("{order}-3"), 7))).await;
    }
    desk.sequence().await;
}
