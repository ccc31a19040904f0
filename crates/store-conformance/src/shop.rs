//! The merchant's side of the suite: two tables in payonce's database, statements, and effects that execute them.
//!
//! Statements are written for every database at once. The model store knows no SQL; it knows these texts.

use std::str::FromStr as _;

use payonce_core::{
    Store,
    effect::{Argument, Rows, SqlEffect, Statement, Step},
    store::archive::{Row, Value},
};

/// The statements that make the merchant's tables, with the database's types for a free text and for a time.
#[must_use]
pub fn shop_tables(text: &str, time: &str) -> [String; 2] {
    [
        "CREATE TABLE shop_order (no VARCHAR(64) NOT NULL PRIMARY KEY, paid BIGINT NOT NULL, credits BIGINT NOT NULL)"
            .to_owned(),
        format!(
            "CREATE TABLE shop_seen (id VARCHAR(128) NOT NULL PRIMARY KEY, kind VARCHAR(80), mchid VARCHAR(32), \
             no VARCHAR(64), transaction_id VARCHAR(32), amount BIGINT, currency VARCHAR(3), appid VARCHAR(32), \
             sub_mchid VARCHAR(32), paid_at {time}, late BOOLEAN, sequence BIGINT, body {text})"
        ),
    ]
}

pub(crate) const ADD: &str = "INSERT INTO shop_order (no, paid, credits) VALUES (:no, 0, 0)";
pub(crate) const PAY: &str = "UPDATE shop_order SET paid = paid + 1 WHERE no = :out_trade_no AND paid = 0";
pub(crate) const CREDIT: &str = "UPDATE shop_order SET credits = credits + :fen WHERE no = :no";
pub(crate) const ORDER: &str = "SELECT paid, credits FROM shop_order WHERE no = :no";
pub(crate) const SEE: &str = "INSERT INTO shop_seen (id, kind, mchid, no, transaction_id, amount, currency, appid, \
     sub_mchid, paid_at, late, sequence, body) VALUES (:message_id, :kind, :mchid, :out_trade_no, :transaction_id, \
     :amount, :currency, :appid, :sub_mchid, :paid_at, :late, :sequence, :body)";
pub(crate) const SEE_TEXT: &str = "INSERT INTO shop_seen (id, body, amount) VALUES (:id, :text, :number)";
pub(crate) const SEEN: &str = "SELECT id, kind, mchid, no, transaction_id, amount, currency, appid, sub_mchid, late, \
     sequence, body FROM shop_seen ORDER BY id";
pub(crate) const SEEN_AT: &str = "SELECT id FROM shop_seen WHERE paid_at = :at";
pub(crate) const NO_TABLE: &str = "UPDATE no_such_table SET paid = 1 WHERE no = :out_trade_no";

pub(crate) fn statement(sql: &str) -> Statement {
    Statement::parse(sql).expect("the suite's own SQL")
}

/// An effect of statements, each with the number of rows that it should touch.
pub(crate) fn sql(name: &str, steps: &[(&str, &str)]) -> SqlEffect {
    let step = |(sql, rows): &(&str, &str)| {
        let rows = Rows::from_str(rows).expect("a number of rows");
        Step::new("suite".to_owned(), statement(sql), rows).expect("its parameters are known")
    };
    SqlEffect::new(name.to_owned(), steps.iter().map(step).collect())
}

/// What the merchant's own transactions do.
pub(crate) struct Merchant<'a>(pub &'a dyn Store);

impl Merchant<'_> {
    /// Adds orders, each unpaid.
    pub(crate) async fn add(&self, orders: &[&str]) {
        let mut tx = self.0.begin().await.expect("the store begins");
        for order in orders {
            let added = tx.statements().execute(&statement(ADD), &[Argument::from(*order)]).await;
            assert_eq!(added.expect("it adds an order"), 1);
        }
        tx.commit().await.expect("it commits");
    }

    pub(crate) async fn rows(&self, sql: &str, arguments: &[Argument<'_>]) -> Vec<Row> {
        let mut tx = self.0.begin().await.expect("the store begins");
        tx.statements().query(&statement(sql), arguments).await.expect("it reads")
    }

    /// How often an order was paid, and what was credited for it.
    pub(crate) async fn order(&self, no: &str) -> (i64, i64) {
        match &self.rows(ORDER, &[Argument::from(no)]).await[..] {
            [row] => match row[..] {
                [Value::Int(paid), Value::Int(credits)] => (paid, credits),
                _ => panic!("two numbers: {row:?}"),
            },
            rows => panic!("one order: {rows:?}"),
        }
    }

    /// The messages that were seen, by their ids.
    pub(crate) async fn seen(&self) -> Vec<Row> {
        self.rows(SEEN, &[]).await
    }
}
