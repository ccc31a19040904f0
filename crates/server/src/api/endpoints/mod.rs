//! `/v1/endpoints`: where messages go, and what has not arrived there.
//!
//! Invariant: secrets come in and, but for a new signing key, never go out.

mod definition;
#[cfg(test)]
mod tests;
mod undelivered;
mod view;

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{
        Path, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::StatusCode,
};
use payonce_core::{
    delivery::{EndpointName, EndpointState},
    store::delivery::{EndpointView, Start, Switch},
};
use payonce_dispatch::{Algorithm, SealingKeys, Senders, SigningKey};
use rand::{SeedableRng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

pub(crate) use undelivered::{attempts, list as undelivered, replay};

use self::{definition::Definition, view::EndpointJson};
use super::ApiError;
use crate::{delivery::NO_SEALING_KEY, server::App};

/// All of them, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Endpoints {
    endpoints: Vec<EndpointJson>,
}

/// One, with its new signing key if it has one.
#[derive(Serialize)]
pub(crate) struct Defined {
    #[serde(flatten)]
    endpoint: EndpointJson,
    /// What signs from now on: shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// What a receiver verifies ed25519 signatures with.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
}

impl fmt::Debug for Defined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defined").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Defined {
    fn new(endpoint: EndpointJson, key: Option<&SigningKey>) -> Self {
        Self {
            endpoint,
            secret: key.map(SigningKey::secret_text),
            public_key: key.and_then(SigningKey::public_text),
        }
    }
}

/// Lists them.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Endpoints>, ApiError> {
    let backlogs = app.store.deliveries().backlogs().await?;
    let views = app.store.deliveries().endpoints().await?;
    let endpoints = views.into_iter().map(|view| EndpointJson::of(&app, view, &backlogs)).collect();
    Ok(Json(Endpoints { endpoints }))
}

/// Shows one.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<EndpointJson>, ApiError> {
    let view = find(&app, &name(path)?).await?;
    Ok(Json(shown(&app, view).await?))
}

/// Defines one: 201 the first time, 200 if it was there. Secrets, headers and a login that are left out stay as they were;
/// whoever has no signing key yet gets one.
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<Definition>, JsonRejection>,
) -> Result<(StatusCode, Json<Defined>), ApiError> {
    let name = name(path)?;
    let Json(definition) = body.map_err(body_error)?;
    let (senders, keys) = sealing(&app)?;
    let _alone = app.delivery.defining.lock().await;
    let known = app.store.deliveries().endpoints().await?.into_iter().find(|view| view.name == name);
    known.as_ref().map_or(Ok(()), |view| of_api(&app, view))?;
    let secrets = known.as_ref().map(|view| keys.open(&name, &view.endpoint.sealed));
    let random = &mut StdRng::from_os_rng();
    // Who gives all secrets anew needs no old ones: those that no longer open are mended so.
    let (definition, start, secrets, key) = definition.parse(secrets, random)?;
    senders.with(secrets.clone(), &definition).map_err(|error| ApiError::Endpoint(error.to_string()))?;
    let sealed = keys.seal(&name, &secrets, random);
    let endpoint = payonce_core::delivery::Endpoint { sealed, ..definition };
    app.store.deliveries().put_endpoint(&name, &endpoint, start.unwrap_or(Start::Now)).await?;
    app.delivery.wake.endpoints_changed();
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let view = find(&app, &name).await?;
    Ok((status, Json(Defined::new(shown(&app, view).await?, key.as_ref()))))
}

/// Removes one. Its name is free then; what had not arrived there is not sent any more.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let view = find(&app, &name(path)?).await?;
    of_api(&app, &view)?;
    app.store.deliveries().remove_endpoint(view.id).await?;
    app.delivery.wake.endpoints_changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Lets messages flow to it, also those that were held.
