//! Business time: read, quickened, frozen, stepped; and waiting until all is told that is due.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Problem;
use super::said::Said;
use crate::calendar;
use crate::clock::Pace;
use crate::simulator::Shared;

/// What a step cannot be longer than: ten years.
const STEP_SECONDS_MAX: u64 = 10 * 365 * 24 * 3600;

/// How long a call waits for quiet at the most.
const QUIET_SECONDS_MAX: u64 = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paced {
    pace: Pace,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    #[serde(default = "quiet_seconds")]
    seconds_max: u64,
}

const fn quiet_seconds() -> u64 {
    30
}

pub(super) async fn read(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shown(&shared))
}

pub(super) async fn set_pace(State(shared): State<Arc<Shared>>, Said(said): Said<Paced>) -> Json<Value> {
    shared.clock.set_pace(said.pace);
    shared.announce();
    Json(shown(&shared))
}

pub(super) async fn step(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<Step>,
) -> Result<Json<Value>, Problem> {
    if said.seconds > STEP_SECONDS_MAX {
        return Err(Problem::Value { field: "seconds", reason: "a step is 315360000 s (ten years) at most" });
    }
    shared.pass(Duration::from_secs(said.seconds)).await;
    Ok(Json(shown(&shared)))
}

pub(super) async fn quiet(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<Wait>,
) -> Result<Json<Value>, Problem> {
    let seconds = said.seconds_max;
    if seconds > QUIET_SECONDS_MAX {
        return Err(Problem::Value { field: "seconds_max", reason: "wait 300 s at most, and ask again" });
    }
    tokio::select! {
        quiet = timeout(Duration::from_secs(seconds), shared.quiet()) => {
            quiet.map_err(|_| Problem::NotQuiet { seconds })?;
        }
        // Nothing that is on its way comes to an end any more.
        () = shared.stopping() => return Err(Problem::NotQuiet { seconds }),
    }
    shared.saved().await?;
    Ok(Json(shown(&shared)))
}

fn shown(shared: &Shared) -> Value {
    let now = shared.clock.now();
    json!({ "now": calendar::rfc3339(now), "unix_seconds": now.0, "pace": shared.clock.pace() })
}
