//! Looks for what WeChat Pay signed: known changes undone, with every key that may have signed.
//!
//! Invariant: what is found did verify. Order matters: what is unchanged comes first and fewest changes next, so that
//! the first find is the plainest explanation.

use super::body::{self, BodyChange, Candidate};
use super::headers::{Cleaned, Reading};
use super::{Account, Captured};
use crate::{PlatformKey, callback_message};

/// Signatures that are checked at the most: the 86,400 orders of an envelope's members and some room; 2 s on one core.
const SIGNATURES_MAX: u32 = 100_000;

/// Bytes that are hashed at the most: less than 1 s on one core.
const HASHED_BYTES_MAX: usize = 256 << 20;

/// Keys that are tried with a changed body where no header says which key signed.
const KEYS_MAX: usize = 16;

/// What WeChat Pay signed, and with which key.
pub(super) struct Proof<'a> {
    pub(super) reading: Reading,
    pub(super) body: Vec<u8>,
    pub(super) body_changes: Vec<BodyChange>,
    /// Which of the accounts.
    pub(super) account: usize,
    pub(super) key: &'a PlatformKey,
}

/// A key and whose it is.
type Held<'a> = (usize, &'a PlatformKey);

/// `at` is the account that is addressed, if that is known.
pub(super) fn search<'a>(
    captured: &Captured<'_>,
    cleaned: &Cleaned,
    accounts: &[Account<'a>],
    at: Option<usize>,
) -> Option<Proof<'a>> {
    let keys = ordered_keys(cleaned, accounts, at);
    let near = near_keys(&keys, cleaned, at);
    let readings = cleaned.readings();
    let mut left = Left { signatures: SIGNATURES_MAX, bytes: HASHED_BYTES_MAX };
    let unchanged = Candidate { bytes: captured.body.to_vec(), changes: Vec::new() };
    let found = left.signed(&unchanged, &readings, &keys);
    if found.is_some() {
        return found;
    }
    let found = body::candidates(captured.body, |candidate| left.signed(candidate, &readings, &near));
    if found.is_some() {
        return found;
    }
    let plainest = readings.get(..1)?;
    let mut proof = body::reordered(captured.body, |candidate| left.signed(candidate, plainest, &near))?;
    proof.body_changes = body::differences(&proof.body, captured.body);
    Some(proof)
}

/// All keys, those of the addressed account first, and of these those that the header names.
fn ordered_keys<'a>(cleaned: &Cleaned, accounts: &[Account<'a>], at: Option<usize>) -> Vec<Held<'a>> {
    let each = accounts.iter().enumerate();
    let mut keys: Vec<_> =
        each.flat_map(|(number, account)| account.keys.iter().map(move |key| (number, key))).collect();
    keys.sort_by_key(|(number, key)| (at.is_some_and(|at| *number != at), !is_named(key, cleaned.serial())));
    keys
}

/// The keys to try with changed bodies: those that the header names, else the account's, else some.
fn near_keys<'a>(keys: &[Held<'a>], cleaned: &Cleaned, at: Option<usize>) -> Vec<Held<'a>> {
    let own = keys.iter().filter(|(number, _)| at.is_none_or(|at| *number == at));
    let named: Vec<_> = own.clone().filter(|(_, key)| is_named(key, cleaned.serial())).copied().collect();
    if named.is_empty() { own.take(KEYS_MAX).copied().collect() } else { named }
}

/// Whether a header's value names this key.
pub(super) fn is_named(key: &PlatformKey, serial: Option<&str>) -> bool {
    let (known, Some(named)) = (key.serial(), serial) else { return false };
    if known.is_public_key_id() {
        known.as_str() == named
    } else {
        known.as_str().eq_ignore_ascii_case(named)
    }
}

/// How much work may still be done.
struct Left {
    signatures: u32,
    bytes: usize,
}

impl Left {
    fn signed<'a>(
        &mut self,
        candidate: &Candidate,
        readings: &[Reading],
        keys: &[Held<'a>],
    ) -> Option<Proof<'a>> {
        for reading in readings {
            let message = callback_message(&reading.timestamp, &reading.nonce, &candidate.bytes);
            for (account, key) in keys {
                self.signatures = self.signatures.checked_sub(1)?;
                self.bytes = self.bytes.checked_sub(message.len())?;
                if key.verify(&message, &reading.signature).is_ok() {
                    return Some(Proof {
                        reading: reading.clone(),
                        body: candidate.bytes.clone(),
                        body_changes: candidate.changes.clone(),
                        account: *account,
                        key,
                    });
                }
            }
        }
        None
    }
}
