//! Waits for the system's wish that the process ends.

use tokio::signal::unix::{SignalKind, signal};

/// Ends at SIGTERM or SIGINT (Ctrl-C). From this call on, neither ends the process by itself.
pub(crate) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
