//! Folds [`decide`] over a batch, in memory: later facts see what earlier ones of the same batch changed.
//!
//! Pure. What comes out is [`Changes`], the rows that one transaction writes.

use std::collections::{HashMap, HashSet};

use crate::{
    decide::{Decision, Earlier, IncidentKind, OrderEffect, Outcome, Policy, Remedy, Standing, decide},
    fact::{Content, Fact, Paid, Passed},
    ids::{MerchantId, NotificationId, WechatPaymentId},
    json::Json,
    message::{self, MessageId, MessageKind, PaymentStory},
    order::{Order, OrderId, OrderKey, OrderState},
    store::{
        Changes, Claimed, KeptPayment, NewIncident, NewMessage, OrderChange, OrderSlot, PaymentChange,
        PaymentRow,
    },
    time::UnixMillis,
};

/// What the transaction read.
pub(crate) struct Known {
    /// Under the keys of the batch and of the payments that wait for its orders; a payment may stand twice.
    pub claimed: Claimed,
    pub orders: Vec<(OrderId, Order)>,
}

struct KnownOrder {
    id: Option<OrderId>,
    order: Order,
    messages_before: u32,
    changed: bool,
}

struct KnownPayment {
    row: Option<PaymentRow>,
    rival: u32,
    standing: Standing,
    order: Option<OrderSlot>,
    paid: Paid,
    changed: bool,
}

/// The working set of one batch.
pub(crate) struct Fold<'a> {
    policy: &'a Policy,
    now: UnixMillis,
    orders: Vec<KnownOrder>,
    order_by_key: HashMap<OrderKey, OrderSlot>,
    payments: Vec<KnownPayment>,
    payments_by_number: HashMap<(MerchantId, WechatPaymentId), Vec<usize>>,
    passed: HashSet<(MerchantId, NotificationId)>,
    changes: Changes,
}

impl<'a> Fold<'a> {
    pub(crate) fn new(known: Known, policy: &'a Policy, now: UnixMillis) -> Self {
        let mut fold = Self {
            policy,
            now,
            orders: Vec::with_capacity(known.orders.len()),
            order_by_key: HashMap::with_capacity(known.orders.len()),
            payments: Vec::new(),
            payments_by_number: HashMap::new(),
            passed: known.claimed.notifications.into_iter().collect(),
            changes: Changes::default(),
        };
        for (id, order) in known.orders {
            fold.add_order(Some(id), order);
        }
        // In the order of their arrival, whichever read brought them: the first that agrees settles its order.
        let mut payments = known.claimed.payments;
        payments.sort_by_key(|kept| kept.row);
        payments.dedup_by_key(|kept| kept.row);
        for kept in payments {
            fold.add_kept_payment(kept);
        }
        fold
    }

    /// Decides one fact and remembers what it changes.
    pub(crate) fn add(&mut self, fact: &Fact) -> Outcome {
        match fact {
            Fact::Paid(paid) => self.pay(fact, paid),
            Fact::Other(passed) => self.pass(fact, passed),
            Fact::Registered { key, .. } | Fact::Closed { key } => self.order_fact(fact, key),
        }
    }

    pub(crate) fn into_changes(mut self) -> Changes {
        let mut slots = vec![usize::MAX; self.payments.len()];
        for (place, payment) in self.payments.into_iter().enumerate().filter(|(_, payment)| payment.changed) {
            slots[place] = self.changes.payments.len();
            self.changes.payments.push(PaymentChange {
                row: payment.row,
                rival: payment.rival,
                standing: payment.standing,
                order: payment.order,
                paid_at: payment.paid.paid_at,
                source: payment.paid.source,
                detail: (payment.standing == Standing::Unmatched).then_some(payment.paid.detail),
                content: payment.paid.content,
                learnt_at: self.now,
            });
        }
        for incident in &mut self.changes.incidents {
            incident.payment = slots[incident.payment];
        }
        self.changes.orders = compact(self.orders, &mut self.changes.payments, &mut self.changes.messages);
        self.changes
    }

    fn add_order(&mut self, id: Option<OrderId>, order: Order) -> OrderSlot {
        let slot = self.orders.len();
        self.order_by_key.insert(order.key.clone(), slot);
        let messages_before = order.messages;
        self.orders.push(KnownOrder { id, order, messages_before, changed: id.is_none() });
        slot
    }

