//! `payonce config` and `payonce init`, and the way to the configuration that all commands share.

use std::{io::Write, path::Path, process::ExitCode};

use payonce_server::config::{self, Config, Environment, Loaded};

/// Loads the configuration; an error lists everything that is wrong with it.
pub(crate) fn load(path: Option<&Path>, environment: &Environment) -> anyhow::Result<Loaded> {
    Ok(Config::load(path, environment)?)
}

pub(crate) fn show(path: Option<&Path>, environment: &Environment) -> anyhow::Result<ExitCode> {
    let loaded = load(path, environment)?;
    std::io::stdout().write_all(loaded.effective.render().as_bytes())?;
    for warning in &loaded.warnings {
        eprintln!("payonce: warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn init(path: &Path) -> anyhow::Result<ExitCode> {
    config::write_starter(path)?;
    writeln!(std::io::stdout(), "wrote {}: fill in the merchant, then run `payonce serve`", path.display())?;
    Ok(ExitCode::SUCCESS)
}
