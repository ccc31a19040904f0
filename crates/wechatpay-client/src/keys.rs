//! The keys by which WeChat Pay signs to one merchant: configured ones, and downloaded certificates.
//!
//! Invariants: reading takes no lock, so that callbacks share it; nothing that is downloaded takes a configured key away;
//! a downloaded one stays until it has expired *and* another key has proven something, so that there is always the last
//! good one. A key that the configuration no longer has goes at once, the last good one too: that is how an operator takes
//! trust back, from a look-alike's key for example, with which anybody could forge payments until the new one has worked.
//! Deliberately absent: downloading.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use wechatpay::{PlatformKey, PlatformKeys, UnixSeconds};

/// The keys of a merchant, shared by its callbacks, its client and the refresher.
///
/// ```
/// use wechatpay::{Callback, PlatformKey, UnixSeconds};
/// use wechatpay_client::KeyRing;
///
/// fn receive(ring: &KeyRing, headers: &[(&str, &[u8])], body: &[u8], now: UnixSeconds) -> bool {
///     let keys = ring.keys(); // without a lock
///     let Ok(callback) = Callback::parse(headers.iter().copied(), body) else { return false };
///     match callback.verify(keys.platform(), now) {
///         Ok(verified) => {
///             keys.proved_callback(verified.serial());
///             true
///         }
///         Err(_) => false, // 401; where the serial is unknown, wake the refresher
///     }
/// }
///
/// let ring = KeyRing::new([]);
/// assert!(!receive(&ring, &[], b"{}", UnixSeconds(1_750_000_000)));
/// assert!(ring.health().is_empty());
/// ```
#[derive(Debug)]
pub struct KeyRing(ArcSwap<Keys>);

/// The keys at one time.
#[derive(Debug)]
pub struct Keys {
    keys: PlatformKeys,
    records: Vec<Record>,
}

/// What is known of a key beside itself.
#[derive(Clone, Debug)]
struct Record {
    key: PlatformKey,
    source: KeySource,
    /// When it came, of a downloaded one.
    since: Option<UnixSeconds>,
    proofs: Arc<Proofs>,
}

/// What a key proved, since this process knows it.
#[derive(Debug, Default)]
struct Proofs {
    callbacks: AtomicU64,
    answers: AtomicU64,
}

impl Proofs {
    fn are_some(&self) -> bool {
        self.callbacks.load(Ordering::Relaxed) + self.answers.load(Ordering::Relaxed) > 0
    }
}

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The configuration.
    Configured,
    /// `GET /v3/certificates`.
    Downloaded,
}

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// WeChat Pay's public key, which does not expire.
    PublicKey,
    /// A platform certificate.
    Certificate,
}

/// How a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHealth {
    /// As `Wechatpay-Serial` names it.
    pub serial: String,
    /// What it is.
    pub kind: KeyKind,
    /// Where it came from.
    pub source: KeySource,
    /// When it was downloaded.
    pub since: Option<UnixSeconds>,
    /// From when a certificate is valid.
    pub starts: Option<UnixSeconds>,
    /// Until when.
    pub expires: Option<UnixSeconds>,
    /// Callbacks that it proved, since this process knows it: their shares by key show how far a change of WeChat Pay's
    /// key has come.
    pub callbacks: u64,
    /// Answers that it proved.
    pub answers: u64,
}

impl KeyRing {
    /// A ring of the configured keys; none, where the certificates are to be downloaded.
    #[must_use]
    pub fn new(configured: impl IntoIterator<Item = PlatformKey>) -> Self {
        Self(ArcSwap::from_pointee(Keys::of(configured.into_iter().map(configured_record).collect())))
    }

    /// The keys of now. Hold them for one callback or answer, not longer.
    #[must_use]
    pub fn keys(&self) -> Guard<Arc<Keys>> {
        self.0.load()
    }

