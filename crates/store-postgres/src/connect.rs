//! Opens the database: three sets of connections, each session made ready for its work.
//!
//! Invariants: a host that takes no writes is passed over for the next; a commit is durable when it returns, whatever
//! the session's default; neither `Debug` nor an error shows the password.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{SchemaError, Unavailability},
};
use payonce_store_remote::{Limits, Pool, Server, Session, UrlError, hosts};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
};

use crate::{
    epoch::Watch,
    errors::{class, class_of_connecting},
    migrate,
    notes::LookedThrough,
};

/// The oldest version that knows `gen_random_uuid()` and `pg_current_xact_id()`.
const VERSION_MIN: i32 = 130_000;

/// How long a statement waits for a row that another transaction has locked: a transaction takes milliseconds, and this
/// leaves time for a second attempt.
const LOCK_MAX: Duration = Duration::from_millis(1500);

/// Who works on the way of messages at the same time: sequencer, fan-out and dispatcher, each one transaction after the
/// other. Whoever looks at endpoints beside them waits for his turn.
const WAY_MAX: usize = 3;

/// After this the server ends the transaction of a node that fell silent in it, so that nobody waits for its locks.
const SILENT_MAX: Duration = Duration::from_secs(10);

/// How long migrations may take, all in all: a later one may have to rewrite a big table.
const MIGRATION_MAX: Duration = Duration::from_secs(3600);

/// Which database, and how it is used.
#[derive(Clone)]
pub struct Options {
    hosts: Vec<PgConnectOptions>,
    /// Connections at the same time: half of them for transactions of the applier, a quarter but no more than three for
    /// messages on their way to endpoints, the others for all else, so that none of these can starve another. Three at the
    /// least.
    pub connections_max: usize,
    /// Whether to bring an older schema up to date.
    pub migrate: bool,
    /// Whether to open a database into which a copy is under way.
    pub copying: bool,
    /// How long to wait for a free connection, and for a new one.
    pub connect_max: Duration,
    /// How long a statement or a whole transaction may take.
    pub work_max: Duration,
}

impl Options {
    /// Ten connections. Two seconds to connect and three to work: short of the 4 s budget of a callback, which is
    /// answered 503 then and sent again by WeChat.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with the URL, without repeating it.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        const SCHEME: &str = "postgres";
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(UrlError::Scheme { expected: SCHEME });
        }
        let hosts = hosts(url)?.into_iter().map(|url| {
            let host =
                PgConnectOptions::from_str(&url).map_err(|error| UrlError::Driver(error.to_string()))?;
            if host.get_database().is_none() {
                return Err(UrlError::NoDatabase { expected: SCHEME });
            }
            let host = match host.get_application_name() {
                Some(_) => host,
                None => host.application_name("payonce"),
            };
            // Nothing of ours is a float, and PgBouncer refuses what it does not know.
            Ok(host.extra_float_digits(None).disable_statement_logging())
        });
        Ok(Self {
            hosts: hosts.collect::<Result<_, _>>()?,
            connections_max: 10,
            migrate: true,
            copying: false,
            connect_max: Duration::from_secs(2),
            work_max: Duration::from_secs(3),
        })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(|host| (host.get_host(), host.get_port())).collect();
        f.debug_struct("Options")
            .field("hosts", &hosts)
            .field("database", &self.hosts.first().and_then(PgConnectOptions::get_database))
            .field("connections_max", &self.connections_max)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}

/// A PostgreSQL database that holds payonce's truth.
#[derive(Debug)]
pub struct PostgresStore {
    pub(crate) watch: Arc<Watch>,
    /// For transactions of the applier.
    pub(crate) path: Pool<Postgres>,
    /// For messages on their way, until they are taken.
    pub(crate) way: Pool<Postgres>,
    /// For all else.
    pub(crate) beside: Pool<Postgres>,
    pub(crate) looked: LookedThrough,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why no host can be used; [`StoreError::Schema`] if the server is too old, or
    /// the schema is not one that this version can use.
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        let mut session = migrating(options).session().await?;
        session.run(async |connection| migrate::migrate(connection, options).await).await?;
        let watch = Arc::new(Watch::default());
        let pool = |work, connections_max| {
            let Options { connect_max, work_max, .. } = *options;
            let limits = Limits { connections_max, connect_max, work_max };
            Pool::new(Postgres::new(options, work, &watch), options.hosts.len(), limits)
        };
        let [path, way, beside] = divided(options.connections_max);
        Ok(Self {
            path: pool(Work::Path, path),
            way: pool(Work::Way, way),
            beside: pool(Work::Beside, beside),
            looked: LookedThrough::default(),
            watch: Arc::clone(&watch),
        })
    }

    /// A connection on which the epoch is known.
    pub(crate) async fn session(&self, pool: &Pool<Postgres>) -> Result<Session<Postgres>, StoreError> {
        let mut session = pool.session().await?;
        if self.watch.current().is_none() {
            session.run(async |connection| self.watch.prove(connection).await).await?;
        }
        Ok(session)
    }

    /// A connection for leases: beside the path, or on it while others have all of those. A node that cannot renew its
    /// presence applies nothing.
    pub(crate) async fn lease_session(&self) -> Result<Session<Postgres>, StoreError> {
        match self.session(&self.beside).await {
            Err(StoreError::Unavailable { reason: Unavailability::TooManyConnections, .. }) => {
                self.session(&self.path).await
            }
            session => session,
        }
    }
}

