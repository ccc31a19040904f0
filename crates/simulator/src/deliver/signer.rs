//! Turns a planned delivery into the bytes of its next attempt.
//!
//! Invariant: nonce and mischief depend only on seed, delivery and attempt, never on which connection or thread asks
//! first, so that a run with many connections can be repeated.

use std::fmt;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use wechatpay::UnixSeconds;

use crate::clock::Clock;
use crate::{Delivery, Merchant, Mischief, Notification, Platform, SignedCallback};

/// Receivers accept a timestamp for 300 s; one second more is too old.
pub(crate) const REPLAY_AGE_SECONDS: i64 = 301;

/// A changed amount differs by one fen at least and by one yuan at most.
const AMOUNT_CHANGE_FEN_MAX: i64 = 100;

/// Signs copies of a fixed set of notifications. May be shared between threads.
pub struct Signer {
    /// Whose key signs.
    pub platform: Arc<Platform>,
    /// For whom the notifications are sealed.
    pub merchant: Arc<Merchant>,
    /// What [`Delivery::notification`] counts.
    pub notifications: Arc<[Notification]>,
    /// Gives each attempt its timestamp.
    pub clock: Clock,
    /// Names the run.
    pub seed: u64,
}

impl Signer {
    /// The bytes of one attempt (the first is 1) at one delivery: same notification, fresh timestamp and nonce.
    ///
    /// # Panics
    /// Where the delivery names a notification that the signer does not have.
    #[must_use]
    pub fn callback(&self, delivery: &Delivery, attempt: u32) -> SignedCallback {
        let rng = &mut self.rng(delivery, attempt);
        let now = (self.clock)();
        let notification = &self.notifications[delivery.notification];
        match delivery.mischief {
            None => notification.signed(&self.platform, now, rng),
            Some(Mischief::Tampered(tampering)) => {
                notification.signed(&self.platform, now, rng).tampered(tampering, rng)
            }
            Some(Mischief::Replayed) => {
                notification.signed(&self.platform, UnixSeconds(now.0 - REPLAY_AGE_SECONDS), rng)
            }
            Some(Mischief::AmountChanged) => {
                let change_fen = rng.random_range(1..=AMOUNT_CHANGE_FEN_MAX);
                let amount_fen =
                    notification.payment().amount_fen.checked_add(change_fen).unwrap_or(change_fen);
                notification.with_amount(amount_fen, &self.merchant, rng).signed(&self.platform, now, rng)
            }
        }
    }

    fn rng(&self, delivery: &Delivery, attempt: u32) -> StdRng {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&(delivery.number as u64).to_le_bytes());
        seed[16..20].copy_from_slice(&attempt.to_le_bytes());
        StdRng::from_seed(seed)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("platform", &self.platform)
            .field("merchant", &self.merchant)
            .field("notifications", &self.notifications.len())
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