    /// Takes other configured keys in place of those so far, which are no longer trusted from now on; what was downloaded,
    /// and what was counted, stays.
    pub fn configure(&self, configured: impl IntoIterator<Item = PlatformKey>) {
        let configured: Vec<PlatformKey> = configured.into_iter().collect();
        self.0.rcu(|now| {
            let mut records: Vec<Record> = configured.iter().cloned().map(configured_record).collect();
            for record in &now.records {
                match records.iter_mut().find(|new| new.key.serial() == record.key.serial()) {
                    Some(new) => new.proofs = Arc::clone(&record.proofs),
                    None if record.source == KeySource::Downloaded => records.push(record.clone()),
                    None => {}
                }
            }
            Keys::of(records)
        });
    }

    /// The configured keys.
    #[must_use]
    pub fn configured(&self) -> Vec<PlatformKey> {
        let keys = self.keys();
        let configured = keys.records.iter().filter(|record| record.source == KeySource::Configured);
        configured.map(|record| record.key.clone()).collect()
    }

    /// Takes in downloaded certificates. Returns how many were new.
    pub fn learn(&self, found: &[PlatformKey], now: UnixSeconds) -> usize {
        let known = self.keys();
        let new = found.iter().filter(|key| known.record(key.serial().as_str()).is_none()).count();
        self.0.rcu(|keys| {
            let proven = |of: &Record| {
                let others = keys.records.iter().filter(|other| other.key.serial() != of.key.serial());
                others.into_iter().any(|other| other.proofs.are_some())
            };
            let stays = |record: &&Record| {
                record.source == KeySource::Configured || !record.key.has_expired(now) || !proven(record)
            };
            let mut records: Vec<Record> = keys.records.iter().filter(stays).cloned().collect();
            for key in found {
                if !records.iter().any(|record| record.key.serial() == key.serial()) {
                    let source = KeySource::Downloaded;
                    let (key, since) = (key.clone(), Some(now));
                    records.push(Record { key, source, since, proofs: Arc::default() });
                }
            }
            Keys::of(records)
        });
        new
    }

    /// How the keys are, in the order in which they came.
    #[must_use]
    pub fn health(&self) -> Vec<KeyHealth> {
        let health = |record: &Record| KeyHealth {
            serial: record.key.serial().to_string(),
            kind: if record.key.serial().is_public_key_id() {
                KeyKind::PublicKey
            } else {
                KeyKind::Certificate
            },
            source: record.source,
            since: record.since,
            starts: record.key.starts(),
            expires: record.key.expires(),
            callbacks: record.proofs.callbacks.load(Ordering::Relaxed),
            answers: record.proofs.answers.load(Ordering::Relaxed),
        };
        self.keys().records.iter().map(health).collect()
    }
}

fn configured_record(key: PlatformKey) -> Record {
    Record { key, source: KeySource::Configured, since: None, proofs: Arc::default() }
}

impl Keys {
    fn of(records: Vec<Record>) -> Self {
        Self { keys: PlatformKeys::new(records.iter().map(|record| record.key.clone())), records }
    }

    /// To verify with.
    #[must_use]
    pub fn platform(&self) -> &PlatformKeys {
        &self.keys
    }

    /// Counts that the key of this serial proved a callback.
    pub fn proved_callback(&self, serial: &str) {
        if let Some(record) = self.record(serial) {
            record.proofs.callbacks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts that the key of this serial proved an answer.
    pub fn proved_answer(&self, serial: &str) {
        if let Some(record) = self.record(serial) {
            record.proofs.answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn record(&self, serial: &str) -> Option<&Record> {
        let named = self.keys.find(serial)?;
        self.records.iter().find(|record| record.key.serial() == named.serial())
    }

    /// The id of WeChat Pay's public key, if there is one: naming it in a request has the answer signed by it.
    pub(crate) fn public_key_id(&self) -> Option<&str> {
        let ids = self.records.iter().map(|record| record.key.serial());
        ids.into_iter().find(|serial| serial.is_public_key_id()).map(|serial| serial.as_str())
    }
}
