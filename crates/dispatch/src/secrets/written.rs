//! Secrets as they are written before they are sealed: JSON.
//!
//! Invariants: what was written is read back the same; what is of a later version is refused rather than read in part,
//! because it would be written back without the rest.

use payonce_core::UnixMillis;
use serde::{Deserialize, Serialize};

use super::{Header, HeaderError, KeyError, Login, Secrets, SecretsError, Signer, SigningKey};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    signing: Vec<WrittenKey>,
    headers: Vec<(String, String)>,
    login: Option<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    key: String,
    until_ms: Option<i64>,
}

/// Why bytes are no secrets. It does not repeat them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenError {
    /// No JSON of this shape.
    #[error("the secrets were not written by this version of payonce; give the endpoint its secrets again")]
    Shape,
    /// A key that cannot sign.
    #[error("a signing key: {0}")]
    Key(#[from] KeyError),
    /// A header that cannot be sent.
    #[error("a header: {0}")]
    Header(#[from] HeaderError),
    /// They do not go together.
    #[error(transparent)]
    Together(#[from] SecretsError),
}

impl Secrets {
    /// As they are sealed.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let key = |signer: &Signer| WrittenKey {
            key: signer.key.secret_text(),
            until_ms: signer.until.map(|until| until.0),
        };
        let login = self.login.as_ref().map(|login| (login.user.clone(), login.password.clone()));
        let headers = self.headers.iter().map(Header::texts).collect();
        let written = Written { signing: self.signing.iter().map(key).collect(), headers, login };
        serde_json::to_vec(&written).expect("BUG: strings, numbers and lists are JSON")
    }

    /// As they were sealed.
    ///
    /// # Errors
    /// [`WrittenError`].
    pub fn read(bytes: &[u8]) -> Result<Self, WrittenError> {
        let Written { signing, headers, login } =
            serde_json::from_slice(bytes).map_err(|_| WrittenError::Shape)?;
        let signer = |WrittenKey { key, until_ms }: WrittenKey| -> Result<_, WrittenError> {
            Ok(Signer { key: SigningKey::parse(&key)?, until: until_ms.map(UnixMillis) })
        };
        let signing = signing.into_iter().map(signer).collect::<Result<_, _>>()?;
        let headers = headers.iter().map(|(name, value)| Header::parse(name, value));
        let login = login.map(|(user, password)| Login::parse(&user, &password)).transpose()?;
        Ok(Self::new(signing, headers.collect::<Result<_, _>>()?, login)?)
    }
}
