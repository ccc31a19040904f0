//! The SQL of docs/inbox.md, on each of the databases that it is for: an id goes in once, and comes out when it is old.

use payonce_test_servers::{Database, SqlEngine, mariadb, postgres, require};
use rusqlite::Connection;

const PAGE: &str = include_str!("../../../../../docs/inbox.md");

/// What is old, and what is not yet.
const DAYS: [u32; 2] = [91, 89];

/// Of different case, and as long as an id may be.
fn ids() -> [String; 3] {
    ["order:1900000001:A:1".to_owned(), "order:1900000001:a:1".to_owned(), "x".repeat(128)]
}

#[test]
fn postgres_takes_each_id_once_and_forgets_what_is_old() {
    let Some(server) = require(postgres::shared()) else { return };
    let ago = |days| format!("now() - INTERVAL '{days} days'");
    takes_each_id_once(&server.create_database().unwrap(), "PostgreSQL", ago);
}

#[test]
fn mariadb_takes_each_id_once_and_forgets_what_is_old() {
    let Some(server) = require(mariadb::shared()) else { return };
    let ago = |days| format!("now() - INTERVAL {days} DAY");
    takes_each_id_once(&server.create_database().unwrap(), "MySQL, MariaDB (InnoDB)", ago);
}

#[test]
fn sqlite_takes_each_id_once_and_forgets_what_is_old() {
    let Statements { table, insert, delete } = statements("SQLite");
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(&table).unwrap();
    for rows in [1, 0] {
        for id in ids() {
            assert_eq!(database.execute(&insert, [&id]).unwrap(), rows, "{id}");
        }
    }
    assert_eq!(database.execute(&delete, []).unwrap(), 0, "all are fresh");
    let dated = "INSERT INTO inbox (id, received_at) VALUES (?1, datetime('now', ?2))";
    for days in DAYS {
        database.execute(dated, [format!("{days}"), format!("-{days} days")]).unwrap();
    }
    assert_eq!(database.execute(&delete, []).unwrap(), 1);
    let old: i64 =
        database.query_row("SELECT count(*) FROM inbox WHERE id = '91'", [], |row| row.get(0)).unwrap();
    assert_eq!(old, 0);
    let plan: String =
        database.query_row(&format!("EXPLAIN QUERY PLAN {delete}"), [], |row| row.get("detail")).unwrap();
    assert!(plan.contains("INDEX inbox_by_time"), "{plan}");
}

/// `ago` is the time so many days ago, as the dialect says it.
fn takes_each_id_once<E: SqlEngine>(database: &Database<E>, heading: &str, ago: impl Fn(u32) -> String) {
    let Statements { table, insert, delete } = statements(heading);
    let count = || database.execute("SELECT count(*) FROM inbox;").unwrap().trim().to_owned();
    database.execute(&table).unwrap();
    for _ in 0..2 {
        for id in ids() {
            let insert = insert.replace("$1", "?").replace('?', &format!("'{id}'"));
            database.execute(&insert).unwrap();
        }
    }
    assert_eq!(count(), "3");
    database.execute(&delete).unwrap();
    assert_eq!(count(), "3", "all are fresh");
    for days in DAYS {
        let dated = format!("INSERT INTO inbox (id, received_at) VALUES ('{days}', {});", ago(days));
        database.execute(&dated).unwrap();
    }
    database.execute(&delete).unwrap();
    let left = "SELECT id FROM inbox WHERE id IN ('91', '89');";
    assert_eq!((count().as_str(), database.execute(left).unwrap().trim()), ("4", "89"));
}

struct Statements {
    /// What makes the table and its index.
    table: String,
    /// What an id goes in by.
    insert: String,
    /// What old rows are deleted by.
    delete: String,
}

/// Those that the page has for a database: first those of the table, further down the one that deletes.
fn statements(heading: &str) -> Statements {
    let mark = format!("-- {heading}\n");
    let mut sections = PAGE.split(&mark).skip(1);
    let (table, after) = sections.next().unwrap().split_once("INSERT").unwrap();
    let (insert, _) = after.split_once(';').unwrap();
    let (delete, _) = sections.next().unwrap().split_once(';').unwrap();
    Statements { table: table.to_owned(), insert: format!("INSERT{insert};"), delete: format!("{delete};") }
}
