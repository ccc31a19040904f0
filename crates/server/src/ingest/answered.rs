//! What is known to be committed, so that a copy of a callback is answered without the database.
//!
//! Invariants: only committed facts get in; losing all of it costs speed alone. Bounded in bytes.

use payonce_core::{Fact, MerchantId, NotificationId, fact::Content};
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
}

impl Answered {
    /// Remembers up to about `bytes_max` bytes of facts.
    pub(crate) fn new(bytes_max: u64) -> Self {
        const ENTRY_BYTES_TYPICAL: u64 = 300;
        let entries = usize::try_from(bytes_max / ENTRY_BYTES_TYPICAL).unwrap_or(usize::MAX);
        Self { facts: Cache::with_weighter(entries, bytes_max, Bytes) }
    }

    /// Whether this very fact is known to be committed.
    pub(crate) fn holds(&self, fact: &Fact) -> bool {
        same(fact).is_some_and(|same| self.facts.get(&same).is_some())
    }

    /// Remembers a fact. The caller has seen its commit return.
    pub(crate) fn remember(&self, fact: &Fact) {
        if let Some(same) = same(fact) {
            self.facts.insert(same, ());
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
