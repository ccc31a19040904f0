//! The resources of merchant-transfer notifications (商家转账): one bill, a batch of the older product, and a user's
//! consent to be paid without confirming each time.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{debug_shows, text};
use crate::Fen;

/// A transfer to a user's wallet, WeChat's or QQ's, that reached its final state.
#[derive(Clone, PartialEq, Deserialize)]
pub struct TransferBill {
    /// The merchant. Products differ in whether they name it `mchid`, `mch_id` or not at all: see [`Self::merchant`].
    #[serde(default, deserialize_with = "text")]
    pub mchid: Option<String>,
    /// The merchant, spelled otherwise.
    #[serde(default, deserialize_with = "text")]
    pub mch_id: Option<String>,
    /// The merchant that a provider acts for.
    #[serde(default, deserialize_with = "text")]
    pub sub_mchid: Option<String>,
    /// The merchant's number of the bill.
    pub out_bill_no: String,
    /// WeChat Pay's number of the bill.
    pub transfer_bill_no: String,
    /// `SUCCESS`, `FAIL` or `CANCELLED`; an open list.
    pub state: String,
    /// How much.
    pub transfer_amount: Fen,
    /// Who is paid, within the appid of the bill.
    #[serde(default, deserialize_with = "text")]
    pub openid: Option<String>,
    /// Why it failed; an open list.
    #[serde(default, deserialize_with = "text")]
    pub fail_reason: Option<String>,
    /// When it was asked for, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub create_time: Option<String>,
    /// When it last changed, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub update_time: Option<String>,
    /// Every other field, such as `payment_method_type` and `user_name`. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(TransferBill: mchid, mch_id, sub_mchid, out_bill_no, transfer_bill_no, state, transfer_amount, fail_reason);

impl TransferBill {
    /// The merchant, however it is spelled.
    #[must_use]
    pub fn merchant(&self) -> Option<&str> {
        self.mchid.as_deref().or(self.mch_id.as_deref())
    }
}

/// A batch of transfers, of the older product, that finished or was closed.
#[derive(Clone, PartialEq, Deserialize)]
pub struct TransferBatch {
    /// The merchant.
    #[serde(default, deserialize_with = "text")]
    pub mchid: Option<String>,
    /// The merchant's number of the batch.
    pub out_batch_no: String,
    /// WeChat Pay's number of the batch.
    pub batch_id: String,
    /// `FINISHED` (each transfer succeeded or failed) or `CLOSED`; an open list.
    pub batch_status: String,
    /// How many transfers.
    pub total_num: u64,
    /// How much in all.
    pub total_amount: Fen,
    /// How many succeeded.
    pub success_num: Option<u64>,
    /// How much of it succeeded.
    pub success_amount: Option<Fen>,
    /// How many failed.
    pub fail_num: Option<u64>,
    /// How much of it failed.
    pub fail_amount: Option<Fen>,
    /// Why it was closed; an open list.
    #[serde(default, deserialize_with = "text")]
    pub close_reason: Option<String>,
    /// When it last changed, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub update_time: Option<String>,
    /// Every other field. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(TransferBatch: mchid, out_batch_no, batch_id, batch_status, total_num, total_amount, success_num, success_amount, fail_num, fail_amount, close_reason);

/// A user lets a merchant's transfers in without confirming each, or does so no more.
#[derive(Clone, PartialEq, Deserialize)]
pub struct TransferAuthorization {
    /// The merchant's number of the authorization.
    pub out_authorization_no: String,
    /// WeChat Pay's number of the authorization.
    pub authorization_id: String,
    /// The Mini Program or app that asked for it.
    pub appid: String,
    /// Who, within `appid`.
    #[serde(default, deserialize_with = "text")]
    pub openid: Option<String>,
    /// What the user was shown as their name.
    #[serde(default, deserialize_with = "text")]
    pub user_display_name: Option<String>,
    /// `TAKING_EFFECT` or `CLOSED`; an open list.
    pub state: String,
    /// When it was given, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub authorize_time: Option<String>,
    /// How it ended.
    pub close_info: Option<AuthorizationClosed>,
    /// Every other field. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(TransferAuthorization: out_authorization_no, authorization_id, appid, state, authorize_time, close_info);

/// How an authorization ended.
#[derive(Clone, PartialEq, Deserialize)]
pub struct AuthorizationClosed {
    /// When, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub close_time: Option<String>,
    /// `CLOSE_VIA_MCH_API` or `USER_CLOSE`; an open list.
    #[serde(default, deserialize_with = "text")]
    pub close_reason: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(AuthorizationClosed: close_time, close_reason);
