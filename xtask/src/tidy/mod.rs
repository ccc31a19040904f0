//! `cargo xtask tidy`: the rules of this project that neither the compiler nor clippy knows. One file is one rule.
//!
//! A rule is a function from the tree to what breaks it. There are no exceptions and no list of old sins: a rule that
//! is wrong is changed here, for everyone. Each has a test in which it finds something.

use std::fmt;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::source::Tree;
use crate::workspace::Workspace;

mod dependencies;
mod error_pages;
mod fault_points;
mod file_size;
mod function_length;
mod header;
mod layout;
mod machine_paths;
mod panics;
mod traps;
mod words;

type Rule = fn(&Tree<'_>) -> Vec<Violation>;

const RULES: &[(&str, Rule)] = &[
    ("dependencies", dependencies::check),
    ("error-pages", error_pages::check),
    ("fault-points", fault_points::check),
    ("file-size", file_size::check),
    ("function-length", function_length::check),
    ("header", header::check),
    ("layout", layout::check),
    ("machine-paths", machine_paths::check),
    ("panics", panics::check),
    ("traps", traps::check),
    ("words", words::check),
];

/// A place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// A file or folder, or a crate for an edge.
    place: String,
    /// 0 where it is not about one line.
    line: usize,
    text: String,
}

impl Violation {
    fn new(place: &str, line: usize, text: String) -> Self {
        Self { place: place.to_owned(), line, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.text),
            line => write!(f, "{}:{line}: {}", self.place, self.text),
        }
    }
}

/// The command of its own.
///
/// # Errors
/// When the tree breaks a rule or cannot be read.
pub(crate) fn run() -> Result<ExitCode> {
    check(&Workspace::load()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what breaks a rule.
///
/// # Errors
/// When something does, or when the tree cannot be read.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let tree = Tree::load(workspace)?;
    let mut broken = 0;
    for (name, rule) in RULES {
        let violations = rule(&tree);
        broken += violations.len();
        for violation in violations {
            println!("{violation} [{name}]");
        }
    }
    ensure!(broken == 0, "tidy: {broken} places break a rule; they stand above");
    println!("tidy: {} rules hold for {} Rust files", RULES.len(), tree.sources.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `rule` says about these files, as `place:line`, to keep the rules' tests short.
    pub(super) fn places(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
        rule(&Tree::of(files)).into_iter().map(|found| format!("{}:{}", found.place, found.line)).collect()
    }

    #[test]
    fn a_tidy_tree_breaks_no_rule() {
        let files = [("crates/a/src/lib.rs", "//! A crate.\n\nfn a() -> u8 {\n    1\n}\n")];
        for (name, rule) in RULES {
            assert_eq!(rule(&Tree::of(&files)), [], "{name}");
        }
    }
}
