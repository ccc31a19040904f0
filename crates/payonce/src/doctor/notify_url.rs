//! The notify URL: whether WeChat Pay takes it, where its name leads, and who answers there.
//!
//! It is asked as WeChat Pay's own probe asks: with a signature that cannot be one. Whoever acknowledges that would
//! acknowledge payments as well, and lose them.

use std::{net::IpAddr, time::Duration};

use payonce_core::{Clock as _, SystemClock};
use payonce_server::config::Merchant;
use reqwest::{Client, Url, redirect};
use serde_json::Value;
use wechatpay::api::Echo;

use super::{Finding, Findings};

/// As long as WeChat Pay waits.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How WeChat Pay begins a signature that must be refused.
const PROBE: &str = "WECHATPAY/SIGNTEST/payonce-doctor";

/// Asks notify URLs. Redirects are not followed: neither does WeChat Pay.
pub(super) struct Prober(Client);

impl Prober {
    pub(super) fn new() -> reqwest::Result<Self> {
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().timeout(ANSWER_MAX);
        client.build().map(Self)
    }

    pub(super) async fn look(&self, url: &str, merchant: &Merchant, findings: &mut Findings) {
        let shape = shape(url, merchant);
        let is_usable = shape.outcome != super::finding::Outcome::Failed;
        findings.add(shape.about(&merchant.mchid));
        let Some(parsed) = Url::parse(url).ok().filter(|_| is_usable) else { return };
        let (address, is_found) = address(&parsed).await;
        findings.add(address.about(&merchant.mchid));
        if is_found {
            findings.add(self.answer(url).await.about(&merchant.mchid));
        }
    }

    async fn answer(&self, url: &str) -> Finding {
        const CHECK: &str = "notify_answer";
        let request = self
            .0
            .post(url)
            .header("content-type", "application/json")
            .header("wechatpay-timestamp", SystemClock.now().seconds().to_string())
            .header("wechatpay-nonce", "payonce-doctor")
            .header("wechatpay-serial", "PUB_KEY_ID_00")
            .header("wechatpay-signature", PROBE)
            .body("{}");
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return unanswered(&error.without_url()),
        };
        let status = response.status().as_u16();
        // Read only as far as a proxy's page goes; more says nothing.
        let body = response.bytes().await.unwrap_or_default();
        let is_ours = serde_json::from_slice::<Value>(&body).is_ok_and(|body| body["code"] == "FAIL");
        match status {
            401 if is_ours => Finding::ok(CHECK, "payonce answers, and refuses what WeChat Pay did not sign"),
            200..=299 => Finding::failed(
                CHECK,
                format!(
                    "whoever answers there acknowledges anything (HTTP {status}): payments would be lost"
                ),
                "look for a proxy, a WAF or another program that answers in payonce's place",
            ),
            300..=399 => Finding::failed(
                CHECK,
                format!("it redirects (HTTP {status}), which WeChat Pay does not follow"),
                "take this path out of login filters and redirects",
            ),
            404 | 405 => Finding::failed(
                CHECK,
                format!("nobody takes callbacks there (HTTP {status})"),
                "the path must end in /notify/v3/ and the merchant number, and the proxy must hand it on unchanged",
            ),
            502..=504 => Finding::failed(
                CHECK,
                format!("the proxy does not reach payonce (HTTP {status})"),
                "start `payonce serve`, and let the proxy forward to server.listen",
            ),
            _ => Finding::failed(
                CHECK,
                format!("not payonce's answer to a wrong signature (HTTP {status})"),
                "look for a proxy or a WAF that answers itself, or changes headers",
            ),
        }
    }
}

/// Whether WeChat Pay takes it, and whether it is this merchant's.
fn shape(url: &str, merchant: &Merchant) -> Finding {
    const CHECK: &str = "notify_url";
    if let Err(error) = Echo::new("").notify_url(url) {
        return Finding::failed(
            CHECK,
            format!("{url}: {error}"),
            "WeChat Pay refuses orders with such a URL",
        );
    }
    if !url.ends_with(&format!("/notify/v3/{}", merchant.mchid)) {
        let remedy = "payonce takes callbacks of APIv3 at /notify/v3/ and the merchant number";
        return Finding::failed(CHECK, format!("{url} is not this merchant's"), remedy);
    }
    Finding::ok(CHECK, url)
}

/// Where the name leads, and whether it leads anywhere.
async fn address(url: &Url) -> (Finding, bool) {
    const CHECK: &str = "notify_address";
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let found: Vec<IpAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(error) => {
            let finding = Finding::failed(CHECK, format!("{host} has no address: {error}"), "mend its DNS");
            return (finding, false);
        }
    };
    let list = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let outside: Vec<_> = found.iter().filter(|address| is_public(address)).collect();
    let finding = if outside.is_empty() {
        let remedy = "as seen from here; WeChat Pay needs a public address";
        Finding::warning(CHECK, format!("{host} is {list}, which nobody outside reaches"), remedy)
    } else {
        Finding::ok(CHECK, format!("{host} is {list}"))
    };
    (finding, true)
}

fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local())
        }
    }
}

fn unanswered(error: &reqwest::Error) -> Finding {
    const CHECK: &str = "notify_answer";
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        detail = format!("{detail}: {error}");
        cause = error.source();
    }
    let remedy = if error.is_timeout() {
        "WeChat Pay waits 5 s: let the proxy forward /notify/ to payonce without delay"
    } else {
        "let the proxy listen there, with a certificate for that name that is valid and has its whole chain"
    };
    Finding::failed(CHECK, detail, remedy)
}
