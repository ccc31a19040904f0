//! Opens the database: two sets of connections, each session made ready for its work.
//!
//! Invariants: a host that takes no writes is passed over for the next; neither `Debug` nor an error shows the
//! password. Whether a commit is durable when it returns is the server's own setting; where it is not, that is said.

use std::{collections::HashMap, fmt, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{SchemaError, Unavailability},
};
use payonce_store_remote::{Limits, Pool, Server, Session, UrlError, hosts};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlConnection, mysql::MySqlConnectOptions,
};

use crate::{
    epoch::{Engine, Watch},
    errors::{class, class_of_connecting},
    migrate,
    notes::LookedThrough,
    rows::value,
    store::again_on_conflict,
};

/// The oldest versions that know `JSON_TABLE`, CHECK constraints and SKIP LOCKED.
const MYSQL_MIN: [u32; 3] = [8, 0, 16];
const MARIADB_MIN: [u32; 3] = [10, 6, 0];

/// How long a statement waits for a row or a table that another transaction has locked. A transaction takes
/// milliseconds; the server counts whole seconds, and this leaves time for a second attempt. An effect's own limit (2 s) is
/// longer: the wait has to end by itself, for the transaction to stay whole.
const LOCK_MAX: Duration = Duration::from_secs(1);

/// After this the server ends the transaction of a node that fell silent in it, so that nobody waits for its locks.
const SILENT_MAX: Duration = Duration::from_secs(10);

/// How long migrations may take, all in all: a later one may have to rewrite a big table.
const MIGRATION_MAX: Duration = Duration::from_secs(3600);

/// Which database, and how it is used.
#[derive(Clone)]
pub struct Options {
    hosts: Vec<MySqlConnectOptions>,
    /// Connections at the same time: half of them for transactions, half for all else, so that neither can starve the
    /// other. Two at the least.
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
        const SCHEME: &str = "mysql";
        if !["mysql://", "mariadb://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(UrlError::Scheme { expected: SCHEME });
        }
        let hosts = hosts(url)?.into_iter().map(|url| {
            let host =
                MySqlConnectOptions::from_str(&url).map_err(|error| UrlError::Driver(error.to_string()))?;
            match host.get_database() {
                // The schema says how texts compare; the session only has to carry all of them.
                Some(_) => Ok(host.charset("utf8mb4").collation("utf8mb4_bin").disable_statement_logging()),
                None => Err(UrlError::NoDatabase { expected: SCHEME }),
            }
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
            .field("database", &self.hosts.first().and_then(MySqlConnectOptions::get_database))
            .field("connections_max", &self.connections_max)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}

/// A MySQL or MariaDB database that holds payonce's truth.
#[derive(Debug)]
pub struct MySqlStore {
    pub(crate) watch: Arc<Watch>,
    /// For transactions of the applier.
    pub(crate) path: Pool<MySqlServer>,
    /// For all else.
    pub(crate) beside: Pool<MySqlServer>,
    pub(crate) looked: LookedThrough,
}

impl MySqlStore {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why no host can be used; [`StoreError::Schema`] if the server is too old, or
    /// the schema is not one that this version can use.
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        // Members of a cluster may begin to migrate at once; one of them is ended as in a deadlock then.
        again_on_conflict!({
            let mut session = migrating(options).session().await?;
            session.run(async |connection| migrate::migrate(connection, options).await).await
        })?;
        let watch = Arc::new(Watch::default());
        let limits = Limits {
            connections_max: options.connections_max.div_ceil(2),
            connect_max: options.connect_max,
            work_max: options.work_max,
        };
        let pool = || Pool::new(MySqlServer::new(options, Work::Day, &watch), options.hosts.len(), limits);
        Ok(Self { path: pool(), beside: pool(), watch, looked: LookedThrough::default() })
    }

    /// A connection on which the epoch is known.
    pub(crate) async fn session(&self, pool: &Pool<MySqlServer>) -> Result<Session<MySqlServer>, StoreError> {
        let mut session = pool.session().await?;
        if let Some(engine) = self.watch.to_ask() {
            session.run(async |connection| self.watch.prove(connection, engine).await).await?;
        }
        Ok(session)
    }

    /// A connection for leases: beside the path, or on it while others have all of those. A node that cannot renew its
    /// presence applies nothing.
    pub(crate) async fn lease_session(&self) -> Result<Session<MySqlServer>, StoreError> {
        match self.session(&self.beside).await {
            Err(StoreError::Unavailable { reason: Unavailability::TooManyConnections, .. }) => {
                self.session(&self.path).await
            }
            session => session,
        }
    }
}

/// A connection for work on the schema, which may take its time.
pub(crate) fn migrating(options: &Options) -> Pool<MySqlServer> {
    let limits = Limits { connections_max: 1, connect_max: options.connect_max, work_max: MIGRATION_MAX };
    let server = MySqlServer::new(options, Work::Migration, &Arc::default());
    Pool::new(server, options.hosts.len(), limits)
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Its daily work.
    Day,
    Migration,
}

/// The hosts of a database, with their passwords, and how a session on one of them is made.
pub(crate) struct MySqlServer {
    hosts: Vec<MySqlConnectOptions>,
    work: Work,
    work_max: Duration,
    watch: Arc<Watch>,
}

impl MySqlServer {
    fn new(options: &Options, work: Work, watch: &Arc<Watch>) -> Self {
        let work_max = match work {
            Work::Day => options.work_max,
            Work::Migration => MIGRATION_MAX,
        };
        Self { hosts: options.hosts.clone(), work, work_max, watch: Arc::clone(watch) }
    }

