//! All keys of one merchant: its own, and those with which WeChat signs to it.
//!
//! Invariants: WeChat always has a key to sign with; an answer follows the key that the request named, a notice follows
//! the grey switches. Whoever draws the lots passes them in. Deliberately absent: when switches move, which an operator
//! or a scenario says.

use std::fmt;
use std::sync::Arc;

use rand::Rng;
use serde::{Deserialize, Serialize};
use wechatpay::{PlatformKey, UnixSeconds};

use super::authority::Subject;
use super::{Authority, Certificate, Platform, RsaKey, SealingKey};
use crate::books::Account;
use crate::{Error, random};

/// Which keys WeChat has for a merchant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A WeChat Pay public key and no certificates: every merchant since autumn 2024.
    #[default]
    PublicKey,
    /// Platform certificates.
    Certificates,
    /// Both, as while a merchant changes from one to the other.
    Both,
}

/// How far WeChat has gone with a change of keys, in thousandths of the notices (and, between two certificates, of the
/// answers). May go up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grey {
    /// To the public key, where there are certificates as well.
    pub public_key_permille: u16,
    /// To the newest certificate, where there are several.
    pub new_certificate_permille: u16,
}

impl Grey {
    /// Moves what is named.
    pub(crate) fn set(&mut self, public_key_permille: Option<u16>, new_certificate_permille: Option<u16>) {
        self.public_key_permille = public_key_permille.unwrap_or(self.public_key_permille);
        self.new_certificate_permille = new_certificate_permille.unwrap_or(self.new_certificate_permille);
    }
}

/// The merchant's own key pair and API certificate.
pub struct Own {
    key: RsaKey,
    certificate: Certificate,
    proving: PlatformKey,
}

/// The keys of one merchant. A clone shares them.
#[derive(Clone)]
pub struct Ring {
    pub(super) sealing: Arc<SealingKey>,
    pub(super) apiv2_key: String,
    /// The newest last.
    pub(super) own: Vec<Arc<Own>>,
    // Invariant: there is a public key, or a certificate, or both.
    pub(super) public_key: Option<Arc<Platform>>,
    /// The newest last.
    pub(super) certificates: Vec<Arc<Platform>>,
    /// How far a change of WeChat's keys has gone.
    pub grey: Grey,
}

impl Own {
    /// Reads a key pair and its certificate.
    pub(super) fn of(key: RsaKey, certificate: Certificate) -> Result<Self, Error> {
        let proving = PlatformKey::from_certificate_pem(&certificate.pem).map_err(|_| Error::KeptKey)?;
        Ok(Self { key, certificate, proving })
    }

    /// A fresh pair.
    ///
    /// # Errors
    /// [`Error::KeyGeneration`].
    pub fn generate(
        account: &Account,
        authority: &Authority,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let key = RsaKey::generate()?;
        let subject = Subject::Merchant { mchid: &account.mchid, name: &account.name };
        let certificate = authority.issue(&subject, &key, now, rng)?;
        Self::of(key, certificate)
    }

    /// `apiclient_cert.pem`, and its serial.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// `apiclient_key.pem`: PKCS#8.
    #[must_use]
    pub fn private_pem(&self) -> String {
        self.key.private_pem()
    }

    /// Whether the merchant signed this.
    pub(crate) fn signed(&self, message: &[u8], signature: &str) -> bool {
        self.proving.verify(message, signature).is_ok()
    }

    /// Seals a sensitive field of an answer for the merchant. `None` where it is empty or too long.
    pub(crate) fn encrypt(&self, plaintext: &str) -> Option<String> {
        self.proving.encrypt(plaintext).ok()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("serial", &self.certificate.serial).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("own", &self.own)
            .field("public_key", &self.public_key)
            .field("certificates", &self.certificates)
            .field("grey", &self.grey)
            .finish_non_exhaustive()
    }
}

