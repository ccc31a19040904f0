//! Where a test of the suite works: a store, a policy and a time, and everything that can be seen of them.

use std::{collections::BTreeSet, time::Duration};

use payonce_core::{
    Attempts, Fact, OrderState, Outcome, Policy, Store, Submission, UnixMillis, apply,
    order::OrderId,
    store::{Counts, LedgerLine, MessageView, OrderView, Owner, Position, Role},
};

use crate::{
    facts::{NOW, key},
    tap::Tap,
};

/// Long enough for every race of the suite.
pub(crate) const PATIENT: Attempts = Attempts(100);

/// A page of the reads below: small, so that paging is always part of the test.
const PAGE: usize = 7;

pub(crate) struct Desk<'a> {
    pub store: &'a dyn Store,
    /// Whether no one else writes.
    pub alone: bool,
    pub policy: Policy,
    pub now: UnixMillis,
}

impl<'a> Desk<'a> {
    pub(crate) fn at(store: &'a dyn Store) -> Self {
        Self { store, alone: true, policy: Policy::default(), now: NOW }
    }

    pub(crate) fn among_others(store: &'a dyn Store) -> Self {
        Self { alone: false, ..Self::at(store) }
    }

    /// Applies one fact in a transaction of its own.
    pub(crate) async fn apply(&self, fact: impl Into<Fact>) -> Outcome {
        self.apply_all(&[fact.into()]).await[0]
    }

    /// Applies facts in one transaction.
    pub(crate) async fn apply_all(&self, facts: &[Fact]) -> Vec<Outcome> {
        let batch: Vec<Submission> = facts.iter().cloned().map(Submission::from).collect();
        let tap = Tap { store: self.store, alone: self.alone, before_save: &|_| Ok(()) };
        let outcomes = apply(&tap, &batch, &self.policy, self.now, &PATIENT).await;
        outcomes.into_iter().map(|outcome| outcome.expect("the store applies it")).collect()
    }

    /// Applies facts one after the other, each in a transaction of its own.
    pub(crate) async fn apply_each(&self, facts: &[Fact]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(facts.len());
        for fact in facts {
            outcomes.push(self.apply(fact.clone()).await);
        }
        outcomes
    }

    pub(crate) async fn find(&self, order: &str) -> Option<OrderView> {
        self.store.order(&key(order)).await.expect("the store reads")
    }

    pub(crate) async fn order(&self, order: &str) -> OrderView {
        self.find(order).await.expect("the order is registered")
    }

    pub(crate) async fn state(&self, order: &str) -> OrderState {
        self.order(order).await.order.state
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.store.counts().await.expect("the store counts")
    }

    pub(crate) async fn ledger(&self) -> Vec<LedgerLine> {
        let mut lines: Vec<LedgerLine> = Vec::new();
        loop {
            let after = lines.last().map_or(OrderId(0), |line| line.id);
            let page = self.store.ledger_after(after, PAGE).await.expect("the store reads");
            if page.is_empty() {
                return lines;
            }
            assert!(page.len() <= PAGE, "a page keeps to its limit");
            lines.extend(page);
        }
    }

    /// Gives every committed message its position, as the leased role does.
    pub(crate) async fn sequence(&self) {
        if !self.store.needs_sequencer() {
            return;
        }
        let desk = Owner("desk".to_owned());
        let lease = self.store.lease(&Role::SEQUENCER, &desk, Duration::from_secs(60)).await;
        let lease = lease.expect("the store leases").expect("no one but desks sequences");
        // Two transactions at a time: rounds are part of the test.
        while self.store.sequence(&lease, 2).await.expect("the store sequences") > 0 {}
    }

    /// All messages, in the order of their positions.
    pub(crate) async fn messages(&self) -> Vec<MessageView> {
        self.sequence().await;
        let mut messages: Vec<MessageView> = Vec::new();
        loop {
            let after = messages.last().map_or(Position(0), |message| message.position);
            let page = self.store.messages_after(after, PAGE).await.expect("the store reads");
            if page.is_empty() {
                return messages;
            }
            assert!(page.len() <= PAGE, "a page keeps to its limit");
            messages.extend(page);
        }
    }

    /// The types of all messages.
    pub(crate) async fn told(&self) -> Vec<String> {
        self.messages().await.into_iter().map(|message| message.kind).collect()
    }

    /// Checks what must hold at any time: orders add up, positions increase, message ids are unique.
    pub(crate) async fn audit(&self) {
        for line in self.ledger().await {
            assert!(line.adds_up(), "{line:?}");
            let view =
                self.store.order(&line.key).await.expect("the store reads").expect("it is in the ledger");
            assert_eq!(line.paid, matches!(view.order.state, OrderState::Paid { .. }), "{view:?}");
            assert_eq!(view.order.flagged, !view.incidents.is_empty(), "{view:?}");
        }
        let messages = self.messages().await;
        assert!(messages.is_sorted_by(|one, next| one.position < next.position), "{messages:?}");
        let ids: BTreeSet<_> = messages.iter().map(|message| &message.id).collect();
        assert_eq!(ids.len(), messages.len(), "message ids are unique");
    }

    /// Everything that can be seen of the store, without the row numbers: a rollback leaves gaps in them, and
    /// nothing says in which order a batch takes them.
    pub(crate) async fn picture(&self) -> Vec<String> {
        let mut picture = vec![format!("{:?}", self.counts().await)];
        let mut ledger = self.ledger().await;
        ledger.sort_by(|one, other| one.key.cmp(&other.key));
        for LedgerLine { id: _, key, paid, settling, succeeded } in ledger {
            let view = self.store.order(&key).await.expect("the store reads");
            picture.push(format!("{view:?} paid {paid} settling {settling} succeeded {succeeded}"));
        }
        for MessageView { position: _, id, kind, body, created_at } in self.messages().await {
            picture.push(format!("{id:?} {kind} {created_at:?} {body}"));
        }
        let rejected = self.store.rejected_latest(usize::MAX).await.expect("the store reads");
        picture.extend(rejected.iter().map(|callback| format!("{callback:?}")));
        picture
    }
}