    fn add_kept_payment(&mut self, kept: KeptPayment) {
        let paid = Paid {
            content: kept.content,
            paid_at: kept.paid_at,
            source: kept.source,
            detail: kept.detail.unwrap_or_else(Json::empty_object),
        };
        self.add_payment(KnownPayment {
            row: Some(kept.row),
            rival: kept.rival,
            standing: kept.standing,
            order: None,
            paid,
            changed: false,
        });
    }

    fn add_payment(&mut self, payment: KnownPayment) -> usize {
        let place = self.payments.len();
        let Content { key, payment: number, .. } = &payment.paid.content;
        self.payments_by_number.entry((key.merchant.clone(), number.clone())).or_default().push(place);
        self.payments.push(payment);
        place
    }

    fn order_fact(&mut self, fact: &Fact, key: &OrderKey) -> Outcome {
        let slot = self.order_by_key.get(key).copied();
        let order = slot.map(|slot| &self.orders[slot].order);
        let decision = decide(order, Earlier::Nothing, fact, self.policy);
        match (decision.order, slot) {
            (OrderEffect::Register(terms), None) => {
                self.add_order(None, Order::registered(key.clone(), terms, self.now));
                self.decide_waiting(key);
            }
            (OrderEffect::Become(state), Some(slot)) => {
                self.become_state(slot, state);
                let (id, sequence) = self.next_message(slot);
                let body = message::closed_body(self.now, key, sequence);
                self.write(id, MessageKind::OrderClosed, Some((slot, sequence)), body);
            }
            _ => {}
        }
        decision.outcome
    }

    /// Decides, in the order of their arrival, the payments that waited for an order that now is.
    fn decide_waiting(&mut self, key: &OrderKey) {
        let waiting: Vec<usize> = (0..self.payments.len())
            .filter(|&place| {
                let payment = &self.payments[place];
                payment.standing == Standing::Unmatched && payment.paid.content.key == *key
            })
            .collect();
        for place in waiting {
            let paid = self.payments[place].paid.clone();
            self.decide_paid(&Fact::Paid(paid.clone()), &paid, Some(place));
        }
    }

    fn pass(&mut self, fact: &Fact, passed: &Passed) -> Outcome {
        let key = (passed.merchant.clone(), passed.notification.clone());
        let earlier = if self.passed.contains(&key) { Earlier::Passed } else { Earlier::Nothing };
        let decision = decide(None, earlier, fact, self.policy);
        if let Some(kind) = decision.message {
            let body = message::passed_body(self.now, passed);
            self.write(MessageId::of_notification(passed), kind, None, body);
            self.changes.notifications.push(key.clone());
            self.passed.insert(key);
        }
        decision.outcome
    }

    fn pay(&mut self, fact: &Fact, paid: &Paid) -> Outcome {
        self.decide_paid(fact, paid, None)
    }

    /// Decides a payment: one just learnt, or one (at `waiting`) that waited for its order.
    fn decide_paid(&mut self, fact: &Fact, paid: &Paid, waiting: Option<usize>) -> Outcome {
        let key = &paid.content.key;
        let slot = self.order_by_key.get(key).copied();
        let number = (key.merchant.clone(), paid.content.payment.clone());
        let places = self.payments_by_number.get(&number).map_or(&[][..], Vec::as_slice);
        let rival = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let statements: Vec<(&Content, Standing)> = places
            .iter()
            .filter(|&&place| Some(place) != waiting)
            .map(|&place| (&self.payments[place].paid.content, self.payments[place].standing))
            .collect();
        let order = slot.map(|slot| &self.orders[slot].order);
        let decision = decide(order, Earlier::Statements(&statements), fact, self.policy);
        let outcome = decision.outcome;
        let Some(standing) = decision.standing else { return outcome };

        let place = match waiting {
            Some(place) => {
                let payment = &mut self.payments[place];
                (payment.standing, payment.changed) = (standing, true);
                // Opened by this very batch, it is resolved before anyone saw it; a store resolves older ones.
                let resolved = |incident: &NewIncident| {
                    incident.payment == place && incident.kind == IncidentKind::UnknownOrder
                };
                self.changes.incidents.retain(|incident| !resolved(incident));
                place
            }
            None => self.add_payment(KnownPayment {
                row: None,
                rival,
                standing,
                order: None,
                paid: paid.clone(),
                changed: true,
            }),
        };
        let adopted = matches!(decision.order, OrderEffect::Adopt(_));
        self.effect(place, slot, decision);
        if adopted {
            self.decide_waiting(key);
        }
        outcome
    }

