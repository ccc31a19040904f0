//! Structured logs on standard error: for eyes, or one JSON object a line.

use std::io::IsTerminal as _;

use anyhow::Context;
use payonce_server::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging as `[log]` says.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .with_context(|| format!("log.filter {:?} is not a filter such as \"info\"", log.filter))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match log.format {
        LogFormat::Human => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
