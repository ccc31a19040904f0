//! Secrets at rest: sealed with a key that is not in the database.
//!
//! A sealed value is version (1 byte), the key's id (8), nonce (12), then AES-256-GCM's ciphertext and tag. Invariants: it
//! opens under the name of the endpoint that it was sealed for and under no other, so that who can write to the database
//! cannot give one endpoint the secrets of another; a key's id says nothing about the key. Random nonces suffice for four
//! thousand million values a key; an endpoint's secrets change a few times a year. Deliberately absent: where keys come from.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use payonce_core::delivery::{EndpointName, Sealed};
use rand::CryptoRng;

use crate::secrets::{Secrets, WrittenError};

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_LEN;

/// The keys that seal endpoints' secrets: the first one seals, each one opens.
pub struct SealingKeys {
    newest: SealingKey,
    older: Vec<SealingKey>,
}

struct SealingKey {
    id: [u8; KEY_ID_BYTES],
    key: LessSafeKey,
}

/// Why a text holds no keys. It does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingKeysError {
    /// Comments alone, or nothing.
    #[error("no key is there; make one with `openssl rand -base64 32`")]
    None,
    /// No key of 32 bytes.
    #[error(
        "line {line} is no key: expected 32 bytes in standard Base64; make one with `openssl rand -base64 32`"
    )]
    Key {
        /// In which line (from 1).
        line: usize,
    },
    /// The same key twice.
    #[error("the key in line {line} is there already; take it out")]
    Same {
        /// In which line (from 1).
        line: usize,
    },
}

/// Why secrets do not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// Of a later version, or never sealed.
    #[error(
        "the secrets are sealed in a format ({version}) that this version of payonce does not know; use a newer one"
    )]
    Version {
        /// The format's version.
        version: u8,
    },
    /// Sealed with a key that is not there.
    #[error(
        "the secrets are sealed with a key (id {id}) that is not there (any more, or not yet: start this node anew with it); \
         put it below the first one"
    )]
    UnknownKey {
        /// The key's id, in hexadecimal digits.
        id: String,
    },
    /// Changed since, or of another endpoint.
    #[error("the sealed secrets are damaged, or of another endpoint; give the endpoint its secrets again")]
    Damaged,
    /// They open, and are not what is expected.
    #[error(transparent)]
    Written(#[from] WrittenError),
}

impl SealingKeys {
    /// Reads one key a line, 32 bytes in Base64 each. Empty lines and what begins with `#` are passed over. To change
    /// the key, put the new one in front and keep the old one until everything is sealed anew.
    ///
    /// # Errors
    /// [`SealingKeysError`] says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, SealingKeysError> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let mut keys = Vec::<SealingKey>::new();
        for (line, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
            let key = STANDARD.decode(text).ok().and_then(|bytes| SealingKey::of(&bytes));
            let key = key.ok_or(SealingKeysError::Key { line })?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(SealingKeysError::Same { line });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or(SealingKeysError::None)?;
        Ok(Self { newest, older: keys.collect() })
    }

    /// Whether this was sealed with the first key. What was sealed with another one opens as long as that is there.
    #[must_use]
    pub fn is_of_newest(&self, sealed: &Sealed) -> bool {
        sealed.0.get(1..1 + KEY_ID_BYTES) == Some(&self.newest.id[..])
    }

    /// Seals an endpoint's secrets with the first key.
    pub fn seal(&self, endpoint: &EndpointName, secrets: &Secrets, random: &mut impl CryptoRng) -> Sealed {
        let SealingKey { id, key } = &self.newest;
        let mut nonce = [0; NONCE_LEN];
        random.fill_bytes(&mut nonce);
        let mut sealed = Vec::with_capacity(HEAD_BYTES);
        sealed.push(VERSION);
        sealed.extend(id);
        sealed.extend(nonce);
        let mut bytes = secrets.write();
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(said_aloud(id, endpoint)), &mut bytes)
            .expect("BUG: secrets are far shorter than AES-GCM's limit of 64 GiB");
        sealed.append(&mut bytes);
        Sealed(sealed)
    }

    /// Opens an endpoint's secrets.
    ///
    /// # Errors
    /// [`UnsealError`] says why they do not open.
    pub fn open(&self, endpoint: &EndpointName, sealed: &Sealed) -> Result<Secrets, UnsealError> {
        let (id, nonce, ciphertext) = parts(sealed)?;
        let mut keys = std::iter::once(&self.newest).chain(&self.older);
        let known = keys.find(|key| key.id == id);
        let SealingKey { key, .. } = known.ok_or_else(|| UnsealError::UnknownKey { id: hex(&id) })?;
        let mut bytes = ciphertext.to_vec();
        let opened = key.open_in_place(nonce, Aad::from(said_aloud(&id, endpoint)), &mut bytes);
        Ok(Secrets::read(opened.map_err(|_| UnsealError::Damaged)?)?)
    }

    /// Whether it is sealed with the first key, and in the newest format. What is not should be opened and sealed anew,
    /// so that the older keys can go.
    #[must_use]
    pub fn is_sealed_with_newest(&self, sealed: &Sealed) -> bool {
        parts(sealed).is_ok_and(|(id, ..)| id == self.newest.id)
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl SealingKey {
    fn of(bytes: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"payonce: id of a sealing key");
        let id = *tag.as_ref().first_chunk()?;
        Some(Self { id, key })
    }
}

