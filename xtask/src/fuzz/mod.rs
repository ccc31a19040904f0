//! `cargo xtask fuzz`: builds the programs in `fuzz/` and lets each look for inputs that break a property, for a bounded
//! time. A step of `cargo xtask test` as well.
//!
//! It needs no nightly toolchain and no cargo-fuzz: [`program`] passes the flags that cargo-fuzz passes without a
//! sanitizer, which stable Rust knows. The project's own code has no `unsafe` for a sanitizer to look at. What it does
//! need is a C++ compiler, for libFuzzer.
//!
//! Invariant: the seed is fixed unless another is given, and a run of `cargo xtask test` begins with the committed corpus
//! alone, so that the same machine does much the same again. How far it comes in the time is the machine's.

mod program;
mod report;
mod session;

use std::fs;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};

use crate::prerequisites;
use crate::workspace::Workspace;
use program::Programs;
use session::Session;

/// Seconds for each target in `cargo xtask test`: the seeds are through in the first, and what is easily found is found
/// soon.
const STEP_SECONDS: u32 = 6;

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// For each target.
    pub(crate) seconds: u32,
    /// libFuzzer's; 0 is another one each time.
    pub(crate) seed: u32,
    /// None: all.
    pub(crate) targets: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seconds: 20, seed: 1, targets: Vec::new() }
    }
}

/// The command of its own. What a target has learnt stays in the target folder, and the next run goes on from it.
///
/// # Errors
/// When a target is unknown, or the programs cannot be built. A property that does not hold is an exit status.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    ensure!(
        prerequisites::has_cpp(),
        "libFuzzer is C++, and there is no C++ compiler; `cargo xtask test --install` installs one"
    );
    let broken = fuzz(&workspace, options, "corpus")?;
    if broken == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("\nxtask: {broken} targets do not hold; they stand above");
    Ok(ExitCode::FAILURE)
}

/// The step of `cargo xtask test`. Without a C++ compiler, which prerequisites name, it says that it did not run.
///
/// # Errors
/// When a property does not hold, or the programs cannot be built.
pub(crate) fn step(workspace: &Workspace) -> Result<()> {
    if !prerequisites::has_cpp() {
        println!(
            "not run: libFuzzer needs a C++ compiler, and there is none; the corpus was replayed as a test"
        );
        return Ok(());
    }
    let options = Options { seconds: STEP_SECONDS, ..Options::default() };
    let learnt = workspace.target.join("fuzz/once");
    if learnt.exists() {
        fs::remove_dir_all(&learnt).with_context(|| format!("removing {}", learnt.display()))?;
    }
    let broken = fuzz(workspace, &options, "once")?;
    ensure!(broken == 0, "{broken} fuzz targets do not hold; they stand above");
    Ok(())
}

/// Runs the targets, as many at a time as there are cores, and returns how many do not hold. `learnt` is the folder for
/// what they learn, below `target/fuzz`.
fn fuzz(workspace: &Workspace, options: &Options, learnt: &str) -> Result<usize> {
    let programs = Programs::find(workspace)?;
    let targets = programs.chosen(&options.targets)?;
    programs.build(&targets)?;
    let (next, broken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || -> Result<()> {
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let session = Session::prepare(&programs, target, options, learnt)?;
            let report = session.run()?;
            println!("{report}");
            if !report.holds() {
                broken.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..cores.min(targets.len())).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("BUG: a worker only starts programs and reads files"))??;
        }
        Ok(())
    })?;
    Ok(broken.into_inner())
}
