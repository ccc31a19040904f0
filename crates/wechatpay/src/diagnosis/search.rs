//! Looks for what WeChat Pay signed: known changes undone, with every key that may have signed.
//!
//! Invariant: what is found did verify. Order matters: what is unchanged comes first and fewest changes next, so that
//! the first find is the plainest explanation.

use super::body::{self, BodyChange};
use super::budget::Budget;
use super::headers::{Cleaned, Reading};
use super::{Account, Captured};
use crate::{PlatformKey, callback_message};

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
    let budget = Budget::new();
    let found = signed(captured.body, &readings, &keys, &budget);
    // Without a key to hold them against, no change is worth to be undone.
    if found.is_some() || near.is_empty() {
        return found;
    }
    let found = body::candidates(captured.body, &budget, |bytes| signed(bytes, &readings, &near, &budget));
    let (proof, body_changes) = match found {
        Some(found) => found,
        None => {
            let plainest = readings.get(..1)?;
            body::reordered(captured.body, &budget, |bytes| signed(bytes, plainest, &near, &budget))?
        }
    };
    Some(Proof { body_changes, ..proof })
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

/// The first reading and key by which these bytes were signed.
fn signed<'a>(bytes: &[u8], readings: &[Reading], keys: &[Held<'a>], budget: &Budget) -> Option<Proof<'a>> {
    for reading in readings {
        let message = callback_message(&reading.timestamp, &reading.nonce, bytes);
        for (account, key) in keys {
            budget.verify(message.len())?;
            if key.verify(&message, &reading.signature).is_ok() {
                return Some(Proof {
                    reading: reading.clone(),
                    body: bytes.to_vec(),
                    body_changes: Vec::new(),
                    account: *account,
                    key,
                });
            }
        }
    }
    None
}
