//! The notify URL of a merchant: whether WeChat Pay takes it, and all that stands behind it, one check after the other.
//!
//! Invariant: what is not a URL that WeChat Pay takes is asked nothing, and a name and a password in it are not repeated.

use std::time::Duration;

use payonce_server::config::{Config, Merchant};
use reqwest::Url;
use wechatpay::api::Echo;

use super::{Finding, Findings, address, answer::Prober, certificate};

const CHECK: &str = "notify_url";

const REFUSED: &str = "WeChat Pay refuses orders with such a URL";

/// As long as WeChat Pay waits.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What the merchant gives WeChat Pay as `notify_url`.
#[derive(Debug)]
pub(super) enum NotifyUrl {
    /// Said on the command line, or made of `server.public_url`.
    Known {
        url: String,
        /// WeChat Pay itself is played on this machine, so that a loopback can be reached.
        may_be_loopback: bool,
    },
    Unknown,
    /// The command line names another merchant's.
    OfAnother(String),
}

impl NotifyUrl {
    pub(super) fn of(config: &Config, merchant: &Merchant, said: Option<&str>) -> Self {
        let wechat = Url::parse(config.wechat.hosts.primary());
        let may_be_loopback = wechat.is_ok_and(|base| address::is_loopback(&base));
        let known = |url: String| Self::Known { url, may_be_loopback };
        let Some(said) = said else {
            let Some(base) = config.server.public_url.as_deref() else { return Self::Unknown };
            return known(format!("{}{}", base.trim_end_matches('/'), path(merchant)));
        };
        match config.merchants.iter().find(|merchant| said.ends_with(&path(merchant))) {
            Some(named) if named.mchid != merchant.mchid => Self::OfAnother(named.mchid.to_string()),
            // Nobody's is each one's fault.
            Some(_) | None => known(said.to_owned()),
        }
    }

    /// Makes all checks. Whether WeChat Pay takes it.
    pub(super) async fn look(&self, merchant: &Merchant, findings: &mut Findings) -> bool {
        let mut add = |finding: Finding| findings.add(finding.about(&merchant.mchid));
        let (url, parsed) = match self.parse(merchant) {
            Ok(found) => found,
            Err(finding) => {
                add(finding);
                return false;
            }
        };
        add(Finding::ok(CHECK, url));
        let (found, addresses) = address::look(&parsed).await;
        add(found);
        if addresses.is_empty() {
            return true;
        }
        if parsed.scheme() == "https" {
            add(certificate::look(address::host(&parsed), &addresses).await);
        }
        add(Prober::ask(url, &merchant.mchid).await);
        true
    }

    /// The URL, if WeChat Pay takes it and it is this merchant's.
    fn parse(&self, merchant: &Merchant) -> Result<(&str, Url), Finding> {
        let failed = |detail: String, remedy: &'static str| Err(Finding::failed(CHECK, detail, remedy));
        let (url, may_be_loopback) = match self {
            Self::Known { url, may_be_loopback } => (url.as_str(), *may_be_loopback),
            Self::Unknown => {
                let why = "not known: set server.public_url, or say --notify-url URL";
                return Err(Finding::skipped(CHECK, why));
            }
            Self::OfAnother(mchid) => {
                return Err(Finding::skipped(CHECK, format!("--notify-url is that of merchant {mchid}")));
            }
        };
        let authority =
            url.split("://").nth(1).unwrap_or(url).split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return failed(
                "it holds a user name or a password".to_owned(),
                "leave out what stands before the @",
            );
        }
        if let Err(error) = Echo::new("").notify_url(url) {
            return failed(format!("{url}: {error}"), REFUSED);
        }
        let parsed = match Url::parse(url) {
            Ok(parsed) => parsed,
            Err(error) => return failed(format!("{url} is no URL: {error}"), REFUSED),
        };
        if !url.ends_with(&path(merchant)) {
            let remedy = "payonce takes callbacks of APIv3 at /notify/v3/ and the merchant number";
            return failed(format!("{url} is not this merchant's"), remedy);
        }
        if address::is_loopback(&parsed) && !may_be_loopback {
            let remedy = "name the host by which the internet knows this machine, or its proxy";
            return failed(format!("{url} is each machine's own, and WeChat Pay's too"), remedy);
        }
        Ok((url, parsed))
    }
}

fn path(merchant: &Merchant) -> String {
    format!("/notify/v3/{}", merchant.mchid)
}
