//! Connections: a bounded number, each with an end to its waits, to whichever host takes writes.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType};
use payonce_core::{StoreError, store::Unavailability};
use tokio::time::{Instant, timeout, timeout_at};

/// A connection that was used a moment ago is not asked whether it still lives: that takes a round trip, and a server
/// takes longer to restart.
const IDLE_TRUSTED: Duration = Duration::from_secs(1);

/// A database server as its driver knows it.
#[async_trait]
pub trait Server: Send + Sync + 'static {
    /// A connection of the driver.
    type Connection: Send + 'static;

    /// Connects to one of the hosts, by its number, and makes the session ready. Refuses a host that takes no writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Disconnected`] lead on to the next host, others do not.
    async fn connect(&self, host: usize) -> Result<Self::Connection, StoreError>;

    /// Ends the transaction that is open, if one is.
    ///
    /// # Errors
    /// Any: the connection is given up then.
    async fn roll_back(&self, connection: &mut Self::Connection) -> Result<(), StoreError>;

    /// Whether a connection that lay idle still answers.
    ///
    /// # Errors
    /// Any: the connection is given up then.
    async fn ping(&self, connection: &mut Self::Connection) -> Result<(), StoreError> {
        self.roll_back(connection).await
    }

    /// Hears that a connection was cut or could not be made: the server may not be the one that it was.
    fn lost(&self) {}
}

/// How much, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time.
    pub connections_max: usize,
    /// How long to wait for a free connection, and for a new one.
    pub connect_max: Duration,
    /// How long a statement or a whole transaction may take.
    pub work_max: Duration,
}

/// The connections to a server.
pub struct Pool<S: Server> {
    pool: managed::Pool<Manager<S>>,
    manager: Arc<Hosts<S>>,
    limits: Limits,
}

/// Clones share the connections.
impl<S: Server> Clone for Pool<S> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), manager: Arc::clone(&self.manager), limits: self.limits }
    }
}

impl<S: Server> fmt::Debug for Pool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limits", &self.limits).finish_non_exhaustive()
    }
}

struct Hosts<S> {
    server: S,
    count: usize,
    /// A host that swallows what is sent to it must leave time for the others.
    each_max: Duration,
    idle_trusted: Duration,
    /// The host that answered last.
    current: AtomicUsize,
}

struct Manager<S>(Arc<Hosts<S>>);

/// A connection and whether it may be used again.
struct Kept<C> {
    connection: C,
    sound: bool,
}

impl<S: Server> Hosts<S> {
    /// The host that answered last, then the others in turn.
    async fn connect(&self) -> Result<S::Connection, StoreError> {
        let first = self.current.load(Ordering::Relaxed);
        let mut last = None;
        for turn in 0..self.count {
            let host = (first + turn) % self.count;
            match timeout(self.each_max, self.server.connect(host)).await {
                Ok(Ok(connection)) => {
                    self.current.store(host, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error @ (StoreError::Unavailable { .. } | StoreError::Disconnected(_)))) => {
                    last = Some(error);
                }
                Ok(Err(error)) => return Err(error),
                // Nobody is there, as far as can be told: no statement was slow.
                Err(_) => {
                    last = Some(unavailable(Unavailability::Unreachable, Over::NoAnswer(self.each_max)));
                }
            }
        }
        Err(last.expect("BUG: there is a host at least"))
    }
}

impl<S: Server> managed::Manager for Manager<S> {
    type Type = Kept<S::Connection>;
    type Error = StoreError;

    async fn create(&self) -> Result<Self::Type, StoreError> {
        let connection = self.0.connect().await?;
        Ok(Kept { connection, sound: true })
    }

    async fn recycle(&self, kept: &mut Self::Type, used: &Metrics) -> RecycleResult<StoreError> {
        if !kept.sound {
            return Err(RecycleError::message("cut short"));
        }
        if used.last_used() < self.0.idle_trusted {
            return Ok(());
        }
        match timeout(self.0.each_max, self.0.server.ping(&mut kept.connection)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                self.0.server.lost();
                Err(RecycleError::Backend(error))
            }
            Err(_) => {
                self.0.server.lost();
                Err(RecycleError::message("no answer"))
            }
        }
    }
}

/// Whether a connection is of no use after such an error: it is lost, or its host takes no writes any longer.
fn ends_connection(error: &StoreError) -> bool {
    match error {
        StoreError::Disconnected(_) | StoreError::CommitUnknown(_) => true,
        StoreError::Unavailable { reason, .. } => {
            matches!(reason, Unavailability::ReadOnly | Unavailability::NotReady)
        }
        _ => false,
    }
}

/// What waits end with.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error("no connection was free within {0:?}")]
    NoneFree(Duration),
    #[error("the server did not answer within {0:?}")]
    NoAnswer(Duration),
    #[error("{0}")]
    Pool(String),
}

fn unavailable(reason: Unavailability, over: Over) -> StoreError {
    StoreError::Unavailable { reason, source: Box::new(over) }
}

