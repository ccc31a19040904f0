//! Runs the effects of a transaction's messages, each message's within a savepoint.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{EffectError, EffectFailure, EffectMessage, EffectTx, Effects, tx::Unfit};
use crate::{
    fault,
    store::{Changes, NewMessage, StatementFailure, StoreError, Tx},
    time::UnixMillis,
};

/// How often effects of one batch may wait as long as a statement may (1.5 s), before the batch's callbacks have no time left.
const WAITS_MAX: u32 = 2;

/// A submission, by its place in the batch, and what failed for it.
pub(in crate::apply) type Failed = (usize, EffectFailure);

/// How much of a batch's time its effects took, over all attempts: there is no clock, but each wait is as long as another.
#[derive(Debug, Default)]
pub(in crate::apply) struct Waits(AtomicU32);

impl Waits {
    fn is_enough(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= WAITS_MAX
    }

    /// Counts what an effect did that failed: whether it took long.
    fn add(&self, unfit: &Unfit) -> bool {
        let waits = match (&unfit.error, unfit.waited) {
            // More than a wait, and another one as long would be all of the time.
            (EffectError::Late(_), _) => WAITS_MAX,
            (_, true) => 1,
            (_, false) => 0,
        };
        self.0.fetch_add(waits, Ordering::Relaxed);
        waits > 0
    }
}

/// Runs the effects for everything that `changes` tells. All that fail are found: a savepoint lets the others run. Only what
/// takes long ends it: the transaction is begun anew without that, and without what there is no time left for.
///
/// # Errors
/// [`StoreError`] if the transaction itself is lost, and nothing was found before.
pub(in crate::apply) async fn run(
    effects: &Effects,
    tx: &mut dyn Tx,
    changes: &Changes,
    now: UnixMillis,
    waits: &Waits,
) -> Result<Vec<Failed>, StoreError> {
    let mut failed: Vec<Failed> = Vec::new();
    let mut told = in_lock_order(changes).into_iter();
    for (message, seen) in told.by_ref() {
        if effects.of(&seen.kind).next().is_none() {
            continue;
        }
        fault!("effects: saved, none run");
        let (effect, unfit) = match within_savepoint(effects, tx, &seen).await {
            Ok(None) => continue,
            Ok(Some(found)) => found,
            Err(lost) if failed.is_empty() => return Err(lost),
            // The transaction is dropped in any case, and what was found stands.
            Err(_) => return Ok(failed),
        };
        failed.push((message.cause, EffectFailure::of(effect, &seen, &unfit.error, now)));
        if waits.add(&unfit) {
            break;
        }
        if tx.statements().roll_back_to_savepoint().await.is_err() {
            // Those behind it run when their facts are applied anew.
            return Ok(failed);
        }
    }
    if waits.is_enough() {
        failed.extend(told.filter_map(|(message, seen)| {
            let effect = effects.of(&seen.kind).next()?.name();
            Some((message.cause, EffectFailure::of(effect, &seen, &EffectError::NotRun, now)))
        }));
    }
    fault!("effects: all run, before commit");
    Ok(failed)
}

/// What failed because the database refused the commit for a constraint that it had deferred. Which effect broke it is not
/// known; in a batch of one fact it was one of that fact's.
pub(in crate::apply) fn refused_at_commit(
    effects: &Effects,
    changes: &Changes,
    now: UnixMillis,
    said: &str,
) -> Vec<Failed> {
    let error = EffectError::Refused { said: said.to_owned() };
    let last = |(message, seen): (&NewMessage, EffectMessage<'_>)| {
        let effect = effects.of(&seen.kind).last()?.name();
        Some((message.cause, EffectFailure::of(effect, &seen, &error, now)))
    };
    in_lock_order(changes).into_iter().filter_map(last).collect()
}

/// The first effect that fails, and how; its savepoint stands then.
async fn within_savepoint<'e>(
    effects: &'e Effects,
    tx: &mut dyn Tx,
    message: &EffectMessage<'_>,
) -> Result<Option<(&'e str, Unfit)>, StoreError> {
    tx.statements().savepoint().await?;
    let mut ran: Option<&str> = None;
    for effect in effects.of(&message.kind) {
        if let Some(before) = ran
            && let Err(unfit) = of_deferred(tx.statements().check_deferred().await)?
        {
            return Ok(Some((before, unfit)));
        }
        let mut tx = EffectTx::new(tx.statements());
        let returned = effect.run(&mut tx, message).await;
        if let Err(unfit) = tx.outcome(returned)? {
            return Ok(Some((effect.name(), unfit)));
        }
        ran = Some(effect.name());
    }
    let released = of_deferred(tx.statements().release_savepoint().await)?;
    Ok(ran.zip(released.err()))
}

fn of_deferred(checked: Result<(), StatementFailure>) -> Result<Result<(), Unfit>, StoreError> {
    let (said, waited) = match checked {
        Ok(()) => return Ok(Ok(())),
        Err(StatementFailure::Lost(error)) => return Err(error),
        Err(StatementFailure::Refused(said)) => (said, false),
        Err(StatementFailure::Waited(said)) => (said, true),
    };
    Ok(Err(Unfit { error: EffectError::Refused { said }, waited }))
}

/// The messages by their orders, as orders are locked: two nodes come to the merchant's rows in one order, where those
/// follow the orders. An order's own stay in their sequence.
fn in_lock_order(changes: &Changes) -> Vec<(&NewMessage, EffectMessage<'_>)> {
    let seen = |message| (message, EffectMessage::of(message, changes));
    let mut told: Vec<(&NewMessage, EffectMessage<'_>)> = changes.messages.iter().map(seen).collect();
    told.sort_by(|(_, one), (_, other)| one.order.cmp(&other.order));
    told
}
