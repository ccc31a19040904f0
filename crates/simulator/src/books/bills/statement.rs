//! Whether there is a bill, and the token with which its file is downloaded.

use rand::Rng;
use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::{MONTHS, READY_SECONDS, TOKEN_SECONDS};
use crate::books::{Books, Refusal, Role};
use crate::{calendar, random};

const DAY_SECONDS: i64 = 24 * 3600;

/// Which bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BillRequest {
    /// Who asks.
    pub(crate) mchid: String,
    /// When the day begins.
    pub(crate) day: UnixSeconds,
    /// What it is about.
    pub(crate) kind: BillKind,
}

/// What a bill is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillKind {
    /// Payments and refunds.
    Trade {
        rows: TradeRows,
        /// Only this sub-merchant's.
        sub_mchid: Option<String>,
    },
    /// Movements on the basic account.
    FundFlow,
    /// What never has anything in it here: refunds of top-ups, accounts that nobody uses.
    Nothing,
}

/// Which rows a trade bill has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TradeRows {
    All,
    Payments,
    Refunds,
}

/// A file that may be downloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::books) struct BillToken {
    request: BillRequest,
    gzip: bool,
    good_until: UnixSeconds,
}

impl BillRequest {
    pub(super) fn covers(&self, at: UnixSeconds) -> bool {
        (self.day.0..self.day.0 + DAY_SECONDS).contains(&at.0)
    }

    /// Whether there can be a bill of this day.
    fn is_ready(&self, now: UnixSeconds) -> Result<(), Refusal> {
        let today = calendar::start_of_day(now);
        if self.day >= today {
            return Err(Refusal::BillDayNotOver);
        }
        if self.day < calendar::months_before(today, MONTHS) {
            return Err(Refusal::BillTooOld);
        }
        let ready_at = self.day.0 + DAY_SECONDS + READY_SECONDS;
        if now.0 < ready_at { Err(Refusal::StatementCreating) } else { Ok(()) }
    }
}

impl Books {
    /// The file of a bill.
    ///
    /// # Errors
    /// [`Refusal`]: there is none, none yet, or it is not for this merchant.
    pub(crate) fn bill(&self, request: &BillRequest, now: UnixSeconds) -> Result<String, Refusal> {
        self.may_see_bill(request)?;
        request.is_ready(now)?;
        let text = match &request.kind {
            BillKind::Trade { rows, sub_mchid } => self.trade_bill(request, *rows, sub_mchid.as_deref()),
            BillKind::FundFlow => self.fund_flow_bill(request),
            BillKind::Nothing => None,
        };
        text.ok_or(Refusal::NoStatement)
    }

    /// The file of a bill, and a token with which it can be downloaded for a while.
    ///
    /// # Errors
    /// As [`Self::bill`].
    pub(crate) fn issue_bill(
        &mut self,
        request: BillRequest,
        gzip: bool,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<(String, String), Refusal> {
        let text = self.bill(&request, now)?;
        self.bill_tokens.retain(|_, token| now < token.good_until);
        let token = random::alphanumeric(rng, 64);
        let good_until = UnixSeconds(now.0 + TOKEN_SECONDS);
        self.bill_tokens.insert(token.clone(), BillToken { request, gzip, good_until });
        Ok((text, token))
    }

    /// The file that a token stands for, and whether it goes compressed.
    ///
    /// # Errors
    /// [`Refusal`]: the token is too old, or another merchant's.
    pub(crate) fn bill_file(
        &self,
        mchid: &str,
        token: &str,
        now: UnixSeconds,
    ) -> Result<(String, bool), Refusal> {
        let good = self.bill_tokens.get(token).filter(|token| now < token.good_until);
        let token = good.ok_or(Refusal::BillTokenUnknown)?;
        if token.request.mchid != mchid {
            return Err(Refusal::BillOfAnother);
        }
        Ok((self.bill(&token.request, now)?, token.gzip))
    }

    /// Only a provider sees the trade of others, and only of those who accepted it.
    fn may_see_bill(&self, request: &BillRequest) -> Result<(), Refusal> {
        let BillKind::Trade { sub_mchid: Some(sub_mchid), .. } = &request.kind else { return Ok(()) };
        match self.account(sub_mchid).map(|account| &account.role) {
            Some(Role::SubMerchant { providers }) if providers.contains(&request.mchid) => Ok(()),
            _ => Err(Refusal::NotAccepted),
        }
    }
}
