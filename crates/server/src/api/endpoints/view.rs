//! An endpoint as it goes out: without its secrets.

use payonce_core::{
    UnixMillis,
    message::rfc3339,
    store::delivery::{Backlog, EndpointView},
};
use payonce_dispatch::{Secrets, Signer};
use serde::Serialize;

use super::{algorithm_word, state_word};
use crate::{delivery::NO_SEALING_KEY, server::App};

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct EndpointJson {
    name: String,
    url: String,
    kinds: Vec<String>,
    ordered: bool,
    /// `api` or `configuration`.
    defined_by: &'static str,
    state: &'static str,
    state_since: String,
    /// Since when no call succeeded, if the last ones failed.
    failing_since: Option<String>,
    /// Why there is no way to it, and what to do.
    trouble: Option<String>,
    /// Up to which position messages were looked at for it.
    position: i64,
    /// Messages that are due now; `null` while it is disabled.
    due: Option<u64>,
    concurrency: u16,
    rate_per_second: Option<u32>,
    connect_max_ms: u32,
    total_max_ms: u32,
    schedule_seconds: Vec<u64>,
    failing_max_seconds: u32,
    /// Names alone.
    headers: Vec<String>,
    has_login: bool,
    keys: Vec<KeyJson>,
}

#[derive(Debug, Serialize)]
struct KeyJson {
    algorithm: &'static str,
    /// What a receiver verifies ed25519 signatures with.
    public_key: Option<String>,
    /// From then on it no longer signs.
    until: Option<String>,
}

impl EndpointJson {
    pub(super) fn of(app: &App, view: EndpointView, backlogs: &[Backlog]) -> Self {
        let EndpointView { id, name, endpoint, state, state_since, failing_since, fanned_out } = view;
        let now = app.clock.now();
        let settings = endpoint.settings.clone();
        let (secrets, trouble) = match app.delivery.senders.as_deref() {
            None => (Secrets::default(), Some(NO_SEALING_KEY.to_owned())),
            Some(senders) => match senders.keys.open(&name, &endpoint.sealed) {
                Err(error) => (Secrets::default(), Some(error.to_string())),
                Ok(secrets) => {
                    let trouble =
                        senders.with(secrets.clone(), &endpoint).err().map(|error| error.to_string());
                    (secrets, trouble)
                }
            },
        };
        let keys = secrets.signing().iter().filter(|signer| signer.signs_at(now)).map(key_json).collect();
        Self {
            name: name.to_string(),
            url: endpoint.url.as_str().to_owned(),
            kinds: endpoint.filter.into(),
            ordered: endpoint.ordered,
            defined_by: if settings.is_configured { "configuration" } else { "api" },
            state: state_word(state),
            state_since: rfc3339(state_since),
            failing_since: failing_since.map(rfc3339),
            trouble,
            position: fanned_out.0,
            due: backlogs.iter().find(|backlog| backlog.endpoint == id).map(|backlog| backlog.due),
            concurrency: settings.concurrency,
            rate_per_second: settings.rate_per_second,
            connect_max_ms: settings.connect_max_ms,
            total_max_ms: settings.total_max_ms,
            schedule_seconds: settings.schedule.into(),
            failing_max_seconds: settings.failing_max_seconds,
            headers: secrets.headers().iter().map(|header| header.name().to_string()).collect(),
            has_login: secrets.login().is_some(),
            keys,
        }
    }
}

fn key_json(Signer { key, until }: &Signer) -> KeyJson {
    let until: Option<UnixMillis> = *until;
    KeyJson {
        algorithm: algorithm_word(key.algorithm()),
        public_key: key.public_text(),
        until: until.map(rfc3339),
    }
}
