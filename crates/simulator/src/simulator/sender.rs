//! The sender: whatever is due in the outbox is signed, sent, and settled by what was answered.
//!
//! Invariants: an attempt carries the wall time of its sending and a fresh nonce, and the same body as all attempts of
//! its notice; it has [`ANSWER_LIMIT`] in real time, whatever the pace of business time; at most [`AT_ONCE`] are on
//! their way. Deliberately absent: TLS (a detour takes `https` URLs to a plain port); redirects, as with WeChat.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use wechatpay::v2::ApiV2Key;

use super::Shared;
use crate::books::{Content, Heard, Notice, Sending};
use crate::deliver::{ANSWER_LIMIT, Line, Target, Tcp};
use crate::notify::{Postable, XmlCallback};
use crate::{Envelope, random};

/// Attempts on their way at one time.
const AT_ONCE: usize = 64;

/// Characters of an APIv2 notice's `nonce_str`.
const XML_NONCE_CHARS: usize = 32;

/// Sends until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.changes();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut attempts = JoinSet::new();
    loop {
        // Order matters: what changes after this line wakes the sender below.
        changes.mark_unchanged();
        while let Some(sending) = shared.take_due() {
            while attempts.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let shared = Arc::clone(&shared);
            attempts.spawn(async move {
                attempt(&shared, sending).await;
                drop(place);
            });
        }
        let next = shared.read(|books, _| books.notices.next_due());
        let wait = next.and_then(|at| shared.clock.wait_until(at));
        let due = async {
            match wait {
                Some(wait) => sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

impl Shared {
    fn take_due(&self) -> Option<Sending> {
        self.at_desk_quietly(|desk| desk.books.notices.take_due(desk.now))
    }
}

async fn attempt(shared: &Shared, sending: Sending) {
    let started = Instant::now();
    let heard = match post(shared, &sending).await {
        Ok((status, body)) => Heard { status: Some(status), body, ..Heard::default() },
        Err(failure) => Heard { failure: Some(failure), ..Heard::default() },
    };
    let elapsed_millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let heard = Heard { elapsed_millis, ..heard };
    shared.at_desk(|desk| desk.books.notices.settle(sending.number, heard, desk.now));
}

/// Status and beginning of the answer, or in words why there is none.
async fn post(shared: &Shared, sending: &Sending) -> Result<(u16, String), String> {
    let callback = signed(shared, sending)?;
    let exchange = async {
        let target = target(&sending.notice.url, shared.detour).await?;
        let reply = Line::new(&Tcp, target.addr()).post(&target, &*callback).await;
        let reply = reply.map_err(|broken| broken.to_string())?;
        Ok((reply.status, String::from_utf8_lossy(&reply.body).into_owned()))
    };
    let late = |_| format!("no whole answer within {} s", ANSWER_LIMIT.as_secs());
    timeout(ANSWER_LIMIT, exchange).await.map_err(late)?
}

/// The bytes of one attempt, with the keys that the merchant has now.
fn signed(shared: &Shared, sending: &Sending) -> Result<Box<dyn Postable>, String> {
    let Notice { id, mchid, created_at, content, .. } = &sending.notice;
    let ring = shared.ring(mchid).ok_or_else(|| format!("merchant {mchid} has no keys"))?;
    // The same for all attempts of a notice, so that they have the same body.
    let sealing_rng = &mut rng(shared.seed, sending.number, 0);
    let (event, plaintext) = match content {
        Content::V3 { event, plaintext } => (event, plaintext),
        Content::V2 { told, sealed, protocol } => {
            let nonce = random::alphanumeric(sealing_rng, XML_NONCE_CHARS);
            let callback = match sealed {
                Some(inner) => XmlCallback::sealed(told, inner, &nonce, ring.apiv2_key()),
                None => {
                    let key = ApiV2Key::new(ring.apiv2_key()).map_err(|error| error.to_string())?;
                    XmlCallback::signed(told, &nonce, &key, *protocol)
                }
            };
            return Ok(Box::new(callback.map_err(|error| error.to_string())?));
        }
    };
    let key = ring.sealing_key();
    let envelope = Envelope::seal(id.clone(), *created_at, event, plaintext.clone(), key, sealing_rng);
    let signing_rng = &mut rng(shared.seed, sending.number, sending.attempt);
    let platform = ring.for_notice(signing_rng);
    Ok(Box::new(envelope.signed(&platform, (shared.wall)(), signing_rng)))
}

fn rng(seed: u64, number: u64, attempt: u32) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..20].copy_from_slice(&attempt.to_le_bytes());
    StdRng::from_seed(bytes)
}

/// Whom a URL names, resolved; IPv4 and IPv6 alike.
async fn target(url: &str, detour: Option<SocketAddr>) -> Result<Target, String> {
    let malformed = || format!("{url} is no URL with http:// and a host");
    let uri: Uri = url.parse().map_err(|_| malformed())?;
    let (host, authority) = uri.host().zip(uri.authority()).ok_or_else(malformed)?;
    let addr = match detour {
        Some(addr) => addr,
        None if uri.scheme() == Some(&Scheme::HTTP) => resolve(host, uri.port_u16().unwrap_or(80)).await?,
        None => return Err(format!("{url} needs TLS, which the simulator does not speak; give it a detour")),
    };
    Ok(Target::new(addr, uri.path()).map_err(|error| error.to_string())?.named(authority))
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, String> {
    let unresolved = |why: String| format!("{host} does not resolve: {why}");
    let mut found = lookup_host((host.trim_matches(['[', ']']), port))
        .await
        .map_err(|error| unresolved(error.to_string()))?;
    found.next().ok_or_else(|| unresolved("it has no address".to_owned()))
}
