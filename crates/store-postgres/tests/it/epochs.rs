//! The key that cached answers are bound to, and what renews it.

use payonce_core::{Outcome, Store, store::Epoch};
use payonce_store_postgres::PostgresStore;
use payonce_test_servers::Postgres;

use crate::fixture::{apply_all, database, open, outcomes, own_server, paid, registered};

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
    database.execute("VACUUM FREEZE payonce.database").unwrap();
    assert_eq!(key_of(&database.url()).await, key, "nor does upkeep");
}

#[tokio::test]
async fn another_server_process_has_another_key() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url("postgres")).await;
    store.ping().await.expect("it answers");
    let before = store.epoch().expect("it is known");
    server.stop().expect("it stops");
    server.start_again().expect("it starts");
    // Whatever it was that the restart did to the connections: a transaction gets through, under the new key.
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
    let after = store.epoch().expect("it is known again");
    assert_ne!(after, before);
    assert_eq!(key_of(&server.url("postgres")).await, after);
}

/// Makes a backup, and something after it that the backup does not know.
async fn backup(server: &Postgres) -> (String, Epoch) {
    let url = server.url("shop");
    server.create_database("shop").expect("it makes one");
    let store = open(&url).await;
    apply_all(&store, &[registered("A")]).await;
    let dump = server.dump("shop").expect("it dumps");
    apply_all(&store, &[paid("A", "P1")]).await;
    (dump, store.epoch().expect("it is known"))
}

async fn paid_orders(server: &Postgres) -> String {
    server.execute("shop", "SELECT count(*) FROM payonce.orders WHERE state = 1").expect("it counts")
}

#[tokio::test]
async fn a_restored_backup_has_another_key() {
    let Some(server) = own_server(&[]) else { return };
    let (dump, before) = backup(&server).await;
    assert_eq!(paid_orders(&server).await, "1");
    server.execute("shop", "DROP SCHEMA payonce CASCADE").unwrap();
    server.restore("shop", &dump).unwrap();
    assert_eq!(paid_orders(&server).await, "0");
    let key = key_of(&server.url("shop")).await;
    assert_ne!(key, before);

    // Only the rows, into the tables as they are.
    for empty in ["TRUNCATE", "DELETE FROM"] {
        let before = key_of(&server.url("shop")).await;
        let tables = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'payonce'::regnamespace AND relkind = 'r'";
        let tables = server.execute("shop", tables).unwrap();
        let dump = server.dump("shop").unwrap();
        for table in tables.lines() {
            server.execute("shop", &format!("{empty} payonce.{table}")).unwrap();
        }
        server.restore("shop", &data_of(&dump)).unwrap();
        let store: PostgresStore = open(&server.url("shop")).await;
        assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Duplicate], "{empty}");
        assert_ne!(store.epoch(), Some(before), "{empty}");
    }
}

/// The COPY blocks of a dump.
fn data_of(dump: &str) -> String {
    let mut copying = false;
    let mut data = String::new();
    for line in dump.lines() {
        copying |= line.starts_with("COPY ");
        if copying {
            data.push_str(line);
            data.push('\n');
        }
        copying &= line != "\\.";
    }
    data
}
