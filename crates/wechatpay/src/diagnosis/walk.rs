//! The way that a server goes with a callback, step by step.
//!
//! Invariant: what a step says is what [`Callback::parse`], `verify` and `open` said. They stop at the first error;
//! a stale timestamp alone does not end the walk, which goes on as of the callback's own time.

use super::{Account, Captured};
use crate::{Callback, HeaderError, Notification, OpenError, Resource, UnixSeconds, VerifyError};

/// What is checked, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Is a merchant of that number configured?
    Merchant,
    /// Are the signature headers there, once each and well-formed?
    Headers,
    /// Was it signed less than 300 s before or after it was received?
    Timestamp,
    /// Is the signature's algorithm known?
    SignatureType,
    /// Does a valid key go by the serial?
    Serial,
    /// Is it other than a probe, and did that key sign these bytes?
    Signature,
    /// Is the body a notification's envelope?
    Envelope,
    /// Does the APIv3 key open the resource?
    Decryption,
    /// Is the resource as documented, and for this merchant?
    Resource,
}

impl Check {
    pub(super) const ALL: [Self; 9] = [
        Self::Merchant,
        Self::Headers,
        Self::Timestamp,
        Self::SignatureType,
        Self::Serial,
        Self::Signature,
        Self::Envelope,
        Self::Decryption,
        Self::Resource,
    ];

    /// A stable name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Headers => "headers",
            Self::Timestamp => "timestamp",
            Self::SignatureType => "signature_type",
            Self::Serial => "serial",
            Self::Signature => "signature",
            Self::Envelope => "envelope",
            Self::Decryption => "decryption",
            Self::Resource => "resource",
        }
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It does not hold; a server refuses the callback.
    Failed,
    /// It could not be checked, for want of what it is checked against.
    NotChecked,
    /// An earlier check failed.
    NotReached,
}

impl Outcome {
    /// A stable name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::NotChecked => "not_checked",
            Self::NotReached => "not_reached",
        }
    }
}

/// One check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was checked.
    pub check: Check,
    /// What came of it.
    pub outcome: Outcome,
    /// With what figures, or why. Empty where it was not reached.
    pub detail: String,
}

/// Where the walk ended.
#[derive(Debug)]
pub(super) enum Stop {
    Header(HeaderError),
    Verify(VerifyError),
    Open(OpenError),
    OtherMerchant(String),
}

/// A walk to its end.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) steps: Vec<Step>,
    /// Seconds that the timestamp is before (positive) or after (negative) now, where that is too far.
    pub(super) stale: Option<i64>,
    pub(super) stop: Option<Stop>,
    pub(super) notification: Option<Notification>,
}

/// By whose keys WeChat Pay made it, where it says so: in partner mode the provider's, of a combine order those of who
/// combined. A notice of profit sharing goes to a receiver and names who shares, so it says nothing of that.
fn addressee(resource: &Resource) -> Option<&str> {
    match resource {
        Resource::Transaction(transaction) => Some(&transaction.mchid),
        Resource::PartnerTransaction(transaction) => Some(&transaction.sp_mchid),
        Resource::CombineTransaction(transaction) => Some(&transaction.combine_mchid),
        Resource::Refund(refund) => refund.merchant(),
        _ => None,
    }
}

/// Goes the way of a server that has this account.
pub(super) fn walk(captured: &Captured<'_>, account: &Account<'_>, now: Option<UnixSeconds>) -> Walk {
    let parse = || Callback::parse(captured.headers.iter().copied(), captured.body);
    let mut walk = Walk::default();
    let (timestamp, serial) = match parse() {
        Ok(callback) => (callback.unverified_timestamp(), callback.unverified_serial()),
        Err(error) => {
            walk.fail(Check::Headers, error.to_string());
            walk.stop = Some(Stop::Header(error));
            return walk;
        }
    };
    walk.ok(Check::Headers, "each is there once and well-formed".to_owned());
    if let Some(now) = now
        && let Ok(callback) = parse()
        && let Err(error @ VerifyError::StaleTimestamp { .. }) = callback.verify(account.keys, now)
    {
        walk.stale = Some(now.0.saturating_sub(timestamp.0));
        walk.fail(Check::Timestamp, error.to_string());
    } else {
        walk.freshness(timestamp, now);
    }
    let body_bytes = captured.body.len();
    let Ok(callback) = parse() else { return walk };
    match callback.verify(account.keys, timestamp) {
        Err(error) => {
            let known = account.keys.valid(serial, timestamp).is_some();
            walk.not_verified(error, serial, known);
        }
        Ok(verified) => {
            walk.upto(Check::Signature, serial, body_bytes);
            let opened = verified.open(account.apiv3_key);
            walk.opened(opened, account);
        }
    }
    walk
}

impl Walk {
    pub(super) fn ok(&mut self, check: Check, detail: String) {
        self.steps.push(Step { check, outcome: Outcome::Ok, detail });
    }

