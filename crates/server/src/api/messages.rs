//! `GET /v1/messages?after=` (or `?consumer=`): what came out, in order, again and again if asked.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use payonce_core::{
    message::rfc3339,
    store::{MessageView, Position},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ApiError, consumers::start};
use crate::server::App;

/// Messages in one answer at the most: about a megabyte.
const LIMIT_MAX: usize = 1000;
const LIMIT_DEFAULT: usize = 100;

/// Where to read on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    /// The position after which to read: 0 at first, then `next` of the last answer.
    after: Option<i64>,
    /// Whose offset says that instead.
    consumer: Option<String>,
    /// How many at the most.
    limit: Option<usize>,
}

/// Some messages, in the order of their positions.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    messages: Vec<MessageJson>,
    /// Pass this as `after` to read on.
    next: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct MessageJson {
    position: i64,
    id: String,
    r#type: String,
    created_at: String,
    /// The message's own bytes, unchanged.
    body: Box<RawValue>,
}

impl MessageJson {
    pub(super) fn of(message: MessageView) -> Result<Self, serde_json::Error> {
        Ok(Self {
            position: message.position.0,
            id: message.id.0,
            r#type: message.kind,
            created_at: rfc3339(message.created_at),
            body: RawValue::from_string(message.body)?,
        })
    }
}

/// Lists messages after a position. None is skipped, whoever wrote it.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    range: Result<Query<Range>, QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    let Query(range) = range.map_err(|rejection| ApiError::Query(rejection.body_text()))?;
    let limit = range.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let after = start(&app, range.after, range.consumer.as_deref()).await?;
    let messages = app.store.messages_after(after.max(Position(0)), limit).await?;
    let next = messages.last().map_or(after.0, |message| message.position.0);
    let messages = messages
        .into_iter()
        .map(MessageJson::of)
        .collect::<Result<_, serde_json::Error>>()
        .map_err(|error| payonce_core::StoreError::Unexpected(error.into()))?;
    Ok(Json(Page { messages, next }))
}
