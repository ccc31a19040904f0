//! PostgreSQL.
//!
//! The account `postgres` may do everything and needs no password; every other account that a test makes must show its
//! password (scram-sha-256), so that a wrong one can be tried.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::process::{Account, find, run};
use crate::{Engine, Options, Server, ServerError, Shared, SqlEngine, environment};

pub mod pooler;
mod standby;

/// A PostgreSQL server.
pub type Postgres = Server<PostgresEngine>;

/// Debian keeps the programs of each version here; those in `PATH` are slow wrappers, and `postgres` is not among them.
const VERSIONS: &str = "/usr/lib/postgresql";

/// What a test run wants whatever its options.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
# In the data folder, so that a killed server leaves nothing in /dev/shm.
dynamic_shared_memory_type = mmap
";

/// A commit is written to the log file before it is answered, so it survives that the server is killed.
const NOT_DURABLE: &str = "
fsync = off
full_page_writes = off
";

const ACCESS: &str = "
host all         postgres 127.0.0.1/32 trust
host replication postgres 127.0.0.1/32 trust
host all         all      127.0.0.1/32 scram-sha-256
";

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct PostgresEngine {
    programs: PathBuf,
}

/// The PostgreSQL that all tests of this run share.
///
/// # Errors
/// When PostgreSQL is not installed, or does not start.
pub fn shared() -> Result<Shared<PostgresEngine>, ServerError> {
    static OWN: Mutex<Option<Postgres>> = Mutex::new(None);
    Shared::find(environment::POSTGRES, &OWN, PostgresEngine::find)
}

/// Whether its programs are there.
pub fn is_installed() -> bool {
    PostgresEngine::find().is_ok()
}

impl Postgres {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn start(options: &Options) -> Result<Self, ServerError> {
        let engine = PostgresEngine::find()?;
        let initdb = engine.program("initdb");
        Self::launch(engine, |folder, account| {
            let data = folder.join("data");
            let mut init = Command::new(initdb);
            init.args(["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]);
            run(account.run(init.arg("--pgdata").arg(&data).current_dir(folder)), "")?;
            configure(&data, options, account)
        })
    }
}

/// The configuration file, not the command line, takes the settings: a test may change them by `ALTER SYSTEM` then.
fn configure(data: &Path, options: &Options, account: Account) -> Result<(), ServerError> {
    let mut settings = format!("{SETTINGS}max_connections = {}\n", options.max_connections);
    if !options.durable {
        settings += NOT_DURABLE;
    }
    for (name, value) in &options.settings {
        settings += &format!("{name} = '{}'\n", value.replace('\'', "''"));
    }
    let path = data.join("postgresql.conf");
    let file = File::options().append(true).open(&path);
    file.and_then(|mut file| file.write_all(settings.as_bytes()))
        .map_err(ServerError::file("write", path))?;
    let path = data.join("pg_hba.conf");
    fs::write(&path, ACCESS).map_err(ServerError::file("write", &path))?;
    account.own(&path)
}

impl PostgresEngine {
    /// Looks for the newest version that is installed.
    pub(crate) fn find() -> Result<Self, ServerError> {
        let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        let newest = versions
            .map(|entry| entry.path())
            .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
        let server = find(Self::NAME, "initdb", newest.map(|path| path.join("bin")).as_deref())?;
        Ok(Self { programs: server.parent().map(Path::to_owned).unwrap_or_default() })
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// A client program, told where the server is.
    pub(crate) fn client_program(&self, name: &str, port: u16) -> Command {
        let mut client = Command::new(self.program(name));
        client.args(["--host=127.0.0.1", "--username=postgres", "--no-password"]);
        client.arg(format!("--port={port}"));
        client
    }
}

impl Engine for PostgresEngine {
    const NAME: &'static str = "PostgreSQL";
    const ACCOUNT: Option<&'static str> = Some("postgres");
    // A standby goes on: "… read-only connections".
    const READY: &'static str = "database system is ready to accept ";
    // Fast shutdown: it does not wait for clients to go.
    const STOP: &'static str = "INT";
    // Immediate shutdown: as good as a crash, but the postmaster takes its children with it.
    const END: &'static str = "QUIT";

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut server = Command::new(self.program("postgres"));
        server.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
        server
    }

    /// A killed postmaster leaves its System V segment; the seventh line of its pid file is the key and the id.
    fn sweep(&self, folder: &Path) {
        let lines = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        if let Some(id) = lines.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) {
            // It is 56 bytes: not worth a failure.
            let _ = run(Command::new("ipcrm").args(["-m", id]), "");
        }
    }
}

impl SqlEngine for PostgresEngine {
    const HOME: &'static str = "postgres";

    fn start(options: &Options) -> Result<Server<Self>, ServerError> {
        Postgres::start(options)
    }

    fn url(&self, port: u16, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{database}")
    }

    fn client(&self, port: u16, database: &str) -> Command {
        let mut client = self.client_program("psql", port);
        client.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"]);
        client.args(["--set=ON_ERROR_STOP=1", "--dbname", database]);
        client
    }

    fn dumper(&self, port: u16, database: &str) -> Command {
        let mut dumper = self.client_program("pg_dump", port);
        dumper.args(["--dbname", database]);
        dumper
    }

    fn drop_database(database: &str) -> String {
        format!("SET client_min_messages = warning; DROP DATABASE IF EXISTS {database} WITH (FORCE);")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_accounts_must_show_their_password() {
        let Some(server) = crate::require(Postgres::start(&Options::default())) else { return };
        server.execute("postgres", "CREATE ROLE shop LOGIN PASSWORD 'right';").unwrap();
        let log_in = |password| {
            let mut client = server.engine().client(server.port(), "postgres");
            client.args(["--username=shop"]).env("PGPASSWORD", password);
            run(&mut client, "SELECT current_user;")
        };
        assert_eq!(log_in("right").unwrap(), "shop");
        assert!(log_in("wrong").unwrap_err().to_string().contains("password authentication failed"));
    }
}
