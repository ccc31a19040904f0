//! The key that cached answers are bound to, and what renews it.

use payonce_core::{Outcome, Store, store::Epoch};
use payonce_test_servers::MariaDb;

use crate::fixture::{SHOP, apply_all, database, open, outcomes, own_server, paid, registered};

/// The key that a node learns which connects now.
async fn key_of(url: &str) -> Epoch {
    let store = open(url).await;
    store.ping().await.expect("it answers");
    store.epoch().expect("it is proven on the first connection")
}

#[tokio::test]
async fn nodes_of_one_database_share_a_key_and_other_databases_have_another() {
    let (Some(database), Some(other)) = (database(), database()) else { return };
    let store = open(&database.url()).await;
    assert!(store.epoch().is_none(), "nothing was asked yet");
    let key = key_of(&database.url()).await;
    apply_all(&store, &[registered("A"), paid("A", "P1")]).await;
    assert_eq!(store.epoch().as_ref(), Some(&key));
    assert_eq!(key_of(&database.url()).await, key, "work changes nothing");
    assert_ne!(key_of(&other.url()).await, key);
}

#[tokio::test]
async fn another_server_process_has_another_key() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url(SHOP)).await;
    store.ping().await.expect("it answers");
    let before = store.epoch().expect("it is known");
    // Starts are told apart by the second.
    next_second(&server);
    server.stop().expect("it stops");
    server.start_again().expect("it starts");
    // Whatever it was that the restart did to the connections: a transaction gets through, under the new key.
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
    let after = store.epoch().expect("it is known again");
    assert_ne!(after, before);
    assert_eq!(key_of(&server.url(SHOP)).await, after);
}

/// Waits until the server's clock shows another second, which is what its tables tell the time by.
fn next_second(server: &MariaDb) {
    let clock = || server.execute(SHOP, "SELECT UNIX_TIMESTAMP();").expect("it answers");
    let now = clock();
    while clock() == now {}
}

fn paid_orders(server: &MariaDb) -> String {
    server.execute(SHOP, "SELECT COUNT(*) FROM payonce_orders WHERE state = 1;").expect("the table is there")
}

#[tokio::test]
async fn a_restored_backup_has_another_key() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url(SHOP)).await;
    apply_all(&store, &[registered("A")]).await;
    let dump = server.dump(SHOP).unwrap();
    apply_all(&store, &[paid("A", "P1")]).await;
    let before = store.epoch().expect("it is known");
    assert_eq!(paid_orders(&server), "1");
    drop(store);

    next_second(&server);
    server.restore(SHOP, &dump).unwrap();
    assert_eq!(paid_orders(&server), "0");
    assert_ne!(key_of(&server.url(SHOP)).await, before);

    // Only the rows, into the tables as they are.
    for empty in ["TRUNCATE", "DELETE FROM"] {
        let before = key_of(&server.url(SHOP)).await;
        let dump = server.dump(SHOP).unwrap();
        let tables = server.execute(SHOP, "SHOW TABLES;").unwrap();
        next_second(&server);
        for table in tables.lines() {
            server.execute(SHOP, &format!("{empty} {table};")).unwrap();
        }
        server.restore(SHOP, &rows_of(&dump)).unwrap();
        let store = open(&server.url(SHOP)).await;
        assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Duplicate], "{empty}");
        assert_ne!(store.epoch().expect("it is known"), before, "{empty}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_tell_when_its_tables_were_written_is_not_asked_all_the_time() {
    let Some(database) = database() else { return };
    drop(open(&database.url()).await);
    // The row never says that it was written when its table was.
    for sql in [
        "CREATE TABLE renewal (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY);",
        "CREATE TRIGGER untold BEFORE UPDATE ON payonce_database FOR EACH ROW SET NEW.epoch_written = 0;",
        "CREATE TRIGGER counted AFTER UPDATE ON payonce_database FOR EACH ROW INSERT INTO renewal () VALUES ();",
    ] {
        database.execute(sql).unwrap();
    }
    let renewals = || -> u32 {
        database.execute("SELECT COUNT(*) FROM renewal;").expect("it counts").parse().expect("a count")
    };
    let store = open(&database.url()).await;
    store.ping().await.expect("it answers");
    let at_first = renewals();
    assert!((1..20).contains(&at_first), "{at_first}");
    for i in 0..5 {
        store.ping().await.expect("it answers");
        assert_eq!(outcomes(apply_all(&store, &[registered(&format!("A{i}"))]).await), [Outcome::Applied]);
    }
    assert_eq!(renewals(), at_first, "no session asks again, on whichever connection");
    assert!(store.epoch().is_none(), "no cached answer counts");
}

/// The INSERT statements of a dump.
fn rows_of(dump: &str) -> String {
    let statements = dump.split_inclusive(";\n");
    statements.filter(|statement| statement.trim_start().starts_with("INSERT INTO")).collect()
}
