//! The programs in `fuzz/`: which there are, and building them so that libFuzzer sees which branches an input takes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::process;
use crate::workspace::Workspace;

/// What cargo-fuzz passes without a sanitizer: LLVM counts edges, shows what is compared, and leaves branches apart.
/// `--cfg fuzzing` is its mark for code that differs under a fuzzer; ours has none.
const RUSTFLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// Where everything lies.
pub(super) struct Programs {
    /// The project.
    pub(super) root: PathBuf,
    /// All that fuzzing writes.
    pub(super) target: PathBuf,
    names: Vec<String>,
    triple: String,
}

impl Programs {
    /// Looks which there are: each file of `fuzz/fuzz_targets` is one.
    pub(super) fn find(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.root.join("fuzz/fuzz_targets");
        let entries = fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.with_context(|| format!("listing {}", folder.display()))?.file_name();
            names.extend(name.to_string_lossy().strip_suffix(".rs").map(str::to_owned));
        }
        names.sort();
        let (root, target) = (workspace.root.clone(), workspace.target.join("fuzz"));
        Ok(Self { root, target, names, triple: host()? })
    }

    /// The targets that are asked for, or all.
    pub(super) fn chosen(&self, asked: &[String]) -> Result<Vec<String>> {
        if let Some(unknown) = asked.iter().find(|name| !self.names.contains(name)) {
            bail!("there is no fuzz target `{unknown}`; there are {}", self.names.join(", "));
        }
        Ok(if asked.is_empty() { self.names.clone() } else { asked.to_vec() })
    }

    /// The program of a target.
    pub(super) fn path(&self, target: &str) -> PathBuf {
        self.target.join(&self.triple).join("release").join(target)
    }

    pub(super) fn build(&self, targets: &[String]) -> Result<()> {
        let mut cargo = Command::new("cargo");
        // `--target` keeps the flags from build scripts and macros, which no fuzzer runs.
        cargo.args(["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target"]);
        cargo.arg(&self.triple).arg("--target-dir").arg(&self.target);
        cargo.args(targets.iter().flat_map(|target| ["--bin", target]));
        println!("$ {}", process::line(&cargo));
        // Encoded, as the flags of one variable; it also takes the place of whatever the machine is set to.
        cargo.env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\x1f"));
        process::run(&mut cargo, &self.root)
    }
}

/// The triple of this machine, as rustc calls it.
fn host() -> Result<String> {
    let rustc = Command::new("rustc").arg("-vV").stderr(Stdio::inherit()).output();
    let rustc = rustc.context("`rustc -vV` could not be started")?;
    ensure!(rustc.status.success(), "`rustc -vV` ended with {}", rustc.status);
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` does not name its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs() -> Programs {
        let names = ["headers", "xml"].map(str::to_owned).to_vec();
        Programs {
            root: "/r".into(),
            target: "/t/fuzz".into(),
            names,
            triple: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    #[test]
    fn all_targets_or_those_that_are_asked_for() {
        let asked = |names: &[&str]| {
            programs().chosen(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(asked(&[]).unwrap(), ["headers", "xml"]);
        assert_eq!(asked(&["xml"]).unwrap(), ["xml"]);
        let error = asked(&["xml", "json"]).unwrap_err().to_string();
        assert_eq!(error, "there is no fuzz target `json`; there are headers, xml");
    }

    #[test]
    fn a_program_lies_where_cargo_puts_it() {
        assert_eq!(programs().path("xml").to_str(), Some("/t/fuzz/x86_64-unknown-linux-gnu/release/xml"));
    }
}
