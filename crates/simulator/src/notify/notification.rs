//! The notice of one payment, as a run of the [`crate::Courier`] sends it. Invariants: see [`Envelope`].

use std::ops::Deref;

use rand::Rng;
use wechatpay::UnixSeconds;

use super::Envelope;
use crate::books::{Event, Payment, Transaction};
use crate::keys::Merchant;
use crate::random;

/// One notice of one payment, sealed for its merchant.
#[derive(Clone, Debug)]
pub struct Notification {
    payment: Payment,
    envelope: Envelope,
}

impl Notification {
    /// A new notice of `payment`, created `now`, sealed with the merchant's key.
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
        Self::sealed(self.id().to_owned(), self.create_time(), payment, merchant, rng)
    }

    /// The payment it tells of.
    #[must_use]
    pub fn payment(&self) -> &Payment {
        &self.payment
    }

    fn sealed(
        id: String,
        create_time: UnixSeconds,
        payment: Payment,
        merchant: &Merchant,
        rng: &mut impl Rng,
    ) -> Self {
        let plaintext = Transaction::of_payment(&payment).to_json();
        let key = merchant.sealing_key();
        let envelope = Envelope::seal(id, create_time, &Event::TRANSACTION_SUCCESS, plaintext, key, rng);
        Self { payment, envelope }
    }
}

impl Deref for Notification {
    type Target = Envelope;

    fn deref(&self) -> &Envelope {
        &self.envelope
    }
}
