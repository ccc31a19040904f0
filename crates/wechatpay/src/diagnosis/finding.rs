//! From the walk's end to the causes.
//!
//! Invariant: a diagnosis other than [`Class::Accepted`] has a cause.

use super::apiv2;
use super::headers::Cleaned;
use super::search::{self, Proof, is_named};
use super::walk::{Check, Outcome, Step, Stop, Walk, walk};
use super::{Account, Captured, Cause, Class, Diagnosis};
use crate::callback::signed::{PROBE_PREFIX, WINDOW_SECONDS};
use crate::headers::{ALL, SIGNATURE_TYPE};
use crate::{Callback, HeaderError, MerchantKey, OpenError, PlatformKey, Serial, UnixSeconds, VerifyError};

/// Signed by the merchant's key to see whether a platform key is its public half. It is no request and no payment.
const PAIR_PROBE: &[u8] = b"do these keys belong together?";

/// Says what was checked, and why it failed.
///
/// `accounts` are all that are configured: the path's merchant is looked for among them, the others show whose a
/// callback is. `now` is when the callback was received; without it freshness is not checked, and certificates are
/// judged as of the time that the callback names.
#[must_use]
pub fn diagnose(captured: &Captured<'_>, accounts: &[Account<'_>], now: Option<UnixSeconds>) -> Diagnosis {
    let cleaned = Cleaned::of(captured.headers);
    let is_apiv2 = is_apiv2(captured, &cleaned);
    let likeliest = || match is_apiv2 {
        true => apiv2::named(captured, accounts).map_or((0, false), |at| (at, true)),
        false => likeliest(captured, &cleaned, accounts),
    };
    let addressed = Addressed::of(captured, accounts, likeliest);
    let Some(account) = accounts.get(addressed.at) else {
        return nobody(captured, addressed.step, now);
    };
    let (mut walk, mut finding);
    if is_apiv2 {
        walk = Walk::default();
        finding = apiv2::look(captured, accounts, &addressed, &mut walk);
    } else {
        let Addressed { at, known, .. } = addressed;
        walk = self::walk(captured, account, now);
        finding = Case { captured, cleaned: &cleaned, accounts, at, known, now }.finding(&mut walk);
    }
    walk.steps.push(addressed.step);
    if let (Some(mchid), Outcome::Failed) = (captured.merchant, outcome(&walk, Check::Merchant)) {
        finding.causes.insert(0, Cause::UnknownMerchant { mchid: mchid.to_owned() });
        finding.class = Class::WrongMerchant;
    }
    Diagnosis {
        class: finding.class,
        merchant: Some(account.mchid.to_owned()),
        now,
        notification: walk.notification.take(),
        steps: walk.into_steps(),
        causes: finding.causes,
    }
}

fn outcome(walk: &Walk, check: Check) -> Outcome {
    walk.steps.iter().find(|step| step.check == check).map_or(Outcome::NotReached, |step| step.outcome)
}

/// APIv2 signs within the body, and has none of the headers.
fn is_apiv2(captured: &Captured<'_>, cleaned: &Cleaned) -> bool {
    let body = captured.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(captured.body).trim_ascii_start();
    body.starts_with(b"<") && cleaned.values.iter().all(Option::is_none)
}

/// No merchant is configured at all.
fn nobody(captured: &Captured<'_>, step: Step, now: Option<UnixSeconds>) -> Diagnosis {
    let walk = Walk { steps: vec![step], ..Walk::default() };
    let mchid = captured.merchant.unwrap_or_default().to_owned();
    Diagnosis {
        class: Class::WrongMerchant,
        merchant: None,
        now,
        steps: walk.into_steps(),
        causes: vec![Cause::UnknownMerchant { mchid }],
        notification: None,
    }
}

/// By whose keys a callback is looked at.
pub(super) struct Addressed {
    pub(super) at: usize,
    /// Whether anything says that it is this one.
    known: bool,
    step: Step,
}

