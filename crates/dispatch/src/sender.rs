//! One attempt to hand a message over, whatever the way.

use std::sync::Arc;

use async_trait::async_trait;
use payonce_core::{
    delivery::{Answer, Endpoint, EndpointName, Heard},
    store::MessageView,
};

/// What came of an attempt. It always comes: what goes wrong is an answer as well.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was heard.
    pub heard: Heard,
    /// The answer's headers, one `name: value` a line.
    pub headers: String,
    /// The first 4 KiB of the answer's body; where there was no answer, what went wrong, in words.
    pub body: Vec<u8>,
}

impl Report {
    /// An answer without a body.
    #[must_use]
    pub fn of(answer: Answer) -> Self {
        Self { heard: answer.into(), headers: String::new(), body: Vec::new() }
    }
}

/// A way to one endpoint. It lives as long as the endpoint's definition stays as it is, and keeps its connections.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Makes one attempt. It ends within the endpoint's total time-out, and may be made for several messages at a time.
    async fn send(&self, message: &MessageView) -> Report;
}

/// Finds the way to endpoints.
pub trait Open: Send + Sync {
    /// The way to an endpoint.
    ///
    /// # Errors
    /// Why there is none, and what to do; no attempt is made then, and none is used up.
    fn open(&self, name: &EndpointName, endpoint: &Endpoint) -> Result<Arc<dyn Sender>, String>;
}
