//! One of the orders that are paid together. Deliberately absent: sums over them.

use serde::Serialize;

use crate::Fen;
use crate::api::field::{InvalidField, Rule, amount, appid, known_number, mchid, text};

/// 10,000,000 yuan, WeChat Pay's limit for a sub-order.
const AMOUNT_MAX: i64 = 1_000_000_000;

/// A sub-order before it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewSubOrder {
    mchid: String,
    attach: String,
    amount: Amount,
    out_trade_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<String>,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<SettleInfo>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Amount {
    total_amount: Fen,
    currency: &'static str,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct SettleInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    profit_sharing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subsidy_amount: Option<Fen>,
}

impl NewSubOrder {
    /// An order of the merchant `mchid`, over 1 to 1,000,000,000 fen. `out_trade_no` is unique over all orders: 1 to 32
    /// of `0-9 A-Z a-z _ - | * @`. `description` has 1 to 127 characters, `attach` 1 to 128.
    ///
    /// # Errors
    /// Where one breaks its rule.
    pub fn new(
        mchid: &str,
        out_trade_no: &str,
        description: &str,
        total_amount: Fen,
        attach: &str,
    ) -> Result<Self, InvalidField> {
        Ok(Self {
            mchid: self::mchid("sub_orders.mchid", mchid)?,
            attach: text("sub_orders.attach", attach, 1, 128)?,
            amount: Amount {
                total_amount: amount("sub_orders.amount.total_amount", total_amount, AMOUNT_MAX)?,
                currency: "CNY",
            },
            out_trade_no: known_number("sub_orders.out_trade_no", out_trade_no, 32)?,
            sub_mchid: None,
            sub_appid: None,
            detail: None,
            goods_tag: None,
            description: text("sub_orders.description", description, 1, 127)?,
            settle_info: None,
        })
    }

    /// In partner mode: the sub-merchant, and its appid where it is paid there.
    ///
    /// # Errors
    /// Where one is malformed, or the sub-merchant is the provider.
    pub fn partner(mut self, sub_mchid: &str, sub_appid: Option<&str>) -> Result<Self, InvalidField> {
        if sub_mchid == self.mchid {
            return Err(InvalidField::new("sub_orders.sub_mchid", Rule::SameAsProvider));
        }
        self.sub_mchid = Some(mchid("sub_orders.sub_mchid", sub_mchid)?);
        self.sub_appid = sub_appid.map(|id| appid("sub_orders.sub_appid", id)).transpose()?;
        Ok(self)
    }

    /// What is bought, at most 6000 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn detail(mut self, detail: &str) -> Result<Self, InvalidField> {
        self.detail = Some(text("sub_orders.detail", detail, 1, 6000)?);
        Ok(self)
    }

    /// The tag of a promotion, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn goods_tag(mut self, goods_tag: &str) -> Result<Self, InvalidField> {
        self.goods_tag = Some(text("sub_orders.goods_tag", goods_tag, 1, 32)?);
        Ok(self)
    }

    /// `true` freezes the money for profit sharing.
    #[must_use]
    pub fn profit_sharing(mut self, profit_sharing: bool) -> Self {
        self.settle_info.get_or_insert_with(SettleInfo::default).profit_sharing = Some(profit_sharing);
        self
    }

    /// What an e-commerce platform adds, in fen.
    #[must_use]
    pub fn subsidy_amount(mut self, subsidy_amount: Fen) -> Self {
        self.settle_info.get_or_insert_with(SettleInfo::default).subsidy_amount = Some(subsidy_amount);
        self
    }

    pub(super) fn is_of_sub_merchant(&self) -> bool {
        self.sub_mchid.is_some()
    }

    pub(super) fn has_sub_appid(&self) -> bool {
        self.sub_appid.is_some()
    }
}
