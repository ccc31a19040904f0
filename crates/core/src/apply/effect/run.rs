//! Runs the effects of a transaction's messages, each message's within a savepoint.

use super::{EffectError, EffectFailure, EffectMessage, EffectTx, Effects};
use crate::{
    fault,
    store::{Changes, NewMessage, StoreError, Tx},
    time::UnixMillis,
};

/// A submission, by its place in the batch, and what failed for it.
pub(in crate::apply) type Failed = (usize, EffectFailure);

/// Runs the effects for everything that `changes` tells. All that fail are found: a savepoint lets the others run.
///
/// # Errors
/// [`StoreError`] if the transaction itself is lost.
pub(in crate::apply) async fn run(
    effects: &Effects,
    tx: &mut dyn Tx,
    changes: &Changes,
    now: UnixMillis,
) -> Result<Vec<Failed>, StoreError> {
    let mut failed = Vec::new();
    for (message, seen) in &in_lock_order(changes) {
        if effects.of(&seen.kind).next().is_none() {
            continue;
        }
        fault!("effects: saved, none run");
        tx.statements().savepoint().await?;
        let Some((effect, error)) = run_all(effects, tx, seen).await? else {
            tx.statements().release_savepoint().await?;
            continue;
        };
        failed.push((message.cause, EffectFailure::of(effect, seen, &error, now)));
        if tx.statements().roll_back_to_savepoint().await.is_err() {
            // The transaction is dropped in any case. Those behind it run when their facts are applied anew.
            break;
        }
    }
    fault!("effects: all run, before commit");
    Ok(failed)
}

/// The first effect that fails, and why.
async fn run_all<'e>(
    effects: &'e Effects,
    tx: &mut dyn Tx,
    message: &EffectMessage<'_>,
) -> Result<Option<(&'e str, EffectError)>, StoreError> {
    for effect in effects.of(&message.kind) {
        let mut tx = EffectTx::new(tx.statements());
        let returned = effect.run(&mut tx, message).await;
        if let Err(error) = tx.outcome(returned)? {
            return Ok(Some((effect.name(), error)));
        }
    }
    Ok(None)
}

/// The messages by their orders, as orders are locked: two nodes come to the merchant's rows in one order, where those
/// follow the orders. An order's own stay in their sequence.
fn in_lock_order(changes: &Changes) -> Vec<(&NewMessage, EffectMessage<'_>)> {
    let seen = |message| (message, EffectMessage::of(message, changes));
    let mut told: Vec<(&NewMessage, EffectMessage<'_>)> = changes.messages.iter().map(seen).collect();
    told.sort_by(|(_, one), (_, other)| one.order.cmp(&other.order));
    told
}
