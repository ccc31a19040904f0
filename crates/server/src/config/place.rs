//! Where a value stands: needed by every error, and by the effective configuration.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// Where a value, or the lack of one, was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the configuration file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// The command line names the file.
    CommandLine,
    /// In this environment variable.
    Environment(String),
    /// Neither here nor there.
    Unset,
}

impl Place {
    /// The start of `span`, bytes of `text`; the file's start if there is none.
    pub(super) fn in_file(path: &Path, text: &str, span: Option<Range<usize>>) -> Self {
        let start = span.map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self::File {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// As the effective configuration names it: `default`, `file payonce.toml:12`, `environment PAYONCE_…`.
    pub(super) fn origin(&self) -> String {
        match self {
            Self::File { path, line, .. } => format!("file {}:{line}", path.display()),
            Self::CommandLine => "command line".to_owned(),
            Self::Environment(name) => format!("environment {name}"),
            Self::Unset => "default".to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::CommandLine => f.write_str("command line"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Unset => f.write_str("not set"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\n订单 = 2\n";
        let value = text.find('2').expect("it is there");
        assert_eq!(
            Place::in_file(Path::new("p.toml"), text, Some(value..value + 1)).to_string(),
            "p.toml:2:6"
        );
    }
}
