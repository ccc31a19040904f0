//! What the forms do. Each goes back to the page that it came from, or says why nothing was done.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tokio::time::timeout;

use super::form::Form;
use super::frame::problem;
use super::lang::Asked;
use super::presets;
use crate::books::{OrderKey, RefundStatus, Refusal};
use crate::clock::Pace;
use crate::control::send_again;
use crate::simulator::{Desk, Shared};

/// Longer than any button steps.
const STEP_SECONDS_MAX: u64 = 366 * 24 * 3600;

/// How long a step keeps who looks on waiting.
const A_MOMENT: Duration = Duration::from_secs(2);

/// An order, and what to do with it.
#[derive(Deserialize)]
pub(super) struct OfOrder {
    mchid: String,
    out_trade_no: String,
    back: String,
    despite_close: Option<String>,
    number: Option<u64>,
    /// How much of it goes back.
    pub(super) refund_fen: Option<NonZeroU32>,
    pub(super) out_refund_no: Option<String>,
    pub(super) status: Option<RefundStatus>,
}

#[derive(Deserialize)]
pub(super) struct Step {
    seconds: u64,
}

#[derive(Deserialize)]
pub(super) struct Paced {
    times: u32,
}

#[derive(Deserialize)]
pub(super) struct On {
    preset: String,
    #[serde(default)]
    order: String,
    once: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Off {
    name: String,
}

pub(super) async fn pay(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Form(said): Form<OfOrder>,
) -> Response {
    act(&shared, &asked, &said, |desk, key| {
        if said.despite_close.is_some() {
            desk.books.pay_despite_close(key, None, desk.now, desk.rng).map(drop)
        } else {
            desk.books.pay(key, None, desk.now, desk.rng).map(drop)
        }
    })
}

pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Form(said): Form<OfOrder>,
) -> Response {
    act(&shared, &asked, &said, |desk, key| desk.books.leave_cashier(key, desk.now))
}

pub(super) async fn close(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Form(said): Form<OfOrder>,
) -> Response {
    act(&shared, &asked, &said, |desk, key| desk.books.close_by_hand(key, desk.now))
}

pub(super) async fn resend(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Form(said): Form<OfOrder>,
) -> Response {
    match send_again(&shared, said.number.unwrap_or_default()) {
        Ok(()) => Redirect::to(here(&said.back)).into_response(),
        Err(refused) => problem(&asked, refused.status(), &refused.to_string()),
    }
}

pub(super) async fn step(State(shared): State<Arc<Shared>>, Form(said): Form<Step>) -> Redirect {
    let by = Duration::from_secs(said.seconds.min(STEP_SECONDS_MAX));
    // Who looks on need not wait for receivers that do not answer: the page shows how it goes on.
    let _ = timeout(A_MOMENT, tokio::spawn(async move { shared.pass(by).await })).await;
    Redirect::to("/")
}

pub(super) async fn pace(State(shared): State<Arc<Shared>>, Form(said): Form<Paced>) -> Redirect {
    shared.clock.set_pace(NonZeroU32::new(said.times).map_or(Pace::ByHand, Pace::Times));
    shared.announce();
    Redirect::to("/")
}

pub(super) async fn on(State(shared): State<Arc<Shared>>, asked: Asked, Form(said): Form<On>) -> Response {
    let Some(scenario) = presets::scenario(&said.preset, &said.order, said.once.is_some()) else {
        return problem(
            &asked,
            StatusCode::BAD_REQUEST,
            asked.lang.say("没有这种故障", "there is no such trouble"),
        );
    };
    shared.with_rules(|troubles| troubles.add(scenario));
    Redirect::to("/").into_response()
}

pub(super) async fn off(State(shared): State<Arc<Shared>>, Form(said): Form<Off>) -> Redirect {
    // One that is off already is as good as switched off.
    shared.with_rules(|troubles| troubles.remove(&said.name));
    Redirect::to("/")
}

pub(super) fn act(
    shared: &Shared,
    asked: &Asked,
    said: &OfOrder,
    work: impl FnOnce(&mut Desk<'_>, &OrderKey) -> Result<(), Refusal>,
) -> Response {
    let key = OrderKey::new(&said.mchid, &said.out_trade_no);
    match shared.at_desk(|desk| work(desk, &key)) {
        Ok(()) => Redirect::to(here(&said.back)).into_response(),
        Err(refusal) => problem(asked, StatusCode::CONFLICT, &refusal.to_string()),
    }
}

/// A page of ours, whatever the form says.
fn here(back: &str) -> &str {
    let is_ours = back.starts_with("/cashier/order/") && back.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours { back } else { "/" }
}
