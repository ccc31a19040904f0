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

/// Two that wait are all that a callback has time for. Both are told, and so is what was not tried after them.
#[tokio::test]
async fn several_rows_that_somebody_else_holds_take_no_more_time_than_there_is() {
    let Some((store, database)) = shop(&["A", "B", "C", "D"]).await else { return };
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    other.execute("BEGIN; UPDATE shop SET paid = 5 WHERE no IN ('B', 'C')").await.unwrap();
    let facts = ["A", "B", "C", "D"].map(|order| paid(order, &format!("P{order}")));
    let applied = apply(&store, &facts).await;
    let reasons: Vec<_> = applied
        .iter()
        .map(|outcome| match outcome {
            Ok(_) => "applied".to_owned(),
            Err(NotApplied::Effects(failures)) => failures[0].reason.clone(),
            Err(error) => panic!("{error:?}"),
        })
        .collect();
    let waited = "canceling statement due to lock timeout";
    let not_run = "it was not run, because effects before it in the same transaction took too long";
    assert_eq!(reasons, ["applied", waited, waited, not_run]);
    other.execute("ROLLBACK").await.unwrap();
    let applied = apply(&store, &facts).await;
    let (again, new) = (Outcome::Duplicate, Outcome::Applied);
    assert_eq!(applied.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [again, new, new, new]);
    assert_eq!(database.execute("SELECT sum(paid) FROM shop").unwrap(), "400");
}

/// What PostgreSQL would check at the commit is checked for each, so that it is known who broke it.
#[tokio::test]
async fn a_deferred_constraint_fails_the_effect_that_breaks_it() {
    let Some((store, database)) = shop(&["A", "B", "C"]).await else { return };
    database
        .execute(
            "CREATE TABLE item (no text PRIMARY KEY); INSERT INTO item VALUES ('A'), ('C'); \
             CREATE TABLE sold (no text REFERENCES item DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let sell = |name: &str| {
        let statement = Statement::parse("INSERT INTO sold (no) VALUES (:out_trade_no)").unwrap();
        SqlEffect::new(
            name.to_owned(),
            vec![Step::new("test".to_owned(), statement, Rows::exactly(1)).unwrap()],
        )
    };
    let batch = [paid("A", "P1"), paid("B", "P2"), paid("C", "P3")].map(Submission::from);
    // As the only one and as the last of several, and as one before others.
    for (round, effects) in [
        effects(PAY).with(Filter::all(), Arc::new(sell("sell"))),
        Effects::none()
            .with(Filter::all(), Arc::new(sell("sell")))
            .with(Filter::all(), Arc::new(sell("again"))),
    ]
    .into_iter()
    .enumerate()
    {
        let applied = apply_with(&store, &batch, &Policy::default(), &effects, NOW, &Attempts(5)).await;
        let [Ok(_), Err(NotApplied::Effects(failures)), Ok(_)] = &applied[..] else { panic!("{applied:?}") };
        let [failure] = &failures[..] else { panic!("{failures:?}") };
        assert_eq!(failure.effect, "sell");
        assert!(failure.reason.contains("violates foreign key constraint"), "{failure:?}");
        assert_eq!(
            database.execute("SELECT string_agg(no, ',' ORDER BY no) FROM sold").unwrap(),
            "A,C",
            "{round}"
        );
    }
    // One effect may break it for a while, after others too.
    database.execute("DELETE FROM sold; ALTER TABLE item ADD COLUMN seen bigint").unwrap();
    let later =
        Statement::parse("INSERT INTO item (no) VALUES (:out_trade_no) ON CONFLICT DO NOTHING").unwrap();
    let first = Statement::parse("INSERT INTO sold (no) VALUES (:out_trade_no)").unwrap();
    let step = |statement| Step::new("test".to_owned(), statement, Rows::any()).unwrap();
    let both = SqlEffect::new("both".to_owned(), vec![step(first), step(later)]);
    outcomes(apply_all(&store, &[registered("D"), registered("E")]).await);
    let effects = Effects::none().with(Filter::all(), Arc::new(both));
    let batch = [paid("B", "P2"), paid("D", "P4"), paid("E", "P5")].map(Submission::from);
    let applied = apply_with(&store, &batch, &Policy::default(), &effects, NOW, &Attempts(5)).await;
    assert!(applied.iter().all(|outcome| matches!(outcome, Ok(Outcome::Applied))), "{applied:?}");
    assert_eq!(database.execute("SELECT count(*) FROM sold").unwrap(), "3");
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