    /// Whether the servers are members of a cluster, as far as is known.
    pub(crate) fn is_clustered(&self) -> bool {
        self.watch.engine() == Some(Engine::Galera)
    }

    /// After what time the server has to end a transaction in which nothing was asked, if it must be told so for each
    /// one: MySQL has no such limit, but one for a session that lies idle. Between transactions it may.
    pub(crate) fn silent_max(&self) -> Option<Duration> {
        (self.watch.engine() == Some(Engine::MySql)).then(|| self.silence())
    }

    fn silence(&self) -> Duration {
        SILENT_MAX.max(2 * self.work_max)
    }

    /// The statements that make a session ready, whatever the server's defaults are.
    fn setup(&self, engine: Engine) -> String {
        let lock = match self.work {
            Work::Day => LOCK_MAX,
            Work::Migration => self.work_max,
        };
        let own = match engine {
            Engine::MySql => format!(
                "max_execution_time = {}, information_schema_stats_expiry = 0, \
                 optimizer_switch = 'batched_key_access=off'",
                self.work_max.as_millis()
            ),
            Engine::MariaDb | Engine::Galera => format!(
                "max_statement_time = {}, idle_transaction_timeout = {}, join_cache_level = 0",
                self.work_max.as_secs_f64(),
                self.silence().as_secs()
            ),
        };
        let cluster = match engine {
            // Reads wait until the member has caught up: what another member acknowledged is seen on this one.
            Engine::Galera => ", wsrep_sync_wait = 1",
            Engine::MySql | Engine::MariaDb => "",
        };
        format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION autocommit = 1, \
             sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', \
             innodb_lock_wait_timeout = {lock}, lock_wait_timeout = {lock}, {own}{cluster}",
            lock = lock.as_secs(),
        )
    }
}

#[async_trait]
impl Server for MySqlServer {
    type Connection = MySqlConnection;

    async fn connect(&self, host: usize) -> Result<MySqlConnection, StoreError> {
        let mut connection = self.hosts[host].connect().await.map_err(class_of_connecting)?;
        let facts = Facts::read(&mut connection).await?;
        facts.check()?;
        let engine = facts.engine();
        connection.execute(AssertSqlSafe(self.setup(engine))).await.map_err(class)?;
        match self.work {
            Work::Migration => facts.warn(),
            Work::Day => self.watch.prove_on_new(&mut connection, engine).await?,
        }
        Ok(connection)
    }

    async fn roll_back(&self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        const BACK: &str = "ROLLBACK; SET SESSION autocommit = 1, wait_timeout = DEFAULT";
        connection.execute(BACK).await.map(drop).map_err(class)
    }

    async fn ping(&self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        connection.ping().await.map_err(class)
    }

    fn lost(&self) {
        self.watch.forget();
    }
}

/// What a server says of itself.
struct Facts(HashMap<String, String>);

/// The server takes no writes.
#[derive(Debug, thiserror::Error)]
#[error("the server is read-only: a replica, or out of service")]
struct OnlyReads;

/// A member of a cluster that is not with the others.
#[derive(Debug, thiserror::Error)]
#[error("the member is not part of its cluster's primary component")]
struct NotReady;