/// How many of the connections are for the path, for the way, and beside them.
fn divided(connections: usize) -> [usize; 3] {
    let path = (connections / 2).max(1);
    let others = connections.saturating_sub(path);
    let way = (others / 2).clamp(1, WAY_MAX);
    [path, way, others.saturating_sub(way).max(1)]
}

/// A connection for work on the schema, which may take its time.
pub(crate) fn migrating(options: &Options) -> Pool<Postgres> {
    let limits = Limits { connections_max: 1, connect_max: options.connect_max, work_max: MIGRATION_MAX };
    Pool::new(Postgres::new(options, Work::Migration, &Arc::default()), options.hosts.len(), limits)
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Callbacks are applied.
    Path,
    /// Messages get their positions, become due, and are taken.
    Way,
    Beside,
    Migration,
}

impl Work {
    /// What a session that was made ready for it says of itself, in the setting `payonce.session`.
    fn mark(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Way => "way",
            Self::Beside => "beside",
            Self::Migration => "migration",
        }
    }
}

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// When it returns, also in a power cut: an acknowledgement rests on it.
    AtOnce,
    /// Some tenths of a second later: a power cut undoes it as if it had never been.
    Later,
}

/// Lets the transaction that reads it be durable later.
macro_rules! later {
    () => {
        "set_config('synchronous_commit', 'off', true)"
    };
}
pub(crate) use later;

/// The hosts of a database, and how a session on one of them is made. It holds the password.
pub(crate) struct Postgres {
    hosts: Vec<PgConnectOptions>,
    setup: String,
    begin: String,
    begin_for_later: String,
    work: Work,
    watch: Arc<Watch>,
}

impl Postgres {
    fn new(options: &Options, work: Work, watch: &Arc<Watch>) -> Self {
        Self {
            hosts: options.hosts.clone(),
            setup: setup(work, options.work_max),
            begin: begin(work, Durability::AtOnce),
            begin_for_later: begin(work, Durability::Later),
            work,
            watch: Arc::clone(watch),
        }
    }

    /// The statements that begin a transaction, in one round trip. The last one returns whether the session is one that
    /// was made ready.
    pub(crate) fn begin(&self, durability: Durability) -> &str {
        match durability {
            Durability::AtOnce => &self.begin,
            Durability::Later => &self.begin_for_later,
        }
    }
}

/// The statements that make a session ready.
fn setup(work: Work, work_max: Duration) -> String {
    let (lock, statement, silent) = match work {
        Work::Path | Work::Way | Work::Beside => (LOCK_MAX, work_max, SILENT_MAX.max(2 * work_max)),
        Work::Migration => (Duration::ZERO, Duration::ZERO, Duration::ZERO),
    };
    let plans = match work {
        // Each statement looks its rows up by their keys, or goes along them, whatever the statistics say: those of a
        // table that was empty a minute ago would have it scanned. So the plan is made once.
        Work::Path | Work::Way => {
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; \
             SET enable_hashjoin = off; SET enable_mergejoin = off;"
        }
        // For the same reason a plan is made for the table as it is.
        Work::Beside | Work::Migration => "SET plan_cache_mode = force_custom_plan;",
    };
    format!(
        "SET lock_timeout = {}; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET default_transaction_isolation = 'read committed'; SET jit = off; {plans} SET payonce.session = '{}'",
        lock.as_millis(),
        statement.as_millis(),
        silent.as_millis(),
        work.mark()
    )
}

/// A pooler may have put another session behind the connection, in which all that was set is missing. And a commit must be
/// durable, though the server's configuration may have been changed since: it may be stricter than `on`, but not `off`.
fn begin(work: Work, durability: Durability) -> String {
    let durable = match durability {
        Durability::AtOnce => {
            "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END"
        }
        Durability::Later => later!(),
    };
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SELECT current_setting('payonce.session', true) IS NOT DISTINCT FROM '{}', {durable}",
        work.mark()
    )
}

#[async_trait]
impl Server for Postgres {
    type Connection = PgConnection;

    async fn connect(&self, host: usize) -> Result<PgConnection, StoreError> {
        let mut connection = self.hosts[host].connect().await.map_err(class_of_connecting)?;
        let facts = Facts::read(&mut connection).await?;
        facts.check()?;
        if facts.synchronous_commit == "off" {
            // An acknowledgement rests on it.
            connection.execute("SET synchronous_commit = on").await.map_err(class)?;
        }
        connection.execute(AssertSqlSafe(self.setup.as_str())).await.map_err(class)?;
        match self.work {
            Work::Migration => facts.warn(),
            Work::Path | Work::Way | Work::Beside => self.watch.prove(&mut connection).await?,
        }
        Ok(connection)
    }

