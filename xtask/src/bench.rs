//! `cargo xtask bench`: builds the server and the load generator in release mode, then runs the generator.
//!
//! It prints to standard error only: the last line of standard output belongs to the generator's `--json`.

use std::env::consts::EXE_SUFFIX;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

/// Runs the benchmark and passes its exit status on.
///
/// # Errors
/// When the build fails or the generator cannot be started.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "-p", "payonce", "-p", "payonce-bench"]);
    process::run(&mut build, &workspace.root)?;

    let release = workspace.target.join("release");
    let mut bench = Command::new(release.join(format!("payonce-bench{EXE_SUFFIX}")));
    bench.arg("--server-bin").arg(release.join(format!("payonce{EXE_SUFFIX}"))).args(args);
    eprintln!("bench: {}", process::line(&bench));
    let status = process::status(&mut bench, &workspace.root)?;
    // No code means that a signal ended it.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
