//! One target, run once: the folders it reads and writes, and libFuzzer's options.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::Options;
use super::program::Programs;
use super::report::Report;
use crate::process;

/// Seconds after which one input counts as a hang. The slowest that is meant to be, a diagnosis that tries everything,
/// takes some five, and a machine may be busy.
const INPUT_SECONDS_MAX: u32 = 120;

pub(super) struct Session {
    target: String,
    command: Command,
    root: PathBuf,
    log: PathBuf,
}

impl Session {
    /// Makes the folders.
    pub(super) fn prepare(
        programs: &Programs,
        target: &str,
        options: &Options,
        learnt: &str,
    ) -> Result<Self> {
        let folder = |name: &str| programs.target.join(name).join(target);
        let (learnt, found) = (folder(learnt), folder("found"));
        let log = programs.target.join("log").join(format!("{target}.log"));
        for needed in [Some(learnt.as_path()), Some(found.as_path()), log.parent()].into_iter().flatten() {
            fs::create_dir_all(needed).with_context(|| format!("making {}", needed.display()))?;
        }
        let mut command = Command::new(programs.path(target));
        command.arg(format!("-max_total_time={}", options.seconds));
        command.arg(format!("-seed={}", options.seed));
        command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
        // With its slash, as it is put before a name.
        command.arg(format!("-artifact_prefix={}/", within(&programs.root, &found).display()));
        command.arg("-print_final_stats=1");
        let dictionary = programs.root.join("fuzz/dictionaries").join(format!("{target}.dict"));
        if dictionary.exists() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        // Order matters: libFuzzer writes into the first, and the second is the repository's.
        command.arg(learnt).arg(programs.root.join("fuzz/corpus").join(target));
        Ok(Self { target: target.to_owned(), command, root: programs.root.clone(), log })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or its log cannot be kept. What it finds is in the report.
    pub(super) fn run(mut self) -> Result<Report> {
        let log = File::create(&self.log).with_context(|| format!("writing {}", self.log.display()))?;
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let status = process::status(&mut self.command, &self.root)?;
        let said = fs::read(&self.log).with_context(|| format!("reading {}", self.log.display()))?;
        let said = String::from_utf8_lossy(&said);
        let program = Path::new(self.command.get_program());
        let (program, log) = (within(&self.root, program), within(&self.root, &self.log));
        Ok(Report::read(&self.target, status.success(), &said, program, log))
    }
}

/// As one types it in the project's folder, where programs run too.
fn within<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}
