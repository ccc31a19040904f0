//! What has not arrived at an endpoint: listed, with the attempts that were made, and sent once more.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
};
use jiff::Timestamp;
use payonce_core::{
    StoreError, UnixMillis,
    delivery::{Answer, EndpointId, Filter},
    message::rfc3339,
    store::{
        Position, Store,
        delivery::{AttemptView, DeliveryState, DeliveryView, Replay},
    },
};
use serde::{Deserialize, Serialize};

use super::{body_error, find, name};
use crate::{api::ApiError, server::App};

const LIMIT_MAX: usize = 1000;
const LIMIT_DEFAULT: usize = 100;

/// Attempts shown of a message: more than a schedule has.
const ATTEMPTS_MAX: usize = 100;

/// Exhausted messages that are made due in one transaction.
const REPLAY_ROWS_MAX: usize = 1000;

/// Which ones, and where to read on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    /// `pending` or `exhausted`.
    state: String,
    #[serde(default)]
    after: i64,
    limit: Option<usize>,
}

/// Some of them, by position.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    messages: Vec<UndeliveredJson>,
    /// Pass this as `after` to read on.
    next: i64,
}

#[derive(Debug, Serialize)]
struct UndeliveredJson {
    position: i64,
    id: String,
    r#type: String,
    attempts: u32,
    /// When the next attempt is due; `null` once it is exhausted.
    due_at: Option<String>,
}

/// Lists what is pending, or exhausted.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    range: Result<Query<Range>, QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    let Query(range) = range.map_err(|rejection| ApiError::Query(rejection.body_text()))?;
    let state = match range.state.as_str() {
        "pending" => DeliveryState::Pending,
        "exhausted" => DeliveryState::Exhausted,
        _ => return Err(ApiError::Query("state: expected pending or exhausted".to_owned())),
    };
    let id = find(&app, &name(path)?).await?.id;
    let limit = range.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let rows = app.store.deliveries().undelivered(id, state, Position(range.after), limit).await?;
    let next = rows.last().map_or(range.after, |row| row.position.0);
    Ok(Json(Page { messages: rows.into_iter().map(undelivered_json).collect(), next }))
}

fn undelivered_json(row: DeliveryView) -> UndeliveredJson {
    let is_pending = row.state == DeliveryState::Pending;
    UndeliveredJson {
        position: row.position.0,
        id: row.id.0,
        r#type: row.kind,
        attempts: row.attempts,
        due_at: is_pending.then(|| rfc3339(row.due_at)),
    }
}

/// The attempts that were made, the latest first.
#[derive(Debug, Serialize)]
pub(crate) struct Attempts {
    attempts: Vec<AttemptJson>,
}

#[derive(Debug, Serialize)]
struct AttemptJson {
    number: u32,
    begun_at: String,
    took_ms: u64,
    /// The status of the answer; `null` if there was none, or of a broker.
    status: Option<u16>,
    /// Why there was no answer.
    fault: Option<&'static str>,
    /// The answer's headers, one a line.
    headers: String,
    /// The beginning of the answer's body, or what went wrong.
    body: String,
}

/// Shows the attempts to deliver a message.
pub(crate) async fn attempts(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, i64)>, PathRejection>,
) -> Result<Json<Attempts>, ApiError> {
    let Path((endpoint, position)) = path.map_err(|rejection| ApiError::Endpoint(rejection.body_text()))?;
    let id = find(&app, &name(Ok(Path(endpoint)))?).await?.id;
    let made = app.store.deliveries().attempts(id, Position(position), ATTEMPTS_MAX).await?;
    Ok(Json(Attempts { attempts: made.into_iter().map(attempt_json).collect() }))
}

fn attempt_json(attempt: AttemptView) -> AttemptJson {
    let (status, fault) = match attempt.answer {
        Answer::Status(status) => (Some(status), None),
        Answer::Confirmed => (None, None),
        Answer::Fault(fault) => (None, Some(fault.as_str())),
    };
    AttemptJson {
        number: attempt.number,
        begun_at: rfc3339(attempt.begun_at),
        took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        status,
        fault,
        headers: attempt.headers,
        body: String::from_utf8_lossy(&attempt.body).into_owned(),
    }
}

