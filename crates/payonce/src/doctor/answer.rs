//! Who answers at the notify URL.
//!
//! It is asked as WeChat Pay's own probe asks: with a signature that cannot be one. Whoever acknowledges that would
//! acknowledge payments as well, and lose them. That payonce refuses it is not enough: it must do so because it saw the
//! probe, and not because headers were lost on the way.

use payonce_core::{Clock as _, MerchantId, SystemClock, store::with_causes};
use reqwest::{Client, Response, redirect};
use serde_json::Value;
use wechatpay::{HeaderError, VerifyError, headers};

use super::{Finding, notify_url::ANSWER_MAX};

const CHECK: &str = "notify_answer";

/// How WeChat Pay begins a signature that must be refused.
const PROBE: &str = "WECHATPAY/SIGNTEST/payonce-doctor";

/// Read only as far as a proxy's page goes; more says nothing.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Asks notify URLs. Redirects are not followed: neither does WeChat Pay.
pub(super) struct Prober {
    client: Client,
    timestamp: String,
}

/// What came back.
struct Answer {
    status: u16,
    /// What payonce says when it refuses; `None` if it is not payonce that answers.
    refusal: Option<String>,
}

impl Prober {
    pub(super) async fn ask(url: &str, mchid: &MerchantId) -> Finding {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(ANSWER_MAX)
            // What its certificate is worth is a check of its own; here it is asked who stands behind it.
            .tls_danger_accept_invalid_certs(true)
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                let remedy = "TLS cannot be set up on this machine: see wechat_host above";
                return Finding::failed(CHECK, with_causes(&error), remedy);
            }
        };
        let prober = Self { client, timestamp: SystemClock.now().seconds().to_string() };
        match prober.answer(url).await {
            Ok(answer) => prober.judge(&answer, mchid),
            Err(error) => unanswered(&error.without_url()),
        }
    }

    async fn answer(&self, url: &str) -> reqwest::Result<Answer> {
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header(headers::TIMESTAMP, &self.timestamp)
            .header(headers::NONCE, "payonce-doctor")
            .header(headers::SERIAL, "PUB_KEY_ID_00")
            .header(headers::SIGNATURE, PROBE)
            .body("{}");
        let mut response = request.send().await?;
        let status = response.status().as_u16();
        let body = read(&mut response).await?;
        let refusal = serde_json::from_slice::<Value>(&body).ok().filter(|body| body["code"] == "FAIL");
        let refusal = refusal.map(|body| body["message"].as_str().unwrap_or_default().to_owned());
        Ok(Answer { status, refusal })
    }

    fn judge(&self, answer: &Answer, mchid: &MerchantId) -> Finding {
        let status = answer.status;
        let (detail, remedy) = match (&answer.refusal, status) {
            (_, 200..=299) => (
                format!(
                    "whoever answers there acknowledges anything (HTTP {status}): payments would be lost"
                ),
                "look for a proxy, a WAF or another program that answers in payonce's place",
            ),
            (Some(said), 401) if *said == VerifyError::SignatureProbe.to_string() => {
                let detail = "payonce answers, sees all headers, and refuses what WeChat Pay did not sign";
                return Finding::ok(CHECK, detail);
            }
            (Some(said), _) => self.other_refusal(said, status, mchid),
            (None, 300..=399) => (
                format!("it redirects (HTTP {status}), which WeChat Pay does not follow"),
                "take this path out of login filters and redirects",
            ),
            (None, 404 | 405) => (
                format!("nobody takes callbacks there (HTTP {status})"),
                "the path must end in /notify/v3/ and the merchant number, and the proxy must hand it on unchanged",
            ),
            (None, 502..=504) => (
                format!("the proxy does not reach payonce (HTTP {status})"),
                "start `payonce serve`, and let the proxy forward to server.listen",
            ),
            (None, _) => (
                format!("not payonce's answer to a wrong signature (HTTP {status})"),
                "look for a proxy or a WAF that answers itself, or changes headers",
            ),
        };
        Finding::failed(CHECK, detail, remedy)
    }

    /// payonce refuses, but something else than what was sent.
    fn other_refusal(&self, said: &str, status: u16, mchid: &MerchantId) -> (String, &'static str) {
        let lost = headers::ALL.iter().find(|header| said == HeaderError::Missing { header }.to_string());
        if let Some(header) = lost {
            return (
                format!("payonce answers, but the header {header} does not arrive (HTTP {status})"),
                "the proxy takes headers away: let it hand on all that begin with Wechatpay- unchanged",
            );
        }
        if said.starts_with(&format!("signed at {} ", self.timestamp)) {
            return (
                format!("payonce answers, and takes what is sent now for old or of the future: {said}"),
                "the server's clock is wrong, or this machine's: see clock above, and keep both by NTP",
            );
        }
        if said.starts_with(&format!("no merchant {:?} is configured", mchid.as_str())) {
            return (
                format!(
                    "payonce answers, but the running server does not know this merchant (HTTP {status})"
                ),
                "reload it (SIGHUP) with this configuration, and see that the URL leads to the right server",
            );
        }
        (
            format!("payonce answers, but not because of the wrong signature (HTTP {status}): {said}"),
            "mend what it says; else look for a proxy that changes headers or the body",
        )
    }
}

async fn read(response: &mut Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < BODY_BYTES_MAX {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unanswered(error: &reqwest::Error) -> Finding {
    let remedy = if error.is_timeout() {
        "WeChat Pay waits 5 s: let the proxy forward /notify/ to payonce without delay"
    } else {
        "let the proxy listen there, and answer whole"
    };
    Finding::failed(CHECK, with_causes(error), remedy)
}

#[cfg(test)]
mod tests {
    use wechatpay::UnixSeconds;

    use super::super::finding::Outcome;
    use super::*;

    const MCHID: &str = "1900000001";

    fn judge(status: u16, refusal: Option<String>) -> Finding {
        let prober = Prober { client: Client::new(), timestamp: "1750000000".to_owned() };
        prober.judge(&Answer { status, refusal }, &MerchantId::parse(MCHID).unwrap())
    }

    #[test]
    fn payonces_own_refusals_are_told_apart() {
        let stale =
            |at| VerifyError::StaleTimestamp { timestamp: UnixSeconds(at), now: UnixSeconds(1_750_000_400) };
        let busy = "too many callbacks are waiting for the database".to_owned();
        for (status, said, outcome, detail) in [
            (401, VerifyError::SignatureProbe.to_string(), Outcome::Ok, "sees all headers"),
            (200, VerifyError::SignatureProbe.to_string(), Outcome::Failed, "acknowledges anything"),
            (
                401,
                HeaderError::Missing { header: headers::SIGNATURE }.to_string(),
                Outcome::Failed,
                "wechatpay-signature does not arrive",
            ),
            (401, stale(1_750_000_000).to_string(), Outcome::Failed, "for old or of the future"),
            (401, stale(1_740_000_000).to_string(), Outcome::Failed, "not because of the wrong signature"),
            (
                401,
                VerifyError::SignatureMismatch.to_string(),
                Outcome::Failed,
                "not because of the wrong signature",
            ),
            (503, busy, Outcome::Failed, "too many callbacks"),
        ] {
            let found = judge(status, Some(said.clone()));
            assert_eq!(found.outcome, outcome, "{said}");
            assert!(found.detail.contains(detail), "{said}: {}", found.detail);
        }
    }
}
