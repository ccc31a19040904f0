//! The `payonce` binary: reads its arguments and the environment, and hands over.

use std::process::ExitCode;

use clap::Parser;
use payonce_core::store::with_causes;
use payonce_server::config::Environment;

mod args;
mod configuration;
mod copy;
mod database;
mod demo;
mod doctor;
mod explain;
mod logs;
mod migrate;
mod serve;
mod signals;
mod simulate;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names a fault point to die at; heeded only by builds for tests.
const FAULT_VARIABLE: &str = "PAYONCE_FAULT";

fn main() -> ExitCode {
    let args = args::Args::parse();
    let environment = environment();
    match run(args, &environment) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("payonce: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of the process environment")]
fn environment() -> Environment {
    if let Ok(name) = std::env::var(FAULT_VARIABLE)
        && !payonce_core::fault::arm(&name)
    {
        eprintln!("payonce: {FAULT_VARIABLE} names no fault point of this build and is not heeded");
    }
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn run(args: args::Args, environment: &Environment) -> anyhow::Result<ExitCode> {
    match args.command {
        args::Command::Serve { config } => serve::run(config.path.as_deref(), environment),
        args::Command::Init { path } => configuration::init(&path),
        args::Command::Config { config } => configuration::show(config.path.as_deref(), environment),
        args::Command::Migrate { command, config } => {
            migrate::run(command, config.path.as_deref(), environment)
        }
        args::Command::Copy(options) => copy::run(&options, environment),
        args::Command::TakeBack { target, config } => {
            copy::take_back::run(&target, config.path.as_deref(), environment)
        }
        args::Command::Doctor(options) => doctor::run(&options, environment),
        args::Command::Explain(options) => explain::run(&options, environment),
        args::Command::Demo(options) => demo::run(&options),
        args::Command::Simulate(options) => simulate::run(&options),
    }
}
