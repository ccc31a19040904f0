//! Time and randomness, injected: the one place that reads the system's.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use wechatpay::UnixSeconds;

/// What a client needs of the world beside the network. WeChat Pay allows requests whose time is 5 minutes off.
pub trait Environment: Send + Sync {
    /// Now.
    fn now(&self) -> UnixSeconds;

    /// Fills the buffer from a good source of randomness: nonces are made of it.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's clock, and a generator that the system seeded.
pub struct SystemEnvironment(Mutex<StdRng>);

impl SystemEnvironment {
    /// Seeds the generator.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(StdRng::from_os_rng()))
    }
}

impl Default for SystemEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment for SystemEnvironment {
    fn now(&self) -> UnixSeconds {
        #[expect(clippy::disallowed_methods, reason = "this is the one home of the clock in this crate")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixSeconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// 32 characters of hex, as WeChat Pay recommends at most.
pub(crate) fn nonce(environment: &dyn Environment) -> String {
    let mut bytes = [0; 16];
    environment.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Anything from nothing to `most`.
pub(crate) fn jitter(environment: &dyn Environment, most: Duration) -> Duration {
    let mut seed = [0; 32];
    environment.fill(&mut seed);
    StdRng::from_seed(seed).random_range(Duration::ZERO..=most)
}