impl Ring {
    /// Fresh keys for a merchant.
    ///
    /// # Errors
    /// [`Error::KeyGeneration`].
    pub fn generate(
        account: &Account,
        mode: Mode,
        authority: &Authority,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let public_key = match mode {
            Mode::PublicKey | Mode::Both => Some(Arc::new(Platform::generate()?)),
            Mode::Certificates => None,
        };
        let certificates = match mode {
            Mode::PublicKey => Vec::new(),
            Mode::Certificates | Mode::Both => vec![Arc::new(Platform::certified(authority, now, rng)?)],
        };
        Ok(Self {
            sealing: Arc::new(SealingKey::generate(rng)),
            apiv2_key: random::alphanumeric(rng, 32),
            own: vec![Arc::new(Own::generate(account, authority, now, rng)?)],
            public_key,
            certificates,
            grey: Grey::default(),
        })
    }

    /// The APIv3 key.
    #[must_use]
    pub fn sealing_key(&self) -> &SealingKey {
        &self.sealing
    }

    /// The APIv2 key, 32 characters.
    #[must_use]
    pub fn apiv2_key(&self) -> &str {
        &self.apiv2_key
    }

    /// The merchant's API certificates, the newest last: several may be valid side by side, at WeChat up to three.
    #[must_use]
    pub fn own(&self) -> &[Arc<Own>] {
        &self.own
    }

    /// WeChat's public key for this merchant.
    #[must_use]
    pub fn public_key(&self) -> Option<&Arc<Platform>> {
        self.public_key.as_ref()
    }

    /// WeChat's platform certificates for this merchant, the newest last.
    #[must_use]
    pub fn certificates(&self) -> &[Arc<Platform>] {
        &self.certificates
    }

    /// Begins a change to another certificate, or to the first: nothing is signed with it yet beside an older one.
    pub fn add_certificate(&mut self, certified: impl Into<Arc<Platform>>) {
        self.grey.new_certificate_permille = 0;
        self.certificates.push(certified.into());
    }

    /// Ends a change of certificates: only the newest is left.
    pub fn retire_old_certificates(&mut self) {
        let old = self.certificates.len().saturating_sub(1);
        self.certificates.drain(..old);
    }

    /// Begins a change to a public key: it signs what is asked of it, and notices as [`Self::grey`] says.
    pub fn add_public_key(&mut self, public_key: impl Into<Arc<Platform>>) {
        self.public_key = Some(public_key.into());
    }

    /// Gives the merchant a further API certificate, which is the newest from now on.
    pub fn add_own(&mut self, own: impl Into<Arc<Own>>) {
        self.own.push(own.into());
    }

    /// The merchant's certificate of this serial.
    #[must_use]
    pub fn own_of(&self, serial: &str) -> Option<&Arc<Own>> {
        self.own.iter().find(|own| own.certificate.serial.eq_ignore_ascii_case(serial))
    }

    /// WeChat's key of this serial.
    #[must_use]
    pub fn platform_of(&self, serial: &str) -> Option<&Arc<Platform>> {
        let public_key = self.public_key.as_ref().filter(|key| key.serial() == serial);
        public_key.or_else(|| self.certificates.iter().find(|key| key.serial().eq_ignore_ascii_case(serial)))
    }

    /// With what an answer is signed, by the `Wechatpay-Serial` of its request: whoever names the public key gets it, all
    /// others a certificate while there is one.
    pub(crate) fn for_answer(&self, asked: Option<&str>, rng: &mut impl Rng) -> Arc<Platform> {
        let named = self.public_key.as_ref().filter(|key| asked == Some(key.serial()));
        named.map_or_else(|| self.by_certificate(rng), Arc::clone)
    }

    /// With what a notice is signed.
    pub(crate) fn for_notice(&self, rng: &mut impl Rng) -> Arc<Platform> {
        match &self.public_key {
            Some(key) if rng.random_range(0..1000) < self.grey.public_key_permille => Arc::clone(key),
            _ => self.by_certificate(rng),
        }
    }

    /// The newest certificate: it signs the list of certificates.
    pub(crate) fn newest_certificate(&self) -> Option<&Arc<Platform>> {
        self.certificates.last()
    }

    fn by_certificate(&self, rng: &mut impl Rng) -> Arc<Platform> {
        let chosen = match self.certificates.as_slice() {
            [.., old, new] => {
                let is_new = rng.random_range(0..1000) < self.grey.new_certificate_permille;
                Some(if is_new { new } else { old })
            }
            certificates => certificates.last(),
        };
        let chosen = chosen.or(self.public_key.as_ref());
        Arc::clone(chosen.expect("BUG: a ring is made with a key of WeChat's, and none is ever taken out"))
    }
}
