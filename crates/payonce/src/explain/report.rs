//! A diagnosis for people and for programs. The names of the JSON are stable: `docs/explain.md` lists them.

use std::io::Write as _;

use serde::Serialize;
use wechatpay::diagnosis::{Cause, Check, Diagnosis, Outcome};

use super::{exit_status, input::Saved, time};
use crate::args::ExplainOptions;

pub(super) fn print(saved: &Saved, diagnosis: &Diagnosis, options: &ExplainOptions) -> anyhow::Result<()> {
    let text = match options.json {
        true => json(saved, diagnosis, options.show_plaintext)?,
        false => text(saved, diagnosis, options.show_plaintext),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn text(saved: &Saved, diagnosis: &Diagnosis, show_plaintext: bool) -> String {
    let mut out = format!("{}: a callback with {} bytes of body\n", saved.source, saved.body.len());
    let when = match diagnosis.now {
        Some(now) => format!("received at {}", time::show(now)),
        None => "when it was received is not known (--at TIME says it)".to_owned(),
    };
    out.push_str(&format!("{when}\n\n"));
    for (number, step) in (1..).zip(&diagnosis.steps) {
        let outcome = match step.outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "FAILED",
            Outcome::NotChecked => "not checked",
            Outcome::NotReached => "not reached",
        };
        let line = format!("{number} {:<14}  {outcome:<11}  {}", step.check.code(), lines(&step.detail));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let class = diagnosis.class;
    out.push_str(&format!("\nResult: {}: {}\n", class.code(), class.text()));
    let mut remedy_before = None;
    for cause in &diagnosis.causes {
        let is_guess = !cause.is_proved() && *cause != Cause::NoneFound;
        let certainty = if is_guess { " (likely, not proved)" } else { "" };
        out.push_str(&format!("\nCause: {}{certainty}\n", lines(&cause.to_string())));
        if remedy_before != Some(cause.remedy()) {
            out.push_str(&format!("What to do: {}\n", cause.remedy()));
        }
        remedy_before = Some(cause.remedy());
    }
    if let Some(notification) = &diagnosis.notification
        && diagnosis
            .steps
            .iter()
            .any(|step| step.check == Check::Signature && step.outcome == Outcome::Failed)
    {
        let (id, event_type) = (&notification.id, &notification.event_type);
        out.push_str(&format!(
            "\nUndoing that, it verifies and opens: notification {id:?}, {event_type:?}\n"
        ));
    }
    for note in &saved.notes {
        out.push_str(&format!("\nNote: {}\n", lines(note)));
    }
    if show_plaintext {
        match &diagnosis.notification {
            Some(notification) => out.push_str(&format!("\n{}\n", notification.plaintext)),
            None => out.push_str("\nNote: nothing was decrypted\n"),
        }
    }
    out
}

/// A text from outside must not look like lines of ours, nor command the terminal.
fn lines(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[derive(Serialize)]
struct Report<'a> {
    class: &'static str,
    exit_status: u8,
    text: &'static str,
    source: &'a str,
    path: Option<&'a str>,
    body_bytes: usize,
    merchant: Option<&'a str>,
    received_at: Option<i64>,
    steps: Vec<Step<'a>>,
    causes: Vec<CauseReport>,
    notes: &'a [String],
    notification: Option<Notification<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    check: &'static str,
    outcome: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct CauseReport {
    cause: &'static str,
    proved: bool,
    text: String,
    remedy: &'static str,
}

#[derive(Serialize)]
struct Notification<'a> {
    id: &'a str,
    create_time: &'a str,
    event_type: &'a str,
    original_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<&'a str>,
}

fn json(saved: &Saved, diagnosis: &Diagnosis, show_plaintext: bool) -> anyhow::Result<String> {
    let steps = diagnosis.steps.iter().map(|step| Step {
        check: step.check.code(),
        outcome: step.outcome.code(),
        detail: &step.detail,
    });
    let cause = |cause: &Cause| CauseReport {
        cause: cause.code(),
        proved: cause.is_proved(),
        text: cause.to_string(),
        remedy: cause.remedy(),
    };
    let notification = diagnosis.notification.as_ref().map(|notification| Notification {
        id: &notification.id,
        create_time: &notification.create_time,
        event_type: &notification.event_type,
        original_type: notification.original_type.as_deref(),
        plaintext: show_plaintext.then_some(notification.plaintext.as_str()),
    });
    let report = Report {
        class: diagnosis.class.code(),
        exit_status: exit_status(diagnosis.class),
        text: diagnosis.class.text(),
        source: &saved.source,
        path: saved.path.as_deref(),
        body_bytes: saved.body.len(),
        merchant: diagnosis.merchant.as_deref(),
        received_at: diagnosis.now.map(|now| now.0),
        steps: steps.collect(),
        causes: diagnosis.causes.iter().map(cause).collect(),
        notes: &saved.notes,
        notification,
    };
    Ok(format!("{}\n", serde_json::to_string(&report)?))
}
