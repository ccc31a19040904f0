//! The keys of a merchant, as far as they can be judged without asking anybody. (That they are well-formed, and that
//! private key and certificate are a pair, was seen when the configuration was loaded.)

use payonce_server::config::Merchant;
use wechatpay::{PlatformKey, UnixSeconds};

use super::{DAY, Finding, Findings};

/// Days before a certificate's end from which it is a warning: a new one takes some days to get and to roll out.
const EXPIRES_SOON_DAYS: i64 = 60;

pub(super) fn look(merchant: &Merchant, now: UnixSeconds, findings: &mut Findings) {
    findings.add(api_certificate(merchant, now).about(&merchant.mchid));
    let keys = merchant.keys.configured();
    if keys.is_empty() {
        let detail = "none configured: certificates are downloaded at the start";
        findings.add(Finding::ok("platform_key", detail).about(&merchant.mchid));
    }
    let is_alone = keys.iter().filter(|key| !key.has_expired(now)).count() <= 1;
    for key in &keys {
        findings.add(platform_key(key, is_alone, now).about(&merchant.mchid));
    }
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

/// What WeChat Pay signs by.
fn platform_key(key: &PlatformKey, is_alone: bool, now: UnixSeconds) -> Finding {
    const CHECK: &str = "platform_key";
    const REPLACE: &str = "take it out; configure WeChat Pay's public key, or a newer certificate";
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
    match validity(starts, expires, now) {
        Validity::NotYet => {
            Finding::warning(CHECK, format!("certificate {serial} is not valid yet"), REPLACE)
        }
        Validity::Over if is_alone => Finding::failed(
            CHECK,
            format!("certificate {serial} has expired, and there is no other"),
            REPLACE,
        ),
        Validity::Over => Finding::warning(CHECK, format!("certificate {serial} has expired"), REPLACE),
        Validity::Days(days) if days < EXPIRES_SOON_DAYS => {
            Finding::warning(CHECK, format!("certificate {serial} expires in {days} day(s)"), REPLACE)
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
