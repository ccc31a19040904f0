//! The JSON of a prepay, field by field. Invariant: what is not given is left out, as WeChat Pay refuses `null`.
//! Deliberately absent: checks, which stand where a value is given.

use std::fmt;

use serde::Serialize;

use super::goods::OrderDetail;
use super::payer::Payer;
use super::scene::SceneInfo;
use crate::Fen;
use crate::api::Account;
use crate::api::wire::open_list;

open_list! {
    /// A way of paying that is ruled out, or the only one.
    LimitPay {
        /// Not from the balance.
        NoBalance = "no_balance",
        /// Not by credit card.
        NoCredit = "no_credit",
        /// Not by debit card.
        NoDebit = "no_debit",
        /// Only from the balance; needs a permission.
        BalanceOnly = "balance_only",
    }
}

#[derive(Clone, Serialize)]
pub(super) struct Body {
    #[serde(flatten)]
    pub(super) account: Account,
    pub(super) description: String,
    pub(super) out_trade_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_expire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attach: Option<String>,
    pub(super) notify_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) goods_tag: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) limit_pay: Vec<LimitPay>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) support_fapiao: Option<bool>,
    pub(super) amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payer: Option<Payer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<OrderDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scene_info: Option<SceneInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settle_info: Option<SettleInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subsidy_info: Option<SubsidyInfo>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("account", &self.account)
            .field("out_trade_no", &self.out_trade_no)
            .field("amount", &self.amount.total)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize)]
pub(super) struct Amount {
    pub(super) total: Fen,
    pub(super) currency: &'static str,
}

#[derive(Clone, Default, Serialize)]
pub(super) struct SettleInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profit_sharing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subsidy_amount: Option<Fen>,
}

#[derive(Clone, Default, Serialize)]
pub(super) struct SubsidyInfo {
    pub(super) subsidy_detail: Vec<SubsidyDetail>,
}

#[derive(Clone, Serialize)]
pub(super) struct SubsidyDetail {
    subsidy_period_type: String,
    subsidy_plan: Vec<SubsidyPlan>,
}

#[derive(Clone, Serialize)]
struct SubsidyPlan {
    subsidy_installment_num: u32,
    subsidy_percent: u32,
}

impl SubsidyDetail {
    pub(super) fn new(period_type: &str, plans: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let plan =
            |(number, percent)| SubsidyPlan { subsidy_installment_num: number, subsidy_percent: percent };
        Self {
            subsidy_period_type: period_type.to_owned(),
            subsidy_plan: plans.into_iter().map(plan).collect(),
        }
    }
}