impl Facts {
    async fn read(connection: &mut MySqlConnection) -> Result<Self, StoreError> {
        const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'read_only', \
             'innodb_read_only', 'innodb_flush_log_at_trx_commit', 'wsrep_on')";
        const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name = 'wsrep_ready'";
        let mut facts = HashMap::new();
        for show in [VARIABLES, STATUS] {
            for row in connection.fetch_all(show).await.map_err(class)? {
                facts.insert(value(&row, 0)?, value(&row, 1)?);
            }
        }
        Ok(Self(facts))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn engine(&self) -> Engine {
        match (self.get("version").contains("MariaDB"), self.get("wsrep_on")) {
            (false, _) => Engine::MySql,
            (true, "ON") => Engine::Galera,
            (true, _) => Engine::MariaDb,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let version = self.get("version");
        if self.engine() == Engine::MySql && self.get("wsrep_on") == "ON" {
            let found = format!("MySQL {version} in a Galera cluster");
            let needs = "MariaDB there, or MySQL with one primary";
            return Err(StoreError::Schema(SchemaError::UnsupportedServer { found, needs }));
        }
        let (name, min) = match self.engine() {
            Engine::MySql => ("MySQL", MYSQL_MIN),
            Engine::MariaDb | Engine::Galera => ("MariaDB", MARIADB_MIN),
        };
        if version_of(version) < min {
            let found = format!("{name} {version}");
            let needs = "MySQL 8.0.16 or newer, or MariaDB 10.6 or newer";
            return Err(StoreError::Schema(SchemaError::ServerTooOld { found, needs }));
        }
        if self.engine() == Engine::Galera && self.get("wsrep_ready") != "ON" {
            let reason = Unavailability::NotReady;
            return Err(StoreError::Unavailable { reason, source: Box::new(NotReady) });
        }
        if ["read_only", "innodb_read_only"].iter().any(|name| self.get(name) != "OFF") {
            let reason = Unavailability::NotReady;
            return Err(StoreError::Unavailable { reason, source: Box::new(OnlyReads) });
        }
        Ok(())
    }

    fn warn(&self) {
        if self.get("innodb_flush_log_at_trx_commit") != "1" {
            tracing::warn!(
                "the server runs with innodb_flush_log_at_trx_commit other than 1: what was acknowledged may be lost \
                 in a power cut"
            );
        }
    }
}

/// The first three numbers of a version, as `10.11.6-MariaDB-0+deb12u1` has them.
fn version_of(version: &str) -> [u32; 3] {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_checked_and_its_password_not_shown() {
        let refused = |url| Options::new(url).map(drop).expect_err(url);
        assert_eq!(refused("postgres://u:secret@h/d"), UrlError::Scheme { expected: "mysql" });
        assert_eq!(refused("mysql:///d"), UrlError::NoHost);
        assert_eq!(refused("mysql://u:secret@h"), UrlError::NoDatabase { expected: "mysql" });
        for url in ["mysql://u:secret@h:port/d", "mysql://u:secret@h/d?ssl-mode=secretly"] {
            let error = refused(url);
            assert!(matches!(error, UrlError::Driver(_)), "{error:?}");
            assert!(!error.to_string().contains("u:secret"), "{error}");
        }
        let options = Options::new("mariadb://u:secret@one:1,two:2/d?ssl-mode=REQUIRED").unwrap();
        let shown = format!("{options:?}");
        assert!(shown.contains(r#"("one", 1), ("two", 2)"#) && shown.contains('d'), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    fn facts(changed: &[(&str, &str)]) -> Facts {
        let good = [
            ("version", "10.11.6-MariaDB-0+deb12u1"),
            ("read_only", "OFF"),
            ("innodb_read_only", "OFF"),
            ("wsrep_on", "OFF"),
            ("wsrep_ready", "OFF"),
        ];
        let all = good.iter().chain(changed);
        Facts(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn servers_that_will_do_are_told_apart() {
        let table = [
            (&[][..], Engine::MariaDb),
            (&[("version", "11.8.2-MariaDB")], Engine::MariaDb),
            (&[("wsrep_on", "ON"), ("wsrep_ready", "ON")], Engine::Galera),
            (&[("version", "8.0.16")], Engine::MySql),
            (&[("version", "8.4.3-0ubuntu")], Engine::MySql),
            (&[("version", "9.1.0")], Engine::MySql),
        ];
        for (changed, engine) in table {
            let facts = facts(changed);
            assert!(facts.check().is_ok(), "{changed:?}");
            assert_eq!(facts.engine(), engine, "{changed:?}");
        }
    }

    #[test]
    fn servers_that_will_not_do_are_refused() {
        for version in ["10.5.28-MariaDB", "8.0.15", "5.7.44-log", "odd", ""] {
            let error = facts(&[("version", version)]).check().expect_err(version);
            assert!(matches!(&error, StoreError::Schema(SchemaError::ServerTooOld { .. })), "{error:?}");
        }
        let percona = [("version", "8.0.36-28.1"), ("wsrep_on", "ON"), ("wsrep_ready", "ON")];
        let error = facts(&percona).check().expect_err("a cluster that is not MariaDB's");
        assert!(matches!(&error, StoreError::Schema(SchemaError::UnsupportedServer { .. })), "{error:?}");
        let table = [
            (&[("wsrep_on", "ON")][..], Unavailability::NotReady),
            (&[("read_only", "ON")], Unavailability::NotReady),
            (&[("innodb_read_only", "ON")], Unavailability::NotReady),
        ];
        for (changed, expected) in table {
            let refused = facts(changed).check();
            assert!(
                matches!(refused, Err(StoreError::Unavailable { reason, .. }) if reason == expected),
                "{changed:?}: {refused:?}"
            );
        }
    }
}