/// What is to be sent once more: one of these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum What {
    /// The message at this position.
    Position(i64),
    /// What is exhausted, of these kinds (`["*"]`: all).
    Exhausted { kinds: Vec<String> },
    /// Every message after this position that the endpoint wants now, delivered or not.
    After(i64),
    /// Every message since a time, likewise.
    Since(String),
}

/// How many messages are due anew.
#[derive(Debug, Serialize)]
pub(crate) struct Replayed {
    /// Messages that are due; of `after` and `since`, positions that are looked at anew.
    messages: u64,
}

/// Makes messages due once more. Their attempts begin anew; id and bytes are the same.
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<What>, JsonRejection>,
) -> Result<Json<Replayed>, ApiError> {
    let Json(what) = body.map_err(body_error)?;
    let id = find(&app, &name(path)?).await?.id;
    let deliveries = app.store.deliveries();
    let messages = match what {
        What::Position(position) => deliveries.replay(id, Replay::One(Position(position))).await?,
        What::Exhausted { kinds } => {
            let filter =
                Filter::parse(&kinds).map_err(|error| ApiError::Endpoint(format!("kinds: {error}")))?;
            replay_exhausted(&app, id, &filter).await?
        }
        What::After(position) => deliveries.replay(id, Replay::After(Position(position.max(0)))).await?,
        What::Since(text) => {
            let since = text.parse::<Timestamp>();
            let since = since.map_err(|_| {
                ApiError::Endpoint(
                    "since is not an RFC 3339 time such as 2026-03-02T09:15:07+08:00".to_owned(),
                )
            })?;
            let before = last_before(&*app.store, UnixMillis(since.as_millisecond())).await?;
            deliveries.replay(id, Replay::After(before)).await?
        }
    };
    app.delivery.wake.endpoints_changed();
    Ok(Json(Replayed { messages }))
}

async fn replay_exhausted(app: &App, id: EndpointId, filter: &Filter) -> Result<u64, StoreError> {
    let deliveries = app.store.deliveries();
    if *filter == Filter::all() {
        let mut messages = 0;
        loop {
            let some = deliveries.replay(id, Replay::Exhausted { rows_max: REPLAY_ROWS_MAX }).await?;
            messages += some;
            if some < REPLAY_ROWS_MAX as u64 {
                return Ok(messages);
            }
        }
    }
    let (mut after, mut messages) = (Position(0), 0);
    loop {
        let rows = deliveries.undelivered(id, DeliveryState::Exhausted, after, REPLAY_ROWS_MAX).await?;
        let Some(last) = rows.last() else { return Ok(messages) };
        after = last.position;
        for row in rows.iter().filter(|row| filter.wants(&row.kind)) {
            messages += deliveries.replay(id, Replay::One(row.position)).await?;
        }
    }
}

/// The last position before those of a time. Messages of one node lie in the order of their times; those of several nodes
/// nearly so, which is why a minute is added.
async fn last_before(store: &dyn Store, time: UnixMillis) -> Result<Position, StoreError> {
    const SLACK_MILLIS: i64 = 60_000;
    let since = time.0.saturating_sub(SLACK_MILLIS);
    let is_before = async |position: i64| -> Result<Option<bool>, StoreError> {
        let next = store.messages_after(Position(position), 1).await?;
        Ok(next.first().map(|message| message.created_at.0 < since))
    };
    // Invariant: what comes after `low` may be too early; nothing after `high` is.
    let (mut low, mut high) = (0_i64, 1_i64);
    while is_before(high).await? == Some(true) {
        (low, high) = (high, high.saturating_mul(2));
    }
    while low < high {
        let middle = low + (high - low) / 2;
        match is_before(middle).await? {
            Some(true) => low = middle + 1,
            Some(false) | None => high = middle,
        }
    }
    Ok(Position(low))
}
