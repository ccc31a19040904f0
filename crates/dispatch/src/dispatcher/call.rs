//! A call under way. Invariant: whatever becomes of it, its end is reported.

use std::{sync::Arc, time::Duration};

use payonce_core::{
    delivery::{Answer, Fault},
    store::delivery::{Due, EndpointView},
};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, timeout},
};

use crate::sender::{Report, Sender};

/// A call that ended.
pub(super) struct Ended {
    pub due: Due,
    /// The endpoint as it was when it began.
    pub view: Arc<EndpointView>,
    pub begun: Instant,
    pub took: Duration,
    pub report: Report,
}

/// Begins a call beside the dispatcher. A sender that exceeds the endpoint's total time-out is cut short.
pub(super) fn begin(
    due: Due,
    view: Arc<EndpointView>,
    sender: Arc<dyn Sender>,
    ended: UnboundedSender<Ended>,
) {
    let begun = Instant::now();
    tokio::spawn(async move {
        let report = Report::of(Answer::Fault(Fault::CutOff));
        let took = Duration::ZERO;
        let mut call = Call { ended: Some(Ended { due, view, begun, took, report }), to: ended };
        if let Some(Ended { due, view, report, .. }) = &mut call.ended {
            let total_max = Duration::from_millis(view.endpoint.settings.total_max_ms.into());
            *report = match timeout(total_max, sender.send(&due.message)).await {
                Ok(report) => report,
                Err(_) => Report::of(Answer::Fault(Fault::TimedOut)),
            };
        }
    });
}

struct Call {
    ended: Option<Ended>,
    to: UnboundedSender<Ended>,
}

impl Drop for Call {
    /// Also when the sender panics, or the runtime goes down.
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            let took = ended.begun.elapsed();
            // Nobody listens once the dispatcher has gone: the lease runs out then.
            let _ = self.to.send(Ended { took, ..ended });
        }
    }
}
