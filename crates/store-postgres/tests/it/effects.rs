//! Effects that meet trouble: what is the whole transaction's, which is begun again, and what is the effect's own.

use std::sync::Arc;

use payonce_core::{
    Attempts, Fact, NotApplied, Outcome, Policy, Store, Submission, apply_with,
    delivery::Filter,
    effect::{Effects, Parameter, Rows, SqlEffect, Statement, Step},
    store::StatementFailure,
};
use payonce_store_postgres::PostgresStore;
use payonce_test_servers::{Database, postgres::PostgresEngine};
use sqlx::{Connection, Executor, PgConnection};

use crate::fixture::{NOW, apply_all, database, open, outcomes, paid, registered};

/// A shop with these orders, unpaid, in its own table and in payonce's.
async fn shop(orders: &[&str]) -> Option<(PostgresStore, Database<PostgresEngine>)> {
    let database = database()?;
    database
        .execute("CREATE TABLE shop (no text PRIMARY KEY, paid bigint NOT NULL, paid_at timestamptz)")
        .expect("it is executed");
    for order in orders {
        database.execute(&format!("INSERT INTO shop VALUES ('{order}', 0)")).expect("it is executed");
    }
    let store = open(&database.url()).await;
    let facts: Vec<Fact> = orders.iter().map(|order| registered(order)).collect();
    outcomes(apply_all(&store, &facts).await);
    Some((store, database))
}

fn effects(sql: &str) -> Effects {
    let step = Step::new("test".to_owned(), Statement::parse(sql).expect("a statement"), Rows::exactly(1))
        .expect("its parameters are known");
    Effects::none().with(Filter::all(), Arc::new(SqlEffect::new("pay".to_owned(), vec![step])))
}

const PAY: &str = "UPDATE shop SET paid = paid + :amount, paid_at = :paid_at WHERE no = :out_trade_no";

async fn apply(store: &dyn Store, facts: &[Fact]) -> Vec<Result<Outcome, NotApplied>> {
    let batch: Vec<Submission> = facts.iter().cloned().map(Submission::from).collect();
    apply_with(store, &batch, &Policy::default(), &effects(PAY), NOW, &Attempts(5)).await
}

/// The first updates of the shop's table meet with this, and it is never rolled back how often they did.
fn meets(database: &Database<PostgresEngine>, trouble: &str) {
    let function = format!(
        "CREATE SEQUENCE tries; CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('tries') <= 2 THEN {trouble}; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER trouble BEFORE UPDATE ON shop FOR EACH ROW EXECUTE FUNCTION trouble()"
    );
    database.execute(&function).expect("it is executed");
}

#[tokio::test]
async fn what_ends_the_whole_transaction_begins_it_again() {
    for trouble in [
        "RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'",
        "RAISE EXCEPTION 'serialization' USING ERRCODE = '40001'",
        "PERFORM pg_terminate_backend(pg_backend_pid())",
    ] {
        let Some((store, database)) = shop(&["A"]).await else { return };
        meets(&database, trouble);
        let applied = apply(&store, &[paid("A", "P1")]).await;
        assert!(matches!(applied[..], [Ok(Outcome::Applied)]), "{trouble}: {applied:?}");
        assert_eq!(
            database.execute("SELECT paid, nextval('tries') FROM shop").unwrap(),
            "100\t4",
            "{trouble}"
        );
    }
}

#[tokio::test]
async fn what_the_statement_meets_is_its_effects_own() {
    for (trouble, reason) in [
        ("RAISE EXCEPTION 'no'", "no"),
        ("RAISE EXCEPTION 'twice' USING ERRCODE = '23505'", "twice"),
        ("RAISE EXCEPTION 'denied' USING ERRCODE = '42501'", "denied"),
        ("RAISE EXCEPTION 'slow' USING ERRCODE = '57014'", "slow"),
    ] {
        let Some((store, database)) = shop(&["A"]).await else { return };
        meets(&database, trouble);
        for round in 1..=2 {
            let applied = apply(&store, &[paid("A", "P1")]).await;
            let [Err(NotApplied::Effects(failures))] = &applied[..] else { panic!("{trouble}: {applied:?}") };
            assert_eq!(failures[0].reason, reason, "{round}");
        }
        assert!(matches!(apply(&store, &[paid("A", "P1")]).await[..], [Ok(Outcome::Applied)]));
        assert_eq!(database.execute("SELECT paid FROM shop").unwrap(), "100");
    }
}

/// Somebody else's lock holds up one effect for a while, and none of its neighbours for good.
#[tokio::test]
async fn a_row_that_somebody_else_holds_fails_its_own_effect() {
    let Some((store, database)) = shop(&["A", "B", "C"]).await else { return };
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    other.execute("BEGIN; UPDATE shop SET paid = 5 WHERE no = 'B'").await.unwrap();
    let applied = apply(&store, &[paid("A", "P1"), paid("B", "P2"), paid("C", "P3")]).await;
    let [Ok(Outcome::Applied), Err(NotApplied::Effects(failures)), Ok(Outcome::Applied)] = &applied[..]
    else {
        panic!("{applied:?}")
    };
    assert!(failures[0].reason.contains("lock timeout"), "{failures:?}");
    other.execute("ROLLBACK").await.unwrap();
    assert!(matches!(apply(&store, &[paid("B", "P2")]).await[..], [Ok(Outcome::Applied)]));
    assert_eq!(database.execute("SELECT sum(paid) FROM shop").unwrap(), "300");
}

#[tokio::test]
async fn times_are_points_in_time_and_types_are_held_against_columns_at_the_check() {
    let Some((store, database)) = shop(&["A"]).await else { return };
    assert!(matches!(apply(&store, &[paid("A", "P1")]).await[..], [Ok(Outcome::Applied)]));
    let at = "SELECT (extract(epoch FROM paid_at) * 1000)::bigint FROM shop";
    assert_eq!(database.execute(at).unwrap(), NOW.0.to_string());
    for (sql, fits) in [
        (PAY, true),
        ("UPDATE shop SET no = :amount", true),
        ("UPDATE shop SET no = :body::jsonb ->> 'type', paid_at = :paid_at", true),
        ("UPDATE shop SET paid_at = :body", false),
        ("UPDATE shop SET paid = :out_trade_no", false),
        ("UPDATE shop SET paid = :late", false),
    ] {
        let statement = Statement::parse(sql).unwrap();
        let named = statement.names().iter().map(|name| Parameter::named(name).unwrap().none());
        let checked = store.effects().check(&statement, &named.collect::<Vec<_>>()).await;
        assert_eq!(checked.is_ok(), fits, "{sql}: {checked:?}");
        assert!(fits || matches!(checked, Err(StatementFailure::Refused(_))), "{sql}");
    }
}
