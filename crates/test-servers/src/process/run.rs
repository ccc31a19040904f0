//! Running a program to its end.

use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

use crate::CommandError;

/// Runs `command` with `input` on its standard input and returns its standard output, without the last line's end.
pub(crate) fn run(command: &mut Command, input: &str) -> Result<String, CommandError> {
    let line = line(command);
    match output(command, input) {
        Err(source) => Err(CommandError::NotRun { command: line, source }),
        Ok(output) if !output.status.success() => {
            let stderr = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            Err(CommandError::Failed { command: line, status: output.status, stderr })
        }
        Ok(output) => {
            let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.truncate(text.trim_end_matches('\n').len());
            Ok(text)
        }
    }
}

fn output(command: &mut Command, input: &str) -> io::Result<Output> {
    // The texts of every program in one language.
    command.env("LC_ALL", "C");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pipe = child.stdin.take();
    std::thread::scope(|scope| {
        // Beside the reading: a program that answers before it has read everything would block otherwise. One that
        // does not read to the end says why by its status.
        scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(input.as_bytes())));
        child.wait_with_output()
    })
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let long = "line\n".repeat(100_000);
        assert_eq!(run(&mut Command::new("cat"), &long).unwrap().len(), long.len() - 1);
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = run(Command::new("sh").args(["-c", "echo no >&2; exit 3"]), "").unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo no >&2; exit 3` ended with exit status: 3: no");
        assert!(matches!(run(&mut Command::new("no-such-program"), ""), Err(CommandError::NotRun { .. })));
    }
}