/// What is not encrypted, and yet cannot be changed.
fn said_aloud(id: &[u8; KEY_ID_BYTES], endpoint: &EndpointName) -> Vec<u8> {
    [b"payonce: secrets of an endpoint", &[VERSION][..], id, endpoint.as_str().as_bytes()].concat()
}

fn parts(sealed: &Sealed) -> Result<([u8; KEY_ID_BYTES], Nonce, &[u8]), UnsealError> {
    let (version, rest) = sealed.0.split_first().ok_or(UnsealError::Damaged)?;
    if *version != VERSION {
        return Err(UnsealError::Version { version: *version });
    }
    let (id, rest) = rest.split_first_chunk().ok_or(UnsealError::Damaged)?;
    let (nonce, ciphertext) = rest.split_first_chunk().ok_or(UnsealError::Damaged)?;
    Ok((*id, Nonce::assume_unique_for_key(*nonce), ciphertext))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;
    use crate::secrets::Login;

    const OLD: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn keys(text: &str) -> SealingKeys {
        SealingKeys::parse(text).expect("keys")
    }

    fn name(text: &str) -> EndpointName {
        EndpointName::parse(text).expect("a name")
    }

    fn secrets() -> Secrets {
        let login = Login::parse("shop", "rSx7").expect("a login");
        Secrets::new(vec![], vec![], Some(login)).expect("secrets")
    }

    fn seal(keys: &SealingKeys, seed: u64) -> Sealed {
        keys.seal(&name("shop"), &secrets(), &mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn keys_stand_one_a_line_with_comments() {
        let short = "AQEB";
        for (text, expected) in [
            (OLD.to_owned(), None),
            (format!("# of 2026\r\n{NEW}\r\n\r\n  {OLD}  \n"), None),
            (String::new(), Some(SealingKeysError::None)),
            (format!("# {OLD}\n"), Some(SealingKeysError::None)),
            (format!("{OLD}\n{short}"), Some(SealingKeysError::Key { line: 2 })),
            (format!("\n{}", &OLD[1..]), Some(SealingKeysError::Key { line: 2 })),
            (format!("{OLD}\n#\n{OLD}"), Some(SealingKeysError::Same { line: 3 })),
        ] {
            assert_eq!(SealingKeys::parse(&text).err(), expected, "{text}");
        }
        assert_eq!(format!("{:?}", keys(OLD)), "[REDACTED]");
    }

    #[test]
    fn sealed_secrets_open_and_are_never_sealed_the_same_way() {
        let keys = keys(OLD);
        let (first, second) = (seal(&keys, 1), seal(&keys, 2));
        assert_ne!(first, second);
        assert_eq!(keys.open(&name("shop"), &first), Ok(secrets()));
        assert!(!first.0.windows(4).any(|part| part == b"rSx7" || part == b"shop"), "{:?}", first.0);
    }

    #[test]
    fn the_secrets_of_one_endpoint_do_not_open_for_another() {
        let keys = keys(OLD);
        assert_eq!(keys.open(&name("shop-2"), &seal(&keys, 1)), Err(UnsealError::Damaged));
    }

    #[test]
    fn a_new_key_in_front_seals_and_the_old_one_still_opens() {
        let (old, both, new) = (keys(OLD), keys(&format!("{NEW}\n{OLD}")), keys(NEW));
        let sealed = seal(&old, 1);
        assert!(old.is_sealed_with_newest(&sealed) && !both.is_sealed_with_newest(&sealed));
        let opened = both.open(&name("shop"), &sealed).expect("it opens");
        let anew = both.seal(&name("shop"), &opened, &mut StdRng::seed_from_u64(2));
        assert!(both.is_sealed_with_newest(&anew));
        assert_eq!(new.open(&name("shop"), &anew), Ok(secrets()));
        let error = new.open(&name("shop"), &sealed).expect_err("the key is gone");
        assert!(matches!(&error, UnsealError::UnknownKey { id } if id.len() == 16), "{error}");
    }

    #[test]
    fn another_format_is_told_apart_from_damage() {
        let keys = keys(OLD);
        let open = |bytes: &[u8]| keys.open(&name("shop"), &Sealed(bytes.to_vec()));
        assert_eq!(open(b""), Err(UnsealError::Damaged));
        assert_eq!(open(b"\x02whatever"), Err(UnsealError::Version { version: 2 }));
        assert_eq!(open(b"\x01"), Err(UnsealError::Damaged));
        assert!(!keys.is_sealed_with_newest(&Sealed(vec![])));
    }

    proptest! {
        #[test]
        fn a_changed_or_shortened_value_never_opens(at in 0..1000_usize, bit in 0..8_u8, end in 0..1000_usize) {
            let keys = keys(OLD);
            let sealed = seal(&keys, 1).0;
            let mut changed = sealed.clone();
            changed[at % sealed.len()] ^= 1 << bit;
            prop_assert!(keys.open(&name("shop"), &Sealed(changed)).is_err());
            let shorter = sealed[..end % sealed.len()].to_vec();
            prop_assert!(keys.open(&name("shop"), &Sealed(shorter)).is_err());
        }
    }
}
