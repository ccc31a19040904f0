//! What is known to be committed, so that a copy of a callback is answered without the database.
//!
//! Invariants: only committed facts get in, and they count only as long as the database is the one that committed them
//! (its epoch); losing all of it costs speed alone. Bounded in bytes.

use std::sync::{PoisonError, RwLock};

use payonce_core::{Fact, MerchantId, NotificationId, fact::Content, store::Epoch};
use quick_cache::{Weighter, sync::Cache};

/// A fact by what makes it the same fact: the whole of it, not a hash, so that no two can be mistaken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Same {
    Payment(Content),
    Passed(MerchantId, NotificationId),
}

/// About what an entry takes: the structs, their strings (shared but for the cache), and the cache's own.
#[derive(Clone)]
struct Bytes;

impl Weighter<Same, ()> for Bytes {
    fn weight(&self, same: &Same, (): &()) -> u64 {
        let strings = match same {
            Same::Payment(content) => {
                content.key.out_trade_no.as_str().len()
                    + content.payment.as_str().len()
                    + content.appid.as_str().len()
                    + content.sub_merchant.as_ref().map_or(0, |sub| sub.as_str().len())
            }
            Same::Passed(_, notification) => notification.as_str().len(),
        };
        // 3 Arc headers of 16 bytes, and about 64 bytes of the cache's own per entry.
        (size_of::<Same>() + strings + 112) as u64
    }
}

/// The committed facts that are remembered.
pub(crate) struct Answered {
    facts: Cache<Same, (), Bytes>,
    /// To which everything that is remembered belongs.
    epoch: RwLock<Option<Epoch>>,
}

impl Answered {
    /// Remembers up to about `bytes_max` bytes of facts.
    pub(crate) fn new(bytes_max: u64) -> Self {
        const ENTRY_BYTES_TYPICAL: u64 = 300;
        let entries = usize::try_from(bytes_max / ENTRY_BYTES_TYPICAL).unwrap_or(usize::MAX);
        Self { facts: Cache::with_weighter(entries, bytes_max, Bytes), epoch: RwLock::default() }
    }

    /// Whether this very fact is known to be committed, now that the database is in this epoch.
    pub(crate) fn holds(&self, fact: &Fact, now: &Epoch) -> bool {
        let epoch = self.epoch.read().unwrap_or_else(PoisonError::into_inner);
        epoch.as_ref() == Some(now) && same(fact).is_some_and(|same| self.facts.get(&same).is_some())
    }

    /// Remembers facts. The caller has seen their commit return; `epoch` is that of before their transaction began.
    pub(crate) fn remember<'f>(&self, facts: impl Iterator<Item = &'f Fact>, epoch: &Epoch) {
        let mut current = self.epoch.read().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref() != Some(epoch) {
            drop(current);
            self.begin(epoch);
            current = self.epoch.read().unwrap_or_else(PoisonError::into_inner);
        }
        // Another may have begun a later epoch in between; what belongs to an earlier one is of no use then.
        if current.as_ref() == Some(epoch) {
            for same in facts.filter_map(same) {
                self.facts.insert(same, ());
            }
        }
    }

    /// Forgets what belongs to another epoch.
    fn begin(&self, epoch: &Epoch) {
        let mut current = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref() != Some(epoch) {
            self.facts.clear();
            *current = Some(epoch.clone());
        }
    }
}

fn same(fact: &Fact) -> Option<Same> {
    match fact {
        Fact::Paid(paid) => Some(Same::Payment(paid.content.clone())),
        Fact::Other(passed) => Some(Same::Passed(passed.merchant.clone(), passed.notification.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use payonce_core::{
        AppId, Currency, EventType, Fen, Json, OrderKey, OutTradeNo, Paid, Terms, WechatPaymentId,
        fact::{Passed, Source},
    };

    use super::*;

    fn merchant() -> MerchantId {
        MerchantId::parse("1900000001").unwrap()
    }

    fn epoch(number: u8) -> Epoch {
        Epoch::new([number; Epoch::KEY_BYTES])
    }

    fn paid(number: u32, fen: i64) -> Fact {
        let content = Content {
            key: OrderKey {
                merchant: merchant(),
                out_trade_no: OutTradeNo::parse(&format!("ORDER{number}")).unwrap(),
            },
            payment: WechatPaymentId::parse(&format!("42000000002026030200{number:08}")).unwrap(),
            amount: Fen::new(fen).unwrap(),
            currency: Currency::CNY,
            appid: AppId::parse("wx0123456789abcdef").unwrap(),
            sub_merchant: None,
        };
        Fact::Paid(Paid { content, paid_at: None, source: Source::Callback, detail: Json::empty_object() })
    }

    fn passed(id: &str) -> Fact {
        Fact::Other(Passed {
            merchant: merchant(),
            notification: NotificationId::parse(id).unwrap(),
            event_type: EventType::parse("REFUND.SUCCESS").unwrap(),
            plaintext: "{}".into(),
        })
    }

    #[test]
    fn only_what_was_remembered_is_held_and_other_content_is_another_fact() {
        let answered = Answered::new(1 << 20);
        answered.remember([&paid(1, 100), &passed("a")].into_iter(), &epoch(1));
        for (fact, held) in [
            (paid(1, 100), true),
            (paid(1, 101), false),
            (paid(2, 100), false),
            (passed("a"), true),
            (passed("b"), false),
        ] {
            assert_eq!(answered.holds(&fact, &epoch(1)), held, "{fact:?}");
        }
    }

    #[test]
    fn a_registration_is_never_answered_from_memory() {
        let answered = Answered::new(1 << 20);
        let terms = Terms {
            amount: Fen::new(1).unwrap(),
            currency: Currency::CNY,
            appid: AppId::parse("wx1").unwrap(),
            sub_merchant: None,
            expires_at: None,
        };
        let key = OrderKey { merchant: merchant(), out_trade_no: OutTradeNo::parse("ORDER1").unwrap() };
        let registered = Fact::Registered { key, terms };
        answered.remember([&registered].into_iter(), &epoch(1));
        assert!(!answered.holds(&registered, &epoch(1)));
    }

    #[test]
    fn what_another_epoch_committed_does_not_count() {
        let answered = Answered::new(1 << 20);
        answered.remember([&paid(1, 100)].into_iter(), &epoch(1));
        assert!(answered.holds(&paid(1, 100), &epoch(1)));
        assert!(!answered.holds(&paid(1, 100), &epoch(2)), "the database was restored from a backup");
        answered.remember([&paid(2, 100)].into_iter(), &epoch(2));
        assert!(answered.holds(&paid(2, 100), &epoch(2)));
        for (number, at) in [(1, 2), (1, 1), (2, 1)] {
            assert!(!answered.holds(&paid(number, 100), &epoch(at)), "fact {number} at epoch {at}");
        }
    }

    #[test]
    fn its_memory_is_bounded_in_bytes() {
        const BYTES_MAX: u64 = 64 * 1024;
        let answered = Answered::new(BYTES_MAX);
        for number in 0..10_000 {
            answered.remember([&paid(number, 1)].into_iter(), &epoch(1));
        }
        assert!(answered.facts.weight() <= BYTES_MAX, "{} bytes", answered.facts.weight());
        // Bounded, and yet of use: an entry takes some hundred bytes.
        assert!(answered.facts.len() > 100, "{} facts", answered.facts.len());
    }
}
