//! A payment that succeeded, as WeChat states it: whole in itself, so that a notice can be made of it alone.
//!
//! To play the rare cases (two payments of one order, another amount, another merchant), change a copy and tell of that.
//! Deliberately absent: coupons; what the user paid is what the order costs.

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::{Order, OrderKey, Seller, TradeState, TradeType};
use crate::calendar;

/// What a notice of success tells the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Who sold.
    pub seller: Seller,
    /// WeChat's number: 28 digits, `4200` + 6 + date + 10.
    pub transaction_id: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// How the user came to the cashier.
    pub trade_type: TradeType,
    /// What the user paid and the order costs, in fen.
    pub amount_fen: i64,
    /// The user's id within the seller's app; in partner mode the provider's.
    pub openid: String,
    /// The user's id within the sub-merchant's app, where there is one.
    pub sub_openid: Option<String>,
    /// The bank behind the payment.
    pub bank_type: String,
    /// What the merchant attached to the order.
    pub attach: Option<String>,
    /// Shop or terminal.
    pub device_id: Option<String>,
    /// When the payment succeeded.
    pub success_time: UnixSeconds,
}

impl Payment {
    /// The order that it paid.
    #[must_use]
    pub fn order_key(&self) -> OrderKey {
        OrderKey::new(self.seller.signer(), &self.out_trade_no)
    }
}

/// In the words of APIv2.
impl Payment {
    /// What a query says of it, and its notice.
    pub(crate) fn v2_fields(&self) -> Vec<(&'static str, String)> {
        let total = self.amount_fen.to_string();
        let mut fields = vec![
            ("openid", self.openid.clone()),
            ("is_subscribe", "N".to_owned()),
            ("trade_type", self.trade_type.as_str().to_owned()),
            ("bank_type", self.bank_type.clone()),
            ("total_fee", total.clone()),
            ("settlement_total_fee", total.clone()),
            ("fee_type", "CNY".to_owned()),
            ("cash_fee", total),
            ("cash_fee_type", "CNY".to_owned()),
            ("transaction_id", self.transaction_id.clone()),
            ("out_trade_no", self.out_trade_no.clone()),
            ("time_end", calendar::second_digits(self.success_time)),
        ];
        let optional =
            [("attach", &self.attach), ("device_info", &self.device_id), ("sub_openid", &self.sub_openid)];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        fields.extend(self.sub_openid.as_ref().map(|_| ("sub_is_subscribe", "N".to_owned())));
        fields
    }

    /// The whole of its notice.
    pub(super) fn v2_notice(&self) -> Vec<(String, String)> {
        let seller = &self.seller;
        let mut fields = vec![
            ("return_code", "SUCCESS".to_owned()),
            ("appid", seller.appid().to_owned()),
            ("mch_id", seller.signer().to_owned()),
            ("result_code", "SUCCESS".to_owned()),
        ];
        fields.extend(seller.sub_appid().map(|appid| ("sub_appid", appid.to_owned())));
        fields.extend(seller.sub_mchid().map(|mchid| ("sub_mch_id", mchid.to_owned())));
        fields.extend(self.v2_fields());
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The JSON of a transaction in APIv3: inside a notice, and as the answer of a query.
#[derive(Serialize)]
pub(crate) struct Transaction<'a> {
    #[serde(flatten)]
    seller: SellerFields<'a>,
    out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_type: Option<TradeType>,
    trade_state: TradeState,
    trade_state_desc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<Payer<'a>>,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<Scene<'a>>,
}

/// The merchant before its app, as WeChat writes them.
#[derive(Serialize)]
#[serde(untagged)]
enum SellerFields<'a> {
    Ordinary {
        mchid: &'a str,
        appid: &'a str,
    },
    Partner {
        sp_mchid: &'a str,
        sp_appid: &'a str,
        sub_mchid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_appid: Option<&'a str>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payer<'a> {
    Ordinary {
        openid: &'a str,
    },
    Partner {
        sp_openid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_openid: Option<&'a str>,
    },
}

#[derive(Serialize)]
struct Amount {
    total: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_total: Option<i64>,
    currency: &'static str,
    payer_currency: &'static str,
}

#[derive(Serialize)]
struct Scene<'a> {
    device_id: &'a str,
}

impl<'a> Transaction<'a> {
    /// An order as a query tells it. What only a payment brings is absent before.
    pub(crate) fn of_order(order: &'a Order, now: UnixSeconds) -> Self {
        let state = order.state(now);
        match order.payment() {
            Some(payment) => Self::paid(payment, state),
            None => Self {
                seller: SellerFields::of(&order.terms.seller),
                out_trade_no: &order.terms.out_trade_no,
                transaction_id: None,
                trade_type: None,
                trade_state: state,
                trade_state_desc: state.description(),
                bank_type: None,
                attach: None,
                success_time: None,
                payer: None,
                amount: Amount::of(order.terms.amount_fen, None),
                scene_info: order.terms.device_id.as_deref().map(|device_id| Scene { device_id }),
            },
        }
    }

    /// A payment as its notice tells it.
    pub(crate) fn of_payment(payment: &'a Payment) -> Self {
        Self::paid(payment, TradeState::Success)
    }

    fn paid(payment: &'a Payment, state: TradeState) -> Self {
        let payer = match &payment.seller {
            Seller::Ordinary { .. } => Payer::Ordinary { openid: &payment.openid },
            Seller::Partner { .. } => {
                Payer::Partner { sp_openid: &payment.openid, sub_openid: payment.sub_openid.as_deref() }
            }
        };
        Self {
            seller: SellerFields::of(&payment.seller),
            out_trade_no: &payment.out_trade_no,
            transaction_id: Some(&payment.transaction_id),
            trade_type: Some(payment.trade_type),
            trade_state: state,
            trade_state_desc: state.description(),
            bank_type: Some(&payment.bank_type),
            attach: payment.attach.as_deref(),
            success_time: Some(calendar::rfc3339(payment.success_time)),
            payer: Some(payer),
            amount: Amount::of(payment.amount_fen, Some(payment.amount_fen)),
            scene_info: payment.device_id.as_deref().map(|device_id| Scene { device_id }),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("BUG: structs of texts and integers always serialise")
    }
}

impl<'a> SellerFields<'a> {
    fn of(seller: &'a Seller) -> Self {
        match seller {
            Seller::Ordinary { appid, mchid } => Self::Ordinary { mchid, appid },
            Seller::Partner { sp_appid, sp_mchid, sub_appid, sub_mchid } => {
                Self::Partner { sp_mchid, sp_appid, sub_mchid, sub_appid: sub_appid.as_deref() }
            }
        }
    }
}

impl Amount {
    fn of(total: i64, payer_total: Option<i64>) -> Self {
        Self { total, payer_total, currency: "CNY", payer_currency: "CNY" }
    }
}