pub(crate) async fn enable(
    state: State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<EndpointJson>, ApiError> {
    switch(&state.0, path, Switch::Enable).await
}

/// Holds its messages.
pub(crate) async fn disable(
    state: State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<EndpointJson>, ApiError> {
    switch(&state.0, path, Switch::Disable).await
}

async fn switch(
    app: &App,
    path: Result<Path<String>, PathRejection>,
    switch: Switch,
) -> Result<Json<EndpointJson>, ApiError> {
    let name = name(path)?;
    let id = find(app, &name).await?.id;
    app.store.deliveries().switch_endpoint(id, switch).await?;
    app.delivery.wake.endpoints_changed();
    Ok(Json(shown(app, find(app, &name).await?).await?))
}

/// How a signing key is changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// The new one; one is made if it is left out, of the same kind as the newest.
    secret: Option<String>,
    /// `hmac-sha256` or `ed25519`, if one is to be made.
    algorithm: Option<String>,
    /// How long the old ones sign as well: a day if it is left out.
    grace_seconds: Option<u32>,
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation").field("grace_seconds", &self.grace_seconds).finish_non_exhaustive()
    }
}

const GRACE_SECONDS_DEFAULT: u32 = 24 * 60 * 60;

/// Puts a new signing key in front. During the grace each call carries the signatures of the old ones as well.
pub(crate) async fn rotate(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<Rotation>, JsonRejection>,
) -> Result<Json<Defined>, ApiError> {
    let name = name(path)?;
    let Json(rotation) = body.map_err(body_error)?;
    let (_, keys) = sealing(&app)?;
    let _alone = app.delivery.defining.lock().await;
    let view = find(&app, &name).await?;
    of_api(&app, &view)?;
    let secrets =
        keys.open(&name, &view.endpoint.sealed).map_err(|error| ApiError::Endpoint(error.to_string()))?;
    let random = &mut StdRng::from_os_rng();
    let newest = secrets.signing().first().map(|signer| signer.key.algorithm());
    let key = definition::key(rotation.secret.as_deref(), rotation.algorithm.as_deref(), newest, random)?;
    let grace = Duration::from_secs(rotation.grace_seconds.unwrap_or(GRACE_SECONDS_DEFAULT).into());
    let secrets = secrets.rotate(key.clone(), grace, app.clock.now());
    let secrets = secrets.map_err(|error| ApiError::Endpoint(error.to_string()))?;
    let sealed = keys.seal(&name, &secrets, random);
    let endpoint = payonce_core::delivery::Endpoint { sealed, ..view.endpoint };
    app.store.deliveries().put_endpoint(&name, &endpoint, Start::Now).await?;
    app.delivery.wake.endpoints_changed();
    let view = find(&app, &name).await?;
    Ok(Json(Defined::new(shown(&app, view).await?, Some(&key))))
}

fn name(path: Result<Path<String>, PathRejection>) -> Result<EndpointName, ApiError> {
    let Path(name) = path.map_err(|rejection| ApiError::Endpoint(rejection.body_text()))?;
    EndpointName::parse(&name).map_err(|error| ApiError::Endpoint(error.to_string()))
}

fn body_error(rejection: JsonRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::Endpoint(rejection.body_text()),
    }
}

fn sealing(app: &App) -> Result<(&Senders, &SealingKeys), ApiError> {
    let senders = app.delivery.senders.as_deref().ok_or(ApiError::NoSealingKey(NO_SEALING_KEY))?;
    Ok((senders, &senders.keys))
}

/// What the configuration defines, it alone changes.
fn of_api(app: &App, view: &EndpointView) -> Result<(), ApiError> {
    if view.endpoint.settings.is_configured {
        let place = app.delivery.place_of(&view.name);
        return Err(ApiError::Configured { name: view.name.to_string(), place });
    }
    Ok(())
}

async fn find(app: &App, name: &EndpointName) -> Result<EndpointView, ApiError> {
    let all = app.store.deliveries().endpoints().await?;
    all.into_iter()
        .find(|view| view.name == *name)
        .ok_or_else(|| ApiError::NoSuchEndpoint { name: name.to_string() })
}

async fn shown(app: &App, view: EndpointView) -> Result<EndpointJson, ApiError> {
    let backlogs = app.store.deliveries().backlogs().await?;
    Ok(EndpointJson::of(app, view, &backlogs))
}

/// The word of a state.
fn state_word(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Enabled => "enabled",
        EndpointState::Disabled => "disabled",
        EndpointState::Gone => "disabled_gone",
        EndpointState::Failing => "disabled_failing",
    }
}

/// The word of an algorithm.
fn algorithm_word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Hmac => "hmac-sha256",
        Algorithm::Ed25519 => "ed25519",
    }
}
