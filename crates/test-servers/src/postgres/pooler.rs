//! PgBouncer in front of a PostgreSQL server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::find;
use crate::{Engine, Postgres, Server, ServerError};

/// A pooler.
pub type PgBouncer = Server<PgBouncerEngine>;

/// Where the program is.
#[derive(Clone, Debug)]
pub struct PgBouncerEngine {
    program: PathBuf,
}

/// What of the server its clients share, and how long each has it for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// A session, as long as the client is connected.
    Session,
    /// One session for all, a transaction at a time.
    Transaction,
}

/// Whether its program is there.
pub fn is_installed() -> bool {
    PgBouncerEngine::find().is_ok()
}

impl PgBouncer {
    /// Starts one in front of `server`. Everybody is let in, as `postgres`.
    ///
    /// # Errors
    /// When PgBouncer is not installed, or does not start.
    pub fn in_front_of(server: &Postgres, mode: PoolMode) -> Result<Self, ServerError> {
        let (mode, sessions) = match mode {
            PoolMode::Session => ("session", 50),
            PoolMode::Transaction => ("transaction", 1),
        };
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {sessions}\n%include port.ini\n",
            server.port()
        );
        Self::launch(PgBouncerEngine::find()?, |folder, account| {
            let path = folder.join("pgbouncer.ini");
            fs::write(&path, settings).map_err(ServerError::file("write", &path))?;
            account.own(&path)
        })
    }

    /// The URL of a database behind it.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }
}

impl PgBouncerEngine {
    fn find() -> Result<Self, ServerError> {
        Ok(Self { program: find(Self::NAME, "pgbouncer", None)? })
    }
}

impl Engine for PgBouncerEngine {
    const NAME: &'static str = "PgBouncer";
    const ACCOUNT: Option<&'static str> = Some("postgres");
    const READY: &'static str = "process up: ";
    const STOP: &'static str = "TERM";
    const END: &'static str = "KILL";

    /// Its port can stand in a file only.
    fn command(&self, _folder: &Path, port: u16) -> Command {
        let mut server = Command::new("sh");
        server.args(["-c", r#"echo "listen_port = $1" >port.ini && exec "$0" pgbouncer.ini"#]);
        server.arg(&self.program).arg(port.to_string());
        server
    }
}
