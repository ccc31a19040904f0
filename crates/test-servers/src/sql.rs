//! What tests do with a database server beside their own connections: they prepare, look and copy, through the
//! server's own command-line programs, because a driver of ours would be tested by itself then.

use std::process::Command;

use crate::process::run;
use crate::{CommandError, Engine, Options, Server, ServerError};

/// An [`Engine`] that speaks SQL. Tests for every database are generic over it.
pub trait SqlEngine: Engine + Clone {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    fn start(options: &Options) -> Result<Server<Self>, ServerError>;

    /// The URL of `database`, as payonce takes it.
    fn url(&self, port: u16, database: &str) -> String;

    /// Reads SQL from standard input; prints a row a line, fields separated by tabs.
    fn client(&self, port: u16, database: &str) -> Command;

    /// Prints SQL that makes the contents of `database` anew.
    fn dumper(&self, port: u16, database: &str) -> Command;

    /// SQL that drops `database` where it exists, and ends the connections to it.
    fn drop_database(database: &str) -> String;

    /// The database that is always there, to connect to while one makes another.
    const HOME: &'static str;
}

/// A database server that listens on a port, whoever started it.
#[derive(Clone, Debug)]
pub(crate) struct Client<E> {
    pub(crate) engine: E,
    pub(crate) port: u16,
}

impl<E: SqlEngine> Client<E> {
    pub(crate) fn url(&self, database: &str) -> String {
        self.engine.url(self.port, database)
    }

    pub(crate) fn execute(&self, database: &str, sql: &str) -> Result<String, CommandError> {
        run(&mut self.engine.client(self.port, database), sql)
    }

    pub(crate) fn create_database(&self, name: &str) -> Result<(), CommandError> {
        self.execute(E::HOME, &format!("CREATE DATABASE {name};")).map(drop)
    }

    pub(crate) fn drop_database(&self, name: &str) -> Result<(), CommandError> {
        self.execute(E::HOME, &E::drop_database(name)).map(drop)
    }
}

impl<E: SqlEngine> Server<E> {
    /// The URL of one of its databases, for an account that may do everything and has no password.
    pub fn url(&self, database: &str) -> String {
        self.client().url(database)
    }

    /// Executes SQL statements, each in its own transaction, and returns a line for each row, fields separated by
    /// tabs.
    ///
    /// # Errors
    /// When a statement fails; those before it stay done.
    pub fn execute(&self, database: &str, sql: &str) -> Result<String, CommandError> {
        self.client().execute(database, sql)
    }

    /// Makes an empty database. The name is written into SQL as it is.
    ///
    /// # Errors
    /// When there is one of this name already.
    pub fn create_database(&self, name: &str) -> Result<(), CommandError> {
        self.client().create_database(name)
    }

    /// A backup of a database: the SQL that makes its contents anew.
    ///
    /// # Errors
    /// When the database does not exist.
    pub fn dump(&self, database: &str) -> Result<String, CommandError> {
        let client = self.client();
        run(&mut client.engine.dumper(client.port, database), "")
    }

    /// Plays a backup into an empty database.
    ///
    /// # Errors
    /// When a statement of it fails.
    pub fn restore(&self, database: &str, dump: &str) -> Result<(), CommandError> {
        self.execute(database, dump).map(drop)
    }

    fn client(&self) -> Client<E> {
        Client { engine: self.engine().clone(), port: self.port() }
    }
}