impl Addressed {
    fn of(
        captured: &Captured<'_>,
        accounts: &[Account<'_>],
        likeliest: impl FnOnce() -> (usize, bool),
    ) -> Self {
        let step = |outcome, detail| Step { check: Check::Merchant, outcome, detail };
        let named = captured
            .merchant
            .map(|mchid| (mchid, accounts.iter().position(|account| account.mchid == mchid)));
        if let Some((mchid, Some(at))) = named {
            return Self {
                at,
                known: true,
                step: step(Outcome::Ok, format!("merchant {mchid} is configured")),
            };
        }
        let (at, known) = likeliest();
        let by = accounts.get(at).map_or_else(String::new, |account| {
            format!("; looked at with the keys of merchant {}", account.mchid)
        });
        let step = match named {
            Some((mchid, _)) => step(Outcome::Failed, format!("no merchant {mchid:?} is configured{by}")),
            None => step(Outcome::NotChecked, format!("the merchant that it was sent to is not known{by}")),
        };
        Self { at, known, step }
    }
}

/// The account that can do most with a callback, and whether it can do anything.
fn likeliest(captured: &Captured<'_>, cleaned: &Cleaned, accounts: &[Account<'_>]) -> (usize, bool) {
    let rank = |account: &Account<'_>| match opened(captured, account, account) {
        Some(Ok(_)) => 0,
        Some(Err(_)) => 1,
        None if account.keys.iter().any(|key| is_named(key, cleaned.serial())) => 2,
        None => 3,
    };
    let ranks = accounts.iter().map(rank).enumerate();
    ranks.min_by_key(|(_, rank)| *rank).map_or((0, false), |(at, rank)| (at, rank < 3))
}

/// What becomes of a callback that one account verifies, under the APIv3 key of another. `None`: it does not verify.
fn opened(
    captured: &Captured<'_>,
    verifier: &Account<'_>,
    opener: &Account<'_>,
) -> Option<Result<(), OpenError>> {
    let callback = Callback::parse(captured.headers.iter().copied(), captured.body).ok()?;
    let timestamp = callback.unverified_timestamp();
    let verified = callback.verify(verifier.keys, timestamp).ok()?;
    Some(verified.open(opener.apiv3_key).map(|_| ()))
}

/// Why, and what that is called.
pub(super) struct Finding {
    pub(super) class: Class,
    pub(super) causes: Vec<Cause>,
}

impl Finding {
    pub(super) fn one(class: Class, cause: Cause) -> Self {
        Self { class, causes: vec![cause] }
    }
}

/// A callback, and all that is known around it.
struct Case<'c, 'a> {
    captured: &'c Captured<'c>,
    cleaned: &'c Cleaned,
    accounts: &'c [Account<'a>],
    at: usize,
    known: bool,
    now: Option<UnixSeconds>,
}

