//! What one check found. The names of checks and outcomes are stable: `docs/doctor.md` lists them.

use std::fmt::Display;

use serde::Serialize;

/// Every check there is.
pub(super) const CHECKS: [&str; 16] = [
    "configuration",
    "api_certificate",
    "platform_key",
    "database",
    "effects",
    "wechat_host",
    "clock",
    "signed_call",
    "apiv3_key",
    "notify_url",
    "notify_address",
    "notify_certificate",
    "notify_answer",
    "echo_request",
    "echo_secret",
    "echo_callback",
];

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

    pub(super) fn warning(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (detail, remedy) = (detail.into(), Some(remedy.into()));
        Self { check, about: None, outcome: Outcome::Warning, detail, remedy }
    }

    pub(super) fn failed(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
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
        debug_assert!(CHECKS.contains(&finding.check), "BUG: {} is no check", finding.check);
        self.0.push(finding);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// How many came out so.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.0.iter().filter(|finding| finding.outcome == outcome).count()
    }

    /// Whether there is one of this check about this.
    pub(super) fn are_told(&self, check: &str, about: &impl Display) -> bool {
        let about = about.to_string();
        self.0
            .iter()
            .any(|finding| finding.check == check && finding.about.as_deref() == Some(about.as_str()))
    }

    pub(super) fn any_failed(&self) -> bool {
        self.count(Outcome::Failed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_the_checks_that_there_are_and_no_others() {
        let page = include_str!("../../../../docs/doctor.md");
        let (_, table) = page.split_once("| check | it fails where |\n|---|---|\n").unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let named = |line: &'static str| line.split('`').nth(1).unwrap();
        assert_eq!(table.lines().map(named).collect::<Vec<_>>(), CHECKS);
    }
}
