//! The sender: whatever is due in the outbox is signed, sent, and settled by what was answered.
//!
//! Invariants: an attempt carries the wall time of its sending and a fresh nonce, and the same body as all attempts of
//! its notice; it has WeChat's five seconds in real time, whatever the pace of business time; a receiver that is slow
//! holds up its own notices only. Deliberately absent: redirects, as with WeChat.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::Shared;
use super::lanes::Lanes;
use crate::Envelope;
use crate::books::{Content, Heard, Notice, Sending};
use crate::deliver::{Posted, Way, post_once};

/// Sends until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.changes();
    let mut lanes = Lanes::default();
    let mut attempts = JoinSet::new();
    loop {
        // Order matters: what changes after this line wakes the sender below.
        changes.mark_unchanged();
        while let Some(sending) = shared.take_due() {
            while attempts.try_join_next().is_some() {}
            let (shared, lane) = (Arc::clone(&shared), lanes.of(&sending.notice.url));
            attempts.spawn(async move {
                let _place = lane.place().await;
                attempt(&shared, sending).await;
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
    let posted = posted(shared, sending)?;
    let exchange = async {
        let way = Way::to(&sending.notice.url, shared.detour).await?;
        let trust = way.is_tls().then(|| shared.trust()).transpose().map_err(|error| error.to_string())?;
        let stream = way.open(trust).await.map_err(|error| format!("no connection: {error}"))?;
        let reply = post_once(stream, &way.target, &posted).await.map_err(|broken| broken.to_string())?;
        Ok((reply.status, String::from_utf8_lossy(&reply.body).into_owned()))
    };
    let limit = posted.carriage.patience.unwrap_or(shared.answer_limit);
    timeout(limit, exchange).await.map_err(|_| format!("no whole answer within {limit:?}"))?
}

/// The bytes of one attempt, with the keys that the merchant has now.
fn posted(shared: &Shared, sending: &Sending) -> Result<Posted, String> {
    let Notice { id, mchid, created_at, content, .. } = &sending.notice;
    let ring = shared.ring(mchid).ok_or_else(|| format!("merchant {mchid} has no keys"))?;
    let Content::V3 { event, plaintext } = content;
    // The same for all attempts of a notice, so that they have the same body.
    let sealing_rng = &mut rng(shared.seed, sending.number, 0);
    let key = ring.sealing_key();
    let envelope = Envelope::seal(id.clone(), *created_at, event, plaintext.clone(), key, sealing_rng);
    let signing_rng = &mut rng(shared.seed, sending.number, sending.attempt);
    let platform = ring.for_notice(signing_rng);
    let callback = envelope.signed(&platform, (shared.wall)(), signing_rng);
    Ok(Posted::of(&callback, signing_rng.random()))
}

fn rng(seed: u64, number: u64, attempt: u32) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..20].copy_from_slice(&attempt.to_le_bytes());
    StdRng::from_seed(bytes)
}