impl<'a> Case<'_, 'a> {
    fn account(&self) -> &Account<'a> {
        &self.accounts[self.at]
    }

    /// Puts the notification into the walk where only the mended callback opens.
    fn finding(&self, walk: &mut Walk) -> Finding {
        match (walk.stop.take(), walk.stale) {
            (None, None) => Finding { class: Class::Accepted, causes: Vec::new() },
            (None, Some(seconds)) => Finding::one(Class::Stale, staleness(seconds)),
            (Some(Stop::OtherMerchant(mchid)), _) => {
                Finding::one(Class::WrongMerchant, Cause::AboutOtherMerchant { mchid })
            }
            (Some(Stop::Open(error)), stale) => {
                let mut finding = self.unopened(self.captured, self.account(), &error);
                finding.causes.extend(stale.map(staleness));
                finding
            }
            (Some(Stop::Header(error)), _) => self.unverified(walk, |case| case.by_headers(&error)),
            (Some(Stop::Verify(error)), _) => self.unverified(walk, |case| case.by_signature(&error)),
        }
    }

    fn unverified(&self, walk: &mut Walk, otherwise: impl FnOnce(&Self) -> Finding) -> Finding {
        if self.cleaned.signature().is_some_and(|signature| signature.starts_with(PROBE_PREFIX)) {
            return Finding::one(Class::Probe, Cause::SignatureProbe);
        }
        let at = self.known.then_some(self.at);
        match search::search(self.captured, self.cleaned, self.accounts, at) {
            Some(proof) => self.proved(&proof, walk).unwrap_or_else(|| otherwise(self)),
            None => otherwise(self),
        }
    }

    /// `None` if nothing had to be undone.
    fn proved(&self, proof: &Proof<'_>, walk: &mut Walk) -> Option<Finding> {
        let mut causes: Vec<Cause> = proof.body_changes.iter().copied().map(Cause::Body).collect();
        causes.extend(proof.reading.changes.iter().copied().map(Cause::Header));
        if !is_named(proof.key, self.cleaned.serial()) {
            let named = self.cleaned.serial().map(str::to_owned);
            let signed_by = proof.key.serial().to_string();
            causes.push(Cause::SerialAltered { named, signed_by });
        }
        let suite = proof.key.suite();
        let signature_type = self.cleaned.signature_type().filter(|named| *named != suite.scheme());
        causes.extend(signature_type.map(|named| Cause::SignatureTypeAltered { named: named.to_owned() }));
        let mut class = Class::Changed;
        if causes.is_empty()
            && let Some(expired) = expired(proof)
        {
            class = Class::UnknownSerial;
            let serial = proof.key.serial().to_string();
            causes.push(Cause::CertificateExpired { serial, expired: expired.0, signed: true });
        }
        if self.known && proof.account != self.at {
            class = Class::WrongMerchant;
            causes.insert(0, Cause::WrongMerchant { mchid: self.accounts[proof.account].mchid.to_owned() });
        }
        if causes.is_empty() {
            return None;
        }
        causes.extend(self.staleness_of(&proof.reading.timestamp));
        causes.extend(self.go_on(proof, walk));
        Some(Finding { class, causes })
    }

    /// Opens what was mended; returns why it does not open.
    fn go_on(&self, proof: &Proof<'_>, mended_walk: &mut Walk) -> Vec<Cause> {
        let reading = &proof.reading;
        let values = [&reading.timestamp, &reading.nonce, &reading.signature, proof.key.serial().as_str()];
        let headers: Vec<_> = ALL.iter().copied().zip(values.map(str::as_bytes)).collect();
        let captured = Captured { headers: &headers, body: &proof.body, merchant: None };
        let account = &self.accounts[proof.account];
        let walk = walk(&captured, account, None);
        mended_walk.notification = walk.notification;
        match walk.stop {
            Some(Stop::Open(error)) => self.unopened(&captured, account, &error).causes,
            Some(Stop::OtherMerchant(mchid)) => vec![Cause::AboutOtherMerchant { mchid }],
            // An expired certificate is not gone on with.
            Some(Stop::Header(_) | Stop::Verify(_)) | None => Vec::new(),
        }
    }

    fn staleness_of(&self, timestamp: &str) -> Option<Cause> {
        let seconds = self.now?.0.saturating_sub(timestamp.parse().ok()?);
        (seconds.unsigned_abs() >= WINDOW_SECONDS).then(|| staleness(seconds))
    }

    fn by_headers(&self, error: &HeaderError) -> Finding {
        let missing = ALL.iter().copied().zip(&self.cleaned.values);
        let missing = missing.filter(|(header, value)| *header != SIGNATURE_TYPE && value.is_none());
        let mut causes: Vec<_> = missing.map(|(header, _)| Cause::HeaderMissing { header }).collect();
        if causes.is_empty() {
            causes.push(Cause::HeaderMalformed { problem: error.to_string() });
        }
        Finding { class: Class::Malformed, causes }
    }

    fn by_signature(&self, error: &VerifyError) -> Finding {
        match error {
            VerifyError::SignatureProbe => Finding::one(Class::Probe, Cause::SignatureProbe),
            VerifyError::UnsupportedSignatureType { signature_type } => {
                Finding::one(Class::Unsupported, algorithm(signature_type))
            }
            VerifyError::OtherSuite { .. } => {
                Finding::one(Class::WrongPlatformKey, Cause::OtherSuite { problem: error.to_string() })
            }
            VerifyError::MalformedSignature => {
                Finding::one(Class::Malformed, Cause::HeaderMalformed { problem: error.to_string() })
            }
            VerifyError::UnknownSerial { serial } => self.by_serial(serial),
            VerifyError::StaleTimestamp { .. } | VerifyError::SignatureMismatch => self.mismatch(),
        }
    }

    fn by_serial(&self, serial: &str) -> Finding {
        if let Some(cause) = self.merchants_own(|_| true) {
            return Finding::one(Class::WrongPlatformKey, cause);
        }
        let keys = self.account().keys;
        let owned = serial.to_owned();
        let named = keys.iter().find(|key| is_named(key, Some(serial)));
        let cause = match (named.and_then(PlatformKey::expires), Serial::parse(serial)) {
            (Some(expired), _) => {
                Cause::CertificateExpired { serial: owned, expired: expired.0, signed: false }
            }
            (None, Err(_)) => Cause::SerialNone { serial: owned },
            (None, Ok(parsed)) => {
                let of_kind = |public| keys.iter().any(|key| key.serial().is_public_key_id() == public);
                match (parsed.is_public_key_id(), of_kind(parsed.is_public_key_id())) {
                    (true, false) => Cause::GreyPublicKey { serial: owned },
                    (true, true) => Cause::OtherPublicKey { serial: owned },
                    (false, false) => Cause::GreyCertificate { serial: owned },
                    (false, true) => Cause::NewCertificate { serial: owned },
                }
            }
        };
        Finding::one(Class::UnknownSerial, cause)
    }

    fn mismatch(&self) -> Finding {
        if let Some(cause) = self.merchants_own(|key| is_named(key, self.cleaned.serial())) {
            return Finding::one(Class::WrongPlatformKey, cause);
        }
        let truncated = self.truncated();
        Finding::one(Class::Unverified, truncated.unwrap_or(Cause::NoneFound))
    }

    /// The merchant's own key among those that are configured as WeChat Pay's.
    fn merchants_own(&self, which: impl Fn(&PlatformKey) -> bool) -> Option<Cause> {
        let own = self.account().merchant_key;
        let is_own =
            |key: &PlatformKey| key.merchant().is_some() || own.is_some_and(|own| is_half_of(key, own));
        let key = self.account().keys.iter().find(|key| which(key) && is_own(key))?;
        Some(Cause::MerchantKeyAsPlatformKey { serial: key.serial().to_string() })
    }

    fn truncated(&self) -> Option<Cause> {
        let announced =
            self.captured.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let announced: u64 = std::str::from_utf8(announced?.1).ok()?.trim().parse().ok()?;
        let bytes = self.captured.body.len();
        (u64::try_from(bytes).ok()? < announced).then_some(Cause::BodyTruncated { announced, bytes })
    }

    /// WeChat Pay signed it, and it does not open.
    fn unopened(&self, captured: &Captured<'_>, account: &Account<'_>, error: &OpenError) -> Finding {
        match error {
            OpenError::WrongKey => {
                let others = self.accounts.iter().filter(|other| other.mchid != account.mchid);
                let opener =
                    others.into_iter().find(|other| matches!(opened(captured, account, other), Some(Ok(()))));
                if let Some(other) = opener {
                    let mchid = other.mchid.to_owned();
                    return Finding::one(Class::WrongMerchant, Cause::WrongMerchant { mchid });
                }
                let swapped = account.apiv2_key_as_v3();
                let swapped = swapped.as_ref().map(|key| Account::new(account.mchid, account.keys, key));
                let swapped = swapped
                    .is_some_and(|swapped| matches!(opened(captured, account, &swapped), Some(Ok(()))));
                let cause = if swapped { Cause::ApiV2KeyInPlace } else { Cause::WrongApiV3Key };
                Finding::one(Class::DoesNotOpen, cause)
            }
            OpenError::UnsupportedAlgorithm { algorithm: named } => {
                Finding::one(Class::Unsupported, algorithm(named))
            }
            other => Finding::one(Class::Unreadable, Cause::NotANotification { problem: other.to_string() }),
        }
    }
}

fn is_half_of(key: &PlatformKey, own: &MerchantKey) -> bool {
    key.serial() == own.serial() || key.verify(PAIR_PROBE, &own.sign(PAIR_PROBE)).is_ok()
}

/// The end of the certificate that signed, where that was before.
fn expired(proof: &Proof<'_>) -> Option<UnixSeconds> {
    let timestamp = UnixSeconds(proof.reading.timestamp.parse().ok()?);
    proof.key.expires().filter(|expires| *expires < timestamp)
}

/// Seconds from the signature to now.
fn staleness(seconds: i64) -> Cause {
    let by = seconds.unsigned_abs();
    if seconds < 0 { Cause::SignedInTheFuture { seconds: by } } else { Cause::SignedLongAgo { seconds: by } }
}

fn algorithm(named: &str) -> Cause {
    let is_sm = named.contains("SM2") || named.contains("SM4");
    if is_sm { Cause::SmSuite } else { Cause::UnknownAlgorithm { algorithm: named.to_owned() } }
}
