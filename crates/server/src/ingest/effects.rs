//! Effects on the way of a callback: asked of the database before the start, bounded in time, and kept where they fail.
//!
//! Invariant: no effect ends the applier, or holds it up for longer than a callback can wait.

use std::{
    collections::HashSet,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    Store, StoreError,
    delivery::Filter,
    effect::{Effect, EffectError, EffectFailure, EffectMessage, EffectTx, Effects, Prepared},
    store::StatementFailure,
};
use tokio::time::timeout;

use crate::alerts::{Alert, Alerts};

/// How long an effect may take. Longer than a store lets a statement wait for somebody else's lock (1.5 s, or 1 s on MySQL), which ends by
/// itself and leaves the transaction whole; short enough for the neighbours to be applied anew within a callback's budget.
const EFFECT_MAX: Duration = Duration::from_secs(2);

/// How long failures may take to be kept before the callbacks are answered without that.
const KEEP_MAX: Duration = Duration::from_secs(1);

/// How long a name may be.
const NAME_BYTES_MAX: usize = 64;

/// Why effects cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum UnfitEffect {
    /// The database refuses a statement.
    #[error(
        "{place}: the database cannot execute the statement of effect {effect}: {said}; the statement is {statement:?}"
    )]
    Refused {
        /// The effect's name.
        effect: String,
        /// Where the statement stands.
        place: String,
        /// As it was written.
        statement: String,
        /// What the database said.
        said: String,
    },
    /// A name is empty, too long or not visible ASCII, or two have it.
    #[error(
        "{name:?} cannot be the name of an effect, or is that of two; expected 1 to {NAME_BYTES_MAX} visible ASCII \
         characters, each name once"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The database could not be asked.
    #[error("the database could not be asked whether it can execute the effects: {}", .0.with_causes())]
    Unasked(StoreError),
}

/// Asks the database whether it could execute everything that the effects are going to.
///
/// # Errors
/// [`UnfitEffect`] for the first that cannot be.
pub async fn check_effects(store: &dyn Store, effects: &Effects) -> Result<(), UnfitEffect> {
    let mut names = HashSet::new();
    for effect in effects.iter() {
        let name = effect.name();
        let fits =
            (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits || !names.insert(name) {
            return Err(UnfitEffect::Name { name: name.to_owned() });
        }
        for Prepared { place, statement, arguments } in effect.prepared() {
            match store.effects().check(statement, &arguments).await {
                Ok(()) => {}
                Err(StatementFailure::Lost(error)) => return Err(UnfitEffect::Unasked(error)),
                Err(StatementFailure::Refused(said) | StatementFailure::Waited(said)) => {
                    return Err(UnfitEffect::Refused {
                        effect: name.to_owned(),
                        place: place.to_owned(),
                        statement: statement.source().to_owned(),
                        said,
                    });
                }
            }
        }
    }
    Ok(())
}

/// `effects` and one more, which is bounded.
pub(crate) fn with_bounded(effects: Effects, on: Filter, effect: Arc<dyn Effect>) -> Effects {
    effects.with(on, Arc::new(Bounded(effect)))
}

/// An effect that fails when it takes too long or panics.
struct Bounded(Arc<dyn Effect>);

#[async_trait]
impl Effect for Bounded {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn prepared(&self) -> Vec<Prepared<'_>> {
        self.0.prepared()
    }

    async fn run(&self, tx: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError> {
        let mut running = self.0.run(tx, message);
        let caught = poll_fn(|context| {
            // What a panic leaves behind is dropped with the transaction.
            match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
                Ok(Poll::Ready(returned)) => Poll::Ready(returned),
                Ok(Poll::Pending) => Poll::Pending,
                Err(_) => Poll::Ready(Err(EffectError::failed("it panicked"))),
            }
        });
        timeout(EFFECT_MAX, caught).await.unwrap_or_else(|_| Err(EffectError::Late(EFFECT_MAX)))
    }
}

