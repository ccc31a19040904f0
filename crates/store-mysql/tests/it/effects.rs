//! Effects that meet trouble: what is the whole transaction's, which is begun again, and what is the effect's own.

use std::sync::Arc;

use payonce_core::{
    Attempts, Fact, NotApplied, Outcome, Policy, Store, Submission, apply_with,
    delivery::Filter,
    effect::{Effects, Parameter, Rows, SqlEffect, Statement, Step},
    store::StatementFailure,
};
use payonce_store_mysql::MySqlStore;
use payonce_test_servers::{Database, mariadb::MariaDbEngine};
use sqlx::{Connection, Executor, MySqlConnection};

use crate::fixture::{NOW, apply_all, database, open, outcomes, paid, registered};

/// A shop with these orders, unpaid, in its own table and in payonce's.
async fn shop(orders: &[&str]) -> Option<(MySqlStore, Database<MariaDbEngine>)> {
    let database = database()?;
    database.execute("CREATE TABLE shop (no VARCHAR(32) PRIMARY KEY, paid BIGINT NOT NULL, paid_at DATETIME(3)) ENGINE = InnoDB;").expect("it is executed");
    for order in orders {
        database.execute(&format!("INSERT INTO shop VALUES ('{order}', 0, NULL);")).expect("it is executed");
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
fn meets(database: &Database<MariaDbEngine>, trouble: &str) {
    let function = format!(
        "CREATE SEQUENCE tries;\nDELIMITER //\nCREATE TRIGGER trouble BEFORE UPDATE ON shop FOR EACH ROW \
         IF NEXTVAL(tries) <= 2 THEN {trouble} END IF//\n"
    );
    database.execute(&function).expect("it is executed");
}

#[tokio::test]
async fn what_ends_the_whole_transaction_begins_it_again() {
    for trouble in [
        "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'deadlock';",
        "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1020, MESSAGE_TEXT = 'changed since';",
    ] {
        let Some((store, database)) = shop(&["A"]).await else { return };
        meets(&database, trouble);
        let applied = apply(&store, &[paid("A", "P1")]).await;
        assert!(matches!(applied[..], [Ok(Outcome::Applied)]), "{trouble}: {applied:?}");
        assert_eq!(
            database.execute("SELECT paid, NEXTVAL(tries) FROM shop;").unwrap(),
            "100\t4",
            "{trouble}"
        );
    }
}

#[tokio::test]
async fn what_the_statement_meets_is_its_effects_own() {
    for (trouble, reason) in [
        ("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no';", "no"),
        ("SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062, MESSAGE_TEXT = 'twice';", "twice"),
        ("SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1142, MESSAGE_TEXT = 'denied';", "denied"),
        ("SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1969, MESSAGE_TEXT = 'slow';", "slow"),
    ] {
        let Some((store, database)) = shop(&["A"]).await else { return };
        meets(&database, trouble);
        for round in 1..=2 {
            let applied = apply(&store, &[paid("A", "P1")]).await;
            let [Err(NotApplied::Effects(failures))] = &applied[..] else { panic!("{trouble}: {applied:?}") };
            assert_eq!(failures[0].reason, reason, "{round}");
        }
        assert!(matches!(apply(&store, &[paid("A", "P1")]).await[..], [Ok(Outcome::Applied)]));
        assert_eq!(database.execute("SELECT paid FROM shop;").unwrap(), "100");
    }
}

/// Somebody else's lock holds up one effect for a while, and none of its neighbours for good.
#[tokio::test]
async fn a_row_that_somebody_else_holds_fails_its_own_effect() {
    let Some((store, database)) = shop(&["A", "B", "C"]).await else { return };
    let mut other = MySqlConnection::connect(&database.url()).await.unwrap();
    other.execute("START TRANSACTION; UPDATE shop SET paid = 5 WHERE no = 'B'").await.unwrap();
    let applied = apply(&store, &[paid("A", "P1"), paid("B", "P2"), paid("C", "P3")]).await;
    let [Ok(Outcome::Applied), Err(NotApplied::Effects(failures)), Ok(Outcome::Applied)] = &applied[..]
    else {
        panic!("{applied:?}")
    };
    assert!(failures[0].reason.contains("Lock wait timeout"), "{failures:?}");
    other.execute("ROLLBACK").await.unwrap();
    assert!(matches!(apply(&store, &[paid("B", "P2")]).await[..], [Ok(Outcome::Applied)]));
    assert_eq!(database.execute("SELECT SUM(paid) FROM shop;").unwrap(), "300");
}

/// Two that wait are all that a callback has time for. Both are told, and so is what was not tried after them.
#[tokio::test]
async fn several_rows_that_somebody_else_holds_take_no_more_time_than_there_is() {
    let Some((store, database)) = shop(&["A", "B", "C", "D"]).await else { return };
    let mut other = MySqlConnection::connect(&database.url()).await.unwrap();
    other.execute("START TRANSACTION; UPDATE shop SET paid = 5 WHERE no IN ('B', 'C')").await.unwrap();
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
    let waited = "Lock wait timeout exceeded; try restarting transaction";
    let not_run = "it was not run, because effects before it in the same transaction took too long";
    assert_eq!(reasons, ["applied", waited, waited, not_run]);
    other.execute("ROLLBACK").await.unwrap();
    let applied = apply(&store, &facts).await;
    let (again, new) = (Outcome::Duplicate, Outcome::Applied);
    assert_eq!(applied.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [again, new, new, new]);
    assert_eq!(database.execute("SELECT SUM(paid) FROM shop;").unwrap(), "400");
}

#[tokio::test]
async fn times_are_datetimes_in_utc_and_names_are_looked_up_at_the_check() {
    let Some((store, database)) = shop(&["A"]).await else { return };
    assert!(matches!(apply(&store, &[paid("A", "P1")]).await[..], [Ok(Outcome::Applied)]));
    let at = "SELECT paid_at FROM shop;";
    assert_eq!(database.execute(at).unwrap(), "2026-03-02 01:15:07.250");
    for (sql, fits) in [
        (PAY, true),
        ("UPDATE shop SET no = :body", true),
        ("UPDATE shop SET no = nothing", false),
        ("SELECT no_such_function(:amount)", false),
        ("UPDATE shop SET WHERE", false),
    ] {
        let statement = Statement::parse(sql).unwrap();
        let named = statement.names().iter().map(|name| Parameter::named(name).unwrap().none());
        let checked = store.effects().check(&statement, &named.collect::<Vec<_>>()).await;
        assert_eq!(checked.is_ok(), fits, "{sql}: {checked:?}");
        assert!(fits || matches!(checked, Err(StatementFailure::Refused(_))), "{sql}");
    }
}

/// What was rolled back would stay in it.
#[tokio::test]
async fn a_table_without_transactions_is_refused_at_the_check() {
    let Some((store, database)) = shop(&[]).await else { return };
    let check = async |sql: &str| {
        let statement = Statement::parse(sql).unwrap();
        store.effects().check(&statement, &[]).await
    };
    assert!(check(PAY).await.is_ok());
    database.execute("CREATE TABLE elsewhere (no INT) ENGINE = MyISAM;").unwrap();
    assert!(check(PAY).await.is_ok(), "it names another table");
    let refused = check("INSERT INTO elsewhere (no) VALUES (1)").await;
    assert!(refused.is_err(), "{refused:?}");
    database.execute("ALTER TABLE shop ENGINE = MyISAM;").unwrap();
    let Err(StatementFailure::Refused(said)) = check(PAY).await else { panic!("it is not InnoDB's") };
    assert_eq!(
        said,
        "table shop is MyISAM's, which keeps what is rolled back: ALTER TABLE shop ENGINE = InnoDB"
    );
}
