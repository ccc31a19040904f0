//! What one check found. The names of checks and outcomes are stable: `docs/doctor.md` lists them.

use std::fmt::Display;

use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok,
    /// It works today.
    Warning,
    Failed,
    /// Not made, and why.
    Skipped,
}

/// One check: what was looked at, what was found, and what to do.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub check: &'static str,
    /// The merchant, or the host, that it is about.
    pub about: Option<String>,
    pub outcome: Outcome,
    pub detail: String,
    pub remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, about: None, outcome: Outcome::Ok, detail: detail.into(), remedy: None }
    }

    pub(super) fn warning(check: &'static str, detail: impl Into<String>, remedy: &str) -> Self {
        let remedy = Some(remedy.to_owned());
        Self { check, about: None, outcome: Outcome::Warning, detail: detail.into(), remedy }
    }

    pub(super) fn failed(check: &'static str, detail: impl Into<String>, remedy: &str) -> Self {
        Self { outcome: Outcome::Failed, ..Self::warning(check, detail, remedy) }
    }

    pub(super) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::ok(check, why) }
    }

    pub(super) fn about(self, what: impl Display) -> Self {
        Self { about: Some(what.to_string()), ..self }
    }
}

/// All of them, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    pub(super) fn any_failed(&self) -> bool {
        self.0.iter().any(|finding| finding.outcome == Outcome::Failed)
    }
}