/// Says that effects failed, to people too, and keeps it. What cannot be kept was said, and comes again with WeChat's next attempt.
pub(super) async fn keep(store: &dyn Store, alerts: &Alerts, failures: &[EffectFailure]) {
    for failure in failures {
        let EffectFailure { effect, kind, subject, reason, .. } = failure;
        tracing::error!(
            effect,
            kind,
            subject,
            reason,
            "an effect failed, so its fact was not applied; WeChat Pay sends it again"
        );
        let (effect, subject, reason) = (effect.clone(), subject.clone(), reason.clone());
        alerts.raise(Alert::EffectFailed { effect, subject, reason });
    }
    match timeout(KEEP_MAX, store.effects().keep_failures(failures)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = error.with_causes(), "effects that failed could not be kept");
        }
        Err(_) => tracing::warn!("effects that failed could not be kept in time"),
    }
}

#[cfg(test)]
mod tests {
    use payonce_core::{
        Attempts, Fact, MerchantId, NotApplied, NotificationId, Outcome, Policy, Submission, UnixMillis,
        apply_with, fact::Passed,
    };
    use payonce_store_sqlite::{Options, SqliteStore};

    use super::*;

    enum Misbehaves {
        Hangs,
        Panics,
    }

    #[async_trait]
    impl Effect for Misbehaves {
        fn name(&self) -> &str {
            "misbehaves"
        }

        async fn run(&self, _: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError> {
            if message.notification.is_some_and(|id| id.as_str() == "N1") {
                return Ok(());
            }
            match self {
                Self::Hangs => std::future::pending().await,
                Self::Panics => panic!("told so by a test"),
            }
        }
    }

    /// A handler that never comes back, or panics, is the trouble of its own fact.
    #[tokio::test(start_paused = true)]
    async fn an_effect_that_hangs_or_panics_fails_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path().join("p.db"))).unwrap();
        let passed = |id: &str| {
            Submission::from(Fact::Other(Passed {
                merchant: MerchantId::parse("1900000001").unwrap(),
                notification: NotificationId::parse(id).unwrap(),
                event_type: payonce_core::EventType::parse("REFUND.SUCCESS").unwrap(),
                plaintext: "{}".into(),
            }))
        };
        for (round, misbehaves, reason) in
            [(0, Misbehaves::Hangs, "it took longer than 2s"), (1, Misbehaves::Panics, "it panicked")]
        {
            let effects = with_bounded(Effects::none(), Filter::all(), Arc::new(misbehaves));
            let batch = [passed("N1"), passed("N2")];
            let outcomes =
                apply_with(&store, &batch, &Policy::default(), &effects, UnixMillis(1), &Attempts(3)).await;
            let expected = if round == 0 { Outcome::Applied } else { Outcome::Duplicate };
            assert!(matches!(&outcomes[0], Ok(outcome) if *outcome == expected), "{outcomes:?}");
            let Err(NotApplied::Effects(failures)) = &outcomes[1] else { panic!("{outcomes:?}") };
            assert_eq!(failures[0].reason, reason);
        }
    }

    /// Names are kept with what failed, so they have to tell effects apart.
    #[tokio::test]
    async fn names_are_short_visible_and_each_ones_own() {
        struct Named(&'static str);

        #[async_trait]
        impl Effect for Named {
            fn name(&self) -> &str {
                self.0
            }

            async fn run(&self, _: &mut EffectTx<'_>, _: &EffectMessage<'_>) -> Result<(), EffectError> {
                Ok(())
            }
        }

        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path().join("p.db"))).unwrap();
        let long: &str = "ninety-nine characters would be too many for a name that is kept with whatever failed, so are these";
        for (names, fits) in [
            (["a", "b"], true),
            (["a", "a"], false),
            (["", "b"], false),
            (["a b", "b"], false),
            (["订单", "b"], false),
            ([long, "b"], false),
        ] {
            let effects = names.into_iter().fold(Effects::none(), |effects, name| {
                with_bounded(effects, Filter::all(), Arc::new(Named(name)))
            });
            assert_eq!(check_effects(&store, &effects).await.is_ok(), fits, "{names:?}");
        }
    }
}
