//! `/v1/endpoints`: where messages go.

mod configured;
mod defining;
mod delivering;
mod refused;

use std::sync::Arc;

use payonce_dispatch::{Networks, SealingKeys};
use payonce_server::{Patience, config::Config};
use serde_json::Value;

use crate::{letter::Letter, stage::Stage, wire::Answer};

/// 32 bytes, as `openssl rand -base64 32` writes them.
const SEALING_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER_SEALING_KEY: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

/// A configuration by which receivers on the loopback may be called.
fn at_home(config: &mut Config, _: &mut Patience) {
    config.delivery.sealing_keys = Some(Arc::new(SealingKeys::parse(SEALING_KEY).unwrap()));
    config.delivery.networks = Networks::parse(["127.0.0.1"]).unwrap();
    config.delivery.unencrypted = true;
}

async fn put(stage: &Stage, name: &str, definition: Value) -> Answer {
    let letter = Letter::post(&format!("/v1/endpoints/{name}"), definition.to_string()).method("PUT");
    stage.api(letter.and("content-type", "application/json")).await
}

async fn post(stage: &Stage, path: &str, body: Value) -> Answer {
    let letter = Letter::post(&format!("/v1/endpoints/{path}"), body.to_string());
    stage.api(letter.and("content-type", "application/json")).await
}

async fn get(stage: &Stage, path: &str) -> Value {
    let answer = stage.api(Letter::get(&format!("/v1/endpoints{path}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}
