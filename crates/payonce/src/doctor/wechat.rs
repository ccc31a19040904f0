//! WeChat Pay's hosts: whether they are reached, what time it is there, and whether a signed call of each merchant is
//! taken and its answer proves itself.

use std::sync::Arc;

use jiff::fmt::rfc2822;
use payonce_server::config::{Config, Merchant};
use wechatpay::{UnixSeconds, api::Echo};
use wechatpay_client::{
    Account, Client, ClientError, Environment as _, Patience, RefreshError, SetupError, SystemEnvironment,
    Transport,
};

use super::{Finding, Findings, finding::Outcome, keys, remedy};

/// WeChat Pay refuses requests from here on, and payonce its callbacks (±5 minutes).
const SKEW_SECONDS_MAX: i64 = 300;

/// A clock that is kept by NTP differs by less, the answer's way included.
const SKEW_SECONDS_USUAL: i64 = 5;

const SIGNED_CALL: &str = "signed_call";

/// What is said to WeChat Pay so that it signs an answer. No callback comes of it.
const WORD: &str = "payonce-doctor";

/// The way there.
pub(super) struct WeChat(Transport);

impl WeChat {
    /// Goes there once, unsigned. `None` where there is no way to go.
    pub(super) async fn look(config: &Config, findings: &mut Findings) -> Option<Self> {
        let environment = Arc::new(SystemEnvironment::new());
        let made = Transport::with(config.wechat.hosts.clone(), Patience::default(), environment);
        let transport = match made {
            Ok(transport) => transport,
            Err(error) => {
                let remedy = "give this machine the authorities that TLS trusts (package ca-certificates)";
                findings.add(Finding::failed("wechat_host", error.to_string(), remedy));
                return None;
            }
        };
        for (host, reached) in transport.reach().await {
            match reached {
                Ok(reached) => {
                    let millis = reached.elapsed.as_millis();
                    let detail = format!("answers, HTTP {} after {millis} ms", reached.status);
                    findings.add(Finding::ok("wechat_host", detail).about(&host));
                    findings.add(clock(reached.date.as_deref(), reached.at).about(&host));
                }
                Err(error) => {
                    let remedy =
                        "let this machine reach it by HTTPS: look at DNS, firewall and outgoing proxy";
                    findings.add(Finding::failed("wechat_host", error.to_string(), remedy).about(&host));
                }
            }
        }
        Some(Self(transport))
    }

    /// Asks for the platform certificates: signed by the merchant, its answer proven. The client, if there is a key to
    /// sign with.
    pub(super) async fn sign_in(
        &self,
        merchant: &Merchant,
        by_echo: bool,
        findings: &mut Findings,
    ) -> Option<Client> {
        let client = match self.client(merchant) {
            Ok(Some(client)) => client,
            Ok(None) => {
                let detail = "no private key is configured, so nothing can be asked";
                findings.add(Finding::skipped(SIGNED_CALL, detail).about(&merchant.mchid));
                return None;
            }
            Err(error) => {
                let remedy = "mend this merchant's mchid and keys";
                let finding = Finding::failed(SIGNED_CALL, error.to_string(), remedy);
                findings.add(finding.about(&merchant.mchid));
                return None;
            }
        };
        let refreshed = refresh(&client).await;
        let has_public_key = merchant.keys.configured().iter().any(|key| key.serial().is_public_key_id());
        let is_public = has_public_key && matches!(refreshed, Err(RefreshError::NoCertificates));
        let call = if is_public { public_key(&client).await } else { certificates(&refreshed) };
        let is_well = call.outcome == Outcome::Ok;
        findings.add(call.about(&merchant.mchid));
        if is_well {
            keys::downloaded(merchant, SystemEnvironment::new().now(), findings);
        }
        // With --echo, it is said where the callback was opened.
        if is_public && !by_echo {
            let why =
                "nothing was encrypted by it: only a callback shows whether it is the right one, see --echo";
            findings.add(Finding::skipped("apiv3_key", why).about(&merchant.mchid));
        } else if is_well && !is_public {
            let detail = "WeChat Pay's certificates open with it";
            findings.add(Finding::ok("apiv3_key", detail).about(&merchant.mchid));
        }
        Some(client)
    }

