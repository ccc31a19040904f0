//! A merchant for whom notices are sealed, without a server: what a run of the [`crate::Courier`] needs of it.
//!
//! Deliberately absent: the merchant's own RSA key, since no API requests are answered here ([`super::Ring`] has it).

use rand::Rng;

use super::SealingKey;
use crate::books::{Account, OrderKey, Protocol, Seller, Terms, TradeType};
use crate::{Error, random};

/// A merchant with one app, and its APIv3 key. `Debug` does not show the key.
#[derive(Debug)]
pub struct Merchant {
    account: Account,
    appid: String,
    key: SealingKey,
}

impl Merchant {
    /// A merchant with the given numbers and key.
    ///
    /// # Errors
    /// [`Error::ApiV3Key`] where the key is not 32 letters and digits.
    pub fn new(mchid: &str, appid: &str, apiv3_key: &str) -> Result<Self, Error> {
        let key = SealingKey::new(apiv3_key)?;
        Ok(Self { account: Account::ordinary(mchid, appid), appid: appid.to_owned(), key })
    }

    /// A merchant with random numbers (10 digits, `wx` + 16 hex digits) and a random key.
    #[must_use]
    pub fn generate(rng: &mut impl Rng) -> Self {
        let (mchid, appid) = (random::mchid(rng), random::appid(rng));
        Self { account: Account::ordinary(&mchid, &appid), appid, key: SealingKey::generate(rng) }
    }

    /// The merchant number.
    #[must_use]
    pub fn mchid(&self) -> &str {
        &self.account.mchid
    }

    /// The Mini Program's appid.
    #[must_use]
    pub fn appid(&self) -> &str {
        &self.appid
    }

    /// The APIv3 key, for the configuration of the receiver under test.
    #[must_use]
    pub fn apiv3_key(&self) -> &str {
        self.key.text()
    }

    /// The same as a key that seals.
    #[must_use]
    pub fn sealing_key(&self) -> &SealingKey {
        &self.key
    }

    /// What the books know of it.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// It as the seller of an order.
    #[must_use]
    pub fn seller(&self) -> Seller {
        Seller::Ordinary { appid: self.appid.clone(), mchid: self.account.mchid.clone() }
    }

    /// The key of its order with this number.
    #[must_use]
    pub fn order_key(&self, out_trade_no: &str) -> OrderKey {
        OrderKey::new(self.mchid(), out_trade_no)
    }

    /// Terms of a Mini Program order that anybody may pay.
    #[must_use]
    pub fn terms(&self, out_trade_no: &str, amount_fen: i64) -> Terms {
        Terms {
            seller: self.seller(),
            out_trade_no: out_trade_no.to_owned(),
            trade_type: TradeType::Jsapi,
            description: "Order".to_owned(),
            amount_fen,
            notify_url: String::new(),
            attach: None,
            time_expire: None,
            payer: None,
            device_id: None,
            protocol: Protocol::V3,
            parameters: serde_json::Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn debug_hides_the_key() {
        let merchant = Merchant::generate(&mut StdRng::seed_from_u64(1));
        let shown = format!("{merchant:?}");
        assert!(shown.contains("[REDACTED]") && !shown.contains(merchant.apiv3_key()), "{shown}");
    }
}
