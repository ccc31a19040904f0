//! Trouble: rules are listed with what they hit so far, put in place of those that are there, added, switched off.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Problem;
use super::said::{InPath, Said};
use crate::simulator::Shared;
use crate::trouble::{Scenario, Troubles};

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.with_troubles(|troubles| shown(troubles)))
}

pub(super) async fn replace(
    State(shared): State<Arc<Shared>>,
    Said(scenario): Said<Scenario>,
) -> Result<Json<Value>, Problem> {
    scenario.check()?;
    Ok(Json(change(&shared, |troubles| {
        troubles.clear();
        troubles.add(scenario);
    })))
}

pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    Said(scenario): Said<Scenario>,
) -> Result<Json<Value>, Problem> {
    scenario.check()?;
    Ok(Json(change(&shared, |troubles| troubles.add(scenario))))
}

pub(super) async fn clear(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(change(&shared, Troubles::clear))
}

pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    InPath(name): InPath<String>,
) -> Result<Json<Value>, Problem> {
    let shown = shared.with_rules(|troubles| troubles.remove(&name).then(|| shown(troubles)));
    shown.map(Json).ok_or(Problem::Rule { name })
}

fn change(shared: &Shared, work: impl FnOnce(&mut Troubles)) -> Value {
    shared.with_rules(|troubles| {
        work(troubles);
        shown(troubles)
    })
}

fn shown(troubles: &Troubles) -> Value {
    let notices = troubles.notices.iter().map(|counted| {
        let rule = &counted.rule;
        json!({
            "name": counted.name, "when": rule.when, "do": rule.trouble,
            "fitted": counted.fitted, "hits": counted.hits,
        })
    });
    let calls = troubles.calls.iter().map(|counted| {
        let rule = &counted.rule;
        json!({
            "name": counted.name, "when": rule.when, "do": rule.trouble,
            "fitted": counted.fitted, "hits": counted.hits,
        })
    });
    json!({
        "seed": troubles.seed(), "notices": notices.collect::<Vec<_>>(), "calls": calls.collect::<Vec<_>>(),
    })
}
