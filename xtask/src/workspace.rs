//! The workspace as `cargo metadata` describes it: where it is, where it builds, which of our crates needs which.
//!
//! Dependencies on other people's crates are left out; `deny.toml` judges those.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Folders are absolute.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One of our crates and the edges to others of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) edges: Vec<Edge>,
}

/// A dependency on one of our crates. A build dependency counts as an ordinary one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) to: String,
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo. `--no-deps` keeps the network and the lock file out of it.
    ///
    /// # Errors
    /// When cargo cannot read the manifests, or answers in a form that is not known here.
    pub(crate) fn load() -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version", "1", "--no-deps"]).stderr(Stdio::inherit());
        let output = cargo.output().context("`cargo metadata` could not be started")?;
        ensure!(output.status.success(), "`cargo metadata` ended with {}", output.status);
        let metadata =
            serde_json::from_slice(&output.stdout).context("`cargo metadata` did not answer with JSON")?;
        Self::parse(&metadata).context("`cargo metadata` lacks a field that xtask needs")
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let packages = metadata["packages"].as_array()?;
        let ours: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
        Some(Self {
            root: metadata["workspace_root"].as_str()?.into(),
            target: metadata["target_directory"].as_str()?.into(),
            packages: packages.iter().map(|package| Package::parse(package, &ours)).collect::<Option<_>>()?,
        })
    }
}

impl Package {
    fn parse(package: &Value, ours: &[&str]) -> Option<Self> {
        let mut edges = Vec::new();
        for dependency in package["dependencies"].as_array()? {
            // `name` is the crate's own name also where the manifest renames it.
            let to = dependency["name"].as_str()?;
            if ours.contains(&to) {
                edges.push(Edge { to: to.to_owned(), dev: dependency["kind"] == "dev" });
            }
        }
        Some(Self { name: package["name"].as_str()?.to_owned(), edges })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_edges_between_our_crates_are_kept() {
        let metadata = json!({
            "workspace_root": "/w", "target_directory": "/t",
            "packages": [
                { "name": "a", "dependencies": [
                    { "name": "b", "kind": null }, { "name": "serde", "kind": null }, { "name": "c", "kind": "dev" } ] },
                { "name": "b", "dependencies": [ { "name": "c", "kind": "build" } ] },
                { "name": "c", "dependencies": [] },
            ],
        });
        let workspace = Workspace::parse(&metadata).unwrap();
        let edge = |to: &str, dev| Edge { to: to.to_owned(), dev };
        assert_eq!(workspace.packages[0].edges, [edge("b", false), edge("c", true)]);
        assert_eq!(workspace.packages[1].edges, [edge("c", false)]);
        assert_eq!(workspace.packages[2].edges, []);
    }

    #[test]
    fn an_unknown_form_is_refused() {
        assert!(Workspace::parse(&json!({ "workspace_root": "/w", "packages": [] })).is_none());
    }
}
