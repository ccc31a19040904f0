//! One server for many tests, a fresh database for each: a database is made in a twentieth of the time of a server.
//!
//! `cargo xtask test` starts the servers and names them in the environment. A test that finds none named there starts
//! one for its process; that one ends with the process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::sql::Client;
use crate::{
    CommandError, MariaDb, Nats, Options, Postgres, RabbitMq, Redis, Server, ServerError, SqlEngine,
    environment,
};

/// The servers of a whole test run. Dropping it ends them.
#[derive(Debug)]
pub struct SharedServers {
    postgres: Option<Postgres>,
    mariadb: Option<MariaDb>,
    redis: Option<Redis>,
    rabbitmq: Option<RabbitMq>,
    nats: Option<Nats>,
}

impl SharedServers {
    /// Starts one server of each kind that is installed.
    ///
    /// # Errors
    /// When a server is installed and does not start.
    pub fn start() -> Result<Self, ServerError> {
        let options = Options::default();
        Ok(Self {
            postgres: unless_absent(Postgres::start(&options))?,
            mariadb: unless_absent(MariaDb::start(&options))?,
            redis: unless_absent(Redis::start())?,
            rabbitmq: unless_absent(RabbitMq::start())?,
            nats: unless_absent(Nats::start(&[]))?,
        })
    }

    /// The environment variables, name and value, that tell the tests about them.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let postgres = self.postgres.iter().map(|server| (environment::POSTGRES, server.url("")));
        let mariadb = self.mariadb.iter().map(|server| (environment::MARIADB, server.url("")));
        let redis = self.redis.iter().map(|server| (environment::REDIS, server.url()));
        let rabbitmq = self.rabbitmq.iter().map(|server| (environment::RABBITMQ, server.url()));
        let nats = self.nats.iter().map(|server| (environment::NATS, server.url()));
        postgres.chain(mariadb).chain(redis).chain(rabbitmq).chain(nats).collect()
    }
}

fn unless_absent<T>(server: Result<T, ServerError>) -> Result<Option<T>, ServerError> {
    match server {
        Err(ServerError::Absent { .. }) => Ok(None),
        server => server.map(Some),
    }
}

/// A server that other tests use at the same time: no test may kill, pause or configure it.
#[derive(Debug)]
pub struct Shared<E> {
    client: Client<E>,
}

impl<E: SqlEngine> Shared<E> {
    /// The one that `variable` names, else the one in `own`, which is started where there is none yet.
    pub(crate) fn find(
        variable: &str,
        own: &Mutex<Option<Server<E>>>,
        find: impl FnOnce() -> Result<E, ServerError>,
    ) -> Result<Self, ServerError> {
        if let Some(port) = environment::shared_port(variable) {
            return Ok(Self { client: Client { engine: find()?, port } });
        }
        let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
        let server = match own.as_mut() {
            Some(server) => server,
            None => own.insert(E::start(&Options::default())?),
        };
        Ok(Self { client: Client { engine: server.engine().clone(), port: server.port() } })
    }

    /// An empty database that no other test knows.
    ///
    /// # Errors
    /// When the server is gone or full.
    pub fn create_database(&self) -> Result<Database<E>, CommandError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("payonce_{}_{number}", std::process::id());
        // A process of the same id may have been killed before it could drop its own.
        self.client.drop_database(&name)?;
        self.client.create_database(&name)?;
        Ok(Database { client: self.client.clone(), name })
    }
}

/// A database of a [`Shared`] server. Dropping it drops the database, with the connections that are still open.
#[derive(Debug)]
pub struct Database<E: SqlEngine> {
    client: Client<E>,
    name: String,
}

impl<E: SqlEngine> Database<E> {
    /// Its URL.
    pub fn url(&self) -> String {
        self.client.url(&self.name)
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Executes SQL, as [`Server::execute`] does.
    ///
    /// # Errors
    /// When a statement fails; those before it stay done.
    pub fn execute(&self, sql: &str) -> Result<String, CommandError> {
        self.client.execute(&self.name, sql)
    }
}

impl<E: SqlEngine> Drop for Database<E> {
    fn drop(&mut self) {
        // The test has its verdict already; the server and all it holds goes at the end of the run.
        if let Err(error) = self.client.drop_database(&self.name) {
            eprintln!("{} was not dropped: {error}", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn the_variables_name_every_server_that_is_installed() {
        let servers = SharedServers::start().unwrap();
        let installed = [
            (environment::POSTGRES, crate::postgres::is_installed()),
            (environment::MARIADB, crate::mariadb::is_installed()),
            (environment::REDIS, crate::redis::is_installed()),
            (environment::RABBITMQ, crate::rabbitmq::is_installed()),
            (environment::NATS, crate::nats::is_installed()),
        ];
        let variables = servers.variables();
        let named: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
        let expected: Vec<&str> = installed.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        assert_eq!(named, expected);
        for (_, url) in variables {
            TcpStream::connect((Ipv4Addr::LOCALHOST, environment::port_of(&url).unwrap())).unwrap();
        }
    }
}
