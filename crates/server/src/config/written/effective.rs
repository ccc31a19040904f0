//! The effective configuration: every value with its origin, for the operator. Secrets are never in it.

use std::fmt;

use super::super::{
    place::Place,
    table::{Key, Raw, Section},
};

/// Columns beyond which origins are no longer aligned, so that one long path does not push all far right.
const ALIGN_COLUMNS_MAX: usize = 60;

/// What is in force, in the table's order.
#[derive(Clone, Debug, Default)]
pub struct Effective(Vec<Shown>);

#[derive(Clone, Debug)]
struct Shown {
    section: Section,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    /// As TOML.
    assignment: String,
    origin: String,
}

impl Effective {
    /// What follows belongs to this section.
    pub(in crate::config) fn open(&mut self, section: Section) {
        self.0.push(Shown { section, lines: Vec::new() });
    }

    pub(in crate::config) fn line(&mut self, key: &Key, value: &Raw, place: &Place) {
        self.push(format!("{} = {}", key.name, value.to_toml()), place.origin());
    }

    pub(in crate::config) fn redacted(&mut self, key: &Key, origin: &str) {
        self.push(format!("{} = \"[REDACTED]\"", key.name), origin.to_owned());
    }

    fn push(&mut self, assignment: String, origin: String) {
        if let Some(shown) = self.0.last_mut() {
            shown.lines.push(Line { assignment, origin });
        }
    }

    /// TOML, each value followed by a comment that says where it comes from.
    #[must_use]
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.0.iter().flat_map(|shown| &shown.lines).map(|line| line.assignment.chars().count());
        let width = widths.filter(|width| *width <= ALIGN_COLUMNS_MAX).max().unwrap_or(0);
        for (number, shown) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}", shown.section.header())?;
            for Line { assignment, origin } in &shown.lines {
                writeln!(f, "{assignment:width$}  # {origin}")?;
            }
            if shown.lines.is_empty() {
                writeln!(f, "# nothing is set")?;
            }
        }
        Ok(())
    }
}
