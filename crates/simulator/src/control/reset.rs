//! Back to the start: nobody has ordered anything yet. Merchants, apps, keys and business time stay.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::said::Said;
use crate::simulator::Shared;

/// Nothing can be said; what is said all the same is refused by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) async fn reset(State(shared): State<Arc<Shared>>, Said(Nothing {}): Said<Nothing>) -> Json<Value> {
    shared.reset();
    Json(json!({}))
}
