//! WeChat's books for one merchant: orders that were placed, and their payments.
//!
//! Invariants: an order is paid at most once; a payment carries its order's amount. To play the rare cases (two
//! payments of one order, another amount), change a copy of the [`Payment`] and notify of that.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom as _;
use wechatpay::UnixSeconds;

use crate::{Error, calendar, random};

/// Codes of banks and of the WeChat balance, as found in `bank_type`.
const BANK_TYPES: [&str; 4] = ["OTHERS", "CMB_DEBIT", "ICBC_DEBIT", "CCB_CREDIT"];

/// The orders of one merchant.
#[derive(Debug, Default)]
pub struct World {
    orders: BTreeMap<String, Order>,
}

#[derive(Debug)]
struct Order {
    amount_fen: i64,
    attach: Option<String>,
    paid: bool,
}

/// A payment that succeeded: what a notification tells the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// WeChat's number: 28 digits, `4200` + 6 + date + 10.
    pub transaction_id: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// What the user paid and the order costs, in fen. Coupons are absent.
    pub amount_fen: i64,
    /// The user's id within the merchant's appid.
    pub openid: String,
    /// The bank behind the payment.
    pub bank_type: String,
    /// What the merchant attached to the order.
    pub attach: Option<String>,
    /// When the payment succeeded.
    pub success_time: UnixSeconds,
}

impl World {
    /// A world without orders.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Places an order.
    ///
    /// # Errors
    /// [`Error::OrderExists`] and [`Error::AmountNotPositive`].
    pub fn place(
        &mut self,
        out_trade_no: &str,
        amount_fen: i64,
        attach: Option<String>,
    ) -> Result<(), Error> {
        if self.orders.contains_key(out_trade_no) {
            return Err(Error::OrderExists { out_trade_no: out_trade_no.to_owned() });
        }
        if amount_fen < 1 {
            return Err(Error::AmountNotPositive { out_trade_no: out_trade_no.to_owned(), amount_fen });
        }
        self.orders.insert(out_trade_no.to_owned(), Order { amount_fen, attach, paid: false });
        Ok(())
    }

    /// An order number that is free, made as many merchants make it: `yyyyMMddHHmmss` and 10 random digits.
    #[must_use]
    pub fn free_out_trade_no(&self, now: UnixSeconds, rng: &mut impl Rng) -> String {
        loop {
            let out_trade_no = format!("{}{}", calendar::second_digits(now), random::digits(rng, 10));
            if !self.orders.contains_key(&out_trade_no) {
                return out_trade_no;
            }
        }
    }

    /// Pays an order.
    ///
    /// # Errors
    /// [`Error::OrderUnknown`] and [`Error::OrderPaid`].
    pub fn pay(
        &mut self,
        out_trade_no: &str,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Payment, Error> {
        let Some(order) = self.orders.get_mut(out_trade_no) else {
            return Err(Error::OrderUnknown { out_trade_no: out_trade_no.to_owned() });
        };
        if order.paid {
            return Err(Error::OrderPaid { out_trade_no: out_trade_no.to_owned() });
        }
        order.paid = true;
        Ok(Payment {
            transaction_id: transaction_id(now, rng),
            out_trade_no: out_trade_no.to_owned(),
            amount_fen: order.amount_fen,
            openid: format!("o{}", random::alphanumeric(rng, 27)),
            bank_type: (*BANK_TYPES.choose(rng).expect("BUG: the list is not empty")).to_owned(),
            attach: order.attach.clone(),
            success_time: now,
        })
    }
}

fn transaction_id(now: UnixSeconds, rng: &mut impl Rng) -> String {
    format!("4200{}{}{}", random::digits(rng, 6), calendar::date_digits(now), random::digits(rng, 10))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_704_038_400); // midnight of 2024-01-01 in China

    #[test]
    fn numbers_have_wechats_shape() {
        let rng = &mut StdRng::seed_from_u64(1);
        let mut world = World::new();
        let out_trade_no = world.free_out_trade_no(NOW, rng);
        world.place(&out_trade_no, 1, None).unwrap();
        let payment = world.pay(&out_trade_no, NOW, rng).unwrap();

        assert!(out_trade_no.starts_with("20240101000000") && out_trade_no.len() == 24, "{out_trade_no}");
        let id = &payment.transaction_id;
        assert!(id.len() == 28 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
        assert_eq!((&id[..4], &id[10..18]), ("4200", "20240101"));
        assert_eq!(payment.openid.len(), 28);
    }

    #[test]
    fn an_order_is_placed_once_and_paid_once() {
        let rng = &mut StdRng::seed_from_u64(1);
        let out_trade_no = "A1".to_owned();
        let mut world = World::new();
        assert_eq!(
            world.pay("A1", NOW, rng),
            Err(Error::OrderUnknown { out_trade_no: out_trade_no.clone() })
        );
        assert_eq!(
            world.place("A1", 0, None),
            Err(Error::AmountNotPositive { out_trade_no: out_trade_no.clone(), amount_fen: 0 })
        );
        world.place("A1", 5, Some("table 7".to_owned())).unwrap();
        assert_eq!(
            world.place("A1", 5, None),
            Err(Error::OrderExists { out_trade_no: out_trade_no.clone() })
        );
        let payment = world.pay("A1", NOW, rng).unwrap();
        assert_eq!((payment.amount_fen, payment.attach.as_deref()), (5, Some("table 7")));
        assert_eq!(world.pay("A1", NOW, rng), Err(Error::OrderPaid { out_trade_no }));
    }
}
