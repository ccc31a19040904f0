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
use tokio::time::{Instant, timeout_at};

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
            match self.server.connect(host).await {
                Ok(connection) => {
                    self.current.store(host, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error @ (StoreError::Unavailable { .. } | StoreError::Disconnected(_))) => {
                    last = Some(error);
                }
                Err(error) => return Err(error),
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

    async fn recycle(&self, kept: &mut Self::Type, _: &Metrics) -> RecycleResult<StoreError> {
        if kept.sound { Ok(()) } else { Err(RecycleError::message("cut short")) }
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
        let manager = Arc::new(Hosts { server, count: hosts.max(1), current: AtomicUsize::new(0) });
        let pool = managed::Pool::builder(Manager(Arc::clone(&manager)))
            .max_size(limits.connections_max.max(1))
            .wait_timeout(Some(limits.connect_max))
            .create_timeout(Some(limits.connect_max))
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
    /// [`Unavailability::TooManyConnections`] if none gets free, [`Unavailability::TimedOut`] if the server does not
    /// answer; what [`Server::connect`] says.
    pub async fn session(&self) -> Result<Session<S>, StoreError> {
        let kept = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => {
                unavailable(Unavailability::TooManyConnections, Over::NoneFree(self.limits.connect_max))
            }
            PoolError::Timeout(_) => {
                unavailable(Unavailability::TimedOut, Over::NoAnswer(self.limits.connect_max))
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
            return Err(unavailable(Unavailability::TimedOut, Over::NoAnswer(self.limits.work_max)));
        };
        let lost = matches!(&done, Err(StoreError::Disconnected(_) | StoreError::CommitUnknown(_)));
        kept.sound = !lost;
        done
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
        if !self.open || !kept.sound {
            return;
        }
        kept.sound = false;
        let (manager, limits) = (Arc::clone(&self.manager), self.limits);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Closing the socket rolls back as well.
            drop(Object::take(kept));
            return;
        };
        runtime.spawn(async move {
            let deadline = Instant::now() + limits.connect_max;
            let done = timeout_at(deadline, manager.server.roll_back(&mut kept.connection)).await;
            kept.sound = matches!(done, Ok(Ok(())));
        });
    }
}
