//! How the dispatcher of a node learns at once what others on it did. Other nodes it finds by looking.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use payonce_core::delivery::EndpointId;
use tokio::sync::Notify;

/// A bell that tells for whom it rings.
#[derive(Debug, Default)]
pub struct Wake {
    bell: Notify,
    news: Mutex<News>,
}

/// What happened since the last look.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Rows may be due to these.
    pub due: BTreeSet<EndpointId>,
    /// Endpoints were defined, switched or removed.
    pub endpoints_changed: bool,
}

impl Wake {
    /// Rows are due to these endpoints.
    pub fn due(&self, endpoints: impl IntoIterator<Item = EndpointId>) {
        self.change(|news| news.due.extend(endpoints));
    }

    /// Endpoints were defined, switched or removed, or messages are to be replayed.
    pub fn endpoints_changed(&self) {
        self.change(|news| news.endpoints_changed = true);
    }

    fn change(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_one();
    }

    /// Waits for news.
    pub(crate) async fn heard(&self) -> News {
        self.bell.notified().await;
        std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