    async fn roll_back(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        connection.execute("ROLLBACK").await.map(drop).map_err(class)
    }

    async fn ping(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        connection.ping().await.map_err(class)
    }

    fn lost(&self) {
        self.watch.forget();
    }
}

/// What a server says of itself.
struct Facts {
    version: String,
    version_number: i32,
    encoding: String,
    takes_writes: bool,
    synchronous_commit: String,
    durable: bool,
}

/// The server takes no writes.
#[derive(Debug, thiserror::Error)]
#[error("the server is a standby, or its transactions only read")]
struct OnlyReads;

impl Facts {
    async fn read(connection: &mut PgConnection) -> Result<Self, StoreError> {
        let facts = sqlx::query(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::integer, \
             current_setting('server_encoding'), \
             NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean, \
             current_setting('synchronous_commit'), current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean",
        );
        let row = facts.persistent(false).fetch_one(connection).await.map_err(class)?;
        Self::of(&row).map_err(class)
    }

    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            version: row.try_get(0)?,
            version_number: row.try_get(1)?,
            encoding: row.try_get(2)?,
            takes_writes: row.try_get(3)?,
            synchronous_commit: row.try_get(4)?,
            durable: row.try_get(5)?,
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.version_number < VERSION_MIN {
            let found = format!("PostgreSQL {}", self.version);
            return Err(StoreError::Schema(SchemaError::ServerTooOld {
                found,
                needs: "PostgreSQL 13 or newer",
            }));
        }
        if self.encoding != "UTF8" {
            return Err(StoreError::Schema(SchemaError::Encoding { found: self.encoding.clone() }));
        }
        if !self.takes_writes {
            let reason = Unavailability::NotReady;
            return Err(StoreError::Unavailable { reason, source: Box::new(OnlyReads) });
        }
        Ok(())
    }

    fn warn(&self) {
        if !self.durable {
            tracing::warn!(
                "the server runs with fsync or full_page_writes off: a power cut may lose what was acknowledged"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_checked_and_its_password_not_shown() {
        let refused = |url| Options::new(url).map(drop).expect_err(url);
        assert_eq!(refused("mysql://u:secret@h/d"), UrlError::Scheme { expected: "postgres" });
        assert_eq!(refused("postgres:///d"), UrlError::NoHost);
        assert_eq!(refused("postgres://u:secret@h"), UrlError::NoDatabase { expected: "postgres" });
        for url in ["postgres://u:secret@h:port/d", "postgres://u:secret@h/d?sslmode=secretly"] {
            let error = refused(url);
            assert!(matches!(error, UrlError::Driver(_)), "{error:?}");
            assert!(!error.to_string().contains("u:secret"), "{error}");
        }
        let named = |url| Options::new(url).unwrap().hosts[0].get_application_name().map(str::to_owned);
        assert_eq!(named("postgres://u@h/d").as_deref(), Some("payonce"));
        assert_eq!(named("postgres://u@h/d?application_name=till").as_deref(), Some("till"));
        let options = Options::new("postgresql://u:secret@one:1,two:2/d?sslmode=require").unwrap();
        let shown = format!("{options:?}");
        assert!(shown.contains(r#"("one", 1), ("two", 2)"#) && shown.contains('d'), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn connections_are_divided_and_none_is_left_out() {
        for (connections, expected) in
            [(3, [1, 1, 1]), (4, [2, 1, 1]), (5, [2, 1, 2]), (10, [5, 2, 3]), (100, [50, 3, 47])]
        {
            assert_eq!(divided(connections), expected, "of {connections}");
        }
    }

    #[test]
    fn servers_that_will_not_do_are_refused() {
        let good = || Facts {
            version: "15.1".to_owned(),
            version_number: 150_001,
            encoding: "UTF8".to_owned(),
            takes_writes: true,
            synchronous_commit: "on".to_owned(),
            durable: true,
        };
        assert!(good().check().is_ok());
        let old = Facts { version: "12.9".to_owned(), version_number: 120_009, ..good() }.check();
        let expected = "the database server is PostgreSQL 12.9; payonce needs PostgreSQL 13 or newer";
        assert_eq!(old.expect_err("too old").to_string(), expected);
        let latin = Facts { encoding: "LATIN1".to_owned(), ..good() }.check();
        assert!(latin.expect_err("not UTF-8").to_string().contains("ENCODING 'UTF8'"));
        let standby = Facts { takes_writes: false, ..good() }.check();
        assert!(matches!(standby, Err(StoreError::Unavailable { reason: Unavailability::NotReady, .. })));
    }
}
