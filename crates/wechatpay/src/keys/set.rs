//! The keys that a merchant trusts as WeChat Pay's, all at once, with no mode to switch.
//!
//! Invariant: an expired certificate is found by nobody, since WeChat never signs with one. A certificate that has not
//! started is found all the same: it is WeChat's, and a clock that is slow must not cost a callback. It is not
//! encrypted for. Deliberately absent: getting keys; see [`crate::answer::certificates`].

use std::cmp::Reverse;

use super::{PlatformKey, Serial};
use crate::UnixSeconds;

/// The keys that a merchant trusts as WeChat Pay's, one for each serial.
///
/// Give it all that the merchant has. While WeChat Pay changes its certificate it signs with the old one or the new, and
/// while a merchant moves from certificates to the public key, or back, a growing share of callbacks is signed with the
/// other kind: `Wechatpay-Serial` says which, and merchants have met either kind before they had switched anything.
#[derive(Clone, Debug, Default)]
pub struct PlatformKeys(Vec<PlatformKey>);

impl PlatformKeys {
    /// A set of these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = PlatformKey>) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.insert(key);
        }
        set
    }

    /// Adds a key, in place of one with the same serial.
    pub fn insert(&mut self, key: PlatformKey) {
        self.0.retain(|other| other.serial() != key.serial());
        self.0.push(key);
    }

    /// The keys, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &PlatformKey> {
        self.0.iter()
    }

    /// Their serials, in the same order.
    pub fn serials(&self) -> impl Iterator<Item = &Serial> {
        self.0.iter().map(PlatformKey::serial)
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a `Wechatpay-Serial` names, expired or not: a public key's id verbatim, a certificate's serial in
    /// any letter case.
    #[must_use]
    pub fn find(&self, serial: &str) -> Option<&PlatformKey> {
        // A merchant has two or three: looking at each is fastest.
        self.0.iter().find(|key| key.serial().is_named_by(serial))
    }

    /// The same, unless it has expired: what it signs is believed.
    #[must_use]
    pub fn valid(&self, serial: &str, now: UnixSeconds) -> Option<&PlatformKey> {
        self.find(serial).filter(|key| !key.has_expired(now))
    }

    /// The key for which a request's fields are encrypted now: the public key (of several, the one added last), else
    /// of the certificates that have started and not expired the one that started last (WeChat Pay's rule).
    #[must_use]
    pub fn encryption_key(&self, now: UnixSeconds) -> Option<&PlatformKey> {
        let usable =
            |key: &&PlatformKey| key.starts().is_none_or(|starts| starts <= now) && !key.has_expired(now);
        // `false` is less than `true`: a public key, which has no start, comes first.
        let rank = |key: &&PlatformKey| (Reverse(key.starts().is_some()), key.starts());
        self.0.iter().filter(usable).max_by_key(rank)
    }
}
