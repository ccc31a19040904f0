//! The keys of a merchant, as far as they can be judged without asking anybody. (That they are well-formed, and that
//! private key and certificate are a pair, was seen when the configuration was loaded.)

use payonce_server::config::Merchant;
use wechatpay::{PlatformKey, UnixSeconds};
use wechatpay_client::{KeyHealth, KeySource};

use super::{DAY, Finding, Findings, finding::Outcome};

const PLATFORM_KEY: &str = "platform_key";

/// Days before a certificate's end from which it is a warning: a new one takes some days to get and to roll out.
const EXPIRES_SOON_DAYS: i64 = 60;

pub(super) fn look(merchant: &Merchant, now: UnixSeconds, findings: &mut Findings) {
    let own = api_certificate(merchant, now);
    let downloads = matches!(own.outcome, Outcome::Ok | Outcome::Warning);
    findings.add(own.about(&merchant.mchid));
    let keys = merchant.keys.configured();
    if keys.is_empty() {
        let detail = "none configured: certificates are downloaded at the start";
        findings.add(Finding::ok(PLATFORM_KEY, detail).about(&merchant.mchid));
    }
    let others = Others { any_usable: keys.iter().any(|key| is_usable(key, now)), downloads };
    for key in &keys {
        findings.add(platform_key(key, others, now).about(&merchant.mchid));
    }
}

/// What was downloaded since beside what is configured. The server renews these by itself.
pub(super) fn downloaded(merchant: &Merchant, now: UnixSeconds, findings: &mut Findings) {
    let known = merchant.keys.health();
    for key in known.iter().filter(|key| key.source == KeySource::Downloaded) {
        findings.add(downloaded_key(key, now).about(&merchant.mchid));
    }
}

fn downloaded_key(key: &KeyHealth, now: UnixSeconds) -> Finding {
    let validity = match (key.starts, key.expires) {
        (Some(starts), Some(expires)) => match validity(starts, expires, now) {
            Validity::NotYet => "not valid yet".to_owned(),
            Validity::Days(days) => format!("expires in {days} days"),
            Validity::Over => "expired".to_owned(),
        },
        _ => "which does not expire".to_owned(),
    };
    Finding::ok(PLATFORM_KEY, format!("certificate {}, downloaded, {validity}", key.serial))
}

/// What signs the merchant's own requests.
fn api_certificate(merchant: &Merchant, now: UnixSeconds) -> Finding {
    const CHECK: &str = "api_certificate";
    const RENEW: &str = "apply for a new API certificate at the merchant platform, then set private_key_file and \
                         api_certificate_file to its files";
    let Some(pair) = &merchant.certificate else {
        return Finding::skipped(
            CHECK,
            "no private key is configured: WeChat Pay cannot be asked, only listened to",
        );
    };
    let certificate = &pair.certificate;
    let serial = certificate.serial();
    match certificate.mchid() {
        Some(other) if other != merchant.mchid.as_str() => {
            let detail = format!("certificate {serial} is of merchant {other}");
            return Finding::failed(CHECK, detail, "configure the files of this merchant");
        }
        _ => {}
    }
    let name = format!("certificate {serial}, a pair with the private key");
    match validity(certificate.starts(), certificate.expires(), now) {
        Validity::NotYet => {
            Finding::failed(CHECK, format!("{name}, is not valid yet"), "check this machine's clock")
        }
        Validity::Over => Finding::failed(CHECK, format!("{name}, has expired"), RENEW),
        Validity::Days(days) if days < EXPIRES_SOON_DAYS => {
            Finding::warning(CHECK, format!("{name}, expires in {days} day(s)"), RENEW)
        }
        Validity::Days(days) => Finding::ok(CHECK, format!("{name}, expires in {days} days")),
    }
}

/// What there is beside a key that has expired.
#[derive(Clone, Copy)]
struct Others {
    /// A configured key that verifies today.
    any_usable: bool,
    /// The server asks for certificates, and gets new ones.
    downloads: bool,
}

/// Whether WeChat Pay's signatures of now can be verified by it.
fn is_usable(key: &PlatformKey, now: UnixSeconds) -> bool {
    key.merchant().is_none() && !key.has_expired(now) && key.starts().is_none_or(|starts| starts <= now)
}

/// What WeChat Pay signs by.
fn platform_key(key: &PlatformKey, others: Others, now: UnixSeconds) -> Finding {
    const CHECK: &str = PLATFORM_KEY;
    const REPLACE: &str = "take it out; configure WeChat Pay's public key, or a newer certificate";
    const JOIN: &str = "add WeChat Pay's public key or the new certificate beside it; take this one out after it has \
                        expired";
    let serial = key.serial();
    if let Some(mchid) = key.merchant() {
        let detail = format!("{serial} is the API certificate of merchant {mchid}, and not WeChat Pay's");
        return Finding::failed(
            CHECK,
            detail,
            "configure WeChat Pay's public key, from the merchant platform",
        );
    }
    let (Some(starts), Some(expires)) = (key.starts(), key.expires()) else {
        return Finding::ok(CHECK, format!("public key {serial}, which does not expire"));
    };
    let expired = format!("certificate {serial} has expired");
    match validity(starts, expires, now) {
        Validity::NotYet => Finding::warning(
            CHECK,
            format!("certificate {serial} is not valid yet"),
            "leave it, WeChat Pay will sign by it; but if it should be valid today, check this machine's clock",
        ),
        Validity::Over if others.any_usable => {
            Finding::warning(CHECK, expired, "take it out: another key verifies today")
        }
        Validity::Over if others.downloads => {
            let detail = format!("{expired}, and no other is configured; the server downloads new ones");
            Finding::warning(CHECK, detail, REPLACE)
        }
        Validity::Over => {
            Finding::failed(CHECK, format!("{expired}, and there is no other that verifies today"), REPLACE)
        }
        Validity::Days(days) if days < EXPIRES_SOON_DAYS => {
            Finding::warning(CHECK, format!("certificate {serial} expires in {days} day(s)"), JOIN)
        }
        Validity::Days(days) => Finding::ok(CHECK, format!("certificate {serial}, expires in {days} days")),
    }
}

enum Validity {
    NotYet,
    Days(i64),
    Over,
}

fn validity(starts: UnixSeconds, expires: UnixSeconds, now: UnixSeconds) -> Validity {
    if now.0 < starts.0 {
        Validity::NotYet
    } else if now.0 > expires.0 {
        Validity::Over
    } else {
        Validity::Days((expires.0 - now.0) / DAY)
    }
}
