//! The SQL of docs/inbox.md, on each of the databases that it is for: an id goes in once.

use payonce_test_servers::{Database, SqlEngine, mariadb, postgres, require};
use rusqlite::Connection;

const PAGE: &str = include_str!("../../../../../docs/inbox.md");

/// Of different case, and as long as an id may be.
fn ids() -> [String; 3] {
    ["order:1900000001:A:1".to_owned(), "order:1900000001:a:1".to_owned(), "x".repeat(128)]
}

#[test]
fn postgres_takes_each_id_once() {
    let Some(server) = require(postgres::shared()) else { return };
    let database = server.create_database().unwrap();
    takes_each_id_once(&database, "PostgreSQL");
    let delete = PAGE.split_once("```sql\nDELETE").unwrap().1.split_once("```").unwrap().0;
    database.execute(&format!("DELETE{delete}")).unwrap();
    assert_eq!(database.execute("SELECT count(*) FROM inbox;").unwrap().trim(), "3", "all are fresh");
    database
        .execute("UPDATE inbox SET received_at = now() - INTERVAL '91 days' WHERE id LIKE 'x%';")
        .unwrap();
    database.execute(&format!("DELETE{delete}")).unwrap();
    assert_eq!(database.execute("SELECT count(*) FROM inbox;").unwrap().trim(), "2");
}

#[test]
fn mariadb_takes_each_id_once() {
    let Some(server) = require(mariadb::shared()) else { return };
    takes_each_id_once(&server.create_database().unwrap(), "MySQL, MariaDB (InnoDB)");
}

#[test]
fn sqlite_takes_each_id_once() {
    let (table, insert) = statements("SQLite");
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(&table).unwrap();
    for rows in [1, 0] {
        for id in ids() {
            assert_eq!(database.execute(&insert, [&id]).unwrap(), rows, "{id}");
        }
    }
}

fn takes_each_id_once<E: SqlEngine>(database: &Database<E>, heading: &str) {
    let (table, insert) = statements(heading);
    database.execute(&table).unwrap();
    for _ in 0..2 {
        for id in ids() {
            let insert = insert.replace("$1", "?").replace('?', &format!("'{id}'"));
            database.execute(&insert).unwrap();
        }
    }
    assert_eq!(database.execute("SELECT count(*) FROM inbox;").unwrap().trim(), "3");
}

/// What makes the table, and what goes into it.
fn statements(heading: &str) -> (String, String) {
    let after = PAGE.split_once(&format!("-- {heading}\n")).unwrap().1;
    let (table, after) = after.split_once("INSERT").unwrap();
    let (insert, _) = after.split_once(';').unwrap();
    (table.to_owned(), format!("INSERT{insert};"))
}
