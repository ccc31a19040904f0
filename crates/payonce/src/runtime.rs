//! The threads that serve requests.

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};

/// How far the threads that serve requests stand back (in steps of `nice`) behind the one that commits.
///
/// Everything waits for that one thread: where it has to wait for a processor beside them, batches are small and
/// the disk is idle. Measured with `cargo xtask bench` (docs/performance.md).
const STAND_BACK: i32 = 5;

/// A runtime with a thread a processor, which stand back behind the applier's.
pub(crate) fn start() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(|| {
            // On Linux this is about the calling thread. Where it is refused, things are a little slower.
            if let Err(error) = setpriority_process(None, STAND_BACK) {
                tracing::debug!(%error, "the priority of a thread could not be set");
            }
        })
        .build()
}
