//! What is written from the table: the commented starter file and the reference for people.
//!
//! Invariant: the starter, as it is, loads and changes nothing.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::super::table::{Key, Kind, Raw, Sample, Section, Times};

const STARTER_HEAD: &str = "\
# payonce's configuration. Lines that begin with `#` and a space explain; take the `#` away from any other
# to set its key. What is shown is the default, except in [api] and [[merchants]], where it is an example.
# Relative paths start from the folder of this file. `payonce config` shows what is in force.
";

const REFERENCE_HEAD: &str = "\
# Configuration

<!-- Written from the table of keys in crates/server/src/config; a test holds the two together. -->

One TOML file: the one that `--config` names, else the one that the variable `PAYONCE_CONFIG` names, else
`payonce.toml` in the working folder, else none. `payonce init` writes a commented starter, `payonce config`
shows what is in force and where each value comes from.

An environment variable goes before the file, the file before the default. An unknown key or `PAYONCE_…`
variable is an error. Relative paths start from the folder of the configuration file. Secrets stand in files of
their own or in the environment, never in the configuration file; a secret's file that others may read brings a
warning, newlines at its end do not count.
";

/// Why no starter was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Nothing is overwritten.
    #[error("{} exists already and was left as it is; name another file, or remove it first", file.display())]
    Exists {
        /// The file that is there.
        file: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes the starter to a new file.
///
/// # Errors
/// [`InitError::Exists`] if there is a file already, which is left as it is.
pub fn write_starter(path: &Path) -> Result<(), InitError> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(starter().as_bytes()));
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists { file: path.to_owned() },
        _ => InitError::Unwritable { file: path.to_owned(), source },
    })
}

/// The commented starter file: every key with what it means and its default.
#[must_use]
pub fn starter() -> String {
    let mut text = STARTER_HEAD.to_owned();
    for section in Section::ALL {
        text.push('\n');
        comment(&mut text, section.doc());
        // A section that may stand many times would be one merchant, so its head is commented out too.
        let off = if section.times() == Times::Many { "#" } else { "" };
        line(&mut text, format_args!("{off}{}", section.header()));
        for key in section.keys() {
            comment(&mut text, key.doc);
            match &key.kind {
                Kind::Secret { file, .. } => {
                    let (file, variable) = (file.name, variable(key));
                    comment(
                        &mut text,
                        &format!("Not in this file: in that which {file} names, or in {variable}."),
                    );
                }
                _ => line(&mut text, format_args!("#{} = {}", key.name, sample(key).to_toml())),
            }
        }
    }
    text
}

/// The reference for people: Markdown, which is `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = REFERENCE_HEAD.to_owned();
    for section in Section::ALL {
        line(&mut text, format_args!("\n## `{}`\n\n{}\n", section.header(), one_line(section.doc())));
        line(&mut text, format_args!("| key | takes | default | environment | meaning |"));
        line(&mut text, format_args!("|---|---|---|---|---|"));
        for key in section.keys() {
            let takes = match &key.kind {
                Kind::Secret { file, holds } => format!("{holds}; by `{}` or environment only", file.name),
                kind => kind.expected(),
            };
            let default = key.default().map_or("–".to_owned(), |_| format!("`{}`", sample(key).to_toml()));
            let variable = Some(variable(key)).filter(|name| !name.is_empty());
            let variable = variable.map_or("–".to_owned(), |name| format!("`{name}`"));
            let (name, doc) = (key.name, one_line(key.doc));
            line(&mut text, format_args!("| `{name}` | {takes} | {default} | {variable} | {doc} |"));
        }
    }
    text
}

fn sample(key: &Key) -> Raw {
    let (Sample::Default(value) | Sample::Example(value)) = key.sample;
    Raw::from_text(key, value)
}

fn variable(key: &Key) -> String {
    let of = match key.section {
        Section::Endpoints | Section::Alerts => "<NAME>",
        _ => "<MCHID>",
    };
    key.variable(Some(of)).unwrap_or_default()
}

fn one_line(doc: &str) -> String {
    doc.replace('\n', " ")
}

fn comment(text: &mut String, doc: &str) {
    for each in doc.lines() {
        line(text, format_args!("# {each}"));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("BUG: writing to a String cannot fail");
}
