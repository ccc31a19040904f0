//! What a promotion took off an order. Deliberately absent: sums, which WeChat Pay computes.

use serde::Deserialize;

use crate::Fen;
use crate::api::wire::{list, text};

/// One coupon or reduction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Promotion {
    /// The coupon's number.
    #[serde(default, deserialize_with = "text")]
    pub coupon_id: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// `GLOBAL` or `SINGLE`.
    #[serde(default, deserialize_with = "text")]
    pub scope: Option<String>,
    /// `CASH`, prepaid by the merchant, or `NOCASH`, which lessens the settlement.
    #[serde(default, rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// How much it took off, in fen.
    pub amount: Option<Fen>,
    /// The campaign's number.
    #[serde(default, deserialize_with = "text")]
    pub stock_id: Option<String>,
    /// WeChat Pay's part, in fen.
    pub wechatpay_contribute: Option<Fen>,
    /// The merchant's part, in fen.
    pub merchant_contribute: Option<Fen>,
    /// Others' part, in fen.
    pub other_contribute: Option<Fen>,
    /// `CNY`.
    #[serde(default, deserialize_with = "text")]
    pub currency: Option<String>,
    /// The goods that it was for.
    #[serde(default, deserialize_with = "list")]
    pub goods_detail: Vec<PromotionGoods>,
}

/// Goods that a promotion was for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PromotionGoods {
    /// Their id.
    #[serde(default, deserialize_with = "text")]
    pub goods_id: Option<String>,
    /// Pieces.
    pub quantity: Option<u32>,
    /// Price of each, in fen.
    pub unit_price: Option<Fen>,
    /// What was taken off, in fen.
    pub discount_amount: Option<Fen>,
    /// A remark.
    #[serde(default, deserialize_with = "text")]
    pub goods_remark: Option<String>,
}
