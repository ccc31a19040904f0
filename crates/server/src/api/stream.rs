//! `GET /v1/messages/stream`: messages as server-sent events, as they come.
//!
//! Invariants: an event's id is its message's position, so that a reader who comes back with `Last-Event-ID` misses none;
//! a reader who does not read holds nothing up but his own stream; those who wait look for new messages together
//! ([`Newest`](super::newest::Newest)). The stream ends when the server goes down.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http_body_util::channel::Channel;
use payonce_core::{
    StoreError,
    store::{MessageView, Position},
};
use serde::Deserialize;
use tokio::time::timeout;

use super::{ApiError, consumers::start, messages::MessageJson};
use crate::server::App;

/// Messages read in one go.
const PAGE: usize = 100;

/// How long a message of another node may wait, where nobody tells of it.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A comment is sent so often while nothing comes: proxies cut what is silent for a minute.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    /// The position after which to begin: 0 if it is left out. `Last-Event-ID` counts more.
    after: Option<i64>,
    /// Whose offset says that instead.
    consumer: Option<String>,
}

/// Streams messages, from a position on.
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    from: Result<Query<From>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(from) = from.map_err(|rejection| ApiError::Query(rejection.body_text()))?;
    let after = match headers.get("last-event-id") {
        None => start(&app, from.after, from.consumer.as_deref()).await?,
        Some(id) => {
            id.to_str().ok().and_then(|id| id.trim().parse().ok()).map(Position).ok_or_else(|| {
                ApiError::Query("Last-Event-ID is none of this stream's: it is a position".to_owned())
            })?
        }
    };
    let after = after.max(Position(0));
    // What cannot be read now is answered as an error, and not as a stream that breaks off.
    let first = app.store.messages_after(after, PAGE).await?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(write(app, sender, after, first));
    let mut response = Body::new(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Writes until the reader, the server or the database goes away: a reader comes back with the last id he saw.
async fn write(
    app: Arc<App>,
    mut sender: http_body_util::channel::Sender<Bytes, Infallible>,
    mut after: Position,
    mut page: Vec<MessageView>,
) {
    let (mut positioned, mut stopping) = (app.positioned.subscribe(), app.stopping.clone());
    let written = async {
        let mut silent = Duration::ZERO;
        loop {
            if let Some(last) = page.last() {
                (after, silent) = (last.position, Duration::ZERO);
                let Some(events) = page.drain(..).map(event).collect::<Option<String>>() else { return };
                if sender.send_data(Bytes::from(events)).await.is_err() {
                    return;
                }
            } else {
                let is_told = timeout(LOOK_EVERY, positioned.changed()).await.is_ok();
                silent += LOOK_EVERY;
                if silent >= SILENCE_MAX {
                    silent = Duration::ZERO;
                    if sender.send_data(Bytes::from_static(b":\n\n")).await.is_err() {
                        return;
                    }
                }
                // What comes of another node, nobody tells of.
                if !is_told {
                    match app.newest.is_after(after, async |after| look(&app, after).await).await {
                        Ok(true) => {}
                        Ok(false) => continue,
                        Err(_) => return,
                    }
                }
            }
            match app.store.messages_after(after, PAGE).await {
                Ok(next) => page = next,
                Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = written => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}

/// Whether there is a message after a position.
async fn look(app: &App, after: Position) -> Result<bool, StoreError> {
    Ok(!app.store.deliveries().envelopes_after(after, 1).await?.envelopes.is_empty())
}

/// One event. `None`: the message's body is no JSON, which payonce never writes.
fn event(message: MessageView) -> Option<String> {
    let (position, kind) = (message.position.0, message.kind.clone());
    let data = serde_json::to_string(&MessageJson::of(message).ok()?).ok()?;
    // White space between JSON's tokens may hold line breaks, which would end the event.
    let data = data.replace(['\r', '\n'], " ");
    Some(format!("id: {position}\nevent: {kind}\ndata: {data}\n\n"))
}
