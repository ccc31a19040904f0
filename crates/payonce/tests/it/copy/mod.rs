//! `payonce copy`: every value comes through, whatever ends it it goes on, and nobody is served by half.

mod catalogue;
mod changed;
mod crashes;
mod moved;
mod refused;
mod round_trip;
mod rows;
mod served;

use std::process::Command;

use crate::server::{Said, run};

/// Runs a copy that must end well.
fn copies(copy: &mut Command) -> Said {
    let said = run(copy);
    assert_eq!(said.code, Some(0), "{}", said.err);
    said
}

/// Runs a command that must refuse in one line, which it returns.
fn refusal(command: &mut Command) -> String {
    let said = run(command.env("PAYONCE_LOG_FILTER", "off"));
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said.err.trim_end().to_owned()
}
