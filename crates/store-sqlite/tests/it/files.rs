//! Files that are not a database of ours, and files that cannot be written.

use std::time::Duration;

use payonce_core::{
    Store, StoreError, UnixMillis,
    delivery::EndpointId,
    store::{
        Leases as _, Note, Owner, Position, Rejected, RejectedRow, Role, SchemaError, Unavailability,
        delivery::Switch,
    },
};
use payonce_store_sqlite::{Options, SqliteStore};
use rusqlite::Connection;

fn open(path: &std::path::Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(&Options::new(path))
}

fn schema_error(result: Result<SqliteStore, StoreError>) -> SchemaError {
    match result {
        Err(StoreError::Schema(error)) => error,
        other => panic!("a schema error was expected: {other:?}"),
    }
}

fn reason(result: Result<SqliteStore, StoreError>) -> Unavailability {
    match result {
        Err(StoreError::Unavailable { reason, .. }) => reason,
        other => panic!("the database should be unavailable: {other:?}"),
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    drop(open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(schema_error(open(&path)), SchemaError::Newer { found: 99, known: 3 });
}

#[tokio::test]
async fn a_file_of_version_1_is_brought_up_to_date_with_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let file = Connection::open(&path).unwrap();
    file.execute_batch(include_str!("../../migrations/0001_initial.sql")).unwrap();
    file.execute_batch(
        "PRAGMA application_id = 0x7061796f; PRAGMA user_version = 1; \
         INSERT INTO message (id, kind, body, created_at) VALUES ('event:1:N1', 'wechat.X', '{}', 0)",
    )
    .unwrap();
    drop(file);
    assert_eq!(payonce_store_sqlite::plan(&path).unwrap(), ["0002_delivery", "0003_effects_and_consumers"]);
    let store = open(&path).unwrap();
    assert_eq!(payonce_store_sqlite::plan(&path).unwrap(), [""; 0]);
    let page = store.deliveries().envelopes_after(Position(0), 9).await.unwrap();
    assert_eq!(
        page.envelopes.iter().map(|envelope| envelope.kind.as_str()).collect::<Vec<_>>(),
        ["wechat.X"]
    );
    assert_eq!(store.deliveries().endpoints().await.unwrap(), []);
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(schema_error(open(&path)), SchemaError::Foreign { application_id: 0 });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let text = "not a database, but long enough to be looked at: ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert_eq!(schema_error(open(&path)), SchemaError::NotADatabase);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_folder_that_does_not_exist_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(reason(open(&folder.path().join("missing").join("p.db"))), Unavailability::CannotOpen);
}

#[tokio::test]
async fn a_lock_held_elsewhere_makes_it_unavailable_until_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.begin().await.map(drop);
    assert!(
        matches!(refused, Err(StoreError::Unavailable { reason: Unavailability::Locked, .. })),
        "{refused:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    store.begin().await.map(drop).expect("the lock is gone");
}

/// SQLite's own words: 2 is FULL, what an acknowledgement rests on; 1 is NORMAL.
fn synchronous(store: &SqliteStore) -> i64 {
    let (journal, synchronous) = store.durability().expect("nobody writes");
    assert_eq!(journal, "wal");
    synchronous
}

#[tokio::test]
async fn commits_are_durable_in_a_power_cut_but_for_a_messages_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("p.db")).unwrap();
    assert_eq!(synchronous(&store), 2);
    let (deliveries, owner, id) = (store.deliveries(), Owner("a".to_owned()), EndpointId(1));
    deliveries.take_due(&owner, id, Duration::from_secs(1), 1).await.unwrap();
    assert_eq!(synchronous(&store), 1, "taking");
    store.begin().await.unwrap().commit().await.unwrap();
    assert_eq!(synchronous(&store), 2, "facts");
    deliveries.settle(&owner, &[]).await.unwrap();
    assert_eq!(synchronous(&store), 1, "settling");
    deliveries.switch_endpoint(id, Switch::Enable).await.unwrap();
    assert_eq!(synchronous(&store), 2, "what somebody asked for");
    deliveries.fan_out(&[]).await.unwrap();
    assert_eq!(synchronous(&store), 1, "fanning out");
    store.note(&[]).await.unwrap();
    assert_eq!(synchronous(&store), 2, "notes");
    deliveries.give_back(&owner, &[]).await.unwrap();
    assert_eq!(synchronous(&store), 1, "giving back");
    store.lease(&Role::FAN_OUT, &owner, Duration::from_secs(1)).await.unwrap();
    assert_eq!(synchronous(&store), 2, "leases");
}

#[tokio::test]
async fn closing_it_leaves_one_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("p.db")).unwrap();
    store.ping().await.expect("a connection that only reads, which must not be the last to close");
    drop(store);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["p.db"]);
}

/// After a copy from a server, row numbers have gaps. They are no count.
#[tokio::test]
async fn refused_callbacks_are_counted_and_not_reckoned_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = open(&path).unwrap();
    let rejected = || {
        Note::Rejected(Rejected {
            received_at: UnixMillis(0),
            path_merchant: "1900000001".to_owned(),
            http_status: 401,
            verdict: "headers".to_owned(),
            reason: String::new(),
            headers: String::new(),
            body: Vec::new(),
        })
    };
    let keep_three = async || {
        let Some(third) = store.rejected_before(RejectedRow::END, 3).await.unwrap() else { return };
        let surplus = store.rejected_before(third, 1).await.unwrap().unwrap_or_default();
        store.forget_rejected(surplus, 9).await.unwrap();
    };
    store.note(&[rejected(), rejected()]).await.unwrap();
    Connection::open(&path).unwrap().execute("UPDATE rejected SET id = id * 1000", []).unwrap();
    store.note(&[rejected()]).await.unwrap();
    keep_three().await;
    assert_eq!(store.counts().await.unwrap().rejected, 3);
    store.note(&[rejected()]).await.unwrap();
    keep_three().await;
    assert_eq!(store.counts().await.unwrap().rejected, 3);
}
