//! MariaDB, which stands for MySQL in tests. Its account `root` may do everything and needs no password.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::galera::Member;
use crate::process::{Account, find, run};
use crate::{Engine, Options, Server, ServerError, Shared, SqlEngine, environment};

/// A MariaDB server.
pub type MariaDb = Server<MariaDbEngine>;

/// What a test run wants whatever its options. The character set is the one of Debian's configuration, which
/// `--no-defaults` leaves out together with everything else that this machine may have configured.
const SETTINGS: &[&str] = &[
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
];

/// A commit is written to the log file before it is answered, so it survives that the server is killed.
const NOT_DURABLE: &[&str] =
    &["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--innodb-buffer-pool-size=64M"];

const DURABLE: &[&str] = &["--innodb-flush-log-at-trx-commit=1"];

/// Where the programs are, and what the server is told.
#[derive(Clone, Debug)]
pub struct MariaDbEngine {
    programs: Programs,
    settings: Vec<String>,
    /// It is a member of a Galera cluster.
    member: Option<Member>,
}

#[derive(Clone, Debug)]
struct Programs {
    server: PathBuf,
    install: PathBuf,
    client: PathBuf,
    dump: PathBuf,
}

/// The MariaDB that all tests of this run share.
///
/// # Errors
/// When MariaDB is not installed, or does not start.
pub fn shared() -> Result<Shared<MariaDbEngine>, ServerError> {
    static OWN: Mutex<Option<MariaDb>> = Mutex::new(None);
    Shared::find(environment::MARIADB, &OWN, || MariaDbEngine::find(&Options::default()))
}

/// Whether its programs are there.
pub fn is_installed() -> bool {
    MariaDbEngine::find(&Options::default()).is_ok()
}

impl MariaDb {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When MariaDB is not installed, or does not start.
    pub fn start(options: &Options) -> Result<Self, ServerError> {
        Self::start_engine(MariaDbEngine::find(options)?)
    }

    pub(crate) fn start_member(options: &Options, member: Member) -> Result<Self, ServerError> {
        Self::start_engine(MariaDbEngine { member: Some(member), ..MariaDbEngine::find(options)? })
    }

    fn start_engine(engine: MariaDbEngine) -> Result<Self, ServerError> {
        let install = engine.programs.install.clone();
        Self::launch(engine, |folder, account| prepare(&install, folder, account))
    }
}

fn prepare(install: &Path, folder: &Path, account: Account) -> Result<(), ServerError> {
    let mut install = Command::new(install);
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    install.arg(format!("--datadir={}", folder.join("data").display())).arg(temporary_files(folder));
    install.current_dir(folder);
    Ok(run(account.run(&mut install), "").map(drop)?)
}

/// In its own folder: a MariaDB that starts deletes what looks like its temporary tables, also those of another.
fn temporary_files(folder: &Path) -> String {
    format!("--tmpdir={}", folder.display())
}

impl MariaDbEngine {
    pub(crate) fn find(options: &Options) -> Result<Self, ServerError> {
        let program = |name| find(Self::NAME, name, None);
        let programs = Programs {
            server: program("mariadbd")?,
            install: program("mariadb-install-db")?,
            client: program("mariadb")?,
            dump: program("mariadb-dump")?,
        };
        let mode = if options.durable { DURABLE } else { NOT_DURABLE };
        let mut settings: Vec<String> = SETTINGS.iter().chain(mode).map(|text| (*text).to_owned()).collect();
        settings.push(format!("--max-connections={}", options.max_connections));
        settings.extend(options.settings.iter().map(|(name, value)| format!("--{name}={value}")));
        Ok(Self { programs, settings, member: None })
    }

    /// A client program, told where the server is.
    fn client_program(&self, program: &Path, port: u16) -> Command {
        let mut client = Command::new(program);
        client.args(["--no-defaults", "--host=127.0.0.1", "--protocol=tcp", "--user=root"]);
        client.args(["--default-character-set=utf8mb4", &format!("--port={port}")]);
        client
    }
}

impl Engine for MariaDbEngine {
    const NAME: &'static str = "MariaDB";
    const ACCOUNT: Option<&'static str> = Some("mysql");
    const READY: &'static str = "ready for connections.";
    const STOP: &'static str = "TERM";
    const END: &'static str = "KILL";

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut server = Command::new(&self.programs.server);
        server.args(["--no-defaults", &format!("--port={port}")]);
        for (option, file) in [("datadir", "data"), ("socket", "socket"), ("pid-file", "pid")] {
            server.arg(format!("--{option}={}", folder.join(file).display()));
        }
        server.arg(temporary_files(folder));
        server.args(self.member.iter().flat_map(Member::settings)).args(&self.settings);
        server
    }
}

impl SqlEngine for MariaDbEngine {
    const HOME: &'static str = "mysql";

    fn start(options: &Options) -> Result<Server<Self>, ServerError> {
        MariaDb::start(options)
    }

    fn url(&self, port: u16, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{port}/{database}")
    }

    fn client(&self, port: u16, database: &str) -> Command {
        let mut client = self.client_program(&self.programs.client, port);
        client.args(["--batch", "--skip-column-names", "--raw", database]);
        client
    }

    fn dumper(&self, port: u16, database: &str) -> Command {
        let mut dumper = self.client_program(&self.programs.dump, port);
        dumper.args(["--single-transaction", "--routines", "--triggers", database]);
        dumper
    }

    /// `DROP DATABASE` waits for open transactions, so their connections end first.
    fn drop_database(database: &str) -> String {
        format!(
            "DELIMITER //
             BEGIN NOT ATOMIC
                 -- A connection that ends by itself meanwhile: unknown thread.
                 DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
                 FOR one IN (SELECT id FROM information_schema.processlist WHERE db = '{database}') DO
                     KILL CONNECTION one.id;
                 END FOR;
             END //
             DELIMITER ;
             DROP DATABASE IF EXISTS {database};"
        )
    }
}
