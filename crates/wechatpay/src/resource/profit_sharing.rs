//! The resource of a profit-sharing notification: money of a payment was shared out (分账), or came back.
//!
//! Which of the two is not in the resource: the event type says it (`PROFITSHARING.SUCCESS`, `PROFITSHARING.RETURN`),
//! or, under `TRANSACTION.SUCCESS`, only the notification's summary (分账, 分账回退). It is sent to receivers that are
//! merchants; whoever shared must query.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{debug_shows, text};
use crate::Fen;

/// A share of a payment moved.
#[derive(Clone, PartialEq, Deserialize)]
pub struct ProfitSharing {
    /// The merchant who shares, in ordinary mode. One of `mchid` and `sp_mchid` is there.
    #[serde(default, deserialize_with = "text")]
    pub mchid: Option<String>,
    /// The provider, in partner mode.
    #[serde(default, deserialize_with = "text")]
    pub sp_mchid: Option<String>,
    /// The provider's merchant, who shares, in partner mode.
    #[serde(default, deserialize_with = "text")]
    pub sub_mchid: Option<String>,
    /// WeChat Pay's number of the payment that is shared.
    pub transaction_id: String,
    /// WeChat Pay's number of the sharing or of the return.
    pub order_id: String,
    /// The merchant's number of the sharing or of the return.
    pub out_order_no: String,
    /// Who got how much.
    pub receiver: ShareReceiver,
    /// When, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// Every other field. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(ProfitSharing: mchid, sp_mchid, sub_mchid, transaction_id, order_id, out_order_no, receiver, success_time);

impl ProfitSharing {
    /// The merchant who shares, or in partner mode the provider. The notice goes to the receiver, which is often another.
    #[must_use]
    pub fn merchant(&self) -> Option<&str> {
        self.mchid.as_deref().or(self.sp_mchid.as_deref())
    }
}

/// Who got how much of a payment.
#[derive(Clone, PartialEq, Deserialize)]
pub struct ShareReceiver {
    /// `MERCHANT_ID` or `PERSONAL_OPENID`, which is what `account` holds; an open list.
    #[serde(rename = "type")]
    pub account_type: String,
    /// Who: of a return, the one who had paid the share and gets it back.
    pub account: String,
    /// How much.
    pub amount: Fen,
    /// What for.
    #[serde(default, deserialize_with = "text")]
    pub description: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(ShareReceiver: account_type, amount);
