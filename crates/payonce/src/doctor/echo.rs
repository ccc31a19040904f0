//! The whole way: payonce asks WeChat Pay to say a word back, in the answer and by a callback (`/v3/security/echo`), and
//! follows that callback through the running server into the database.
//!
//! Invariant: each hop is told of, also where it was not made; that the first one could not be made is a failure, as it
//! was asked for.

use std::time::Duration;

use payonce_core::store::{StoreError, archive::Archive};
use payonce_server::config::Merchant;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, timeout};
use wechatpay::api::{Echo, Echoed};
use wechatpay_client::{Client, Environment as _, SystemEnvironment};

use super::arrival::Watch;
use super::notify_url::NotifyUrl;
use super::{Finding, Findings, remedy, wechat};

const REQUEST: &str = "echo_request";
const SECRET: &str = "echo_secret";
const CALLBACK: &str = "echo_callback";
const KEY: &str = "apiv3_key";

/// What is sent in secret as well.
const WHISPER: &str = "payonce doctor: 回声";

/// How long the database may take to say what is in it before.
const BEFORE_MAX: Duration = Duration::from_secs(10);

/// From here to WeChat Pay and back; what there is of it.
pub(super) struct Ends<'a> {
    pub client: Option<&'a Client>,
    pub url: &'a NotifyUrl,
    /// WeChat Pay takes the URL.
    pub is_usable: bool,
    pub database: Option<&'a dyn Archive>,
}

/// All of it.
struct Way<'a> {
    client: &'a Client,
    merchant: &'a Merchant,
    url: &'a str,
    watch: Watch<'a>,
}

/// What was sent in secret.
enum Whispered {
    Sealed,
    /// There is no key of WeChat Pay's that is valid today.
    NoKey,
    /// Why it could not be sealed.
    Unsealed(String),
}

impl Ends<'_> {
    pub(super) async fn follow(&self, merchant: &Merchant, limit: Duration, findings: &mut Findings) {
        let made = match self.way(merchant).await {
            Ok(way) => way.go(limit).await,
            Err(obstacle) => vec![obstacle],
        };
        for finding in made {
            // The key may have opened certificates already.
            if finding.check != KEY || !findings.are_told(KEY, &merchant.mchid) {
                findings.add(finding.about(&merchant.mchid));
            }
        }
        for hop in [REQUEST, SECRET, CALLBACK, KEY] {
            if !findings.are_told(hop, &merchant.mchid) {
                let why = format!("it did not come to that: see {REQUEST} above");
                findings.add(Finding::skipped(hop, why).about(&merchant.mchid));
            }
        }
    }

    /// Or why there is none.
    async fn way<'a>(&'a self, merchant: &'a Merchant) -> Result<Way<'a>, Finding> {
        let obstacle = |what: &str, above: &str| {
            let detail = format!("it could not be asked for: there is no {what}");
            Err(Finding::failed(REQUEST, detail, format!("see {above} above")))
        };
        let url = match self.url {
            NotifyUrl::OfAnother(mchid) => {
                let why = format!("--notify-url is that of merchant {mchid}");
                return Err(Finding::skipped(REQUEST, why));
            }
            NotifyUrl::Known { url, .. } if self.is_usable => url,
            NotifyUrl::Known { .. } | NotifyUrl::Unknown => {
                return obstacle("notify URL that WeChat Pay takes", "notify_url");
            }
        };
        let Some(client) = self.client else {
            return obstacle("way to sign a request", "signed_call and api_certificate");
        };
        let Some(database) = self.database else {
            return obstacle("database to follow the callback into", "database");
        };
        let failed = |detail: String| Finding::failed(REQUEST, detail, "see database above");
        match timeout(BEFORE_MAX, Watch::begin(database, &merchant.mchid)).await {
            Ok(Ok(watch)) => Ok(Way { client, merchant, url, watch }),
            Ok(Err(error)) => Err(failed(StoreError::with_causes(&error))),
            Err(_) => Err(failed("the database does not answer".to_owned())),
        }
    }
}

impl Way<'_> {
    async fn go(self, limit: Duration) -> Vec<Finding> {
        let word = format!("payonce-doctor-{:032x}", StdRng::from_os_rng().random::<u128>());
        let started = Instant::now();
        let (echo, whispered) = match self.echo(&word) {
            Ok(made) => made,
            Err(finding) => return vec![finding],
        };
        let echoed = match wechat::say(self.client, &echo).await {
            Ok(echoed) => echoed,
            Err(error) => {
                let remedy = remedy::of_call(&error);
                return vec![Finding::failed(REQUEST, error.to_string(), remedy)];
            }
        };
        let detail = "WeChat Pay took the request, said the word back, and signed its answer";
        let mut findings = vec![Finding::ok(REQUEST, detail), self.secret(&echoed, &whispered)];
        match self.watch.wait(&word, limit).await {
            Ok(()) => {
                let millis = started.elapsed().as_millis();
                let detail = format!(
                    "the callback came, was verified, opened and committed as a message, {millis} ms after the request"
                );
                findings.push(Finding::ok(CALLBACK, detail));
                findings.push(Finding::ok(KEY, "the running server opened the callback with it"));
            }
            Err(finding) => {
                findings.push(finding);
                let why = format!("no callback was opened by it: see {CALLBACK} above");
                findings.push(Finding::skipped(KEY, why));
            }
        }
        findings
    }

    fn echo(&self, word: &str) -> Result<(Echo, Whispered), Finding> {
        let echo = Echo::new(word).notify_url(self.url);
        let echo =
            echo.map_err(|error| Finding::failed(REQUEST, error.to_string(), "see notify_url above"))?;
        let keys = self.merchant.keys.keys();
        let Some(key) = keys.platform().encryption_key(SystemEnvironment::new().now()) else {
            return Ok((echo, Whispered::NoKey));
        };
        Ok(match key.encrypt(WHISPER) {
            Ok(ciphertext) => (echo.encrypted(&ciphertext, key.serial().clone()), Whispered::Sealed),
            Err(error) => (echo, Whispered::Unsealed(error.to_string())),
        })
    }

    /// Whether what was sealed for WeChat Pay came back sealed for the merchant.
    fn secret(&self, echoed: &Echoed, whispered: &Whispered) -> Finding {
        match whispered {
            Whispered::Sealed => {}
            Whispered::NoKey => {
                let why = "there is no key of WeChat Pay's to encrypt with";
                return Finding::skipped(SECRET, why);
            }
            Whispered::Unsealed(error) => {
                let detail = format!("nothing could be encrypted for WeChat Pay: {error}");
                let remedy =
                    "configure WeChat Pay's public key, or a certificate of its, as it is downloaded";
                return Finding::failed(SECRET, detail, remedy);
            }
        }
        let (Some(pair), Some(ciphertext)) = (&self.merchant.certificate, &echoed.encrypted_echo_message)
        else {
            let detail = "WeChat Pay sent no secret back";
            return Finding::warning(
                SECRET,
                detail,
                "names and numbers that it encrypts may not be readable",
            );
        };
        match pair.key.decrypt(ciphertext) {
            Ok(opened) if opened == WHISPER => {
                Finding::ok(SECRET, "what was encrypted for WeChat Pay came back encrypted for this merchant")
            }
            Ok(_) => {
                Finding::failed(SECRET, "another secret came back", "look for a proxy that mixes up answers")
            }
            Err(error) => Finding::failed(
                SECRET,
                error.to_string(),
                "configure the private key of the certificate that signs, and its own certificate",
            ),
        }
    }
}
