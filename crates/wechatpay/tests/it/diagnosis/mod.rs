//! Each known corruption of a good callback is found to be exactly itself.

mod accounts;
mod apiv2;
mod arbitrary;
mod body;
mod headers;
mod opening;

use wechatpay::diagnosis::{Account, Captured, Check, Class, Diagnosis, Outcome, diagnose};
use wechatpay::{ApiV3Key, PlatformKeys, UnixSeconds};

use crate::fixture::{NOW, Sent, apiv3_key, platform_keys, vectors};

pub(crate) const MCHID: &str = "1900000001";

/// A genuine payment notification as WeChat Pay writes it.
pub(crate) fn genuine() -> Sent {
    Sent::of_vector(&vectors("callbacks")["vectors"][0])
}

/// Looks at it as the merchant that it was sent to.
pub(crate) fn look(sent: &Sent, now: Option<UnixSeconds>) -> Diagnosis {
    let (keys, apiv3_key) = (platform_keys(), apiv3_key());
    look_with(sent, &keys, &apiv3_key, now)
}

pub(crate) fn look_with(
    sent: &Sent,
    keys: &PlatformKeys,
    apiv3_key: &ApiV3Key,
    now: Option<UnixSeconds>,
) -> Diagnosis {
    among(sent, &[Account::new(MCHID, keys, apiv3_key)], Some(MCHID), now)
}

pub(crate) fn among(
    sent: &Sent,
    accounts: &[Account<'_>],
    merchant: Option<&str>,
    now: Option<UnixSeconds>,
) -> Diagnosis {
    let headers: Vec<_> =
        sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let captured = Captured { headers: &headers, body: &sent.body, merchant };
    let diagnosis = diagnose(&captured, accounts, now);
    // What every diagnosis keeps to.
    let checks: Vec<_> = diagnosis.steps.iter().map(|step| step.check).collect();
    assert!(checks.is_sorted() && checks.len() == 9, "{checks:?}");
    assert_eq!(diagnosis.causes.is_empty(), diagnosis.class == Class::Accepted, "{diagnosis:?}");
    let failed = diagnosis.steps.iter().any(|step| step.outcome == Outcome::Failed);
    assert_eq!(failed, diagnosis.class != Class::Accepted, "{diagnosis:?}");
    diagnosis
}

pub(crate) fn codes(diagnosis: &Diagnosis) -> Vec<&'static str> {
    diagnosis.causes.iter().map(|cause| cause.code()).collect()
}

/// The class and the causes of what is found of it, as of its own time.
#[track_caller]
pub(crate) fn check(what: &str, sent: &Sent, class: Class, causes: &[&str]) -> Diagnosis {
    let diagnosis = look(sent, None);
    let shown = String::from_utf8_lossy(&sent.body).into_owned();
    assert_eq!(
        (diagnosis.class, codes(&diagnosis).as_slice()),
        (class, causes),
        "{what}: {shown}\n{diagnosis:#?}"
    );
    diagnosis
}

#[test]
fn a_genuine_callback_is_accepted() {
    let diagnosis = look(&genuine(), Some(UnixSeconds(NOW.0 + 3)));
    assert_eq!(diagnosis.class, Class::Accepted, "{diagnosis:#?}");
    assert!(diagnosis.steps.iter().all(|step| step.outcome == Outcome::Ok), "{diagnosis:#?}");
    let timestamp = diagnosis.steps.iter().find(|step| step.check == Check::Timestamp).unwrap();
    assert_eq!(timestamp.detail, "signed 3 s before it was received");
    assert_eq!(diagnosis.merchant.as_deref(), Some(MCHID));
    assert!(diagnosis.notification.unwrap().plaintext.contains("payonce-0001"));
}

#[test]
fn every_vector_is_accepted_or_its_trouble_named() {
    for vector in vectors("callbacks")["vectors"].as_array().unwrap() {
        let (sent, name) = (Sent::of_vector(vector), vector["name"].as_str().unwrap());
        let diagnosis = look(&sent, None);
        assert!(
            matches!(diagnosis.class, Class::Accepted | Class::WrongMerchant | Class::Unreadable),
            "{name}: {diagnosis:#?}"
        );
    }
}

#[test]
fn freshness_is_judged_only_as_of_a_known_time() {
    let timestamp = |now| {
        let steps = look(&genuine(), now).steps;
        steps.into_iter().find(|step| step.check == Check::Timestamp).unwrap()
    };
    assert_eq!(timestamp(None).outcome, Outcome::NotChecked);
    for (offset, outcome) in [
        (-300, Outcome::Failed),
        (-299, Outcome::Ok),
        (0, Outcome::Ok),
        (299, Outcome::Ok),
        (300, Outcome::Failed),
    ] {
        assert_eq!(timestamp(Some(UnixSeconds(NOW.0 + offset))).outcome, outcome, "{offset}");
    }
}

#[test]
fn nothing_of_the_payer_is_in_what_is_shown() {
    let mut sent = genuine();
    sent.body.push(b'\n');
    for diagnosis in [look(&genuine(), None), look(&sent, None)] {
        let plaintext = &diagnosis.notification.as_ref().unwrap().plaintext;
        let openid = serde_json::from_str::<serde_json::Value>(plaintext).unwrap();
        let openid = openid["payer"]["openid"].as_str().unwrap().to_owned();
        let causes: Vec<_> =
            diagnosis.causes.iter().map(|cause| format!("{cause} {}", cause.remedy())).collect();
        let shown = format!("{diagnosis:?} {causes:?}");
        assert!(!shown.contains(&openid) && !shown.contains(&crate::fixture::apiv3_key_text()), "{shown}");
    }
}