    /// Carries a payment's decision out on its order, its message and its incident.
    fn effect(&mut self, place: usize, slot: Option<OrderSlot>, decision: Decision) {
        let content = self.payments[place].paid.content.clone();
        let slot = match decision.order {
            OrderEffect::Adopt(terms) => {
                let slot = self.add_order(None, Order::registered(content.key.clone(), terms, self.now));
                self.become_state(slot, OrderState::Paid { by: content.payment.clone(), late: false });
                Some(slot)
            }
            OrderEffect::Become(state) => {
                if let Some(slot) = slot {
                    self.become_state(slot, state);
                }
                slot
            }
            OrderEffect::Unchanged | OrderEffect::Register(_) => slot,
        };
        self.payments[place].order = slot;
        if let Some((kind, remedy)) = decision.incident {
            self.open_incident(kind, remedy, place, slot);
        }
        if let Some(kind) = decision.message {
            self.tell(kind, place, slot, decision.incident.map(|(kind, _)| kind));
        }
    }

    fn become_state(&mut self, slot: OrderSlot, state: OrderState) {
        let known = &mut self.orders[slot];
        known.order.state = state;
        known.changed = true;
    }

    fn open_incident(&mut self, kind: IncidentKind, remedy: Remedy, place: usize, slot: Option<OrderSlot>) {
        if let Some(slot) = slot {
            self.orders[slot].order.flagged = true;
            self.orders[slot].changed = true;
        }
        self.changes.incidents.push(NewIncident { kind, remedy, payment: place, opened_at: self.now });
    }

    /// Writes the message about a payment.
    fn tell(
        &mut self,
        kind: MessageKind,
        place: usize,
        slot: Option<OrderSlot>,
        incident: Option<IncidentKind>,
    ) {
        let (id, sequence) = match slot {
            Some(slot) => {
                let (id, sequence) = self.next_message(slot);
                (id, Some((slot, sequence)))
            }
            None => {
                let payment = &self.payments[place];
                (MessageId::of_payment(&payment.paid.content, payment.rival), None)
            }
        };
        let paid = &self.payments[place].paid;
        let order = slot.map(|slot| &self.orders[slot].order);
        let (late, paid_by) = match order.map(|order| &order.state) {
            Some(OrderState::Paid { late, .. }) if kind == MessageKind::PaymentSucceeded => {
                (Some(*late), None)
            }
            Some(OrderState::Paid { by, .. }) => (None, Some(by)),
            _ => (None, None),
        };
        let terms = order.filter(|_| kind == MessageKind::PaymentMismatched).map(|order| &order.terms);
        let story = PaymentStory {
            content: &paid.content,
            paid_at: paid.paid_at,
            source: paid.source.as_str(),
            detail: &paid.detail,
            sequence: sequence.map(|(_, sequence)| sequence),
            late,
            incident,
            terms,
            paid_by,
        };
        let body = message::payment_body(&kind, self.now, &story);
        self.write(id, kind, sequence, body);
    }

    fn next_message(&mut self, slot: OrderSlot) -> (MessageId, u32) {
        let known = &mut self.orders[slot];
        known.order.messages += 1;
        known.changed = true;
        (MessageId::of_order(&known.order.key, known.order.messages), known.order.messages)
    }

    fn write(&mut self, id: MessageId, kind: MessageKind, order: Option<(OrderSlot, u32)>, body: String) {
        self.changes.messages.push(NewMessage { id, kind, order, body, created_at: self.now });
    }
}

/// Keeps the orders that changed and points the other rows at their new places.
fn compact(
    orders: Vec<KnownOrder>,
    payments: &mut [PaymentChange],
    messages: &mut [NewMessage],
) -> Vec<OrderChange> {
    let mut slots = Vec::with_capacity(orders.len());
    let mut kept = Vec::with_capacity(orders.len());
    for known in orders {
        slots.push(known.changed.then_some(kept.len()));
        if known.changed {
            kept.push(OrderChange {
                id: known.id,
                order: known.order,
                messages_before: known.messages_before,
            });
        }
    }
    let new_slot =
        |slot: OrderSlot| slots[slot].expect("BUG: what is kept for an order changes its messages");
    for payment in payments {
        payment.order = payment.order.map(new_slot);
    }
    for message in messages {
        message.order = message.order.map(|(slot, sequence)| (new_slot(slot), sequence));
    }
    kept
}
