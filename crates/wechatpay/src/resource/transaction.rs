//! The resource of a payment notification, ordinary mode.
//!
//! Invariants: amounts are whole fen, not negative and within `i64`, or the resource is refused; a field that occurs
//! twice is refused; fields that are not known here are kept. What names the payer is not shown by `Debug`.
//! Deliberately absent: judging it (is it ours? is the amount right?), which needs the order.

use std::fmt;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The currency that an absent or empty `currency` means: domestic payments know no other.
const CURRENCY_DEFAULT: &str = "CNY";

/// A payment in ordinary mode: one merchant, one order.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Transaction {
    /// The Mini Program or app that was paid in.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// The merchant's order number.
    pub out_trade_no: String,
    /// WeChat Pay's payment number.
    pub transaction_id: String,
    /// Such as `JSAPI`.
    pub trade_type: Option<String>,
    /// `SUCCESS` in every payment notification so far; an open list.
    pub trade_state: String,
    /// The state in Chinese.
    pub trade_state_desc: Option<String>,
    /// Bank and kind of card.
    pub bank_type: Option<String>,
    /// What the merchant attached to the order.
    pub attach: Option<String>,
    /// When it was paid, RFC 3339 with offset.
    pub success_time: Option<String>,
    /// Who paid.
    pub payer: Option<Payer>,
    /// How much.
    pub amount: Amount,
    /// Every other field, such as `scene_info` and `promotion_detail`. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("appid", &self.appid)
            .field("mchid", &self.mchid)
            .field("out_trade_no", &self.out_trade_no)
            .field("transaction_id", &self.transaction_id)
            .field("trade_state", &self.trade_state)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

/// Who paid.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Payer {
    /// The user's id within `appid`.
    pub openid: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payer([REDACTED])")
    }
}

/// How much was paid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Amount {
    /// The order's amount in fen: compare it with the order's.
    #[serde(deserialize_with = "fen")]
    pub total: i64,
    /// What the user paid after coupons, in fen.
    #[serde(default, deserialize_with = "fen_optional")]
    pub payer_total: Option<i64>,
    /// The order's currency; `CNY` where absent or empty.
    #[serde(default = "currency_default", deserialize_with = "currency")]
    pub currency: String,
    /// The currency that the user paid in.
    pub payer_currency: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

fn fen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let fen = i64::deserialize(deserializer)?;
    if fen < 0 {
        return Err(D::Error::invalid_value(Unexpected::Signed(fen), &"an amount in fen, 0 or more"));
    }
    Ok(fen)
}

fn fen_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Fen(#[serde(deserialize_with = "fen")] i64);
    Ok(Option::<Fen>::deserialize(deserializer)?.map(|fen| fen.0))
}

fn currency_default() -> String {
    CURRENCY_DEFAULT.to_owned()
}

fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let currency = Option::<String>::deserialize(deserializer)?;
    Ok(currency.filter(|text| !text.is_empty()).unwrap_or_else(currency_default))
}
