//! The merchant's tables and what is kept of failures, in the model store. It knows no SQL, but the statements of the suite.

use std::collections::BTreeMap;

use async_trait::async_trait;
use payonce_core::{
    StoreError, UnixMillis,
    decide::Standing,
    effect::{Argument, EffectFailure, FailureRow, FailureView, Statement},
    order::OrderId,
    store::{
        EffectBook, StatementFailure, Statements,
        archive::{Row, Value},
    },
};

use super::{
    MemoryStore,
    tables::{Tables, number},
    tx::MemoryTx,
};
use crate::shop::{ADD, CREDIT, ORDER, PAY, SEE, SEE_TEXT, SEEN, SEEN_AT};

/// The merchant's tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Shop {
    /// How often each was paid, and what was credited for it.
    orders: BTreeMap<String, (i64, i64)>,
    /// By the message's id: the columns of [`SEEN`] behind it, and when it was paid.
    seen: BTreeMap<String, (Row, Option<UnixMillis>)>,
}

#[async_trait]
impl Statements for MemoryTx<'_> {
    async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.savepoint = Some(self.tables.clone());
        Ok(())
    }

    async fn roll_back_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.tables = self.savepoint.take().expect("BUG: a savepoint stands");
        Ok(())
    }

    async fn release_savepoint(&mut self) -> Result<(), StatementFailure> {
        self.savepoint = None;
        Ok(())
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<u64, StatementFailure> {
        self.tables.shop.execute(statement.source(), arguments)
    }

    async fn query(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Row>, StatementFailure> {
        self.tables.shop.query(statement.source(), arguments)
    }
}

fn refused(statement: &str) -> StatementFailure {
    StatementFailure::Refused(format!("the model store refuses {statement}"))
}

fn text(argument: &Argument<'_>) -> String {
    match argument {
        Argument::Text(Some(text)) => (*text).to_owned(),
        other => panic!("a text: {other:?}"),
    }
}

fn value(argument: &Argument<'_>) -> Value {
    match *argument {
        Argument::Int(number) => number.map_or(Value::Null, Value::Int),
        Argument::Bool(truth) => truth.map_or(Value::Null, |truth| Value::Int(i64::from(truth))),
        Argument::Text(text) => text.map_or(Value::Null, |text| Value::Text(text.to_owned())),
        Argument::Time(_) => panic!("times are compared, not shown"),
    }
}

impl Shop {
    fn execute(&mut self, statement: &str, arguments: &[Argument<'_>]) -> Result<u64, StatementFailure> {
        let order = |orders: &mut BTreeMap<String, (i64, i64)>,
                     no: &Argument<'_>,
                     change: &dyn Fn(&mut (i64, i64)) -> bool| {
            match no {
                Argument::Text(Some(no)) => u64::from(orders.get_mut(*no).is_some_and(change)),
                _ => 0,
            }
        };
        Ok(match (statement, arguments) {
            (ADD, [no]) => match self.orders.insert(text(no), (0, 0)) {
                None => 1,
                Some(_) => return Err(refused(statement)),
            },
            (PAY, [no]) => order(&mut self.orders, no, &|(paid, _)| {
                let pays = *paid == 0;
                *paid += i64::from(pays);
                pays
            }),
            (CREDIT, [Argument::Int(Some(fen)), no]) => order(&mut self.orders, no, &|(_, credits)| {
                *credits += fen;
                true
            }),
            (SEE, [id, before @ .., Argument::Time(paid_at), late, sequence, body]) => {
                let row = before.iter().chain([late, sequence, body]).map(value).collect();
                self.see(statement, id, row, *paid_at)?
            }
            (SEE_TEXT, [id, body, amount]) => {
                let mut row = vec![Value::Null; 11];
                (row[4], row[10]) = (value(amount), value(body));
                self.see(statement, id, row, None)?
            }
            _ => self.query(statement, arguments)?.len() as u64,
        })
    }

    fn see(
        &mut self,
        statement: &str,
        id: &Argument<'_>,
        row: Row,
        paid_at: Option<UnixMillis>,
    ) -> Result<u64, StatementFailure> {
        match self.seen.insert(text(id), (row, paid_at)) {
            None => Ok(1),
            Some(_) => Err(refused(statement)),
        }
    }

    fn query(&self, statement: &str, arguments: &[Argument<'_>]) -> Result<Vec<Row>, StatementFailure> {
        let id = |id: &String| Value::Text(id.clone());
        Ok(match (statement, arguments) {
            (ORDER, [no]) => {
                let found = self.orders.get(&text(no)).into_iter();
                found.map(|(paid, credits)| vec![Value::Int(*paid), Value::Int(*credits)]).collect()
            }
            (SEEN, []) => {
                let seen = self.seen.iter();
                seen.map(|(key, (row, _))| [vec![id(key)], row.clone()].concat()).collect()
            }
            (SEEN_AT, [Argument::Time(at)]) => {
                let seen = self.seen.iter().filter(|(_, (_, paid_at))| at.is_some() && paid_at == at);
                seen.map(|(key, _)| vec![id(key)]).collect()
            }
            _ => return Err(refused(statement)),
        })
    }
}

#[async_trait]
impl EffectBook for MemoryStore {
    async fn check(&self, statement: &Statement, _: &[Argument<'_>]) -> Result<(), StatementFailure> {
        let known = [ADD, PAY, CREDIT, ORDER, SEE, SEE_TEXT, SEEN, SEEN_AT].contains(&statement.source());
        if known { Ok(()) } else { Err(refused(statement.source())) }
    }

    async fn keep_failures(&self, failures: &[EffectFailure]) -> Result<(), StoreError> {
        self.change(|tables| failures.iter().for_each(|failure| tables.keep_failure(failure))).await;
        Ok(())
    }

    async fn failures_before(
        &self,
        row: Option<FailureRow>,
        open_only: bool,
        limit: usize,
    ) -> Result<Vec<FailureView>, StoreError> {
        let tables = self.committed();
        let before = |view: &&FailureView| row.is_none_or(|row| view.row < row);
        let views = tables
            .failures
            .iter()
            .rev()
            .filter(before)
            .map(|view| FailureView { resolved: tables.is_applied(&view.last), ..view.clone() });
        Ok(views.filter(|view| !(open_only && view.resolved)).take(limit).collect())
    }
}

impl Tables {
    fn keep_failure(&mut self, failure: &EffectFailure) {
        let same = |view: &&mut FailureView| {
            (&view.last.effect, &view.last.subject) == (&failure.effect, &failure.subject)
        };
        if let Some(view) = self.failures.iter_mut().find(same) {
            (view.last, view.count) = (failure.clone(), view.count + 1);
            return;
        }
        self.failures.push(FailureView {
            row: FailureRow(number(self.failures.len())),
            last: failure.clone(),
            first_at: failure.at,
            count: 1,
            resolved: false,
        });
    }

    /// Whether what an effect failed for was applied since.
    fn is_applied(&self, failure: &EffectFailure) -> bool {
        let merchant = &failure.merchant;
        if let Some(number) = &failure.transaction_id {
            return self.payments.iter().any(|payment| {
                let content = &payment.kept.content;
                (&content.key.merchant, &content.payment) == (merchant, number)
                    && Some(&content.key.out_trade_no) == failure.out_trade_no.as_ref()
                    && Some(content.amount) == failure.amount
                    && (payment.kept.standing != Standing::Unmatched || failure.kind == "payment.unmatched")
            });
        }
        if let Some(id) = &failure.notification {
            return self.notifications.contains(&(merchant.clone(), id.clone()));
        }
        let ended = |(_, order): (OrderId, &payonce_core::Order)| {
            order.key.merchant == *merchant
                && Some(&order.key.out_trade_no) == failure.out_trade_no.as_ref()
                && order.state != payonce_core::OrderState::Pending
        };
        self.orders().any(ended)
    }
}
