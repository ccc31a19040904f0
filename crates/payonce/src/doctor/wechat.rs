//! WeChat Pay's hosts: whether they are reached, what time it is there, and whether a signed call of each merchant is
//! taken and its answer proves itself.

use std::sync::Arc;

use jiff::fmt::rfc2822;
use payonce_core::{Clock as _, SystemClock};
use payonce_server::config::{Config, Merchant};
use wechatpay_client::{
    Account, Client, ClientError, Patience, Reached, RefreshError, SystemEnvironment, Transport,
};

use super::{Finding, Findings};

/// WeChat Pay refuses requests from here on, and payonce its callbacks (±5 minutes).
const SKEW_SECONDS_MAX: i64 = 300;

/// A clock that is kept by NTP differs by less, the answer's way included.
const SKEW_SECONDS_USUAL: i64 = 5;

const KEEP_TIME: &str = "keep this machine's time by NTP (chrony, systemd-timesyncd)";

/// The way there.
pub(super) struct WeChat(Transport);

impl WeChat {
    /// Goes there once, unsigned.
    pub(super) async fn look(config: &Config, findings: &mut Findings) -> anyhow::Result<Self> {
        let environment = Arc::new(SystemEnvironment::new());
        let transport = Transport::with(config.wechat.hosts.clone(), Patience::default(), environment)?;
        for (host, reached) in transport.reach().await {
            // Truncated to the second like the header, and after the answer: never behind it by the way back.
            let now = SystemClock.now().seconds();
            match reached {
                Ok(reached) => {
                    let millis = reached.elapsed.as_millis();
                    let detail = format!("answers, HTTP {} after {millis} ms", reached.status);
                    findings.add(Finding::ok("wechat_host", detail).about(&host));
                    findings.add(clock(&reached, now).about(&host));
                }
                Err(error) => {
                    let remedy =
                        "let this machine reach it by HTTPS: look at DNS, firewall and outgoing proxy";
                    findings.add(Finding::failed("wechat_host", error.to_string(), remedy).about(&host));
                }
            }
        }
        Ok(Self(transport))
    }

    /// Asks for the platform certificates: signed by the merchant, its answer proven. The client, if there is a key to
    /// sign with.
    pub(super) async fn sign_in(
        &self,
        merchant: &Merchant,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Client>> {
        let Some(pair) = &merchant.certificate else {
            let detail = "no private key is configured, so nothing can be asked";
            findings.add(Finding::skipped("signed_call", detail).about(&merchant.mchid));
            return Ok(None);
        };
        let (key, keys) = (Arc::clone(&pair.key), Arc::clone(&merchant.keys));
        let account = Account::new(merchant.mchid.as_str(), key, merchant.apiv3_key.clone(), keys)?;
        let client = Client::new(self.0.clone(), account);
        let refreshed = client.refresh_keys().await;
        findings.add(signed_call(&refreshed, merchant).about(&merchant.mchid));
        Ok(Some(client))
    }
}

fn clock(reached: &Reached, now: i64) -> Finding {
    const CHECK: &str = "clock";
    let there = reached.date.as_deref().and_then(|date| rfc2822::parse(date).ok());
    let Some(there) = there else {
        return Finding::skipped(CHECK, "the answer has no header Date that can be read");
    };
    let skew = now - there.timestamp().as_second();
    let apart = format!(
        "this machine is {} s {} WeChat Pay",
        skew.abs(),
        if skew < 0 { "behind" } else { "ahead of" }
    );
    match skew.abs() {
        SKEW_SECONDS_MAX.. => Finding::failed(CHECK, apart, KEEP_TIME),
        skew if skew > SKEW_SECONDS_USUAL => Finding::warning(CHECK, apart, KEEP_TIME),
        _ => Finding::ok(CHECK, apart),
    }
}

fn signed_call(refreshed: &Result<usize, RefreshError>, merchant: &Merchant) -> Finding {
    const CHECK: &str = "signed_call";
    let has_public_key = merchant.keys.configured().iter().any(|key| key.serial().is_public_key_id());
    match refreshed {
        Ok(_) => {
            let detail = "WeChat Pay takes the signature; its certificates open with the APIv3 key, and its answer is proven";
            Finding::ok(CHECK, detail)
        }
        Err(RefreshError::NoCertificates) if has_public_key => Finding::ok(
            CHECK,
            "WeChat Pay takes the signature; this merchant has no certificates, and its public key is configured",
        ),
        Err(error @ RefreshError::NoCertificates) => Finding::failed(
            CHECK,
            error.to_string(),
            "download the public key from the merchant platform, and configure it with its id under platform_keys",
        ),
        Err(RefreshError::Call(ClientError::Refused(error))) => {
            let fix = error.hint().map_or("look the code up in docs of WeChat Pay", |hint| hint.fix);
            Finding::failed(CHECK, error.to_string(), fix)
        }
        Err(error @ RefreshError::Certificates(_)) => Finding::failed(
            CHECK,
            error.to_string(),
            "set the APIv3 key anew at the merchant platform, and configure the same here",
        ),
        Err(error) => Finding::failed(CHECK, error.to_string(), "see wechat_host above, then try again"),
    }
}
