//! What is known to be committed, shared by the nodes of a fleet in Redis: a copy that comes to another node than the
//! first one is answered without the database.
//!
//! Invariants: it is never the truth. An entry counts only if it was sealed with the key of the database's present
//! epoch, which stands in the database alone: a forged entry, one of another database, and one of before a restore do
//! not. Redis down, slow or empty costs speed only: nobody waits for it longer than [`WAIT_MAX`], and after a failure
//! it is left alone for [`REST`].

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use aws_lc_rs::hmac;
use payonce_core::{Fact, store::Epoch};
use redis::{
    Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::{Instant, timeout};

use crate::metrics::Metrics;

/// The longest that a callback waits for Redis: a database answers in that time as well.
pub(crate) const SHARED_WAIT_MAX: Duration = Duration::from_millis(20);

/// How long Redis is left alone after it failed.
const REST: Duration = Duration::from_secs(1);

/// How long an entry is kept: WeChat sends a callback for 24 h 4 min.
const KEPT_SECONDS: u64 = 25 * 60 * 60;

/// Why the cache cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// The URL is not one of Redis'.
    #[error("cache.redis_url: expected redis://HOST:PORT/NUMBER or rediss://…")]
    Url(#[source] RedisError),
}

/// A cache in Redis.
pub(crate) struct Shared {
    connection: ConnectionManager,
    /// The longest that a callback waits.
    wait_max: Duration,
    started: Instant,
    /// Milliseconds since `started` until which Redis is left alone.
    rests_until: AtomicU64,
    /// Whether its last failure was logged: said once, not every time.
    failed: AtomicBool,
    metrics: std::sync::Arc<Metrics>,
}

/// The name under which a fact stands, and what has to stand there.
struct Sealed {
    name: [u8; NAME_BYTES],
    value: [u8; VALUE_BYTES],
}

const PREFIX: &[u8] = b"payonce:";
/// 128 bits each: a name is not met by chance, a value is not guessed.
const SEAL_BYTES: usize = 16;
const NAME_BYTES: usize = PREFIX.len() + SEAL_BYTES;
const VALUE_BYTES: usize = SEAL_BYTES;

impl Shared {
    /// A cache at this URL. Connects when it is first needed.
    pub(crate) fn open(
        url: &str,
        wait_max: Duration,
        metrics: std::sync::Arc<Metrics>,
    ) -> Result<Self, SharedError> {
        let client = Client::open(url).map_err(SharedError::Url)?;
        let config = ConnectionManagerConfig::new()
            // Whoever asks next connects; nobody waits for it.
            .set_number_of_retries(1)
            .set_connection_timeout(Some(REST))
            .set_response_timeout(Some(REST));
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(SharedError::Url)?;
        Ok(Self {
            connection,
            wait_max,
            started: Instant::now(),
            rests_until: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            metrics,
        })
    }

    /// Whether this very fact is known to be committed in this epoch.
    pub(crate) async fn holds(&self, fact: &Fact, epoch: &Epoch) -> bool {
        let Some(sealed) = Sealed::of(fact, epoch) else { return false };
        let mut get = redis::cmd("GET");
        get.arg(&sealed.name);
        let mut connection = self.connection.clone();
        let answer = self.within(async { get.query_async::<Option<Vec<u8>>>(&mut connection).await }).await;
        let Some(Some(value)) = answer else { return false };
        let ours = constant_time_eq(&value, &sealed.value);
        if !ours {
            self.metrics.shared_foreign.inc();
        }
        ours
    }

    /// Writes facts that are committed.
    pub(crate) async fn remember(&self, facts: &[Fact], epoch: &Epoch) {
        let mut pipeline = redis::pipe();
        for sealed in facts.iter().filter_map(|fact| Sealed::of(fact, epoch)) {
            pipeline.cmd("SET").arg(&sealed.name).arg(&sealed.value).arg("EX").arg(KEPT_SECONDS).ignore();
        }
        if !pipeline.is_empty() {
            let mut connection = self.connection.clone();
            let _ = self.within(async { pipeline.query_async::<()>(&mut connection).await }).await;
        }
    }

    /// What Redis answers, if it does so in time.
    async fn within<T>(&self, asked: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        let now = || u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now() < self.rests_until.load(Ordering::Relaxed) {
            return None;
        }
        let failure = match timeout(self.wait_max, asked).await {
            Ok(Ok(answer)) => {
                self.failed.store(false, Ordering::Relaxed);
                return Some(answer);
            }
            // Its texts hold no data of ours; the URL's password is not in them.
            Ok(Err(error)) => error.category().to_owned(),
            Err(_) => format!("no answer within {:?}", self.wait_max),
        };
        self.rests_until.store(now() + REST.as_millis() as u64, Ordering::Relaxed);
        self.metrics.shared_failures.inc();
        if !self.failed.swap(true, Ordering::Relaxed) {
            tracing::warn!(failure, "the shared cache does not answer; the database does its work");
        }
        None
    }
}

impl Sealed {
    /// `None` for facts that are never answered from a cache.
    fn of(fact: &Fact, epoch: &Epoch) -> Option<Self> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, epoch.key());
        // Two seals of one fact: who reads names in Redis can still not make a value.
        let seal = |purpose: &[u8]| -> Option<[u8; SEAL_BYTES]> {
            let mut context = hmac::Context::with_key(&key);
            context.update(purpose);
            update(&mut context, fact)?;
            context.sign().as_ref()[..SEAL_BYTES].try_into().ok()
        };
        let mut name = [0; NAME_BYTES];
        name[..PREFIX.len()].copy_from_slice(PREFIX);
        name[PREFIX.len()..].copy_from_slice(&seal(b"name\0")?);
        Some(Self { name, value: seal(b"committed\0")? })
    }
}

/// All that makes it the same fact. No identifier holds a NUL, so no two facts read alike.
fn update(context: &mut hmac::Context, fact: &Fact) -> Option<()> {
    let mut field = |bytes: &[u8]| {
        context.update(bytes);
        context.update(b"\0");
    };
    match fact {
        Fact::Paid(paid) => {
            let content = &paid.content;
            field(b"paid");
            field(content.key.merchant.as_str().as_bytes());
            field(content.payment.as_str().as_bytes());
            field(content.key.out_trade_no.as_str().as_bytes());
            field(content.amount.get().to_string().as_bytes());
            field(content.currency.as_str().as_bytes());
            field(content.appid.as_str().as_bytes());
            field(content.sub_merchant.as_ref().map_or("", payonce_core::MerchantId::as_str).as_bytes());
        }
        Fact::Other(passed) => {
            field(b"passed");
            field(passed.merchant.as_str().as_bytes());
            field(passed.notification.as_str().as_bytes());
        }
        _ => return None,
    }
    Some(())
}

fn constant_time_eq(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}
