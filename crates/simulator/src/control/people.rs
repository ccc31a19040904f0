//! Users: under which openid an app knows one, and the login code that a Mini Program would get.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Problem;
use super::said::Said;
use crate::simulator::Shared;

/// Characters of a user's name.
const NAME_CHARS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserInApp {
    user: String,
    appid: String,
}

impl UserInApp {
    fn check(&self, shared: &Shared) -> Result<(), Problem> {
        check_user(&self.user)?;
        let known = shared.read(|books, _| books.app(&self.appid).is_some());
        if known { Ok(()) } else { Err(Problem::App { appid: self.appid.clone() }) }
    }
}

/// Whether it can be a user's name.
pub(super) fn check_user(user: &str) -> Result<(), Problem> {
    if (1..=NAME_CHARS_MAX).contains(&user.chars().count()) {
        return Ok(());
    }
    Err(Problem::Value { field: "user", reason: "give a name of 1 to 64 characters" })
}

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.read(|books, _| {
        let users = books.openids().map(|(user, openids)| json!({ "user": user, "openids": openids }));
        Json(json!({ "users": users.collect::<Vec<_>>() }))
    })
}

pub(super) async fn openid(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<UserInApp>,
) -> Result<Json<Value>, Problem> {
    said.check(&shared)?;
    let openid = shared.at_desk(|desk| desk.books.openid(&said.appid, &said.user, desk.rng));
    Ok(Json(json!({ "user": said.user, "appid": said.appid, "openid": openid })))
}

pub(super) async fn login(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<UserInApp>,
) -> Result<Json<Value>, Problem> {
    said.check(&shared)?;
    let code = shared.at_desk(|desk| desk.books.login(&said.appid, &said.user, desk.now, desk.rng));
    Ok(Json(json!({ "user": said.user, "appid": said.appid, "js_code": code })))
}
