//! The pool over a server that is played: each connection has a number, each host a way to behave.

use std::sync::{Mutex, PoisonError};

use payonce_core::store::DriverError;

use super::*;

/// How a host answers whoever connects.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Host {
    Answers,
    Refuses,
    Swallows,
}

#[derive(Debug, Default)]
struct Seen {
    connected: usize,
    rolled_back: Vec<usize>,
    lost: usize,
    /// Connections that lie idle are not answered any longer.
    deaf: bool,
}

struct Played {
    hosts: Vec<Host>,
    seen: Arc<Mutex<Seen>>,
}

impl Played {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Server for Played {
    type Connection = usize;

    async fn connect(&self, host: usize) -> Result<usize, StoreError> {
        match self.hosts[host] {
            Host::Answers => {
                let mut seen = self.seen();
                seen.connected += 1;
                Ok(seen.connected)
            }
            Host::Refuses => Err(unavailable(Unavailability::ReadOnly, Over::Pool("refused".to_owned()))),
            Host::Swallows => std::future::pending().await,
        }
    }

    async fn roll_back(&self, connection: &mut usize) -> Result<(), StoreError> {
        self.seen().rolled_back.push(*connection);
        Ok(())
    }

    async fn ping(&self, _: &mut usize) -> Result<(), StoreError> {
        if self.seen().deaf {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn lost(&self) {
        self.seen().lost += 1;
    }
}

fn pool(hosts: &[Host], connections_max: usize) -> Pool<Played> {
    Pool::trusting(IDLE_TRUSTED, played(hosts), hosts.len(), limits(connections_max))
}

fn played(hosts: &[Host]) -> Played {
    Played { hosts: hosts.to_vec(), seen: Arc::default() }
}

fn limits(connections_max: usize) -> Limits {
    Limits { connections_max, connect_max: Duration::from_secs(2), work_max: Duration::from_secs(3) }
}

async fn number(session: &mut Session<Played>) -> usize {
    session.run(async |connection| Ok(*connection)).await.expect("it is sound")
}

fn reason<T>(result: Result<T, StoreError>) -> Option<Unavailability> {
    match result {
        Err(StoreError::Unavailable { reason, .. }) => Some(reason),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again_unless_it_was_cut() {
    let pool = pool(&[Host::Answers], 1);
    for _ in 0..2 {
        assert_eq!(number(&mut pool.session().await.unwrap()).await, 1);
    }
    let mut session = pool.session().await.unwrap();
    let endless = session.run(async |_| std::future::pending::<Result<(), _>>().await).await;
    assert_eq!(reason(endless), Some(Unavailability::TimedOut));
    assert!(session.is_cut());
    let again = session.run(async |connection| Ok(*connection)).await;
    assert_eq!(reason(again), Some(Unavailability::TimedOut), "what was cut is not used");
    drop(session);
    assert_eq!(pool.server().seen().lost, 1);
    assert_eq!(number(&mut pool.session().await.unwrap()).await, 2);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_dropped_in_the_middle_ends_its_connection_alone() {
    let pool = pool(&[Host::Answers], 2);
    let idle = pool.session().await.unwrap();
    let mut session = pool.session().await.unwrap();
    drop(idle);
    let short = timeout(
        Duration::from_millis(1),
        session.run(async |_| std::future::pending::<Result<(), _>>().await),
    );
    assert!(short.await.is_err());
    drop(session);
    assert_eq!(pool.server().seen().lost, 0, "the server has done nothing");
    let (mut one, mut two) = (pool.session().await.unwrap(), pool.session().await.unwrap());
    assert_eq!((number(&mut one).await, number(&mut two).await), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_takes_those_with_it_that_lie_idle() {
    let pool = pool(&[Host::Answers], 2);
    let idle = pool.session().await.unwrap();
    let mut session = pool.session().await.unwrap();
    drop(idle);
    let gone: DriverError = "gone".into();
    let lost: Result<(), _> = session.run(async |_| Err(StoreError::Disconnected(gone))).await;
    assert!(matches!(lost, Err(StoreError::Disconnected(_))), "{lost:?}");
    drop(session);
    assert_eq!(number(&mut pool.session().await.unwrap()).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_dropped_is_rolled_back_and_its_connection_kept() {
    let pool = pool(&[Host::Answers], 1);
    let mut session = pool.session().await.unwrap();
    session.set_open(true);
    drop(session);
    // Waits for the one connection, which comes back when the rollback is done.
    assert_eq!(number(&mut pool.session().await.unwrap()).await, 1);
    assert_eq!(pool.server().seen().rolled_back, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_refuses_or_swallows_leads_on_to_the_next() {
    for first in [Host::Refuses, Host::Swallows] {
        let pool = pool(&[first, Host::Answers], 1);
        assert_eq!(number(&mut pool.session().await.unwrap()).await, 1, "{first:?}");
        assert_eq!(pool.server().seen().lost, 0);
    }
    for (only, expected) in
        [(Host::Refuses, Unavailability::ReadOnly), (Host::Swallows, Unavailability::Unreachable)]
    {
        let pool = pool(&[only, only], 1);
        assert_eq!(reason(pool.session().await), Some(expected));
        assert_eq!(pool.server().seen().lost, 1, "the server may not be the one that it was");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_no_free_connection_is_told_so() {
    let pool = pool(&[Host::Answers], 1);
    let held = pool.session().await.unwrap();
    assert_eq!(reason(pool.session().await), Some(Unavailability::TooManyConnections));
    drop(held);
    assert_eq!(number(&mut pool.session().await.unwrap()).await, 1);
}

/// Of all connections that lie idle, so that asking them takes longer than a new one would.
#[tokio::test(start_paused = true)]
async fn a_server_that_no_longer_answers_is_unreachable_and_not_slow() {
    const IDLE: usize = 8;
    let hosts = [Host::Answers];
    let pool = Pool::trusting(Duration::ZERO, played(&hosts), hosts.len(), limits(IDLE));
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(pool.session().await.unwrap());
    }
    drop(idle);
    pool.server().seen().deaf = true;
    assert_eq!(reason(pool.session().await), Some(Unavailability::Unreachable));
    assert!(Unavailability::Unreachable.may_pass_soon(), "what waits for it is begun anew");
    assert_eq!(number(&mut pool.session().await.unwrap()).await, IDLE + 1, "none of them is asked again");
}
