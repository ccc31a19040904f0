//! Doing a role while its lease is held.

use std::{pin::pin, time::Duration};

use payonce_core::store::{Lease, Leases, Owner, Role};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// How long a role rests after its node died.
pub(super) const TTL: Duration = Lease::TTL;

/// How often it is prolonged, and asked for by those who do not hold it. Two attempts may fail before it is over.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Does `work` whenever this owner holds the role's lease, until `stopping`. Work that returns gave the lease up by
/// itself (it was told that it lost it); work that is cut short is dropped at its next wait.
pub(super) async fn lead(
    leases: &dyn Leases,
    role: &Role,
    owner: &Owner,
    mut stopping: watch::Receiver<bool>,
    work: impl AsyncFn(&Lease),
) {
    while !*stopping.borrow() {
        // Counted from before the question: the database may answer late.
        let held_until = Instant::now() + TTL;
        if let Some(lease) = take(leases, role, owner).await {
            tracing::debug!(role = role.as_str(), "this node has the role");
            let ends = async {
                tokio::select! {
                    () = work(&lease) => {}
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
            };
            keep_during(leases, &lease, held_until, ends).await;
            if let Err(error) = leases.release(&lease).await {
                tracing::debug!(
                    role = role.as_str(),
                    error = error.with_causes(),
                    "a lease runs out by itself"
                );
            }
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = sleep(HEARTBEAT) => {}
        }
    }
}

async fn take(leases: &dyn Leases, role: &Role, owner: &Owner) -> Option<Lease> {
    leases.lease(role, owner, TTL).await.unwrap_or_else(|error| {
        tracing::warn!(role = role.as_str(), error = error.with_causes(), "a lease could not be asked for");
        None
    })
}

/// Prolongs the lease until the work ends; drops the work once the lease is no longer certain to be held. Returns amid no
/// question that may yet be answered in time: what the database does after the lease was given back would take it anew.
async fn keep_during(
    leases: &dyn Leases,
    lease: &Lease,
    mut held_until: Instant,
    work: impl Future<Output = ()>,
) {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            () = &mut work => return,
            () = sleep_until(held_until.min(Instant::now() + HEARTBEAT)) => {}
        }
        let asked = Instant::now();
        if asked >= held_until {
            break;
        }
        let mut question = pin!(timeout_at(held_until, leases.lease(&lease.role, &lease.owner, TTL)));
        let answer = tokio::select! {
            answer = &mut question => answer,
            () = &mut work => {
                let _ = question.await;
                return;
            }
        };
        match answer {
            Ok(Ok(Some(prolonged))) if prolonged.token == lease.token => held_until = asked + TTL,
            Ok(Err(error)) => {
                tracing::warn!(
                    role = lease.role.as_str(),
                    error = error.with_causes(),
                    "a lease was not prolonged"
                );
            }
            Ok(Ok(_)) | Err(_) => break,
        }
    }
    tracing::warn!(role = lease.role.as_str(), "this node has lost the role");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use payonce_core::{
        StoreError,
        store::{LeaseView, Unavailability},
    };
    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    /// One lease, in tokio's time.
    struct Table(Mutex<State>);

    struct State {
        lease: Lease,
        until: Instant,
        away: bool,
        /// How long the database takes to answer.
        answers_after: Duration,
        /// Questions that nobody waited for any longer.
        cut: usize,
    }

    /// A question, of which it is known whether its answer was waited for.
    struct Asked<'a>(&'a Table, bool);

    impl Drop for Asked<'_> {
        fn drop(&mut self) {
            self.0.state().cut += usize::from(!self.1);
        }
    }

    impl Table {
        /// `other` holds it for `ttl` from now.
        fn held_by_other(ttl: Duration) -> Self {
            let owner = Owner("other".to_owned());
            let lease = Lease { role: Role::KEEPER, owner, token: 1 };
            let until = Instant::now() + ttl;
            Self(Mutex::new(State { lease, until, away: false, answers_after: Duration::ZERO, cut: 0 }))
        }

        fn state(&self) -> std::sync::MutexGuard<'_, State> {
            self.0.lock().unwrap()
        }
    }

    #[async_trait]
    impl Leases for Table {
        async fn lease(&self, _: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
            let (mut asked, answers_after) = (Asked(self, false), self.state().answers_after);
            pass(answers_after).await;
            asked.1 = true;
            drop(asked);
            let mut state = self.state();
            if state.away {
                let reason = Unavailability::Unreachable;
                return Err(StoreError::Unavailable { reason, source: "told so by a test".into() });
            }
            if state.lease.owner != *owner {
                if state.until > Instant::now() {
                    return Ok(None);
                }
                state.lease.owner = owner.clone();
                state.lease.token += 1;
            }
            state.until = Instant::now() + ttl;
            Ok(Some(state.lease.clone()))
        }

        async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
            let mut state = self.state();
            if state.lease == *lease {
                state.until = Instant::now();
            }
            Ok(())
        }

        async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
            Ok(Vec::new())
        }
    }

    /// Lets so much of tokio's time pass.
    async fn pass(span: Duration) {
        let _ = timeout(span, std::future::pending::<()>()).await;
    }

    /// Tells of its beginning and, when it is dropped, of its end.
    struct Work(mpsc::UnboundedSender<(&'static str, u64)>, Instant);

    impl Work {
        fn tell(&self, what: &'static str) {
            self.0.send((what, self.1.elapsed().as_secs())).unwrap();
        }
    }

    impl Drop for Work {
        fn drop(&mut self) {
            self.tell("ends");
        }
    }

    /// Leads until `told` events were seen; returns them with the seconds at which they were.
    async fn lead_until(
        table: &Table,
        told: usize,
        meanwhile: impl AsyncFnOnce(),
    ) -> Vec<(&'static str, u64)> {
        let (events, mut seen) = mpsc::unbounded_channel();
        let (stop, stopping) = watch::channel(false);
        let (owner, started) = (Owner("this".to_owned()), Instant::now());
        let leading = lead(table, &Role::KEEPER, &owner, stopping, async |_| {
            let work = Work(events.clone(), started);
            work.tell("begins");
            std::future::pending().await
        });
        let watching = async {
            let mut all = Vec::new();
            while all.len() < told {
                all.push(seen.recv().await.unwrap());
            }
            stop.send(true).unwrap();
            all
        };
        let ((), all, ()) = tokio::join!(leading, watching, meanwhile());
        all
    }

    #[tokio::test(start_paused = true)]
    async fn a_role_begins_when_the_other_holder_is_gone() {
        let table = Table::held_by_other(TTL);
        let seen = lead_until(&table, 1, async || {}).await;
        assert_eq!(seen, [("begins", TTL.as_secs())]);
        assert!(table.state().until <= Instant::now(), "it is given back at the end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_lease_stops_the_work() {
        let table = Table::held_by_other(Duration::ZERO);
        let seen = lead_until(&table, 2, async || {
            pass(HEARTBEAT * 10 + Duration::from_secs(1)).await;
            let mut state = table.state();
            (state.lease.owner, state.lease.token) = (Owner("other".to_owned()), 9);
            state.until = Instant::now() + TTL;
        })
        .await;
        assert_eq!(seen, [("begins", 0), ("ends", (HEARTBEAT * 11).as_secs())]);
        assert_eq!(table.state().lease.token, 9, "another's lease is not given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_cannot_be_prolonged_stops_the_work_before_another_begins() {
        let table = Table::held_by_other(Duration::ZERO);
        let seen = lead_until(&table, 3, async || {
            pass(HEARTBEAT + Duration::from_secs(1)).await;
            table.state().away = true;
            pass(TTL * 2).await;
            table.state().away = false;
        })
        .await;
        let [("begins", 0), ("ends", ended), ("begins", again)] = seen[..] else { panic!("{seen:?}") };
        assert_eq!(ended, (HEARTBEAT + TTL).as_secs(), "it lasts from the question that was answered last");
        assert!(again >= (TTL * 2).as_secs(), "{again}");
    }

    /// Between two heartbeats: the first answer was late, so that they do not fall on its end.
    #[tokio::test(start_paused = true)]
    async fn work_stops_when_its_lease_is_over_and_not_at_the_next_heartbeat() {
        let table = Table::held_by_other(Duration::ZERO);
        table.state().answers_after = Duration::from_secs(3);
        let seen = lead_until(&table, 2, async || {
            pass(Duration::from_secs(4)).await;
            table.state().away = true;
        })
        .await;
        assert_eq!(seen, [("begins", 3), ("ends", TTL.as_secs())]);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_ends_amid_a_heartbeat_leaves_nothing_held() {
        let table = Table::held_by_other(Duration::ZERO);
        table.state().answers_after = Duration::from_secs(3);
        let (stop, stopping) = watch::channel(false);
        let owner = Owner("this".to_owned());
        // Asked for at 0 s, had at 3 s, prolonged from 8 s to 11 s.
        let leading = lead(&table, &Role::KEEPER, &owner, stopping, async |_| {
            pass(Duration::from_secs(6)).await;
            stop.send(true).unwrap();
        });
        leading.await;
        assert_eq!(table.state().cut, 0);
        assert!(table.state().until <= Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_amid_a_heartbeat_waits_for_its_answer_and_leaves_nothing_held() {
        let table = Table::held_by_other(Duration::ZERO);
        table.state().answers_after = Duration::from_secs(3);
        let (stop, stopping) = watch::channel(false);
        let owner = Owner("this".to_owned());
        let leading = lead(&table, &Role::KEEPER, &owner, stopping, async |_| std::future::pending().await);
        // Asked for at 0 s, had at 3 s, prolonged from 8 s to 11 s.
        let stops = async {
            pass(Duration::from_secs(9)).await;
            stop.send(true).unwrap();
        };
        tokio::join!(leading, stops);
        assert_eq!(table.state().cut, 0);
        assert!(table.state().until <= Instant::now());
    }
}
