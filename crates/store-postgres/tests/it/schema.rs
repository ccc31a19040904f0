//! Schemas that are made, found, and refused.

use payonce_core::{
    Outcome, Store as _, StoreError,
    store::{SchemaError, Unavailability},
};
use payonce_store_postgres::{PostgresStore, plan};
use tokio::task::JoinSet;

use crate::fixture::{apply_all, database, open, options, outcomes, reason, registered};

async fn refused(options: &payonce_store_postgres::Options) -> SchemaError {
    match PostgresStore::open(options).await {
        Err(StoreError::Schema(error)) => error,
        other => panic!("a schema error was expected: {other:?}"),
    }
}

#[tokio::test]
async fn nodes_that_start_at_once_make_it_once() {
    let Some(database) = database() else { return };
    let mut nodes = JoinSet::new();
    for _ in 0..4 {
        let options = options(&database.url());
        nodes.spawn(async move { PostgresStore::open(&options).await });
    }
    for store in nodes.join_all().await {
        let outcome = apply_all(&store.expect("each node opens it"), &[registered("A")]).await;
        assert!(matches!(outcome[0], Ok(Outcome::Applied | Outcome::Duplicate)), "{outcome:?}");
    }
    assert_eq!(database.execute("SELECT count(*) FROM payonce.database").unwrap(), "1");
}

#[tokio::test]
async fn it_is_made_by_hand_where_that_is_wished() {
    let Some(database) = database() else { return };
    let mut by_hand = options(&database.url());
    by_hand.migrate = false;
    assert_eq!(refused(&by_hand).await, SchemaError::Behind { found: 0, known: 3 });
    assert_eq!(
        plan(&by_hand).await.unwrap(),
        ["0001_initial", "0002_delivery", "0003_effects_and_consumers"]
    );
    drop(open(&database.url()).await);
    assert_eq!(plan(&by_hand).await.unwrap(), [""; 0]);
    drop(PostgresStore::open(&by_hand).await.expect("it is up to date"));
}

#[tokio::test]
async fn one_of_version_1_is_brought_up_to_date() {
    let Some(database) = database() else { return };
    let initial = include_str!("../../migrations/0001_initial.sql");
    database.execute(&format!("CREATE SCHEMA payonce; {initial}")).unwrap();
    database.execute("UPDATE payonce.database SET schema_version = 1").unwrap();
    let mut by_hand = options(&database.url());
    by_hand.migrate = false;
    assert_eq!(refused(&by_hand).await, SchemaError::Behind { found: 1, known: 3 });
    assert_eq!(plan(&by_hand).await.unwrap(), ["0002_delivery", "0003_effects_and_consumers"]);
    let store = open(&database.url()).await;
    assert_eq!(plan(&by_hand).await.unwrap(), [""; 0]);
    assert_eq!(store.deliveries().endpoints().await.unwrap(), []);
}

#[tokio::test]
async fn a_newer_one_and_one_that_is_not_ours_are_refused_and_left_alone() {
    let foreign = [
        "CREATE SCHEMA payonce; CREATE TABLE payonce.orders (id integer);",
        "CREATE SCHEMA payonce; CREATE TABLE payonce.database (name text);",
        "CREATE SCHEMA payonce; CREATE VIEW payonce.theirs AS SELECT 1 AS one;",
    ];
    for sql in foreign {
        let Some(database) = database() else { return };
        database.execute(sql).unwrap();
        assert_eq!(refused(&options(&database.url())).await, SchemaError::Unknown, "{sql}");
        let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'payonce'::regnamespace";
        assert_eq!(database.execute(tables).unwrap(), "1", "{sql}");
    }
    for (sql, error) in [
        ("UPDATE payonce.database SET schema_version = 99", SchemaError::Newer { found: 99, known: 3 }),
        ("UPDATE payonce.database SET schema_version = -1", SchemaError::Unknown),
        ("DROP TABLE payonce.incident", SchemaError::Unknown),
        ("DELETE FROM payonce.database", SchemaError::Unknown),
        (
            "INSERT INTO payonce.copy_progress VALUES ('orders', '', '', 0, false)",
            SchemaError::CopyUnfinished,
        ),
    ] {
        let Some(database) = database() else { return };
        drop(open(&database.url()).await);
        database.execute(sql).unwrap();
        assert_eq!(refused(&options(&database.url())).await, error, "{sql}");
    }
}

#[tokio::test]
async fn a_copy_goes_on_in_a_database_that_nodes_refuse() {
    let Some(database) = database() else { return };
    drop(open(&database.url()).await);
    database.execute("INSERT INTO payonce.copy_progress VALUES ('orders', '', '', 0, false)").unwrap();
    let mut copying = options(&database.url());
    copying.copying = true;
    drop(PostgresStore::open(&copying).await.expect("a copy may go on"));
}

#[tokio::test]
async fn tables_that_vanish_under_a_node_are_named() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    database.execute("DROP SCHEMA payonce CASCADE").unwrap();
    let result = apply_all(&store, &[registered("A")]).await;
    assert!(matches!(result[0], Err(StoreError::Schema(SchemaError::Unknown))), "{result:?}");
}

#[tokio::test]
async fn it_shares_the_merchants_database_and_needs_a_schema_of_its_own_only() {
    let Some(database) = database() else { return };
    let role = database.name();
    let url = database.url().replace("postgres@", &format!("{role}:right@"));
    database
        .execute(&format!(
            "CREATE TABLE orders (theirs integer); CREATE ROLE {role} LOGIN PASSWORD 'right'; \
             REVOKE CREATE ON SCHEMA public FROM public; REVOKE CREATE ON DATABASE {role} FROM public;"
        ))
        .unwrap();
    assert_eq!(reason(PostgresStore::open(&options(&url)).await), Unavailability::AccessDenied);
    database.execute(&format!("CREATE SCHEMA payonce AUTHORIZATION {role};")).unwrap();
    let store = open(&url).await;
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
    assert_eq!(database.execute("SELECT count(*) FROM orders").unwrap(), "0");
    drop(store);
    database.execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role};")).unwrap();
}
