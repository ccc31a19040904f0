//! The findings for people and for programs. The names of the JSON are stable: `docs/doctor.md` lists them.

use std::io::Write as _;

use serde::Serialize;

use super::finding::{Finding, Findings, Outcome};
use crate::args::DoctorOptions;

pub(super) fn print(findings: &Findings, options: &DoctorOptions) -> anyhow::Result<()> {
    let text = if options.json { json(findings)? } else { text(findings, options.offline) };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn text(findings: &Findings, is_offline: bool) -> String {
    let mut out = String::new();
    for finding in findings.iter() {
        let outcome = match finding.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        let about = finding.about.as_deref().map(|about| format!("{about}: ")).unwrap_or_default();
        out.push_str(&format!("{outcome:<8} {:<18} {about}{}\n", finding.check, lines(&finding.detail)));
        if let Some(remedy) = &finding.remedy {
            out.push_str(&format!("{:27} what to do: {}\n", "", lines(remedy)));
        }
    }
    out.push_str(&summary(findings, is_offline));
    out
}

/// The last line. Nothing is well that was not looked at.
fn summary(findings: &Findings, is_offline: bool) -> String {
    let count = |outcome| findings.count(outcome);
    let said = match (count(Outcome::Failed), count(Outcome::Warning), count(Outcome::Skipped)) {
        (0, 0, 0) if is_offline => "All is well, as far as it can be seen from here.".to_owned(),
        (0, 0, 0) => "All is well.".to_owned(),
        (0, 0, skipped) => format!("What was looked at is well; {skipped} check(s) were not made."),
        (0, warnings, 0) => format!("It works, with {warnings} warning(s)."),
        (0, warnings, skipped) => {
            format!("It works, with {warnings} warning(s); {skipped} check(s) were not made.")
        }
        (failed, _, 0) => format!("{failed} check(s) failed."),
        (failed, _, skipped) => format!("{failed} check(s) failed; {skipped} were not made."),
    };
    format!("\n{said}\n")
}

/// Texts from outside must not look like lines of ours, nor command the terminal; ours of several lines are indented.
fn lines(text: &str) -> String {
    let clean = |line: &str| line.chars().filter(|character| !character.is_control()).collect::<String>();
    text.lines().map(clean).collect::<Vec<_>>().join("\n                            ")
}

#[derive(Serialize)]
struct Report<'a> {
    healthy: bool,
    checks: Vec<&'a Finding>,
}

fn json(findings: &Findings) -> anyhow::Result<String> {
    let report = Report { healthy: !findings.any_failed(), checks: findings.iter().collect() };
    Ok(format!("{}\n", serde_json::to_string(&report)?))
}
