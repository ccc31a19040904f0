//! What WeChat tells, sealed for its merchant: the body of an APIv3 notice.
//!
//! Invariants: `id`, `create_time`, plaintext and body stay the same over all copies and resends; only the signature
//! is made anew ([`Envelope::signed`]). Fields and their order are those of WeChat's.

use bytes::Bytes;
use rand::Rng;
use serde::Serialize;
use serde_json::Value;
use wechatpay::UnixSeconds;

use crate::books::Event;
use crate::keys::{Platform, SealingKey};
use crate::{SignedCallback, calendar, random};

/// Characters of the random text that is signed beside timestamp and body (WeChat sends 32).
const SIGNATURE_NONCE_CHARS: usize = 32;

/// One notice, sealed.
#[derive(Clone, Debug)]
pub struct Envelope {
    id: String,
    create_time: UnixSeconds,
    plaintext: String,
    body: Bytes,
}

impl Envelope {
    /// Seals what is told of an event.
    #[must_use]
    pub fn seal(
        id: String,
        create_time: UnixSeconds,
        event: &Event,
        plaintext: String,
        key: &SealingKey,
        rng: &mut impl Rng,
    ) -> Self {
        let sealed = key.seal(&event.associated_data, &plaintext, rng);
        let wire = Wire {
            id: &id,
            create_time: calendar::rfc3339(create_time),
            resource_type: "encrypt-resource",
            event_type: &event.event_type,
            summary: &event.summary,
            resource: WireResource {
                original_type: &event.original_type,
                algorithm: "AEAD_AES_256_GCM",
                ciphertext: sealed.ciphertext,
                associated_data: &event.associated_data,
                nonce: &sealed.nonce,
            },
        };
        let body = serde_json::to_vec(&wire).expect("BUG: structs of texts always serialise").into();
        Self { id, create_time, plaintext, body }
    }

    /// Signs one copy, with `now` as its timestamp and a fresh nonce.
    #[must_use]
    pub fn signed(&self, platform: &Platform, now: UnixSeconds, rng: &mut impl Rng) -> SignedCallback {
        platform.sign(self.body.clone(), now, random::alphanumeric(rng, SIGNATURE_NONCE_CHARS))
    }

    /// The same with another body, which is signed as it is.
    pub(crate) fn with_body(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let mut body = serde_json::from_slice(&self.body).unwrap_or_default();
        change(&mut body);
        self.body = body.to_string().into();
        self
    }

    /// The same with a newline behind the body.
    pub(crate) fn with_newline(mut self) -> Self {
        self.body = [&self.body[..], b"\n"].concat().into();
        self
    }

    /// The notice's number, equal on all copies and resends.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the notice was made.
    #[must_use]
    pub fn create_time(&self) -> UnixSeconds {
        self.create_time
    }

    /// The JSON that is sealed inside.
    #[must_use]
    pub fn plaintext(&self) -> &str {
        &self.plaintext
    }

    /// The JSON that goes over the wire.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    id: &'a str,
    create_time: String,
    resource_type: &'a str,
    event_type: &'a str,
    summary: &'a str,
    resource: WireResource<'a>,
}

#[derive(Serialize)]
struct WireResource<'a> {
    original_type: &'a str,
    algorithm: &'a str,
    ciphertext: String,
    associated_data: &'a str,
    nonce: &'a str,
}
