//! The findings for people and for programs. The names of the JSON are stable: `docs/doctor.md` lists them.

use std::io::Write as _;

use serde::Serialize;

use super::finding::{Finding, Findings, Outcome};

pub(super) fn print(findings: &Findings, is_json: bool) -> anyhow::Result<()> {
    let text = if is_json { json(findings)? } else { text(findings) };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn text(findings: &Findings) -> String {
    let mut out = String::new();
    for finding in findings.iter() {
        let outcome = match finding.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        let about = finding.about.as_deref().map(|about| format!("{about}: ")).unwrap_or_default();
        out.push_str(&format!("{outcome:<8} {:<16} {about}{}\n", finding.check, lines(&finding.detail)));
        if let Some(remedy) = &finding.remedy {
            out.push_str(&format!("{:25} what to do: {remedy}\n", ""));
        }
    }
    let count = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    let (failed, warnings) = (count(Outcome::Failed), count(Outcome::Warning));
    out.push_str(&match (failed, warnings) {
        (0, 0) => "\nAll is well.\n".to_owned(),
        (0, warnings) => format!("\nIt works, with {warnings} warning(s).\n"),
        (failed, _) => format!("\n{failed} check(s) failed.\n"),
    });
    out
}

/// Texts from outside must not look like lines of ours, nor command the terminal; ours of several lines are indented.
fn lines(text: &str) -> String {
    let clean = |line: &str| line.chars().filter(|character| !character.is_control()).collect::<String>();
    text.lines().map(clean).collect::<Vec<_>>().join("\n                          ")
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