    pub(super) fn fail(&mut self, check: Check, detail: String) {
        self.steps.push(Step { check, outcome: Outcome::Failed, detail });
    }

    fn freshness(&mut self, timestamp: UnixSeconds, now: Option<UnixSeconds>) {
        match now {
            Some(now) => {
                let detail = match now.0.saturating_sub(timestamp.0) {
                    0 => "signed in the second in which it was received".to_owned(),
                    late @ 1.. => format!("signed {late} s before it was received"),
                    early => format!("signed {} s after it was received", early.unsigned_abs()),
                };
                self.ok(Check::Timestamp, detail);
            }
            None => self.steps.push(Step {
                check: Check::Timestamp,
                outcome: Outcome::NotChecked,
                detail: format!("signed at {}; when it was received is not known", timestamp.0),
            }),
        }
    }

    /// The checks between the timestamp and this one hold.
    fn upto(&mut self, last: Check, serial: &str, body_bytes: usize) {
        for check in [Check::SignatureType, Check::Serial, Check::Signature] {
            if check > last {
                return;
            }
            let detail = match check {
                Check::SignatureType => "a known algorithm".to_owned(),
                Check::Serial => format!("a valid key goes by {serial:?}"),
                _ => format!("that key signed the timestamp, the nonce and these {body_bytes} bytes of body"),
            };
            self.ok(check, detail);
        }
    }

    /// `known`: whether a valid key goes by the serial. A probe is one whether or not.
    fn not_verified(&mut self, error: VerifyError, serial: &str, known: bool) {
        let failed = match &error {
            VerifyError::StaleTimestamp { .. } => Check::Timestamp,
            VerifyError::UnsupportedSignatureType { .. } => Check::SignatureType,
            VerifyError::UnknownSerial { .. } | VerifyError::OtherSuite { .. } => Check::Serial,
            VerifyError::SignatureProbe
            | VerifyError::MalformedSignature
            | VerifyError::SignatureMismatch => Check::Signature,
        };
        match failed {
            Check::Serial => self.upto(Check::SignatureType, serial, 0),
            Check::Signature if !known => {
                self.upto(Check::SignatureType, serial, 0);
                let detail = format!("no valid key goes by {serial:?}, and a probe needs none");
                self.steps.push(Step { check: Check::Serial, outcome: Outcome::NotChecked, detail });
            }
            Check::Signature => self.upto(Check::Serial, serial, 0),
            _ => {}
        }
        self.fail(failed, error.to_string());
        self.stop = Some(Stop::Verify(error));
    }

    fn opened(&mut self, opened: Result<Notification, OpenError>, account: &Account<'_>) {
        let notification = match opened {
            Ok(notification) => notification,
            Err(error) => {
                self.not_opened(&error);
                self.stop = Some(Stop::Open(error));
                return;
            }
        };
        self.ok(
            Check::Envelope,
            format!("notification {:?}, {:?}", notification.id, notification.event_type),
        );
        self.ok(Check::Decryption, "the APIv3 key opens it".to_owned());
        match addressee(&notification.resource) {
            Some(named) if named != account.mchid => {
                let named = named.to_owned();
                let detail = format!("it is for merchant {named:?}, not for {:?}", account.mchid);
                self.fail(Check::Resource, detail);
                self.stop = Some(Stop::OtherMerchant(named));
            }
            _ => {
                let kind = notification.original_type.as_deref().unwrap_or("unnamed");
                self.ok(Check::Resource, format!("a resource of type {kind:?}"));
            }
        }
        self.notification = Some(notification);
    }

    fn not_opened(&mut self, error: &OpenError) {
        let failed = match error {
            OpenError::BodyNotUtf8
            | OpenError::BodyNotJson(_)
            | OpenError::UnsupportedResourceType { .. }
            | OpenError::UnsupportedAlgorithm { .. } => Check::Envelope,
            OpenError::NonceLength { .. }
            | OpenError::CiphertextNotBase64
            | OpenError::CiphertextTooShort { .. }
            | OpenError::WrongKey => Check::Decryption,
            OpenError::PlaintextNotUtf8
            | OpenError::PlaintextNotJson(_)
            | OpenError::ResourceMalformed { .. } => Check::Resource,
        };
        if failed > Check::Envelope {
            self.ok(Check::Envelope, "a notification's envelope".to_owned());
        }
        if failed > Check::Decryption {
            self.ok(Check::Decryption, "the APIv3 key opens it".to_owned());
        }
        self.fail(failed, error.to_string());
    }

    /// All checks: those that are not there yet were not reached.
    pub(super) fn into_steps(mut self) -> Vec<Step> {
        for check in Check::ALL {
            if self.steps.iter().all(|step| step.check != check) {
                self.steps.push(Step { check, outcome: Outcome::NotReached, detail: String::new() });
            }
        }
        self.steps.sort_by_key(|step| step.check);
        self.steps
    }
}
