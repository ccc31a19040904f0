//! `cargo xtask test`: everything that must hold before a change is merged, in the order of what fails fastest.
//!
//! The first step that fails ends the run. The last line is for machines: `xtask test: passed …` or
//! `xtask test: failed step=…`. No test is retried and none is left out.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use payonce_test_servers::SharedServers;

use crate::workspace::Workspace;
use crate::{fuzz, peers, prerequisites, process, tidy};

/// The folder of test vectors that others published, as the tests know it.
const VECTORS: &str = "PAYONCE_VECTORS";

/// Runs every step, and says how it went.
///
/// # Errors
/// When the workspace cannot be read. A step that fails is an exit status, not an error.
pub(crate) fn run(install: bool, extra: &[String]) -> Result<ExitCode> {
    let mut run = Run { workspace: Workspace::load()?, started: Instant::now(), steps: 0 };
    match run.steps(install, extra) {
        Ok(()) => {
            println!(
                "\nxtask test: passed steps={} seconds={:.1}",
                run.steps,
                run.started.elapsed().as_secs_f64()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(Failed { step, error }) => {
            eprintln!("\nxtask: {error:#}");
            println!("xtask test: failed step={step} seconds={:.1}", run.started.elapsed().as_secs_f64());
            Ok(ExitCode::FAILURE)
        }
    }
}

struct Run {
    workspace: Workspace,
    started: Instant,
    /// How many steps have passed.
    steps: u32,
}

struct Failed {
    step: &'static str,
    error: anyhow::Error,
}

impl Run {
    fn steps(&mut self, install: bool, extra: &[String]) -> Result<(), Failed> {
        let vectors = self.step("prerequisites", |workspace| {
            prerequisites::check(install)?;
            peers::check(install, workspace)?;
            vectors()
        })?;
        self.step("fmt", |workspace| {
            run_told(&mut cargo(&["fmt", "--all", "--check"]), &workspace.root)?;
            // A workspace of its own, and no member of ours.
            run_told(&mut cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]), &workspace.root)
        })?;
        self.cargo("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
        self.step("doc", |workspace| {
            let mut doc = cargo(&["doc", "--no-deps", "--workspace"]);
            run_told(doc.env("RUSTDOCFLAGS", "-D warnings"), &workspace.root)
        })?;
        self.step("tidy", tidy::check)?;
        self.step("tests", |workspace| tests(&workspace.root, vectors.as_deref(), extra))?;
        self.step("sm", |workspace| sm(&workspace.root, vectors.as_deref(), extra))?;
        self.cargo("doctests", &["test", "--doc", "--workspace"])?;
        self.step("fuzz", fuzz::step)
    }

    fn cargo(&mut self, name: &'static str, args: &[&str]) -> Result<(), Failed> {
        self.step(name, |workspace| run_told(&mut cargo(args), &workspace.root))
    }

    fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Workspace) -> Result<T>,
    ) -> Result<T, Failed> {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = work(&self.workspace);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("-- {name}: {word} {:.1} s", started.elapsed().as_secs_f64());
        self.steps += 1;
        outcome.map_err(|error| Failed { step: name, error })
    }
}

/// Every test but the doc tests, which nextest cannot run. They share one database server of each kind.
fn tests(root: &Path, vectors: Option<&Path>, extra: &[String]) -> Result<()> {
    let mut tests = runner(&["--workspace"], vectors);
    let servers = SharedServers::start()?;
    for (name, url) in servers.variables() {
        println!("{name}={url}");
        tests.env(name, url);
    }
    run_told(tests.args(extra), root)
}

/// 国密 is compiled only where the feature `sm` is on, which no other step turns on: its code is held to the lints, the
/// binary is seen to pass the feature on, and every test of the protocol runs with it.
fn sm(root: &Path, vectors: Option<&Path>, extra: &[String]) -> Result<()> {
    const LINTS: &[&str] = &["--features", "payonce/sm,wechatpay/sm", "--", "-D", "warnings"];
    let packages = ["clippy", "-p", "wechatpay", "-p", "payonce", "--all-targets"];
    run_told(cargo(&packages).args(LINTS), root)?;
    let mut tests = runner(&["-p", "wechatpay", "--features", "wechatpay/sm"], vectors);
    if !extra.is_empty() && has_nextest() {
        // A filter that has tests elsewhere may leave none of these.
        tests.args(["--no-tests", "pass"]);
    }
    run_told(tests.args(extra), root)
}

fn has_nextest() -> bool {
    process::succeeds(&["cargo", "nextest", "--version"])
}

/// What runs the tests of these packages.
fn runner(packages: &[&str], vectors: Option<&Path>) -> Command {
    let mut tests = if has_nextest() {
        cargo(&["nextest", "run"])
    } else {
        println!("cargo-nextest is missing, so cargo test runs the tests, one test binary after the other");
        println!("install it with: cargo install --locked cargo-nextest");
        cargo(&["test", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    if let Some(folder) = vectors {
        tests.env(VECTORS, folder);
    }
    tests.args(packages);
    tests
}

/// The folder that the environment names; absolute, because tests run in the folder of their crate.
fn vectors() -> Result<Option<PathBuf>> {
    #[expect(clippy::disallowed_methods, reason = "xtask has no configuration to take it from")]
    let Ok(folder) = std::env::var(VECTORS) else {
        println!(
            "published test vectors: not present ({VECTORS} is not set); the tests that read them say so"
        );
        return Ok(None);
    };
    let absolute = Path::new(&folder).canonicalize();
    let absolute = absolute.with_context(|| format!("{VECTORS} names `{folder}`, which cannot be read"))?;
    ensure!(absolute.is_dir(), "{VECTORS} names `{folder}`, which is not a folder");
    println!("published test vectors: {}", absolute.display());
    Ok(Some(absolute))
}

fn cargo(args: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(args);
    cargo
}

fn run_told(command: &mut Command, folder: &Path) -> Result<()> {
    println!("$ {}", process::line(command));
    process::run(command, folder)
}
