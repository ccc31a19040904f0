//! What the API and the sender share: books, keys, clocks, randomness.
//!
//! Invariants: books and randomness are behind one lock, which nobody holds while signing or sending; keys are replaced,
//! never changed, so that whoever took a ring goes on with it. Every change is announced.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::watch;
use wechatpay::UnixSeconds;

use super::limits::{Limited, Limits};
use crate::books::{Books, Refusal};
use crate::clock::{BusinessClock, Clock};
use crate::keys::{Authority, Ring};

pub(crate) struct Shared {
    desk: Mutex<(Books, StdRng)>,
    rings: RwLock<BTreeMap<String, Arc<Ring>>>,
    pub(crate) authority: Authority,
    pub(crate) clock: BusinessClock,
    pub(crate) wall: Clock,
    pub(crate) seed: u64,
    pub(crate) detour: Option<SocketAddr>,
    limits: Mutex<Limits>,
    changes: watch::Sender<u64>,
}

/// The books, open at one moment.
pub(crate) struct Desk<'a> {
    pub(crate) books: &'a mut Books,
    pub(crate) rng: &'a mut StdRng,
    /// Business time.
    pub(crate) now: UnixSeconds,
}

/// What a simulation consists of when it starts.
pub(super) struct Parts {
    pub(super) books: Books,
    pub(super) rng: StdRng,
    pub(super) rings: BTreeMap<String, Arc<Ring>>,
    pub(super) authority: Authority,
    pub(super) clock: BusinessClock,
    pub(super) wall: Clock,
    pub(super) seed: u64,
    pub(super) detour: Option<SocketAddr>,
}

impl Shared {
    pub(super) fn of(parts: Parts) -> Self {
        let Parts { books, rng, rings, authority, clock, wall, seed, detour } = parts;
        let (desk, rings) = (Mutex::new((books, rng)), RwLock::new(rings));
        let (limits, changes) = (Mutex::default(), watch::Sender::new(0));
        Self { desk, rings, authority, clock, wall, seed, detour, limits, changes }
    }

    /// Opens the books for a moment, and announces that they may have changed.
    pub(crate) fn at_desk<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        let done = self.at_desk_quietly(work);
        self.announce();
        done
    }

    /// The same without an announcement.
    pub(crate) fn at_desk_quietly<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        let mut desk = self.desk();
        let (books, rng) = &mut *desk;
        // Order matters: the time is read under the lock, so that the books see it go forward only.
        work(&mut Desk { books, rng, now: self.clock.now() })
    }

    /// Reads the books.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Books, UnixSeconds) -> T) -> T {
        let desk = self.desk();
        look(&desk.0, self.clock.now())
    }

    /// A generator of its own, for what needs randomness outside of the books.
    pub(crate) fn fork_rng(&self) -> StdRng {
        StdRng::from_rng(&mut self.desk().1)
    }

    /// Switches the limits on or off.
    pub(crate) fn set_limits(&self, on: bool) {
        *self.limits() = Limits { on, ..Limits::default() };
        self.at_desk(|desk| desk.books.space_refunds(on));
    }

    /// Counts a call of a merchant's that is about to be made, where it is of a kind that is limited.
    pub(crate) fn admit(&self, mchid: &str, kind: Option<Limited>) -> Result<(), Refusal> {
        let mut limits = self.limits();
        match kind.filter(|_| limits.on) {
            Some(kind) => limits.admit(mchid, kind, (self.wall)()),
            None => Ok(()),
        }
    }

    /// Counts a call of a merchant's that failed.
    pub(crate) fn count_failure(&self, mchid: &str, kind: Option<Limited>) {
        if let Some(kind) = kind {
            self.limits().failed(mchid, kind, (self.wall)());
        }
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        // Counts are whole at any time.
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of a merchant.
    pub(crate) fn ring(&self, mchid: &str) -> Option<Arc<Ring>> {
        self.rings.read().unwrap_or_else(PoisonError::into_inner).get(mchid).cloned()
    }

    pub(crate) fn set_ring(&self, mchid: &str, ring: Ring) {
        let mut rings = self.rings.write().unwrap_or_else(PoisonError::into_inner);
        rings.insert(mchid.to_owned(), Arc::new(ring));
    }

    pub(crate) fn mchids(&self) -> Vec<String> {
        self.rings.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Sees every announcement from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Says that something is different: books, clock or keys.
    pub(crate) fn announce(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn desk(&self) -> MutexGuard<'_, (Books, StdRng)> {
        // Where code panicked with the books open, they show what it had done so far; a simulation goes on with that.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
