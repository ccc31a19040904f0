//! What a dispatcher tells of, beyond what it writes: for logs, figures and alerts.

use std::time::Duration;

use payonce_core::{
    delivery::{Answer, EndpointName},
    message::MessageId,
};

/// Something that people want to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// No call of several in a row succeeded. If it is not there at all it is given a rest, and its messages wait; if it
    /// refuses them, each uses up its attempts.
    Failing,
    /// It took a message again.
    Recovered,
    /// It failed for as long as it may, and is disabled: its messages are held.
    DisabledFailing,
    /// It answered 410, and is disabled: its messages are held.
    DisabledGone,
    /// The last attempt to deliver a message failed; it can be replayed.
    Exhausted {
        /// The message.
        message: MessageId,
        /// What the last attempt ended in.
        answer: Answer,
    },
    /// There is no way to it: its messages wait until its definition, or payonce's configuration, is mended.
    Unusable {
        /// Why, and what to do.
        why: String,
    },
}

/// Who is told. Both are called amid the work: they hand on, and do not wait.
pub trait Observer: Send + Sync {
    /// Something happened at an endpoint.
    fn event(&self, endpoint: &EndpointName, event: Event);

    /// An attempt ended.
    fn attempted(&self, endpoint: &EndpointName, answer: Answer, took: Duration);
}
