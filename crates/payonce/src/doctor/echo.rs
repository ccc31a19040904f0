//! The whole way: payonce asks WeChat Pay to say a word back, in the answer and by a callback (`/v3/security/echo`), and
//! follows that callback through the running server into the database.

use std::time::Duration;

use payonce_core::store::{Position, StoreError, archive::Archive};
use payonce_server::config::Merchant;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep};
use wechatpay::api::{Echo, Echoed};
use wechatpay_client::{Client, Environment as _, SystemEnvironment};

use super::{Finding, Findings};

/// How often the database is looked at for the callback.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Messages read at a time.
const PAGE: usize = 100;

/// The message that payonce passes the callback on as.
const MESSAGE: &str = "wechat.SECURITY_ECHO.SUCCESS";

/// What is sent in secret as well.
const SECRET: &str = "payonce doctor: 回声";

/// From here to WeChat Pay and back.
pub(super) struct Way<'a> {
    pub client: &'a Client,
    pub merchant: &'a Merchant,
    pub url: &'a str,
    pub database: Option<&'a dyn Archive>,
}

impl Way<'_> {
    pub(super) async fn follow(&self, wait_seconds: u64, findings: &mut Findings) {
        let about = |finding: Finding| finding.about(&self.merchant.mchid);
        let Some(database) = self.database else {
            let why = "the database cannot be read, so the callback could not be followed";
            return findings.add(about(Finding::skipped("echo_request", why)));
        };
        let word = format!("payonce-doctor-{:032x}", StdRng::from_os_rng().random::<u128>());
        let before = match last_position(database).await {
            Ok(before) => before,
            Err(error) => {
                let remedy = "see database above";
                return findings.add(about(Finding::failed("echo_request", error.to_string(), remedy)));
            }
        };
        let started = Instant::now();
        let (request, echoed) = self.ask(&word).await;
        findings.add(about(request));
        let Some((echoed, is_sealed)) = echoed else { return };
        findings.add(about(self.secret(&echoed, is_sealed)));
        let limit = Duration::from_secs(wait_seconds);
        findings.add(about(arrival(database, before, &word, started, limit).await));
    }

    /// The first hop. What came back, and whether something was sealed.
    async fn ask(&self, word: &str) -> (Finding, Option<(Echoed, bool)>) {
        const CHECK: &str = "echo_request";
        let echo = match Echo::new(word).notify_url(self.url) {
            Ok(echo) => echo,
            Err(error) => return (Finding::failed(CHECK, error.to_string(), "see notify_url above"), None),
        };
        let keys = self.merchant.keys.keys();
        let key = keys.platform().encryption_key(SystemEnvironment::new().now());
        let sealed = key.and_then(|key| Some((key.encrypt(SECRET).ok()?, key.serial().clone())));
        let is_sealed = sealed.is_some();
        let echo = match sealed {
            Some((ciphertext, serial)) => echo.encrypted(&ciphertext, serial),
            None => echo,
        };
        match self.client.send(&echo).await {
            Ok(echoed) => {
                let detail = "WeChat Pay took the request, said the word back, and signed its answer";
                (Finding::ok(CHECK, detail), Some((echoed, is_sealed)))
            }
            Err(error) => {
                let remedy = "see signed_call above; the code and the words are WeChat Pay's";
                (Finding::failed(CHECK, error.to_string(), remedy), None)
            }
        }
    }

    /// Whether what was sealed for WeChat Pay came back sealed for the merchant.
    fn secret(&self, echoed: &Echoed, is_sealed: bool) -> Finding {
        const CHECK: &str = "echo_secret";
        let came_back = echoed.encrypted_echo_message.as_deref();
        let (Some(pair), Some(ciphertext)) = (&self.merchant.certificate, came_back) else {
            return match is_sealed {
                true => {
                    Finding::warning(CHECK, "WeChat Pay sent no secret back", "look at the answer's fields")
                }
                false => Finding::skipped(CHECK, "there is no key of WeChat Pay's to seal with"),
            };
        };
        match pair.key.decrypt(ciphertext) {
            Ok(opened) if opened == SECRET => {
                Finding::ok(CHECK, "what was encrypted for WeChat Pay came back encrypted for this merchant")
            }
            Ok(_) => {
                Finding::failed(CHECK, "another secret came back", "look for a proxy that mixes up answers")
            }
            Err(error) => Finding::failed(
                CHECK,
                error.to_string(),
                "configure the private key of the certificate that signs, and its own certificate",
            ),
        }
    }
}

/// Waits for the message that the callback became, or for the time to be over.
async fn arrival(
    database: &dyn Archive,
    before: Position,
    word: &str,
    started: Instant,
    limit: Duration,
) -> Finding {
    const CHECK: &str = "echo_callback";
    let mut after = before;
    while started.elapsed() < limit {
        match look(database, &mut after, word).await {
            Ok(false) => sleep(LOOK_EVERY).await,
            Ok(true) => {
                let millis = started.elapsed().as_millis();
                let detail = format!(
                    "the callback came, was verified, opened and committed as {MESSAGE}, {millis} ms after the request"
                );
                return Finding::ok(CHECK, detail);
            }
            Err(error) => return Finding::failed(CHECK, error.to_string(), "see database above"),
        }
    }
    let seen = match database.rejected_latest(1).await.ok().and_then(|rejected| rejected.into_iter().next()) {
        Some(rejected) => format!("; the callback that was refused last: {}", rejected.reason),
        None => String::new(),
    };
    Finding::failed(
        CHECK,
        format!("no callback was committed within {} s{seen}", limit.as_secs()),
        "is `payonce serve` running on this database? If notify_answer is well, look at what was refused: \
         `payonce explain --last-rejected`",
    )
}

/// Whether the message is among those behind `after`, which moves on.
async fn look(database: &dyn Archive, after: &mut Position, word: &str) -> Result<bool, StoreError> {
    loop {
        let page = database.messages_after(*after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(false) };
        *after = last.position;
        if page.iter().any(|message| message.kind == MESSAGE && message.body.contains(word)) {
            return Ok(true);
        }
    }
}

/// The last message's position. Whether there is one behind another is asked 63 times at the most.
async fn last_position(database: &dyn Archive) -> Result<Position, StoreError> {
    let (mut low, mut high) = (0, i64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        match database.messages_after(Position(middle), 1).await?.first() {
            Some(message) => low = message.position.0,
            None => high = middle,
        }
    }
    Ok(Position(low))
}
