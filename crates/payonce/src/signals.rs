//! Waits for the system's wish that the process ends.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGTERM or SIGINT (Ctrl-C).
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
