//! Orders, and what a user does with them at the cashier.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::books::OrderKey;
use crate::control::Problem;
use crate::control::people::check_user;
use crate::control::said::{InQuery, Said};
use crate::control::view::{Chosen, OrderView, shown};
use crate::simulator::{Desk, Shared};

/// Which order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Named {
    pub(super) mchid: Option<String>,
    pub(super) out_trade_no: Option<String>,
    #[serde(alias = "code_url", alias = "h5_url")]
    pub(super) prepay_id: Option<String>,
}

/// Which order, and how it is paid.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Pay {
    mchid: Option<String>,
    out_trade_no: Option<String>,
    #[serde(alias = "code_url", alias = "h5_url")]
    prepay_id: Option<String>,
    /// Who pays.
    user: Option<String>,
    /// As when the user paid in the very moment in which the merchant closed.
    #[serde(default)]
    despite_close: bool,
}

pub(in crate::control) async fn list(
    State(shared): State<Arc<Shared>>,
    InQuery(chosen): InQuery<Chosen>,
) -> Json<Value> {
    shared.read(|books, now| {
        let orders = books.orders().filter(|(key, _)| chosen.takes(key));
        let mut orders: Vec<_> = orders.map(|(key, order)| OrderView::of(books, key, order, now)).collect();
        orders.sort_by_key(|order| order.place);
        Json(json!({ "orders": orders }))
    })
}

pub(in crate::control) async fn pay(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<Pay>,
) -> Result<Json<Value>, Problem> {
    let Pay { mchid, out_trade_no, prepay_id, user, despite_close } = said;
    user.as_deref().map_or(Ok(()), check_user)?;
    let named = Named { mchid, out_trade_no, prepay_id };
    act(&shared, &named, |desk, key| {
        let user = user.as_deref();
        if despite_close {
            desk.books.pay_despite_close(key, user, desk.now, desk.rng)?;
        } else {
            desk.books.pay(key, user, desk.now, desk.rng)?;
        }
        Ok(())
    })
}

pub(in crate::control) async fn cancel(
    State(shared): State<Arc<Shared>>,
    Said(named): Said<Named>,
) -> Result<Json<Value>, Problem> {
    act(&shared, &named, |desk, key| Ok(desk.books.leave_cashier(key, desk.now)?))
}

pub(in crate::control) async fn close(
    State(shared): State<Arc<Shared>>,
    Said(named): Said<Named>,
) -> Result<Json<Value>, Problem> {
    act(&shared, &named, |desk, key| Ok(desk.books.close_by_hand(key, desk.now)?))
}

/// Does something with an order, and shows it afterwards.
fn act(
    shared: &Shared,
    named: &Named,
    work: impl FnOnce(&mut Desk<'_>, &OrderKey) -> Result<(), Problem>,
) -> Result<Json<Value>, Problem> {
    shared.at_desk(|desk| {
        let key = named.find(desk)?;
        work(desk, &key)?;
        shown(&desk.books, &key, desk.now).map(Json).ok_or(Problem::Order)
    })
}

impl Named {
    pub(super) fn find(&self, desk: &Desk<'_>) -> Result<OrderKey, Problem> {
        if let Some(ticket) = &self.prepay_id {
            return desk.books.led_to(ticket, desk.now).cloned().ok_or(Problem::Ticket);
        }
        let number = self.out_trade_no.as_deref().ok_or(Problem::NoOrderNamed)?;
        let fits = |key: &&OrderKey| {
            key.out_trade_no == number && self.mchid.as_ref().is_none_or(|mchid| *mchid == key.mchid)
        };
        let combined = desk.books.combined().map(|(key, _)| key);
        let mut found = desk.books.orders().map(|(key, _)| key).chain(combined).filter(fits);
        match (found.next(), found.next()) {
            (None, _) => Err(Problem::Order),
            (Some(key), None) => Ok(key.clone()),
            (Some(_), Some(_)) => Err(Problem::OrderAmbiguous),
        }
    }
}
