//! Notices of APIv2: XML that is signed, or encrypted, with a key that merchant and WeChat Pay share.
//!
//! Deliberately absent: freshness, since nothing in such a notice says when it was sent, and headers, which it has none
//! of.

use super::budget::Budget;
use super::finding::{Addressed, Finding};
use super::walk::{Check, Outcome, Step, Walk};
use super::{Account, Captured, Cause, Class, body};
use crate::v2::{ApiV2Key, Callback, Notice, OpenError, SignError};

/// Goes the way of a server that takes notices of APIv2, and looks for the causes where it stops.
pub(super) fn look(
    captured: &Captured<'_>,
    accounts: &[Account<'_>],
    addressed: &Addressed,
    walk: &mut Walk,
) -> Finding {
    for check in [Check::Headers, Check::Timestamp, Check::SignatureType, Check::Serial] {
        let detail = "APIv2 has none".to_owned();
        walk.steps.push(Step { check, outcome: Outcome::NotChecked, detail });
    }
    let account = &accounts[addressed.at];
    let Some(key) = account.apiv2_key else {
        walk.fail(Check::Signature, "no APIv2 key is configured for this merchant".to_owned());
        return Finding::one(Class::ApiV2, Cause::ApiV2KeyMissing);
    };
    match Callback::parse(captured.body) {
        Err(error) => malformed(walk, error.to_string()),
        Ok(Callback::Failed(_)) => {
            let problem = "return_code is FAIL: unsigned, and nothing follows from it".to_owned();
            walk.fail(Check::Envelope, problem.clone());
            Finding::one(Class::Unreadable, Cause::NotANotification { problem })
        }
        Ok(Callback::Signed(callback)) => {
            walk.ok(Check::Envelope, "a signed notice of APIv2".to_owned());
            match callback.verify(key, None) {
                Ok(fields) => {
                    walk.ok(Check::Signature, "the APIv2 key signed every field".to_owned());
                    let mchid = fields.get("mch_id").map(str::to_owned);
                    read(walk, fields.notice().map(|notice| kind(&notice)), mchid, account)
                }
                Err(error) => unsigned(captured, accounts, account, walk, &error),
            }
        }
        Ok(Callback::Sealed(callback)) => {
            walk.ok(Check::Envelope, "a refund notice of APIv2, which nothing signs".to_owned());
            match callback.open(key) {
                Ok(refund) => {
                    walk.ok(Check::Decryption, "the APIv2 key opens it".to_owned());
                    read(
                        walk,
                        Ok("a refund; ask for it before acting on it"),
                        refund.unverified_mch_id,
                        account,
                    )
                }
                Err(error) => unopened(captured, accounts, account, walk, &error),
            }
        }
    }
}

/// The account that a notice names, unproven.
pub(super) fn named(captured: &Captured<'_>, accounts: &[Account<'_>]) -> Option<usize> {
    let callback = Callback::parse(captured.body).ok()?;
    let mchid = callback.unverified_mch_id()?;
    accounts.iter().position(|account| account.mchid == mchid)
}

fn kind(notice: &Notice) -> &'static str {
    match notice {
        Notice::Paid(_) => "a payment",
        Notice::NotPaid { .. } => "nothing was paid",
        Notice::Other(_) => "something else than a payment",
    }
}

fn malformed(walk: &mut Walk, problem: String) -> Finding {
    walk.fail(Check::Envelope, problem.clone());
    Finding::one(Class::Malformed, Cause::NotANotification { problem })
}

fn read(
    walk: &mut Walk,
    kind: Result<&'static str, crate::v2::FieldError>,
    mchid: Option<String>,
    account: &Account<'_>,
) -> Finding {
    match (kind, mchid) {
        (Err(error), _) => {
            let problem = error.to_string();
            walk.fail(Check::Resource, problem.clone());
            Finding::one(Class::Unreadable, Cause::NotANotification { problem })
        }
        (Ok(_), Some(mchid)) if mchid != account.mchid => {
            walk.fail(Check::Resource, format!("it is for merchant {mchid:?}, not for {:?}", account.mchid));
            Finding::one(Class::WrongMerchant, Cause::AboutOtherMerchant { mchid })
        }
        (Ok(kind), _) => {
            walk.ok(Check::Resource, kind.to_owned());
            Finding { class: Class::Accepted, causes: Vec::new() }
        }
    }
}

fn unsigned(
    captured: &Captured<'_>,
    accounts: &[Account<'_>],
    account: &Account<'_>,
    walk: &mut Walk,
    error: &SignError,
) -> Finding {
    walk.fail(Check::Signature, error.to_string());
    match error {
        SignError::Missing
        | SignError::UnknownType { .. }
        | SignError::Length { .. }
        | SignError::UnexpectedType { .. } => {
            Finding::one(Class::Malformed, Cause::SignMalformed { problem: error.to_string() })
        }
        SignError::Mismatch => {
            if let Some(mchid) = others(accounts, account, |key| fits(captured.body, key)) {
                return Finding::one(Class::WrongMerchant, Cause::WrongMerchant { mchid });
            }
            let changes = account.apiv2_key.and_then(|key| {
                let fits = |bytes: &[u8]| fits(bytes, key).then_some(());
                body::candidates(captured.body, &Budget::new(), fits)
            });
            match changes {
                Some(((), changes)) => {
                    Finding { class: Class::Changed, causes: changes.into_iter().map(Cause::Body).collect() }
                }
                None => {
                    Finding { class: Class::Unverified, causes: vec![Cause::WrongApiV2Key, Cause::NoneFound] }
                }
            }
        }
    }
}

fn unopened(
    captured: &Captured<'_>,
    accounts: &[Account<'_>],
    account: &Account<'_>,
    walk: &mut Walk,
    error: &OpenError,
) -> Finding {
    walk.fail(Check::Decryption, error.to_string());
    if !error.is_key_fault() {
        return Finding::one(Class::Unreadable, Cause::NotANotification { problem: error.to_string() });
    }
    match others(accounts, account, |key| fits(captured.body, key)) {
        Some(mchid) => Finding::one(Class::WrongMerchant, Cause::WrongMerchant { mchid }),
        None => Finding::one(Class::DoesNotOpen, Cause::WrongApiV2Key),
    }
}

/// Another merchant whose key fits.
fn others(
    accounts: &[Account<'_>],
    account: &Account<'_>,
    fits: impl Fn(&ApiV2Key) -> bool,
) -> Option<String> {
    let mut others = accounts.iter().filter(|other| other.mchid != account.mchid);
    Some(others.find(|other| other.apiv2_key.is_some_and(&fits))?.mchid.to_owned())
}

/// Whether this key signed, or opens, a notice.
fn fits(body: &[u8], key: &ApiV2Key) -> bool {
    match Callback::parse(body) {
        Ok(Callback::Signed(callback)) => callback.verify(key, None).is_ok(),
        Ok(Callback::Sealed(callback)) => callback.open(key).is_ok(),
        Ok(Callback::Failed(_)) | Err(_) => false,
    }
}
