//! A notification: what WeChat tells of one payment, sealed in its envelope.
//!
//! Invariants: `id`, `create_time`, plaintext and body stay the same over all copies and resends; only the signature
//! is made anew ([`Notification::signed`]). Fields, names and constant values are those of WeChat's ordinary payment
//! notice (`TRANSACTION.SUCCESS`, `transaction`).

use bytes::Bytes;
use rand::Rng;
use serde::Serialize;
use wechatpay::UnixSeconds;

use crate::{Merchant, Payment, Platform, SignedCallback, calendar, random};

/// Characters of the random text that is signed beside timestamp and body (WeChat sends 32).
const SIGNATURE_NONCE_CHARS: usize = 32;

/// Bytes of AES-GCM's nonce, which WeChat sends as that many ASCII characters.
const SEALING_NONCE_BYTES: usize = 12;

/// One notice of one payment, sealed for its merchant.
#[derive(Clone, Debug)]
pub struct Notification {
    id: String,
    create_time: UnixSeconds,
    payment: Payment,
    plaintext: String,
    body: Bytes,
}

impl Notification {
    /// A new notice of `payment`, created `now`.
    #[must_use]
    pub fn new(payment: Payment, merchant: &Merchant, now: UnixSeconds, rng: &mut impl Rng) -> Self {
        let id = random::uuid(rng);
        Self::sealed(id, now, payment, merchant, rng)
    }

    /// The same notice (id, create_time) with another amount: what WeChat would have to say for a receiver to see a
    /// genuine signature over a wrong amount.
    #[must_use]
    pub fn with_amount(&self, amount_fen: i64, merchant: &Merchant, rng: &mut impl Rng) -> Self {
        let payment = Payment { amount_fen, ..self.payment.clone() };
        Self::sealed(self.id.clone(), self.create_time, payment, merchant, rng)
    }

    /// Signs one copy, with `now` as its timestamp and a fresh nonce.
    #[must_use]
    pub fn signed(&self, platform: &Platform, now: UnixSeconds, rng: &mut impl Rng) -> SignedCallback {
        platform.sign(self.body.clone(), now, random::alphanumeric(rng, SIGNATURE_NONCE_CHARS))
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

    /// The payment it tells of.
    #[must_use]
    pub fn payment(&self) -> &Payment {
        &self.payment
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

    fn sealed(
        id: String,
        create_time: UnixSeconds,
        payment: Payment,
        merchant: &Merchant,
        rng: &mut impl Rng,
    ) -> Self {
        let plaintext = to_json(&Transaction::of(&payment, merchant));
        let nonce = random::alphanumeric(rng, SEALING_NONCE_BYTES);
        let nonce_bytes = nonce.as_bytes().try_into().expect("BUG: letters and digits have one byte each");
        let envelope = Envelope {
            id: &id,
            create_time: calendar::rfc3339(create_time),
            resource_type: "encrypt-resource",
            event_type: "TRANSACTION.SUCCESS",
            summary: "支付成功",
            resource: SealedResource {
                original_type: "transaction",
                algorithm: "AEAD_AES_256_GCM",
                ciphertext: merchant.seal(nonce_bytes, "transaction", &plaintext),
                associated_data: "transaction",
                nonce: &nonce,
            },
        };
        let body = Bytes::from(to_json(&envelope));
        Self { id, create_time, payment, plaintext, body }
    }
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("BUG: structs of texts and integers always serialise")
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    create_time: String,
    resource_type: &'a str,
    event_type: &'a str,
    summary: &'a str,
    resource: SealedResource<'a>,
}

#[derive(Serialize)]
struct SealedResource<'a> {
    original_type: &'a str,
    algorithm: &'a str,
    ciphertext: String,
    associated_data: &'a str,
    nonce: &'a str,
}

#[derive(Serialize)]
struct Transaction<'a> {
    mchid: &'a str,
    appid: &'a str,
    out_trade_no: &'a str,
    transaction_id: &'a str,
    trade_type: &'a str,
    trade_state: &'a str,
    trade_state_desc: &'a str,
    bank_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    success_time: String,
    payer: Payer<'a>,
    amount: Amount<'a>,
}

#[derive(Serialize)]
struct Payer<'a> {
    openid: &'a str,
}

#[derive(Serialize)]
struct Amount<'a> {
    total: i64,
    payer_total: i64,
    currency: &'a str,
    payer_currency: &'a str,
}

impl<'a> Transaction<'a> {
    fn of(payment: &'a Payment, merchant: &'a Merchant) -> Self {
        Self {
            mchid: merchant.mchid(),
            appid: merchant.appid(),
            out_trade_no: &payment.out_trade_no,
            transaction_id: &payment.transaction_id,
            trade_type: "JSAPI",
            trade_state: "SUCCESS",
            trade_state_desc: "支付成功",
            bank_type: &payment.bank_type,
            attach: payment.attach.as_deref(),
            success_time: calendar::rfc3339(payment.success_time),
            payer: Payer { openid: &payment.openid },
            amount: Amount {
                total: payment.amount_fen,
                payer_total: payment.amount_fen,
                currency: "CNY",
                payer_currency: "CNY",
            },
        }
    }
}
