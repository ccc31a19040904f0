//! The one way to look at a payment, whichever product tells of it. Deliberately absent: who paid.

use crate::Fen;

/// A payment as ordinary, partner and combine resources have it in common.
///
/// It exists only where WeChat Pay gave it a number and an amount, so not for an order that is not yet paid. It need
/// not have succeeded: see [`Self::state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment<'a> {
    /// The merchant: `mchid`; of a partner payment the provider, `sp_mchid`; of a combine payment the sub-order's.
    pub mchid: &'a str,
    /// The merchant that a provider acts for.
    pub sub_mchid: Option<&'a str>,
    /// The Mini Program or app that was paid in: `appid`, `sp_appid` or `combine_appid`.
    pub appid: &'a str,
    /// The merchant's order number; of a combine payment the sub-order's.
    pub out_trade_no: &'a str,
    /// WeChat Pay's payment number; of a combine payment the sub-order's, by which it is refunded.
    pub transaction_id: &'a str,
    /// The order's amount, before coupons: compare it with the order's.
    pub total: Fen,
    /// The currency of `total`; `CNY` where WeChat Pay named none.
    pub currency: &'a str,
    /// `SUCCESS` for a payment that was made; an open list.
    pub state: &'a str,
    /// When it was paid, RFC 3339 with offset.
    pub success_time: Option<&'a str>,
}
