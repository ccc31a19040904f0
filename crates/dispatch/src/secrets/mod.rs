//! What an endpoint has that must not be known: its signing keys, its headers, its login.
//!
//! Invariants: [`Secrets`] that exist can be used as they are, and are written and read back without a loss; no `Debug`
//! shows them. They are kept sealed ([`SealingKeys`](crate::SealingKeys)). Deliberately absent: which of them an endpoint
//! needs; that depends on its URL ([`Senders`](crate::Senders)).

mod header;
mod sealing;
mod signing;
mod signing_key;
mod written;

use std::{fmt, time::Duration};

use payonce_core::UnixMillis;

pub use header::{Header, HeaderError};
pub use sealing::{SealingKeys, SealingKeysError, UnsealError};
pub use signing::{Signature, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
pub use signing_key::{Algorithm, KeyError, SigningKey};
pub use written::WrittenError;

/// A key, and until when it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: SigningKey,
    /// From then on it no longer signs; `None`: it signs until it is replaced.
    pub until: Option<UnixMillis>,
}

impl Signer {
    /// A key that signs until it is replaced.
    #[must_use]
    pub fn lasting(key: SigningKey) -> Self {
        Self { key, until: None }
    }

    /// Whether it signs at this time.
    #[must_use]
    pub fn signs_at(&self, now: UnixMillis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A user and his password, for a broker. The user is empty where the broker knows but one (Redis), or a token (NATS).
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    user: String,
    password: String,
}

/// Everything about an endpoint that must not be known. None of it is needed everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    signing: Vec<Signer>,
    headers: Vec<Header>,
    login: Option<Login>,
}

/// Why secrets cannot be used together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// Each adds a signature to every call.
    #[error(
        "{found} signing keys; at most {} are possible: wait until the grace of earlier ones is over, or rotate \
         without a grace",
        Secrets::KEYS_MAX
    )]
    Keys {
        /// How many there are.
        found: usize,
    },
    /// The same key twice.
    #[error("a signing key is there twice; make a new one")]
    SameKey,
    /// Too many headers.
    #[error("{found} headers; at most {} are possible", Secrets::HEADERS_MAX)]
    Headers {
        /// How many there are.
        found: usize,
    },
    /// A header twice.
    #[error("the header {name} is there twice; give it once, its values separated by commas")]
    SameHeader {
        /// Which one.
        name: String,
    },
    /// More than servers take.
    #[error("the headers have {bytes} bytes; at most {} are possible", Secrets::HEADER_BYTES_MAX)]
    HeaderBytes {
        /// How many there are.
        bytes: usize,
    },
    /// A login that no broker takes.
    #[error("user and password have at most {} bytes each, without control characters", Login::BYTES_MAX)]
    Login,
}

impl Login {
    /// How long each of the two may be.
    pub const BYTES_MAX: usize = 512;

    /// Checks both.
    ///
    /// # Errors
    /// [`SecretsError::Login`].
    pub fn parse(user: &str, password: &str) -> Result<Self, SecretsError> {
        let fits = |text: &str| text.len() <= Self::BYTES_MAX && !text.contains(char::is_control);
        if fits(user) && fits(password) {
            Ok(Self { user: user.to_owned(), password: password.to_owned() })
        } else {
            Err(SecretsError::Login)
        }
    }

    /// The user; may be empty.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, or the token.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Secrets {
    /// How many keys may sign: each signature is a hundred bytes of a header.
    pub const KEYS_MAX: usize = 8;
    /// How many headers there may be.
    pub const HEADERS_MAX: usize = 32;
    /// How many bytes they may have together: common servers take 8 KiB in all.
    pub const HEADER_BYTES_MAX: usize = 6 * 1024;

    /// Checks what can be wrong with several that are each right.
    ///
    /// # Errors
    /// [`SecretsError`] says what is wrong.
    pub fn new(
        signing: Vec<Signer>,
        headers: Vec<Header>,
        login: Option<Login>,
    ) -> Result<Self, SecretsError> {
        if signing.len() > Self::KEYS_MAX {
            return Err(SecretsError::Keys { found: signing.len() });
        }
        let is_again = |at: usize| signing[..at].iter().any(|earlier| earlier.key == signing[at].key);
        if (0..signing.len()).any(is_again) {
            return Err(SecretsError::SameKey);
        }
        if headers.len() > Self::HEADERS_MAX {
            return Err(SecretsError::Headers { found: headers.len() });
        }
        let is_again = |at: usize| headers[..at].iter().any(|earlier| earlier.name() == headers[at].name());
        if let Some(at) = (0..headers.len()).find(|at| is_again(*at)) {
            return Err(SecretsError::SameHeader { name: headers[at].name().to_string() });
        }
        match headers.iter().map(Header::bytes).sum() {
            bytes if bytes > Self::HEADER_BYTES_MAX => Err(SecretsError::HeaderBytes { bytes }),
            _ => Ok(Self { signing, headers, login }),
        }
    }

    /// The keys, also those that no longer sign.
    #[must_use]
    pub fn signing(&self) -> &[Signer] {
        &self.signing
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The login.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Whether a key signs, and will until it is replaced.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signing.iter().any(|signer| signer.until.is_none())
    }

    /// The same with other headers and another login.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(&self, headers: Vec<Header>, login: Option<Login>) -> Result<Self, SecretsError> {
        Self::new(self.signing.clone(), headers, login)
    }

    /// Puts a new key in front. All others sign for `grace` longer, and none of them longer than it would have; what is
    /// over is forgotten. So each call during the grace carries signatures of the old key and of the new one, and the
    /// receiver may change his at any time of it.
    ///
    /// # Errors
    /// [`SecretsError::Keys`] after many rotations within one grace, [`SecretsError::SameKey`].
    pub fn rotate(&self, key: SigningKey, grace: Duration, now: UnixMillis) -> Result<Self, SecretsError> {
        let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        let end = UnixMillis(now.0.saturating_add(grace));
        let old = self.signing.iter().map(|signer| Signer {
            key: signer.key.clone(),
            until: Some(signer.until.map_or(end, |until| until.min(end))),
        });
        let old = old.filter(|signer| signer.signs_at(now));
        let signing = std::iter::once(Signer::lasting(key)).chain(old).collect();
        Self::new(signing, self.headers.clone(), self.login.clone())
    }
}

#[cfg(test)]
mod tests;
