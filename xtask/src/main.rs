//! `cargo xtask`: the project's own commands, `test`, `tidy`, `fuzz` and `bench`.
//!
//! It depends on `anyhow`, `serde_json` and our own small `payonce-test-servers` and `payonce-peers` alone, so that a
//! newcomer's first command compiles in seconds.
//! Deliberately absent: anything that the product needs at run time.

#![expect(clippy::print_stdout, reason = "xtask's standard output is its user interface")]

use std::process::ExitCode;

use cli::Command;

mod bench;
mod cli;
mod fuzz;
mod peers;
mod prerequisites;
mod process;
mod source;
mod test;
mod tidy;
mod workspace;

fn main() -> ExitCode {
    let command = match Command::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(wrong) => {
            eprintln!("xtask: {wrong}\n\n{}", cli::HELP);
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Help => {
            println!("{}", cli::HELP);
            Ok(ExitCode::SUCCESS)
        }
        Command::Test { install, extra } => test::run(install, &extra),
        Command::Tidy => tidy::run(),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Bench { args } => bench::run(&args),
    }
}
