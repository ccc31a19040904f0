//! Effects that meet what only SQLite has.

use std::sync::Arc;

use payonce_core::{
    Attempts, Fact, NotApplied, Outcome, Policy, Submission, UnixMillis, apply_with,
    delivery::Filter,
    effect::{Effects, Rows, SqlEffect, Statement, Step},
};
use payonce_store_conformance::facts::paid;
use payonce_store_sqlite::{Options, SqliteStore};
use rusqlite::Connection;

fn effects(sql: &str) -> Effects {
    let statement = Statement::parse(sql).expect("a statement");
    let step = Step::new("test".to_owned(), statement, Rows::any()).expect("a step");
    Effects::none().with(Filter::all(), Arc::new(SqlEffect::new("sell".to_owned(), vec![step])))
}

async fn apply(
    store: &SqliteStore,
    effects: &Effects,
    payments: &[(&str, &str)],
) -> Vec<Result<Outcome, NotApplied>> {
    let paid = |(order, number): &(&str, &str)| Submission::from(Fact::Paid(paid(order, number)));
    let batch: Vec<_> = payments.iter().map(paid).collect();
    apply_with(store, &batch, &Policy::default(), effects, UnixMillis(1), &Attempts(5)).await
}

/// SQLite says it at the commit, and not of whom; each alone is told apart.
#[tokio::test]
async fn a_deferred_constraint_fails_the_effect_that_breaks_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&Options::new(&path)).unwrap();
    let merchants = Connection::open(&path).unwrap();
    merchants
        .execute_batch(
            "CREATE TABLE item (no TEXT PRIMARY KEY); INSERT INTO item VALUES ('A'), ('C'); \
             CREATE TABLE sold (no TEXT REFERENCES item DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let sell = effects("INSERT INTO sold (no) VALUES (:out_trade_no)");
    let applied = apply(&store, &sell, &[("A", "P1"), ("B", "P2"), ("C", "P3")]).await;
    let [Ok(_), Err(NotApplied::Effects(failures)), Ok(_)] = &applied[..] else { panic!("{applied:?}") };
    assert_eq!((failures.len(), failures[0].effect.as_str()), (1, "sell"));
    assert_eq!(failures[0].reason, "FOREIGN KEY constraint failed");
    let sold: String =
        merchants.query_row("SELECT group_concat(no ORDER BY no) FROM sold", [], |row| row.get(0)).unwrap();
    assert_eq!(sold, "A,C");
    merchants.execute_batch("INSERT INTO item VALUES ('B')").unwrap();
    assert!(matches!(apply(&store, &sell, &[("B", "P2")]).await[..], [Ok(_)]));
}
