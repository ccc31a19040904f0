//! A payment of APIv2, as a notice or the answer to a query says it.
//!
//! Invariants: amounts are whole fen, not negative and within `i64`; every field is kept, known or not; what names the
//! payer is not shown by `Debug`. Deliberately absent: judging it (is it ours? is the amount right?).

use std::fmt;

use super::{FieldError, Fields, VerifiedFields};
use crate::time::beijing;
use crate::{Fen, UnixSeconds};

/// The currency that an absent `fee_type` means: domestic payments know no other.
const CURRENCY_DEFAULT: &str = "CNY";

/// The field without which there is no payment.
pub(super) const FEE: &str = "total_fee";

/// A payment that was made.
#[derive(Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The Mini Program or app that was paid in; a service provider's own, in partner mode.
    pub appid: String,
    /// The merchant; the service provider, in partner mode.
    pub mch_id: String,
    /// Partner mode: the sub-merchant's app.
    pub sub_appid: Option<String>,
    /// Partner mode: the sub-merchant.
    pub sub_mch_id: Option<String>,
    /// The merchant's order number.
    pub out_trade_no: String,
    /// WeChat Pay's payment number.
    pub transaction_id: String,
    /// `JSAPI`, `NATIVE`, `APP`, `MWEB`, `MICROPAY`, `PAP`; an open list.
    pub trade_type: Option<String>,
    /// Bank and kind of card.
    pub bank_type: Option<String>,
    /// Who paid, within `appid`. Personal.
    pub openid: Option<String>,
    /// Who paid, within `sub_appid`. Personal.
    pub sub_openid: Option<String>,
    /// The order's amount: compare it with the order's.
    pub total_fee: Fen,
    /// The order's amount without coupons that are not prepaid.
    pub settlement_total_fee: Option<Fen>,
    /// The order's currency; `CNY` where absent.
    pub fee_type: String,
    /// What the user paid in cash.
    pub cash_fee: Option<Fen>,
    /// The currency that the user paid in.
    pub cash_fee_type: Option<String>,
    /// What coupons paid.
    pub coupon_fee: Option<Fen>,
    /// The coupons one by one.
    pub coupons: Vec<Coupon>,
    /// What the merchant attached to the order.
    pub attach: Option<String>,
    /// When it was paid: `yyyyMMddHHmmss`, Beijing time. See [`Transaction::paid_at`].
    pub time_end: Option<String>,
    /// Every field of the message, those above among them.
    pub fields: VerifiedFields,
}

impl Transaction {
    pub(super) fn read(fields: VerifiedFields) -> Result<Self, FieldError> {
        let required = |name| fields.required(name).map(str::to_owned);
        Ok(Self {
            appid: required("appid")?,
            mch_id: required("mch_id")?,
            sub_appid: fields.owned("sub_appid"),
            sub_mch_id: fields.owned("sub_mch_id"),
            out_trade_no: required("out_trade_no")?,
            transaction_id: required("transaction_id")?,
            trade_type: fields.owned("trade_type"),
            bank_type: fields.owned("bank_type"),
            openid: fields.owned("openid"),
            sub_openid: fields.owned("sub_openid"),
            total_fee: fields.fen(FEE)?,
            settlement_total_fee: fields.fen_optional("settlement_total_fee")?,
            fee_type: currency(&fields),
            cash_fee: fields.fen_optional("cash_fee")?,
            cash_fee_type: fields.owned("cash_fee_type"),
            coupon_fee: fields.fen_optional("coupon_fee")?,
            coupons: Coupon::read_all(&fields, |part, n| match part {
                CouponPart::Type => format!("coupon_type_{n}"),
                CouponPart::Id => format!("coupon_id_{n}"),
                CouponPart::Fee => format!("coupon_fee_{n}"),
            })?,
            attach: fields.owned("attach"),
            time_end: fields.owned("time_end"),
            fields,
        })
    }

    /// When it was paid; `None` where it is not said, or not as a time.
    #[must_use]
    pub fn paid_at(&self) -> Option<UnixSeconds> {
        beijing(self.time_end.as_deref()?)
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("appid", &self.appid)
            .field("mch_id", &self.mch_id)
            .field("out_trade_no", &self.out_trade_no)
            .field("transaction_id", &self.transaction_id)
            .field("total_fee", &self.total_fee)
            .field("fee_type", &self.fee_type)
            .finish_non_exhaustive()
    }
}

pub(super) fn currency(fields: &Fields) -> String {
    fields.get("fee_type").unwrap_or(CURRENCY_DEFAULT).to_owned()
}

/// A coupon that paid a part, or that was refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// `CASH` (prepaid) or `NO_CASH`; an open list.
    pub coupon_type: Option<String>,
    /// The coupon's number.
    pub id: Option<String>,
    /// Its part of the amount.
    pub fee: Option<Fen>,
}

/// The three fields of a coupon.
#[derive(Clone, Copy)]
pub(super) enum CouponPart {
    Type,
    Id,
    Fee,
}

impl Coupon {
    /// Coupons by index from 0, up to the first of which there is no field. Their announced count is not asked: it is
    /// the fields that are there.
    pub(super) fn read_all(
        fields: &Fields,
        name: impl Fn(CouponPart, usize) -> String,
    ) -> Result<Vec<Self>, FieldError> {
        let mut coupons = Vec::new();
        loop {
            let name = |part| name(part, coupons.len());
            let coupon = Self {
                coupon_type: fields.owned(&name(CouponPart::Type)),
                id: fields.owned(&name(CouponPart::Id)),
                fee: fields.fen_optional(&name(CouponPart::Fee))?,
            };
            if coupon.coupon_type.is_none() && coupon.id.is_none() && coupon.fee.is_none() {
                return Ok(coupons);
            }
            coupons.push(coupon);
        }
    }
}
