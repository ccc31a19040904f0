//! Running other programs: in the workspace's folder, with inherited output, and with a clear word when they fail.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Whether `command` can be run and ends well. Its output is thrown away.
pub(crate) fn succeeds(command: &[&str]) -> bool {
    let [program, args @ ..] = command else { return false };
    let quiet = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

/// Runs `command` in `folder` and returns how it ended.
///
/// # Errors
/// When the program cannot be started at all.
pub(crate) fn status(command: &mut Command, folder: &Path) -> Result<ExitStatus> {
    let status = command.current_dir(folder).status();
    status.with_context(|| format!("`{}` could not be started", line(command)))
}

/// Runs `command` in `folder`.
///
/// # Errors
/// When the program cannot be started or does not end with status 0.
pub(crate) fn run(command: &mut Command, folder: &Path) -> Result<()> {
    let status = status(command, folder)?;
    ensure!(status.success(), "`{}` ended with {status}; what is wrong stands above", line(command));
    Ok(())
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_absent_or_fails_does_not_succeed() {
        assert!(succeeds(&["cargo", "--version"]));
        assert!(!succeeds(&["cargo", "no-such-command"]));
        assert!(!succeeds(&["no-such-program"]));
        assert!(!succeeds(&[]));
    }

    #[test]
    fn a_failure_names_the_command() {
        let error =
            run(Command::new("cargo").args(["no-such-command"]).stderr(Stdio::null()), Path::new("."));
        assert!(error.unwrap_err().to_string().starts_with("`cargo no-such-command` ended with "));
    }
}
