//! The process of an SDK, and questions to it: one JSON object a line there, one back.
//!
//! Invariant: it is asked one question at a time, so an answer belongs to the question before it. Deliberately absent:
//! a time limit; the test runner has one for every test.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::{AskError, Installation, Package, Sdk, StartError};

/// A running SDK. Dropping it closes its input, at which it ends.
#[derive(Debug)]
pub struct Peer {
    sdk: Sdk,
    child: Child,
    /// `None` once it is to end.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the SDK that is installed in cargo's target folder. What it writes to standard error goes to ours.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(sdk: Sdk, target: &Path) -> Result<Self, StartError> {
        let installation = Installation::of(Package::Sdk(sdk), target);
        if !installation.is_complete() {
            return Err(StartError::Absent { sdk: sdk.name() });
        }
        let mut command = installation.interpreter();
        command.arg(sdk.script()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| match source.kind() {
            // The packages are there, but what runs them is not.
            ErrorKind::NotFound => StartError::Absent { sdk: sdk.name() },
            _ => StartError::Process { sdk: sdk.name(), source },
        })?;
        let answers = child.stdout.take().expect("BUG: standard output was asked to be a pipe");
        Ok(Self { sdk, questions: child.stdin.take(), child, answers: BufReader::new(answers) })
    }

    /// Which SDK it is.
    #[must_use]
    pub fn sdk(&self) -> Sdk {
        self.sdk
    }

    /// Puts a question: the `task` by its name in the script, and what is given for it.
    ///
    /// # Errors
    /// [`AskError::Refused`] where the SDK or the script raised an error, [`AskError::Broken`] where there is no answer.
    pub fn ask(&mut self, task: &str, given: Value) -> Result<Value, AskError> {
        let sdk = self.sdk.name();
        let mut answer = self.exchange(task, given).map_err(|source| AskError::Broken { sdk, source })?;
        if let Some(error) = answer.get("error") {
            let text = error.as_str().unwrap_or_default().to_owned();
            return Err(AskError::Refused { sdk, text });
        }
        let answer = answer.get_mut("answer").map(Value::take);
        answer.ok_or_else(|| AskError::Broken { sdk, source: ErrorKind::InvalidData.into() })
    }

    fn exchange(&mut self, task: &str, given: Value) -> io::Result<Value> {
        let mut line = json!({ "task": task, "given": given }).to_string();
        line.push('\n');
        self.questions.as_mut().ok_or(ErrorKind::BrokenPipe)?.write_all(line.as_bytes())?;
        line.clear();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.questions = None;
        // It reads the end of its input and ends; how, no longer matters.
        let _ = self.child.wait();
    }
}
