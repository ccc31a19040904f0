//! The sender: whatever is due in the outbox is signed, sent, and settled by what was answered.
//!
//! Invariants: an attempt carries the wall time of its sending and a fresh nonce, and the same body as all attempts of
//! its notice; it has WeChat's five seconds in real time, whatever the pace of business time; a receiver that is slow
//! holds up its own notices only. Deliberately absent: redirects, as with WeChat.

use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};
use wechatpay::UnixSeconds;
use wechatpay::v2::ApiV2Key;

use super::Shared;
use super::lanes::Lanes;
use crate::books::{Content, Heard, Notice, Sending};
use crate::deliver::{Posted, REPLAY_AGE_SECONDS, Way, post_once};
use crate::keys::{Ring, SealingKey};
use crate::notify::{XmlCallback, with_one_bit_flipped};
use crate::trouble::{Fate, Hold};
use crate::{Envelope, SignedCallback, Tampering, random};

/// Characters of an APIv2 notice's `nonce_str`.
const XML_NONCE_CHARS: usize = 32;

/// Characters of an APIv2 key.
const API_KEY_CHARS: usize = 32;

/// Sends until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.changes();
    let mut lanes = Lanes::default();
    let mut attempts = JoinSet::new();
    loop {
        // Order matters: what changes after this line wakes the sender below.
        changes.mark_unchanged();
        while let Some((sending, orders)) = shared.take_due() {
            while attempts.try_join_next().is_some() {}
            let fate = shared.with_troubles(|troubles| troubles.judge(&sending, &orders));
            if let Some(hold) = fate.hold {
                shared.hold(sending.number, hold);
                continue;
            }
            let (shared, lane) = (Arc::clone(&shared), lanes.of(&sending.notice.url));
            attempts.spawn(async move {
                let _place = lane.place().await;
                shared.at_desk_quietly(|desk| desk.books.notices.begin(sending.number, desk.now));
                attempt(shared, sending, fate).await;
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
    /// What is due, and the numbers of the orders that it is about.
    fn take_due(&self) -> Option<(Sending, Vec<String>)> {
        self.at_desk_quietly(|desk| {
            let sending = desk.books.notices.take_due(desk.now)?;
            let orders = desk.books.told_of(&sending.notice);
            let orders = orders.into_iter().map(|key| key.out_trade_no.clone()).collect();
            Some((sending, orders))
        })
    }

    fn hold(&self, number: u64, hold: Hold) {
        let (Hold::Late(seconds) | Hold::Behind(_, seconds)) = hold;
        self.at_desk(|desk| {
            desk.books.notices.put_back(number, UnixSeconds(desk.now.0 + i64::from(seconds)));
        });
    }

    fn settle(&self, number: u64, heard: Heard) {
        self.at_desk(|desk| {
            let (notices, now) = (&mut desk.books.notices, desk.now);
            if notices.settle(number, heard, now) {
                self.with_troubles(|troubles| troubles.settled(number, notices, now));
            }
        });
    }
}

/// One attempt, and the copies that are sent with it.
async fn attempt(shared: Arc<Shared>, sending: Sending, fate: Fate) {
    let number = sending.number;
    let mut heard = if fate.is_skipped {
        Heard { failure: Some("it was not sent".to_owned()), ..Heard::default() }
    } else {
        let sending = Arc::new(sending);
        let fate = Arc::new(fate.clone());
        let failed = trouble_keys(&shared, &sending, &fate).await.err();
        let copies: JoinSet<_> = (1..=fate.copies)
            .map(|copy| hear(Arc::clone(&shared), Arc::clone(&sending), Arc::clone(&fate), copy))
            .collect();
        let first = hear(Arc::clone(&shared), sending, fate, 0).await;
        Heard { copies: copies.join_all().await, failure: failed.or(first.failure), ..first }
    };
    heard.trouble = fate.rules;
    shared.settle(number, heard);
}

/// Sends one copy and says what came of it.
async fn hear(shared: Arc<Shared>, sending: Arc<Sending>, fate: Arc<Fate>, copy: u8) -> Heard {
    let started = Instant::now();
    let heard = match post(&shared, &sending, &fate, copy).await {
        Ok((status, body)) => Heard { status: Some(status), body, ..Heard::default() },
        Err(failure) => Heard { failure: Some(failure), ..Heard::default() },
    };
    let elapsed_millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Heard { elapsed_millis, ..heard }
}

/// Status and beginning of the answer, or in words why there is none.
async fn post(shared: &Shared, sending: &Sending, fate: &Fate, copy: u8) -> Result<(u16, String), String> {
    let posted = posted(shared, sending, fate, copy)?;
    let exchange = async {
        let way = Way::to(&sending.notice.url, shared.detour).await?;
        let trust = way.is_tls().then(|| shared.trust()).transpose().map_err(|error| error.to_string())?;
        let stream = way.open(trust).await.map_err(|error| format!("no connection: {error}"))?;
        let reply = post_once(stream, &way.target, &posted).await.map_err(|broken| broken.to_string())?;
        Ok((reply.status, String::from_utf8_lossy(&reply.body).into_owned()))
    };
    let limit = shared.answer_limit;
    timeout(limit, exchange).await.map_err(|_| format!("no whole answer within {limit:?}"))?
}

/// The bytes of one copy, with the keys that the merchant has now.
fn posted(shared: &Shared, sending: &Sending, fate: &Fate, copy: u8) -> Result<Posted, String> {
    let Notice { id, mchid, created_at, content, .. } = &sending.notice;
    let ring = shared.ring(mchid).ok_or_else(|| format!("merchant {mchid} has no keys"))?;
    // The same for all attempts of a notice, so that they have the same body.
    let sealing_rng = &mut rng(shared.seed, sending.ordinal, 0, 0);
    let signing_rng = &mut rng(shared.seed, sending.ordinal, sending.attempt, copy);
    match fate.twisted(content, sealing_rng) {
        Content::V3 { event, plaintext } => {
            let other_key = fate.has_other_key.then(|| SealingKey::generate(sealing_rng));
            let key = other_key.as_ref().unwrap_or(ring.sealing_key());
            let envelope = Envelope::seal(id.clone(), *created_at, &event, plaintext, key, sealing_rng);
            let callback = signed(shared, &ring, fate.twisted_envelope(envelope), fate, signing_rng);
            Ok(fate.changed(Posted::of(&callback, signing_rng.random())))
        }
        Content::V2 { told, sealed, protocol } => {
            let nonce = random::alphanumeric(sealing_rng, XML_NONCE_CHARS);
            let other_key = fate.has_other_key.then(|| random::alphanumeric(sealing_rng, API_KEY_CHARS));
            let key = other_key.as_deref().unwrap_or(ring.apiv2_key());
            let callback = match sealed {
                Some(inner) => {
                    XmlCallback::sealed(&told, &inner, &nonce, key).map_err(|error| error.to_string())?
                }
                None => {
                    let key = ApiV2Key::new(key).map_err(|error| error.to_string())?;
                    XmlCallback::signed(&told, &nonce, &key, protocol)
                }
            };
            Ok(fate.changed(Posted::of_xml(tampered(callback, fate, signing_rng)?)))
        }
    }
}

/// The body of a callback of APIv2 after somebody had his hands on it.
fn tampered(callback: XmlCallback, fate: &Fate, rng: &mut StdRng) -> Result<Bytes, String> {
    let callback =
        fate.tampering.iter().fold(callback, |callback, tampering| callback.tampered(*tampering, rng));
    let body = callback.body().map_err(|error| error.to_string())?;
    let flips = fate.tampering.iter().filter(|tampering| **tampering == Tampering::BodyByte);
    Ok(flips.fold(body, |body, _| with_one_bit_flipped(&body, rng)))
}

fn signed(shared: &Shared, ring: &Ring, envelope: Envelope, fate: &Fate, rng: &mut StdRng) -> SignedCallback {
    let platform = ring.for_notice(rng);
    let age = if fate.is_replayed { REPLAY_AGE_SECONDS } else { 0 };
    let at = UnixSeconds((shared.wall)().0 - age);
    let callback = if fate.drops_newline {
        let length = envelope.body().len();
        let mut callback = envelope.with_newline().signed(&platform, at, rng);
        callback.body.truncate(length);
        callback
    } else {
        envelope.signed(&platform, at, rng)
    };
    fate.tampering.iter().fold(callback, |callback, tampering| callback.tampered(*tampering, rng))
}

/// What becomes of the merchant's keys before this notice is signed.
async fn trouble_keys(shared: &Arc<Shared>, sending: &Arc<Sending>, fate: &Arc<Fate>) -> Result<(), String> {
    if fate.keys.is_empty() {
        return Ok(());
    }
    let (shared, sending, fate) = (Arc::clone(shared), Arc::clone(sending), Arc::clone(fate));
    // To make an RSA key takes a moment, in which other notices go out.
    let changed = spawn_blocking(move || {
        fate.keys.iter().try_for_each(|change| shared.trouble_keys(&sending.notice.mchid, *change))
    });
    changed.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn rng(seed: u64, ordinal: u64, attempt: u32, copy: u8) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&ordinal.to_le_bytes());
    bytes[16..20].copy_from_slice(&attempt.to_le_bytes());
    bytes[20] = copy;
    StdRng::from_seed(bytes)
}
