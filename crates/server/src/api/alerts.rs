//! `POST /v1/alerts/test`: whether alerts arrive.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::{alerts::Tested, server::App};

/// Which channel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Its name; left out: all.
    channel: Option<String>,
}

/// What came of it, channel by channel.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    channels: Vec<ResultJson>,
}

#[derive(Debug, Serialize)]
struct ResultJson {
    channel: String,
    sent: bool,
    /// Why not.
    error: Option<String>,
}

/// Sends a test alert at once, and tells what came of it.
pub(crate) async fn test(
    State(app): State<Arc<App>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Results>, ApiError> {
    let Query(which) = which.map_err(|rejection| ApiError::Query(rejection.body_text()))?;
    let tested = app.alerts.test(which.channel.as_deref()).await;
    if tested.is_empty() {
        return Err(ApiError::NoChannel);
    }
    let result =
        |Tested { channel, result }| ResultJson { channel, sent: result.is_ok(), error: result.err() };
    Ok(Json(Results { channels: tested.into_iter().map(result).collect() }))
}
