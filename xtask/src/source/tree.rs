//! All that `tidy` looks at, read once: the files of our crates, the names of the error pages, the page of the traps,
//! the crates' edges.
//!
//! Rules are functions of a `Tree`, so a test of a rule needs no disk.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::file::SourceFile;
use crate::workspace::{Package, Workspace};

/// The folders that are read, relative to the workspace.
const FOLDERS: &[&str] = &["crates", "fuzz/fuzz_targets", "xtask", "docs/errors"];

/// The page that lists the traps.
pub(crate) const VERIFICATION: &str = "docs/verification.md";

/// Paths are relative to the workspace, have forward slashes and are sorted.
#[derive(Default)]
pub(crate) struct Tree<'a> {
    pub(crate) paths: Vec<String>,
    pub(crate) sources: Vec<SourceFile>,
    /// The text of [`VERIFICATION`]; nothing, where there is no such page.
    pub(crate) verification: String,
    pub(crate) packages: &'a [Package],
}

impl<'a> Tree<'a> {
    /// Reads the tree of `workspace`.
    ///
    /// # Errors
    /// When a file or folder cannot be read, or a Rust file is not UTF-8.
    pub(crate) fn load(workspace: &'a Workspace) -> Result<Self> {
        let mut tree = Self { packages: &workspace.packages, ..Self::default() };
        for folder in FOLDERS.iter().filter(|folder| workspace.root.join(folder).is_dir()) {
            tree.walk(&workspace.root, folder)?;
        }
        let page = workspace.root.join(VERIFICATION);
        if page.is_file() {
            tree.verification =
                fs::read_to_string(page).with_context(|| format!("reading {VERIFICATION}"))?;
        }
        tree.paths.sort();
        for path in tree.paths.iter().filter(|path| path.ends_with(".rs")) {
            let text =
                fs::read_to_string(workspace.root.join(path)).with_context(|| format!("reading {path}"))?;
            tree.sources.push(SourceFile::new(path.clone(), text));
        }
        Ok(tree)
    }

    fn walk(&mut self, root: &Path, folder: &str) -> Result<()> {
        let entries = fs::read_dir(root.join(folder)).with_context(|| format!("listing {folder}"))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("listing {folder}"))?;
            let name = entry.file_name();
            let path = format!("{folder}/{}", name.to_string_lossy());
            let hidden = name.to_string_lossy().starts_with('.');
            match entry.file_type().with_context(|| format!("looking at {path}"))? {
                _ if hidden || name == "target" => {}
                kind if kind.is_dir() => self.walk(root, &path)?,
                _ => self.paths.push(path),
            }
        }
        Ok(())
    }

    /// The file at `path`, if there is one.
    pub(crate) fn source(&self, path: &str) -> Option<&SourceFile> {
        self.sources.iter().find(|source| source.path == path)
    }
}

#[cfg(test)]
impl Tree<'_> {
    /// A tree of these files, for the tests of rules.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.paths.push((*path).to_owned());
            if path.ends_with(".rs") {
                tree.sources.push(SourceFile::new((*path).to_owned(), (*text).to_owned()));
            } else if *path == VERIFICATION {
                tree.verification = (*text).to_owned();
            }
        }
        tree
    }
}
