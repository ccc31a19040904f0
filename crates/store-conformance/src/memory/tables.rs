//! The rows of the model store, and what is read from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use payonce_core::{
    MerchantId, NotificationId, Order, OrderKey, OrderState, UnixMillis,
    decide::{IncidentKind, Remedy, Standing},
    effect::FailureView,
    order::OrderId,
    store::{
        ConsumerName, ConsumerView, Counts, KeptPayment, KnownOrder, LedgerLine, MessageView, Note, Owner,
        Receipt, Rejected, RejectedRow, Unopened, UnopenedRow,
    },
};

use super::{
    deliveries::{AttemptRow, DeliveryRow, EndpointRow, Key},
    effects::Shop,
    leases::LeaseRow,
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
    pub rejected: Vec<(RejectedRow, Rejected)>,
    /// The row of the last one.
    pub rejected_last: i64,
    pub unopened: Vec<UnopenedCallback>,
    /// The row of the last callback that did not open.
    pub unopened_last: i64,
    pub leases: Vec<LeaseRow>,
    pub endpoints: Vec<EndpointRow>,
    pub deliveries: BTreeMap<Key, DeliveryRow>,
    pub attempts: Vec<AttemptRow>,
    pub failures: Vec<FailureView>,
    pub consumers: BTreeMap<ConsumerName, ConsumerView>,
    pub shop: Shop,
}

#[derive(Clone, Debug)]
pub(super) struct OrderRow {
    pub key: OrderKey,
    /// `None`: awaited.
    pub order: Option<Order>,
}

#[derive(Clone, Debug)]
pub(super) struct UnopenedCallback {
    pub row: UnopenedRow,
    pub callback: Unopened,
    /// Who has it, and until when.
    pub taken: Option<(Owner, Instant)>,
}

#[derive(Clone, Debug)]
pub(super) struct PaymentRow {
    pub kept: KeptPayment,
    pub order: OrderId,
    pub learnt_at: UnixMillis,
    pub told_apart: i32,
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
    /// The registered orders.
    pub(super) fn orders(&self) -> impl Iterator<Item = (OrderId, &Order)> {
        let numbered = self.orders.iter().enumerate();
        numbered.filter_map(|(place, row)| Some((OrderId(number(place)), row.order.as_ref()?)))
    }

    pub(super) fn order_by_key(&self, key: &OrderKey) -> Option<KnownOrder> {
        let place = self.orders.iter().position(|row| row.key == *key)?;
        let id = OrderId(number(place));
        Some(match &self.orders[place].order {
            Some(order) => KnownOrder::Registered(id, order.clone()),
            None => KnownOrder::Awaited(id, key.clone()),
        })
    }

    pub(super) fn ledger_line(&self, id: OrderId, order: &Order) -> LedgerLine {
        let settles =
            |payment: &&PaymentRow| payment.order == id && payment.kept.standing == Standing::Settling;
        let succeeded = |message: &&MessageRow| {
            message.order.is_some_and(|(order, _)| order == id) && message.view.kind == "payment.succeeded"
        };
        LedgerLine {
            id,
            key: order.key.clone(),
            paid: matches!(order.state, OrderState::Paid { .. }),
            settling: count(self.payments.iter().filter(settles)),
            succeeded: count(self.messages.iter().filter(succeeded)),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            orders: self.orders().count() as u64,
            payments: self.payments.len() as u64,
            messages: self.messages.len() as u64,
            incidents: self.incidents.len() as u64,
            receipts: self.receipts.len() as u64,
            rejected: self.rejected.len() as u64,
            unopened: self.unopened.len() as u64,
        }
    }

    pub(super) fn note(&mut self, notes: &[Note]) {
        for note in notes {
            match note {
                Note::Answered(receipt) => self.receipts.push(receipt.clone()),
                Note::Rejected(callback) => {
                    self.rejected_last += 1;
                    self.rejected.push((RejectedRow(self.rejected_last), callback.clone()));
                }
                Note::Unopened(callback) => self.set_aside(callback),
            }
        }
    }

    fn set_aside(&mut self, callback: &Unopened) {
        let same = |row: &UnopenedCallback| {
            (&row.callback.merchant, &row.callback.notification)
                == (&callback.merchant, &callback.notification)
        };
        if !self.unopened.iter().any(same) {
            self.unopened_last += 1;
            let row = UnopenedRow(self.unopened_last);
            self.unopened.push(UnopenedCallback { row, callback: callback.clone(), taken: None });
        }
    }

    pub(super) fn take_unopened(
        &mut self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Vec<(UnopenedRow, Unopened)> {
        let now = Instant::now();
        let free = |row: &&mut UnopenedCallback| {
            row.row > after
                && row.taken.as_ref().is_none_or(|(holder, until)| holder == owner || *until <= now)
        };
        let take = |row: &mut UnopenedCallback| {
            row.taken = Some((owner.clone(), now + ttl));
            (row.row, row.callback.clone())
        };
        self.unopened.iter_mut().filter(free).take(limit).map(take).collect()
    }

    /// How many rows went.
    pub(super) fn forget_rejected(&mut self, last: RejectedRow, rows_max: usize) -> usize {
        retain(&mut self.rejected, rows_max, |(row, _)| *row <= last)
    }

    /// The greater number of rows that went.
    pub(super) fn prune(&mut self, before: UnixMillis, rows_max: usize) -> usize {
        let receipts = retain(&mut self.receipts, rows_max, |receipt| receipt.received_at < before);
        let rejected = retain(&mut self.rejected, rows_max, |(_, callback)| callback.received_at < before);
        let failures = retain(&mut self.failures, rows_max, |failure| failure.last.at < before);
        receipts.max(rejected).max(failures)
    }
}

/// Lets up to `rows_max` rows go; tells how many went.
pub(super) fn retain<T>(rows: &mut Vec<T>, rows_max: usize, goes: impl Fn(&T) -> bool) -> usize {
    let before = rows.len();
    let mut left = rows_max;
    rows.retain(|row| {
        let goes = left > 0 && goes(row);
        left -= usize::from(goes);
        !goes
    });
    before - rows.len()
}

fn count<T>(rows: impl Iterator<Item = T>) -> u32 {
    u32::try_from(rows.count()).unwrap_or(u32::MAX)
}
