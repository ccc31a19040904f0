//! Schemas that are made, found, and refused.

use payonce_core::{
    Outcome, Store as _, StoreError,
    store::{SchemaError, Unavailability},
};
use payonce_store_mysql::{MySqlStore, Options, plan};
use tokio::task::JoinSet;

use crate::fixture::{apply_all, database, open, options, outcomes, reason, registered};

async fn refused(options: &Options) -> SchemaError {
    match MySqlStore::open(options).await {
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
        nodes.spawn(async move { MySqlStore::open(&options).await });
    }
    for store in nodes.join_all().await {
        let outcome = apply_all(&store.expect("each node opens it"), &[registered("A")]).await;
        assert!(matches!(outcome[0], Ok(Outcome::Applied | Outcome::Duplicate)), "{outcome:?}");
    }
    assert_eq!(database.execute("SELECT COUNT(*) FROM payonce_database;").unwrap(), "1");
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
    drop(MySqlStore::open(&by_hand).await.expect("it is up to date"));
}

#[tokio::test]
async fn a_migration_that_was_cut_short_is_run_again() {
    // Each statement that makes a table is committed by itself: a node may die after any of them.
    let sql = include_str!("../../migrations/0001_initial.sql");
    let statements: Vec<&str> = sql.split_inclusive(";\n").collect();
    for cut in [1, 2, statements.len() / 2, statements.len()] {
        let Some(database) = database() else { return };
        database.execute(&statements[..cut].concat()).unwrap();
        let identity = "SELECT COUNT(*), SUM(schema_version) FROM payonce_database;";
        assert_eq!(database.execute(identity).unwrap(), "0\tNULL");
        assert_eq!(
            plan(&options(&database.url())).await.unwrap(),
            ["0001_initial", "0002_delivery", "0003_effects_and_consumers"]
        );
        let store = open(&database.url()).await;
        assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied], "{cut}");
        assert_eq!(database.execute(identity).unwrap(), "1\t3");
    }
}

#[tokio::test]
async fn one_of_version_1_is_brought_up_to_date_however_often_it_is_cut_short() {
    let initial = include_str!("../../migrations/0001_initial.sql");
    let later = concat!(
        include_str!("../../migrations/0002_delivery.sql"),
        include_str!("../../migrations/0003_effects_and_consumers.sql")
    );
    let statements: Vec<&str> = later.split_inclusive(";\n").collect();
    for cut in 0..=statements.len() {
        let Some(database) = database() else { return };
        database.execute(initial).unwrap();
        let known = "INSERT INTO payonce_database VALUES \
             (1, '00112233445566778899AABBCCDDEEFF', 1, REPEAT('00', 32), '', 0);";
        database.execute(known).unwrap();
        database.execute(&format!("{} SELECT 1;", statements[..cut].concat())).unwrap();
        assert_eq!(
            plan(&options(&database.url())).await.unwrap(),
            ["0002_delivery", "0003_effects_and_consumers"],
            "{cut}"
        );
        let store = open(&database.url()).await;
        assert_eq!(store.deliveries().endpoints().await.unwrap(), []);
        let version = "SELECT identity, schema_version FROM payonce_database;";
        assert_eq!(database.execute(version).unwrap(), "00112233445566778899AABBCCDDEEFF\t3");
    }
}

#[tokio::test]
async fn a_newer_one_and_one_that_is_not_ours_are_refused_and_left_alone() {
    let foreign = [
        "CREATE TABLE payonce_orders (id INT PRIMARY KEY);",
        "CREATE TABLE payonce_database (name INT PRIMARY KEY);",
        "CREATE VIEW payonce_message AS SELECT 1 AS one;",
    ];
    for sql in foreign {
        let Some(database) = database() else { return };
        database.execute(sql).unwrap();
        assert_eq!(refused(&options(&database.url())).await, SchemaError::Unknown, "{sql}");
        assert_eq!(database.execute("SHOW TABLES;").unwrap().lines().count(), 1, "{sql}");
    }
    for (sql, error) in [
        ("UPDATE payonce_database SET schema_version = 99;", SchemaError::Newer { found: 99, known: 3 }),
        ("UPDATE payonce_database SET schema_version = -1;", SchemaError::Unknown),
        ("DROP TABLE payonce_incident;", SchemaError::Unknown),
        ("DROP TABLE payonce_database;", SchemaError::Unknown),
        ("INSERT INTO payonce_copy_progress VALUES ('orders', '', '', 0, 0);", SchemaError::CopyUnfinished),
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
    database.execute("INSERT INTO payonce_copy_progress VALUES ('orders', '', '', 0, 0);").unwrap();
    let mut copying = options(&database.url());
    copying.copying = true;
    drop(MySqlStore::open(&copying).await.expect("a copy may go on"));
}

#[tokio::test]
async fn tables_that_vanish_under_a_node_are_named() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    database.execute("DROP TABLE payonce_orders;").unwrap();
    let result = apply_all(&store, &[registered("A")]).await;
    assert!(matches!(result[0], Err(StoreError::Schema(SchemaError::Unknown))), "{result:?}");
}

#[tokio::test]
async fn it_shares_the_merchants_database_and_needs_rights_on_its_tables() {
    let Some(database) = database() else { return };
    let name = database.name();
    let url = database.url().replace("root@", &format!("{name}:right@"));
    database
        .execute(&format!(
            "CREATE TABLE orders (theirs INT PRIMARY KEY); CREATE USER {name}@'127.0.0.1' IDENTIFIED BY 'right'; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {name}@'127.0.0.1';"
        ))
        .unwrap();
    assert_eq!(reason(MySqlStore::open(&options(&url)).await), Unavailability::AccessDenied);
    database.execute(&format!("GRANT CREATE ON {name}.* TO {name}@'127.0.0.1';")).unwrap();
    let store = open(&url).await;
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
    assert_eq!(database.execute("SELECT COUNT(*) FROM orders;").unwrap(), "0");
    drop(store);
    database.execute(&format!("DROP USER {name}@'127.0.0.1';")).unwrap();
}
