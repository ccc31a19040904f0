//! The rows of the model store, and what is read from them.

use std::collections::BTreeSet;

use payonce_core::{
    MerchantId, NotificationId, Order, OrderKey, OrderState, UnixMillis,
    decide::{IncidentKind, Remedy, Standing},
    order::OrderId,
    store::{Counts, KeptPayment, LedgerLine, MessageView, Note, Receipt, Rejected, Retention, Unopened},
};

/// Everything there is. Row numbers are places, counted from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub orders: Vec<OrderRow>,
    pub payments: Vec<PaymentRow>,
    pub notifications: BTreeSet<(MerchantId, NotificationId)>,
    pub messages: Vec<MessageRow>,
    pub incidents: Vec<Incident>,
    pub receipts: Vec<Receipt>,
    pub rejected: Vec<Rejected>,
    pub unopened: Vec<Unopened>,
}

#[derive(Clone, Debug)]
pub(super) struct OrderRow {
    pub order: Order,
}

#[derive(Clone, Debug)]
pub(super) struct PaymentRow {
    pub kept: KeptPayment,
    pub order: Option<OrderId>,
    pub learnt_at: UnixMillis,
}

#[derive(Clone, Debug)]
pub(super) struct MessageRow {
    pub view: MessageView,
    pub order: Option<(OrderId, u32)>,
}

#[derive(Clone, Debug)]
pub(super) struct Incident {
    /// The place of its payment.
    pub payment: usize,
    pub kind: IncidentKind,
    pub remedy: Remedy,
    pub opened_at: UnixMillis,
    pub resolved: bool,
}

/// The row number at a place.
pub(super) fn number(place: usize) -> i64 {
    i64::try_from(place + 1).expect("BUG: fewer rows than i64 counts")
}

/// The place of a row number.
pub(super) fn place(number: i64) -> usize {
    usize::try_from(number - 1).expect("BUG: row numbers are places counted from 1")
}

impl Tables {
    pub(super) fn orders(&self) -> impl Iterator<Item = (OrderId, &OrderRow)> {
        self.orders.iter().enumerate().map(|(place, row)| (OrderId(number(place)), row))
    }

    pub(super) fn order_by_key(&self, key: &OrderKey) -> Option<(OrderId, &OrderRow)> {
        self.orders().find(|(_, row)| row.order.key == *key)
    }

    pub(super) fn ledger_line(&self, id: OrderId, row: &OrderRow) -> LedgerLine {
        let settles =
            |payment: &&PaymentRow| payment.order == Some(id) && payment.kept.standing == Standing::Settling;
        let succeeded = |message: &&MessageRow| {
            message.order.is_some_and(|(order, _)| order == id) && message.view.kind == "payment.succeeded"
        };
        LedgerLine {
            id,
            key: row.order.key.clone(),
            paid: matches!(row.order.state, OrderState::Paid { .. }),
            settling: count(self.payments.iter().filter(settles)),
            succeeded: count(self.messages.iter().filter(succeeded)),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            orders: self.orders.len() as u64,
            payments: self.payments.len() as u64,
            messages: self.messages.len() as u64,
            incidents: self.incidents.len() as u64,
            receipts: self.receipts.len() as u64,
            rejected: self.rejected.len() as u64,
            unopened: self.unopened.len() as u64,
        }
    }

    pub(super) fn note(&mut self, notes: &[Note], retention: &Retention) {
        for note in notes {
            match note {
                Note::Answered(receipt) => self.receipts.push(receipt.clone()),
                Note::Rejected(callback) => self.rejected.push(callback.clone()),
                Note::Unopened(callback) => self.set_aside(callback),
            }
        }
        let rows_max = usize::try_from(retention.rejected_rows_max).unwrap_or(usize::MAX);
        let over = self.rejected.len().saturating_sub(rows_max);
        self.rejected.drain(..over);
    }

    fn set_aside(&mut self, callback: &Unopened) {
        let same = |row: &Unopened| {
            (&row.merchant, &row.notification) == (&callback.merchant, &callback.notification)
        };
        if !self.unopened.iter().any(same) {
            self.unopened.push(callback.clone());
        }
    }

    pub(super) fn forget_receipts(&mut self, before: UnixMillis, rows_max: usize) -> usize {
        let mut gone = 0;
        self.receipts.retain(|receipt| {
            let goes = gone < rows_max && receipt.received_at < before;
            gone += usize::from(goes);
            !goes
        });
        gone
    }
}

fn count<T>(rows: impl Iterator<Item = T>) -> u32 {
    u32::try_from(rows.count()).unwrap_or(u32::MAX)
}
