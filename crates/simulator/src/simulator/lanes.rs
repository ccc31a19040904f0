//! A lane for each receiver, so that one that is slow holds up nobody's notices but its own.
//!
//! Invariant: at most [`AT_ONCE`] attempts to one receiver are on their way. A lane that nobody uses is forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Uri;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts on their way to one receiver.
const AT_ONCE: usize = 64;

/// Beyond so many, lanes that nobody uses are looked for.
const KEPT: usize = 256;

/// All lanes, by host and port.
#[derive(Default)]
pub(super) struct Lanes(BTreeMap<String, Arc<Semaphore>>);

/// A receiver's lane.
pub(super) struct Lane(Arc<Semaphore>);

impl Lanes {
    /// The lane of the receiver that a notify URL names.
    pub(super) fn of(&mut self, url: &str) -> Lane {
        if self.0.len() > KEPT {
            self.0.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        let uri = url.parse::<Uri>().ok();
        let receiver = uri.as_ref().and_then(Uri::authority).map_or(url, |authority| authority.as_str());
        let lane = self.0.entry(receiver.to_owned());
        Lane(Arc::clone(lane.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)))))
    }
}

impl Lane {
    /// A place in it, once there is one.
    pub(super) async fn place(self) -> OwnedSemaphorePermit {
        self.0.acquire_owned().await.expect("BUG: no lane is ever closed")
    }
}
