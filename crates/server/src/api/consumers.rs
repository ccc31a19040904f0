//! `/v1/consumers`: how far those have read who read messages by themselves and let payonce keep their offset.
//!
//! Invariant: only `PUT` moves an offset, reading does not; payonce's own consumers are shown and left alone.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        Path, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::StatusCode,
};
use payonce_core::{
    message::rfc3339,
    store::{ConsumerName, ConsumerView, Moved, Position},
};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::server::App;

/// A consumer, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct ConsumerJson {
    name: String,
    /// What it has read, and all before it.
    position: i64,
    /// How many messages came since.
    behind: u64,
    changed_at: String,
}

impl ConsumerJson {
    fn of(view: &ConsumerView, newest: Position) -> Self {
        Self {
            name: view.name.to_string(),
            position: view.position.0,
            // Positions have no gaps.
            behind: u64::try_from(newest.0.saturating_sub(view.position.0)).unwrap_or(0),
            changed_at: rfc3339(view.changed_at),
        }
    }
}

/// All consumers.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    consumers: Vec<ConsumerJson>,
}

/// Where an offset shall stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    position: Target,
    /// Where it has to stand for that; left out: wherever.
    from: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Target {
    At(i64),
    Word(String),
}

/// Lists all, by name.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Listed>, ApiError> {
    let consumers = app.store.consumers();
    let (views, newest) = (consumers.all_consumers().await?, consumers.newest_position().await?);
    Ok(Json(Listed { consumers: views.iter().map(|view| ConsumerJson::of(view, newest)).collect() }))
}

/// Shows one.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<ConsumerJson>, ApiError> {
    Ok(Json(shown(&app, &name(path)?).await?))
}

/// Moves one's offset, and makes it if it is not there.
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<Move>, JsonRejection>,
) -> Result<Json<ConsumerJson>, ApiError> {
    let name = own_excepted(name(path)?)?;
    let Json(Move { position, from }) = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::Consumer(rejection.body_text()),
    })?;
    // It only grows: what has been given now can be read.
    let newest = app.store.consumers().newest_position().await?;
    let to = target(&position, newest)?;
    match app.store.consumers().move_consumer(&name, from.map(Position), to).await? {
        Moved::There => Ok(Json(shown(&app, &name).await?)),
        Moved::Elsewhere { stands_at } => {
            Err(ApiError::ConsumerElsewhere { name: name.to_string(), stands_at: stands_at.map(|at| at.0) })
        }
    }
}

/// Forgets one.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let name = own_excepted(name(path)?)?;
    if app.store.consumers().remove_consumer(&name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuchConsumer { name: name.to_string() })
    }
}

/// After which position whoever reads begins: what is asked for, or what is kept for a consumer. One that is not there is
/// refused, since a name that is misspelt would begin with the first message there is.
pub(super) async fn start(
    app: &App,
    after: Option<i64>,
    consumer: Option<&str>,
) -> Result<Position, ApiError> {
    match (after, consumer) {
        (Some(_), Some(_)) => Err(ApiError::Query("either after or consumer says where to begin".to_owned())),
        (after, None) => Ok(Position(after.unwrap_or(0))),
        (None, Some(text)) => {
            let name = ConsumerName::parse(text).map_err(|error| ApiError::Query(error.to_string()))?;
            Ok(find(app, &name).await?.position)
        }
    }
}

fn target(target: &Target, newest: Position) -> Result<Position, ApiError> {
    match target {
        Target::At(position) if (0..=newest.0).contains(position) => Ok(Position(*position)),
        Target::Word(word) if word == "newest" => Ok(newest),
        Target::At(_) | Target::Word(_) => Err(ApiError::Consumer(format!(
            "position: expected one that was read, 0 (none yet) to {}, or \"newest\"",
            newest.0
        ))),
    }
}

fn name(path: Result<Path<String>, PathRejection>) -> Result<ConsumerName, ApiError> {
    let Path(name) = path.map_err(|rejection| ApiError::Consumer(rejection.body_text()))?;
    ConsumerName::parse(&name).map_err(|error| ApiError::Consumer(error.to_string()))
}

fn own_excepted(name: ConsumerName) -> Result<ConsumerName, ApiError> {
    if name.is_own() {
        return Err(ApiError::Consumer(format!("{name} is payonce's own: only payonce moves it")));
    }
    Ok(name)
}

async fn find(app: &App, name: &ConsumerName) -> Result<ConsumerView, ApiError> {
    let found = app.store.consumers().consumer(name).await?;
    found.ok_or_else(|| ApiError::NoSuchConsumer { name: name.to_string() })
}

async fn shown(app: &App, name: &ConsumerName) -> Result<ConsumerJson, ApiError> {
    let view = find(app, name).await?;
    Ok(ConsumerJson::of(&view, app.store.consumers().newest_position().await?))
}
