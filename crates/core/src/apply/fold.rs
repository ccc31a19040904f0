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
    order::{Order, OrderKey, OrderState, Terms},
    store::{
        Changes, Claimed, KeptPayment, KnownOrder, NewIncident, NewMessage, OrderChange, OrderRow, OrderSlot,
        PaymentChange, PaymentRow, Subject,
    },
    time::UnixMillis,
};

/// What the transaction read.
pub(crate) struct Known {
    /// Under the keys of the batch and of the payments that wait for its orders; a payment may stand twice.
    pub claimed: Claimed,
    pub orders: Vec<KnownOrder>,
}

struct WorkingOrder {
    change: OrderChange,
    changed: bool,
}

struct KnownPayment {
    row: Option<PaymentRow>,
    rival: u32,
    standing: Standing,
    /// Found when it is decided.
    order: Option<OrderSlot>,
    paid: Paid,
    changed: bool,
}

/// The working set of one batch.
pub(crate) struct Fold<'a> {
    policy: &'a Policy,
    now: UnixMillis,
    orders: Vec<WorkingOrder>,
    order_by_key: HashMap<OrderKey, OrderSlot>,
    payments: Vec<KnownPayment>,
    payments_by_number: HashMap<(MerchantId, WechatPaymentId), Vec<usize>>,
    passed: HashSet<(MerchantId, NotificationId)>,
    /// How many facts were added before the one that is being decided.
    cause: usize,
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
            cause: 0,
            changes: Changes::default(),
        };
        for order in known.orders {
            let change = match order {
                KnownOrder::Registered(id, order) => OrderChange {
                    row: OrderRow::Registered { id, messages_before: order.messages },
                    key: order.key.clone(),
                    order: Some(order),
                },
                KnownOrder::Awaited(id, key) => OrderChange { row: OrderRow::Awaited(id), key, order: None },
            };
            fold.add_order(change, false);
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
        let outcome = match fact {
            Fact::Paid(paid) => self.pay(fact, paid),
            Fact::Other(passed) => self.pass(fact, passed),
            Fact::Registered { key, .. } | Fact::Closed { key } => self.order_fact(fact, key),
        };
        self.cause += 1;
        outcome
    }

    pub(crate) fn into_changes(mut self) -> Changes {
        let mut slots = vec![usize::MAX; self.payments.len()];
        for (place, payment) in self.payments.into_iter().enumerate().filter(|(_, payment)| payment.changed) {
            slots[place] = self.changes.payments.len();
            self.changes.payments.push(PaymentChange {
                row: payment.row,
                rival: payment.rival,
                standing: payment.standing,
                order: payment.order.expect("BUG: what changed was decided, and so found its order"),
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
        for message in &mut self.changes.messages {
            if let Subject::Payment(place) = &mut message.subject {
                // What is told of was decided, and so has changed.
                *place = slots[*place];
            }
        }
        self.changes.orders = compact(self.orders, &mut self.changes.payments, &mut self.changes.messages);
        self.changes
    }

    fn add_order(&mut self, change: OrderChange, changed: bool) -> OrderSlot {
        let slot = self.orders.len();
        self.order_by_key.insert(change.key.clone(), slot);
        self.orders.push(WorkingOrder { change, changed });
        slot
    }

    /// The order under this number: as it stands, or a new one that payments wait for.
    fn awaited(&mut self, slot: Option<OrderSlot>, key: &OrderKey) -> OrderSlot {
        slot.unwrap_or_else(|| {
            self.add_order(OrderChange { row: OrderRow::New, key: key.clone(), order: None }, true)
        })
    }

    /// Registers an order under a number that is new or awaited.
    fn register(&mut self, slot: Option<OrderSlot>, key: &OrderKey, terms: Terms) -> OrderSlot {
        let slot = self.awaited(slot, key);
        // What contradicts another statement does not wait to be decided, but an operator looks at the order for it.
        let disputed = |payment: &KnownPayment| {
            payment.standing == Standing::Disputed && payment.paid.content.key == *key
        };
        let flagged = self.payments.iter().any(disputed);
        let known = &mut self.orders[slot];
        known.change.order = Some(Order { flagged, ..Order::registered(key.clone(), terms, self.now) });
        known.changed = true;
        slot
    }

    /// The slot under a number, and the order if it is registered.
    fn find(&self, key: &OrderKey) -> (Option<OrderSlot>, Option<&Order>) {
        let slot = self.order_by_key.get(key).copied();
        (slot, slot.and_then(|slot| self.orders[slot].change.order.as_ref()))
    }

    fn registered(&mut self, slot: OrderSlot) -> &mut Order {
        let known = &mut self.orders[slot];
        known.changed = true;
        known.change.order.as_mut().expect("BUG: only a registered order is moved and told of")
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
        let (slot, order) = self.find(key);
        let decision = decide(order, Earlier::Nothing, fact, self.policy);
        match (decision.order, slot) {
            (OrderEffect::Register(terms), slot) => {
                self.register(slot, key, terms);
                self.decide_waiting(key);
            }
            (OrderEffect::Become(state), Some(slot)) => {
                self.become_state(slot, state);
                let (id, sequence) = self.next_message(slot);
                let body = message::closed_body(self.now, key, sequence);
                self.write(id, MessageKind::OrderClosed, Some((slot, sequence)), Subject::Order, body);
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
            let subject = Subject::Notification(self.changes.notifications.len());
            self.write(MessageId::of_notification(passed), kind, None, subject, body);
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
        let (slot, order) = self.find(key);
        let number = (key.merchant.clone(), paid.content.payment.clone());
        let places = self.payments_by_number.get(&number).map_or(&[][..], Vec::as_slice);
        let rival = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let statements: Vec<(&Content, Standing)> = places
            .iter()
            .filter(|&&place| Some(place) != waiting)
            .map(|&place| (&self.payments[place].paid.content, self.payments[place].standing))
            .collect();
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
                let slot = self.register(slot, &content.key, terms);
                self.become_state(slot, OrderState::Paid { by: content.payment.clone(), late: false });
                slot
            }
            OrderEffect::Become(state) => {
                let slot = slot.expect("BUG: only an order that stands is moved");
                self.become_state(slot, state);
                slot
            }
            OrderEffect::Unchanged | OrderEffect::Register(_) => self.awaited(slot, &content.key),
        };
        self.payments[place].order = Some(slot);
        let registered = self.orders[slot].change.order.is_some().then_some(slot);
        if let Some((kind, remedy)) = decision.incident {
            self.open_incident(kind, remedy, place, registered);
        }
        if let Some(kind) = decision.message {
            self.tell(kind, place, registered, decision.incident.map(|(kind, _)| kind));
        }
    }

    fn become_state(&mut self, slot: OrderSlot, state: OrderState) {
        self.registered(slot).state = state;
    }

    fn open_incident(&mut self, kind: IncidentKind, remedy: Remedy, place: usize, slot: Option<OrderSlot>) {
        if let Some(slot) = slot {
            self.registered(slot).flagged = true;
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
        let order = slot.and_then(|slot| self.orders[slot].change.order.as_ref());
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
        self.write(id, kind, sequence, Subject::Payment(place), body);
    }

    fn next_message(&mut self, slot: OrderSlot) -> (MessageId, u32) {
        let order = self.registered(slot);
        order.messages += 1;
        (MessageId::of_order(&order.key, order.messages), order.messages)
    }

    fn write(
        &mut self,
        id: MessageId,
        kind: MessageKind,
        order: Option<(OrderSlot, u32)>,
        subject: Subject,
        body: String,
    ) {
        let (cause, created_at) = (self.cause, self.now);
        self.changes.messages.push(NewMessage { id, kind, order, subject, cause, body, created_at });
    }
}

/// Keeps the orders that changed or that payments belong to, and points the other rows at their new places.
fn compact(
    mut orders: Vec<WorkingOrder>,
    payments: &mut [PaymentChange],
    messages: &mut [NewMessage],
) -> Vec<OrderChange> {
    for payment in &*payments {
        orders[payment.order].changed = true;
    }
    let mut slots = Vec::with_capacity(orders.len());
    let mut kept = Vec::with_capacity(orders.len());
    for known in orders {
        slots.push(kept.len());
        if known.changed {
            kept.push(known.change);
        }
    }
    for payment in payments {
        payment.order = slots[payment.order];
    }
    for message in messages {
        // Writing a message changes its order.
        message.order = message.order.map(|(slot, sequence)| (slots[slot], sequence));
    }
    kept
}
