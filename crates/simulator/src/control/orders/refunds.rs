//! Refunds: asked for as at the merchant platform, ended otherwise than by themselves, and an account without money.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::Named;
use crate::books::{RefundKey, RefundStatus};
use crate::control::Problem;
use crate::control::said::{InQuery, Said};
use crate::control::view::{Chosen, RefundView};
use crate::simulator::Shared;

/// Which order, and how much of it goes back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Ask {
    mchid: Option<String>,
    out_trade_no: Option<String>,
    /// All that is left where it is not said.
    refund_fen: Option<NonZeroU32>,
}

/// Which refund, and how it ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct End {
    mchid: Option<String>,
    out_refund_no: String,
    status: RefundStatus,
}

/// Whether a merchant's account has money for refunds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Funds {
    mchid: String,
    short: bool,
}

pub(in crate::control) async fn list_refunds(
    State(shared): State<Arc<Shared>>,
    InQuery(chosen): InQuery<Chosen>,
) -> Json<Value> {
    shared.read(|books, now| {
        let refunds = books.refunds().filter(|(_, refund)| chosen.takes(&refund.order));
        let refunds = refunds.map(|(_, refund)| RefundView::of(refund, now));
        Json(json!({ "refunds": refunds.collect::<Vec<_>>() }))
    })
}

pub(in crate::control) async fn refund(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<Ask>,
) -> Result<Json<Value>, Problem> {
    let Ask { mchid, out_trade_no, refund_fen } = said;
    let named = Named { mchid, out_trade_no, prepay_id: None };
    shared.at_desk(|desk| {
        let key = named.find(desk)?;
        let refund = desk.books.refund_by_hand(&key, refund_fen, desk.now, desk.rng)?;
        Ok(Json(json!(RefundView::of(refund, desk.now))))
    })
}

pub(in crate::control) async fn end_refund(
    State(shared): State<Arc<Shared>>,
    Said(End { mchid, out_refund_no, status }): Said<End>,
) -> Result<Json<Value>, Problem> {
    shared.at_desk(|desk| {
        let fits = |key: &&RefundKey| {
            key.out_refund_no == out_refund_no && mchid.as_ref().is_none_or(|mchid| *mchid == key.mchid)
        };
        let mut found = desk.books.refunds().map(|(key, _)| key).filter(fits).cloned();
        let key = match (found.next(), found.next()) {
            (None, _) => return Err(Problem::Refund),
            (Some(key), None) => key,
            (Some(_), Some(_)) => return Err(Problem::OrderAmbiguous),
        };
        drop(found);
        desk.books.end_refund(&key, status, desk.now, desk.rng)?;
        let refund = desk.books.refund_of(&key).ok_or(Problem::Refund)?;
        Ok(Json(json!(RefundView::of(refund, desk.now))))
    })
}

pub(in crate::control) async fn set_funds(
    State(shared): State<Arc<Shared>>,
    Said(Funds { mchid, short }): Said<Funds>,
) -> Result<Json<Value>, Problem> {
    shared.at_desk(|desk| {
        if desk.books.account(&mchid).is_none() {
            return Err(Problem::Merchant { mchid: mchid.clone() });
        }
        desk.books.set_short_of_funds(&mchid, short);
        Ok(Json(json!({ "mchid": mchid, "short": short })))
    })
}
