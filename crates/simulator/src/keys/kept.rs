//! Rings and their authority as they are written out: every key in PEM. The file is a secret.
//!
//! Invariant: what was written is read back whole, or refused. Deliberately absent: encryption; a simulator's keys
//! protect nobody's money.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Authority, Certificate, Grey, Own, Platform, Ring, RsaKey, SealingKey};
use crate::Error;

/// A private key, and its certificate where it has one.
#[derive(Serialize, Deserialize)]
struct KeptPair {
    private_pem: String,
    certificate: Option<Certificate>,
}

/// A [`Ring`] that can be written out and read back.
#[derive(Serialize, Deserialize)]
pub struct KeptRing {
    apiv3_key: String,
    apiv2_key: String,
    own: Vec<KeptPair>,
    public_key: Option<KeptPair>,
    certificates: Vec<KeptPair>,
    grey: Grey,
}

/// An [`Authority`] that can be written out and read back.
#[derive(Serialize, Deserialize)]
pub struct KeptAuthority {
    certificate_pem: String,
    private_pem: String,
}

impl KeptRing {
    /// Everything in the ring.
    #[must_use]
    pub fn of(ring: &Ring) -> Self {
        let own = |own: &Arc<Own>| KeptPair {
            private_pem: own.private_pem(),
            certificate: Some(own.certificate().clone()),
        };
        Self {
            apiv3_key: ring.sealing.text().to_owned(),
            apiv2_key: ring.apiv2_key.clone(),
            own: ring.own.iter().map(own).collect(),
            public_key: ring.public_key.as_deref().map(KeptPair::of),
            certificates: ring.certificates.iter().map(|key| KeptPair::of(key)).collect(),
            grey: ring.grey,
        }
    }

    /// The ring again.
    ///
    /// # Errors
    /// [`Error::KeptKey`], [`Error::ApiV3Key`]: the file was changed.
    pub fn restore(self) -> Result<Ring, Error> {
        let own = |pair: KeptPair| {
            let certificate = pair.certificate.ok_or(Error::KeptKey)?;
            Own::of(RsaKey::from_private_pem(&pair.private_pem)?, certificate).map(Arc::new)
        };
        let ring = Ring {
            sealing: Arc::new(SealingKey::new(self.apiv3_key)?),
            apiv2_key: self.apiv2_key,
            own: self.own.into_iter().map(own).collect::<Result<_, _>>()?,
            public_key: self.public_key.map(KeptPair::platform).transpose()?,
            certificates: self.certificates.into_iter().map(KeptPair::platform).collect::<Result<_, _>>()?,
            grey: self.grey,
        };
        let whole = !ring.own.is_empty() && (ring.public_key.is_some() || !ring.certificates.is_empty());
        if whole { Ok(ring) } else { Err(Error::KeptKey) }
    }
}

impl KeptPair {
    fn of(platform: &Platform) -> Self {
        Self { private_pem: platform.private_pem(), certificate: platform.certificate().cloned() }
    }

    fn platform(self) -> Result<Arc<Platform>, Error> {
        let key = RsaKey::from_private_pem(&self.private_pem)?;
        Ok(Arc::new(Platform::of(key, self.certificate)))
    }
}

impl KeptAuthority {
    /// The authority's key and certificate.
    #[must_use]
    pub fn of(authority: &Authority) -> Self {
        let (certificate_pem, private_pem) =
            (authority.certificate_pem().to_owned(), authority.private_pem().to_owned());
        Self { certificate_pem, private_pem }
    }

    /// The authority again.
    ///
    /// # Errors
    /// [`Error::KeptKey`]: the file was changed.
    pub fn restore(self) -> Result<Authority, Error> {
        Authority::restored(self.certificate_pem, self.private_pem)
    }
}

impl fmt::Debug for KeptRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptRing([REDACTED])")
    }
}

impl fmt::Debug for KeptAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptAuthority([REDACTED])")
    }
}
