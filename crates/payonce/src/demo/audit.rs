//! Checks the database itself: what WeChat knows against what the rows say.

use std::collections::HashMap;

use payonce_core::{
    Store, StoreError,
    order::OrderId,
    store::{LedgerLine, Position},
};
use payonce_simulator::Payment;
use serde::Deserialize;

/// Rows read at a time.
const PAGE: usize = 1000;

/// What the audit found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Payments that had exactly one transition and exactly one message.
    pub effects: u64,
    /// Payments without a transition or without a message.
    pub lost: u64,
    /// Transitions or messages beyond one for a payment, or for no payment at all.
    pub doubled: u64,
}

/// Compares the payments that WeChat made with the orders and messages in the database.
pub(crate) async fn audit(store: &dyn Store, payments: &[&Payment]) -> Result<Audit, StoreError> {
    let mut transitions = transitions(store).await?;
    let mut messages = messages(store).await?;
    let mut audit = Audit::default();
    for payment in payments {
        let line = transitions.remove(&payment.out_trade_no);
        let settled = line.as_ref().map_or(0, |line| if line.paid { line.settling } else { 0 });
        let told = messages.remove(&payment.transaction_id).unwrap_or_default();
        let announced = line.map_or(0, |line| line.succeeded);
        match (settled, told, announced) {
            (1, 1, 1) => audit.effects += 1,
            (0, _, _) | (_, 0, _) => audit.lost += 1,
            _ => audit.doubled += 1,
        }
    }
    // Whatever is left settled an order, or was announced, for a payment that WeChat does not know: mostly both.
    let settled: u64 = transitions.into_values().map(|line| u64::from(line.settling)).sum();
    let announced: u64 = messages.into_values().map(u64::from).sum();
    audit.doubled += settled.max(announced);
    Ok(audit)
}

async fn transitions(store: &dyn Store) -> Result<HashMap<String, LedgerLine>, StoreError> {
    let mut lines = HashMap::new();
    let mut after = OrderId(0);
    loop {
        let page = store.ledger_after(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(lines) };
        after = last.id;
        lines.extend(page.into_iter().map(|line| (line.key.out_trade_no.to_string(), line)));
    }
}

/// How many `payment.succeeded` there are for each payment, by what the messages themselves say.
async fn messages(store: &dyn Store) -> Result<HashMap<String, u32>, StoreError> {
    #[derive(Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        transaction_id: String,
    }
    let mut told = HashMap::new();
    let mut after = Position(0);
    loop {
        let page = store.messages_after(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(told) };
        after = last.position;
        for message in page.iter().filter(|message| message.kind == "payment.succeeded") {
            let body: Body =
                serde_json::from_str(&message.body).map_err(|error| StoreError::Unexpected(error.into()))?;
            *told.entry(body.data.transaction_id).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests;