impl<S: Server> Pool<S> {
    /// Connections to these hosts, made when they are needed.
    ///
    /// # Panics
    /// Never: the pool's builder asks for a runtime, which it is given.
    #[must_use]
    pub fn new(server: S, hosts: usize, limits: Limits) -> Self {
        Self::trusting(IDLE_TRUSTED, server, hosts, limits)
    }

    /// `idle_trusted`: see [`IDLE_TRUSTED`].
    fn trusting(idle_trusted: Duration, server: S, hosts: usize, limits: Limits) -> Self {
        let count = hosts.max(1);
        // A share for each host, and one for asking a connection that lay idle.
        let each_max = limits.connect_max / u32::try_from(count + 1).unwrap_or(u32::MAX);
        let manager = Arc::new(Hosts { server, count, each_max, idle_trusted, current: AtomicUsize::new(0) });
        let pool = managed::Pool::builder(Manager(Arc::clone(&manager)))
            .max_size(limits.connections_max.max(1))
            .wait_timeout(Some(limits.connect_max))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .expect("BUG: timeouts have their runtime");
        Self { pool, manager, limits }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &S {
        &self.manager.server
    }

    /// A connection, for as long as [`Limits::work_max`] from now.
    ///
    /// # Errors
    /// [`Unavailability::TooManyConnections`] if none gets free, [`Unavailability::Unreachable`] if the server does not
    /// answer; what [`Server::connect`] says.
    pub async fn session(&self) -> Result<Session<S>, StoreError> {
        // For a free one, and then for a new one; those that lie idle may be asked whether they live, each with a wait.
        let Ok(kept) = timeout(2 * self.limits.connect_max, self.pool.get()).await else {
            self.pool.retain(|_, _| false);
            self.manager.server.lost();
            return Err(unavailable(
                Unavailability::Unreachable,
                Over::NoAnswer(2 * self.limits.connect_max),
            ));
        };
        let kept = kept.map_err(|error| match error {
            PoolError::Backend(error) => {
                self.manager.server.lost();
                error
            }
            PoolError::Timeout(TimeoutType::Wait) => {
                unavailable(Unavailability::TooManyConnections, Over::NoneFree(self.limits.connect_max))
            }
            other => StoreError::Unexpected(Box::new(Over::Pool(other.to_string()))),
        })?;
        let deadline = Instant::now() + self.limits.work_max;
        Ok(Session {
            kept: Some(kept),
            manager: Arc::clone(&self.manager),
            limits: self.limits,
            deadline,
            open: false,
            lost: false,
        })
    }
}

/// A connection in use. Dropped with a transaction open, it rolls back beside the caller.
pub struct Session<S: Server> {
    kept: Option<Object<Manager<S>>>,
    manager: Arc<Hosts<S>>,
    limits: Limits,
    deadline: Instant,
    /// Whether a transaction is open.
    open: bool,
    /// Whether the server took the connection from us, or stopped answering on it.
    lost: bool,
}

impl<S: Server> Session<S> {
    /// Does something on the connection, up to the deadline. What is cut short, or ends with a connection that cannot
    /// be used any longer, ends the connection.
    ///
    /// # Errors
    /// [`Unavailability::TimedOut`]; what `work` says.
    pub async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut S::Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let kept = self.kept.as_deref_mut().expect("BUG: a session has its connection until it is dropped");
        if !kept.sound {
            return Err(unavailable(Unavailability::TimedOut, Over::NoAnswer(self.limits.work_max)));
        }
        // Until the work is done: whoever drops this future leaves a connection in the middle of something.
        kept.sound = false;
        let done = timeout_at(self.deadline, work(&mut kept.connection)).await;
        let Ok(done) = done else {
            self.lost = true;
            return Err(unavailable(Unavailability::TimedOut, Over::NoAnswer(self.limits.work_max)));
        };
        kept.sound = !done.as_ref().is_err_and(ends_connection);
        if !kept.sound {
            self.lost = true;
            // Those that lie idle are probably lost as well; to make them anew takes milliseconds.
            if let Some(pool) = self.kept.as_ref().and_then(Object::pool) {
                pool.retain(|_, _| false);
            }
        }
        done
    }

    /// The server that it is a connection to.
    #[must_use]
    pub fn server(&self) -> &S {
        &self.manager.server
    }

    /// Whether something was cut short: the connection is lost, and what it was doing may go on at the server.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| !kept.sound)
    }

    /// Says that a transaction is open from now on, or no longer.
    pub fn set_open(&mut self, open: bool) {
        self.open = open;
    }
}

impl<S: Server> Drop for Session<S> {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        if self.lost {
            self.manager.server.lost();
        }
        if !kept.sound {
            // Closing the socket ends the transaction at the server, and lets its locks go, once its statement has ended.
            drop(Object::take(kept));
            return;
        }
        if !self.open {
            return;
        }
        kept.sound = false;
        let (manager, limits) = (Arc::clone(&self.manager), self.limits);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(kept));
            return;
        };
        runtime.spawn(async move {
            let deadline = Instant::now() + limits.connect_max;
            let done = timeout_at(deadline, manager.server.roll_back(&mut kept.connection)).await;
            kept.sound = matches!(done, Ok(Ok(())));
            if !kept.sound {
                drop(Object::take(kept));
            }
        });
    }
}

#[cfg(test)]
mod tests;
