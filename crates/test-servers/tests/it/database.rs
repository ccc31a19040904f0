//! The same life for PostgreSQL and MariaDB.

use payonce_test_servers::mariadb::{self, MariaDbEngine};
use payonce_test_servers::postgres::{self, PostgresEngine};
use payonce_test_servers::{Options, Server, ServerError, Shared, SqlEngine, require};

fn start<E: SqlEngine>(options: &Options) -> Option<Server<E>> {
    require(E::start(options))
}

fn keeps_its_data<E: SqlEngine>() {
    let Some(server) = start::<E>(&Options::default()) else { return };
    let (port, folder) = (server.port(), server.folder().to_owned());
    assert!(server.url("shop").ends_with(&format!("@127.0.0.1:{port}/shop")));
    server.create_database("shop").unwrap();
    assert!(server.create_database("shop").is_err(), "there is one already");
    server.execute("shop", "CREATE TABLE t (n INT, s VARCHAR(9)); INSERT INTO t VALUES (1, 'a');").unwrap();

    server.kill();
    assert_eq!(server.process_id(), None);
    assert!(server.execute("shop", "SELECT 1;").is_err());
    server.start_again().unwrap();
    assert_eq!(server.execute("shop", "SELECT n, s FROM t;").unwrap(), "1\ta");

    server.execute("shop", "INSERT INTO t VALUES (2, 'b');").unwrap();
    server.stop().unwrap();
    assert_eq!(server.process_id(), None);
    server.start_again().unwrap();
    assert_eq!(server.execute("shop", "SELECT n FROM t ORDER BY n;").unwrap(), "1\n2");
    assert_eq!((server.port(), server.folder()), (port, folder.as_path()));
}

#[test]
fn postgres_keeps_its_data() {
    keeps_its_data::<PostgresEngine>();
}

#[test]
fn mariadb_keeps_its_data() {
    keeps_its_data::<MariaDbEngine>();
}

/// Paused it stands, with a process for each connection where it has those; resumed it answers.
fn pauses<E: SqlEngine>() {
    let Some(server) = start::<E>(&Options::default()) else { return };
    let stat = format!("/proc/{}/stat", server.process_id().unwrap());
    let stands = || std::fs::read_to_string(&stat).unwrap().rsplit_once(") ").unwrap().1.starts_with('T');
    server.pause();
    assert!(stands());
    server.resume();
    assert!(!stands());
    assert_eq!(server.execute(E::HOME, "SELECT 1;").unwrap(), "1");
}

#[test]
fn postgres_pauses() {
    pauses::<PostgresEngine>();
}

#[test]
fn mariadb_pauses() {
    pauses::<MariaDbEngine>();
}

fn is_restored_from_a_dump<E: SqlEngine>() {
    let Some(server) = start::<E>(&Options::default()) else { return };
    server.create_database("a").unwrap();
    server.create_database("b").unwrap();
    server.execute("a", "CREATE TABLE t (n INT PRIMARY KEY); INSERT INTO t VALUES (7);").unwrap();
    let dump = server.dump("a").unwrap();
    server.restore("b", &dump).unwrap();
    assert_eq!(server.execute("b", "SELECT n FROM t;").unwrap(), "7");
}

#[test]
fn postgres_is_restored_from_a_dump() {
    is_restored_from_a_dump::<PostgresEngine>();
}

#[test]
fn mariadb_is_restored_from_a_dump() {
    is_restored_from_a_dump::<MariaDbEngine>();
}

fn is_fresh_and_goes<E: SqlEngine>(shared: Result<Shared<E>, ServerError>, databases: &str) {
    let Some(server) = require(shared) else { return };
    let (one, other) = (server.create_database().unwrap(), server.create_database().unwrap());
    assert_ne!(one.url(), other.url());
    one.execute("CREATE TABLE t (n INT);").unwrap();
    other.execute("CREATE TABLE t (n INT);").unwrap();

    let gone = one.name().to_owned();
    drop(one);
    let left = other.execute(databases).unwrap();
    let left: Vec<&str> = left.lines().collect();
    assert!(left.contains(&other.name()) && !left.contains(&gone.as_str()), "{left:?}");
}

#[test]
fn a_database_of_the_shared_postgres_is_fresh_and_goes() {
    is_fresh_and_goes(postgres::shared(), "SELECT datname FROM pg_database;");
}

#[test]
fn a_database_of_the_shared_mariadb_is_fresh_and_goes() {
    is_fresh_and_goes(mariadb::shared(), "SHOW DATABASES;");
}

#[test]
fn options_reach_postgres() {
    let settings = vec![("lock_timeout".to_owned(), "7s".to_owned())];
    let options = Options { durable: true, max_connections: 33, settings };
    let Some(server) = start::<PostgresEngine>(&options) else { return };
    let shown = server.execute("postgres", "SHOW lock_timeout; SHOW max_connections; SHOW fsync;").unwrap();
    assert_eq!(shown, "7s\n33\non");
}

#[test]
fn options_reach_mariadb() {
    let settings = vec![("lock-wait-timeout".to_owned(), "7".to_owned())];
    let options = Options { durable: true, max_connections: 33, settings };
    let Some(server) = start::<MariaDbEngine>(&options) else { return };
    let query = "SELECT @@lock_wait_timeout, @@max_connections, @@innodb_flush_log_at_trx_commit;";
    assert_eq!(server.execute("mysql", query).unwrap(), "7\t33\t1");
}

/// A setting that the server does not know: its own words stand in the error.
fn refuses<E: SqlEngine>(complaint: &str) {
    let Some(_installed) = start::<E>(&Options::default()) else { return };
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let error = E::start(&Options { settings, ..Options::default() }).unwrap_err();
    assert!(matches!(&error, ServerError::Ended { log, .. } if log.contains(complaint)), "{error}");
}

#[test]
fn a_postgres_that_does_not_start_says_why() {
    refuses::<PostgresEngine>("unrecognized configuration parameter \"no_such_setting\"");
}

#[test]
fn a_mariadb_that_does_not_start_says_why() {
    refuses::<MariaDbEngine>("unknown variable 'no_such_setting=1'");
}