    fn client(&self, merchant: &Merchant) -> Result<Option<Client>, SetupError> {
        let Some(pair) = &merchant.certificate else { return Ok(None) };
        let (key, keys) = (Arc::clone(&pair.key), Arc::clone(&merchant.keys));
        let account = Account::new(merchant.mchid.as_str(), key, merchant.apiv3_key.clone(), keys)?;
        Ok(Some(Client::new(self.0.clone(), account)))
    }
}

/// How far this machine's time is from WeChat Pay's, both of when the answer came.
fn clock(date: Option<&str>, at: UnixSeconds) -> Finding {
    const CHECK: &str = "clock";
    let Some(there) = date.and_then(|date| rfc2822::parse(date).ok()) else {
        return Finding::skipped(CHECK, "the answer has no header Date that can be read");
    };
    // Never behind by the answer's way: both are whole seconds, and `at` is the later one.
    let skew = at.0 - there.timestamp().as_second();
    let apart = format!(
        "this machine is {} s {} WeChat Pay",
        skew.abs(),
        if skew < 0 { "behind" } else { "ahead of" }
    );
    match skew.abs() {
        SKEW_SECONDS_MAX.. => Finding::failed(CHECK, apart, remedy::KEEP_TIME),
        skew if skew > SKEW_SECONDS_USUAL => Finding::warning(CHECK, apart, remedy::KEEP_TIME),
        _ => Finding::ok(CHECK, apart),
    }
}

/// Asked once more where the answer tests whether signatures are verified.
async fn refresh(client: &Client) -> Result<usize, RefreshError> {
    match client.refresh_keys().await {
        Err(error) if remedy::is_probe_of_refresh(&error) => client.refresh_keys().await,
        refreshed => refreshed,
    }
}

/// The same, of a word that is to be said back.
pub(super) async fn say(client: &Client, echo: &Echo) -> Result<wechatpay::api::Echoed, ClientError> {
    match client.send(echo).await {
        Err(error) if remedy::is_probe(&error) => client.send(echo).await,
        echoed => echoed,
    }
}

fn certificates(refreshed: &Result<usize, RefreshError>) -> Finding {
    match refreshed {
        Ok(_) => {
            let detail = "WeChat Pay takes the signature; its certificates open with the APIv3 key, and its answer is proven";
            Finding::ok(SIGNED_CALL, detail)
        }
        Err(error) => Finding::failed(SIGNED_CALL, error.to_string(), remedy::of_refresh(error)),
    }
}

/// A merchant without certificates: an answer that is signed for the public key, which the request names.
async fn public_key(client: &Client) -> Finding {
    match say(client, &Echo::new(WORD)).await {
        Ok(_) => {
            let detail = "WeChat Pay takes the signature; this merchant has no certificates, and the public key that is \
                          configured proves WeChat Pay's answer";
            Finding::ok(SIGNED_CALL, detail)
        }
        Err(error) => Finding::failed(SIGNED_CALL, error.to_string(), remedy::of_call(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Fri, 01 Mar 2024 00:00:00 GMT";
    const AT: i64 = 1_709_251_200;

    #[test]
    fn clocks_that_differ_are_told_from_those_that_do_not() {
        for (skew, outcome, said) in [
            (0, Outcome::Ok, "0 s ahead of"),
            (5, Outcome::Ok, "5 s ahead of"),
            (-5, Outcome::Ok, "5 s behind"),
            (6, Outcome::Warning, "6 s ahead of"),
            (-6, Outcome::Warning, "6 s behind"),
            (299, Outcome::Warning, "299 s ahead of"),
            (-299, Outcome::Warning, "299 s behind"),
            (300, Outcome::Failed, "300 s ahead of"),
            (-300, Outcome::Failed, "300 s behind"),
        ] {
            let found = clock(Some(DATE), UnixSeconds(AT + skew));
            assert_eq!(found.outcome, outcome, "{skew}");
            assert!(found.detail.contains(said), "{skew}: {}", found.detail);
        }
    }

    #[test]
    fn a_host_that_does_not_say_its_time_is_not_judged() {
        for date in [None, Some("yesterday"), Some("")] {
            assert_eq!(clock(date, UnixSeconds(AT)).outcome, Outcome::Skipped, "{date:?}");
        }
    }
}
