//! What is bought, for promotions of single goods. Deliberately absent: sums, which need not be the order's.

use serde::Serialize;

use crate::Fen;
use crate::api::field::{InvalidField, count, goods_id, text};

/// The goods of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderDetail {
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_price: Option<Fen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    goods_detail: Vec<Goods>,
}

impl OrderDetail {
    /// These goods, 1 to 6000 entries.
    ///
    /// # Errors
    /// Where there are none, or more.
    pub fn new(goods: impl IntoIterator<Item = Goods>) -> Result<Self, InvalidField> {
        let goods_detail: Vec<Goods> = goods.into_iter().collect();
        count("detail.goods_detail", goods_detail.len(), 1, 6000)?;
        Ok(Self { cost_price: None, invoice_id: None, goods_detail })
    }

    /// The order's price before reductions, in fen.
    #[must_use]
    pub fn cost_price(mut self, cost_price: Fen) -> Self {
        self.cost_price = Some(cost_price);
        self
    }

    /// The receipt's number, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn invoice_id(mut self, invoice_id: &str) -> Result<Self, InvalidField> {
        self.invoice_id = Some(text("detail.invoice_id", invoice_id, 1, 32)?);
        Ok(self)
    }
}

/// One kind of goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Goods {
    merchant_goods_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wechatpay_goods_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_name: Option<String>,
    quantity: u32,
    unit_price: Fen,
}

impl Goods {
    /// So many pieces at this price each, in fen, after the merchant's own reduction. The id: 1 to 32 of
    /// `0-9 A-Z a-z _ -`.
    ///
    /// # Errors
    /// Where the id breaks its rule.
    pub fn new(merchant_goods_id: &str, quantity: u32, unit_price: Fen) -> Result<Self, InvalidField> {
        let merchant_goods_id = goods_id("detail.goods_detail.merchant_goods_id", merchant_goods_id)?;
        Ok(Self { merchant_goods_id, wechatpay_goods_id: None, goods_name: None, quantity, unit_price })
    }

    /// WeChat Pay's id of it, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn wechatpay_goods_id(mut self, id: &str) -> Result<Self, InvalidField> {
        self.wechatpay_goods_id = Some(text("detail.goods_detail.wechatpay_goods_id", id, 1, 32)?);
        Ok(self)
    }

    /// Its name, at most 256 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn goods_name(mut self, name: &str) -> Result<Self, InvalidField> {
        self.goods_name = Some(text("detail.goods_detail.goods_name", name, 1, 256)?);
        Ok(self)
    }
}
