//! The command line of `cargo xtask`: what it accepts and the help that says so. It parses; it runs nothing.
//!
//! Written by hand, because an argument parser would be the largest dependency of xtask.

use std::fmt;

use crate::fuzz;

/// What `cargo xtask --help` prints.
pub(crate) const HELP: &str = "\
Usage: cargo xtask COMMAND

  test [--install] [-- ARGS…]  format, clippy, docs, tidy and every test
                                 --install  also installs what is missing: programs, and the servers and SDKs for tests
                                 ARGS       go to cargo nextest run, or to cargo test where nextest is missing
  tidy                         the project's own rules: dependencies, sizes, names, fault points, error pages
  fuzz [OPTIONS] [TARGET…]     looks for inputs that break a property, in each target or in those that are named
                                 --seconds N  for each target; 20 unless given
                                 --seed N     of the fuzzer; 1 unless given, 0 for another each time
  bench [ARGS…]                builds in release mode and measures; ARGS go to payonce-bench
  help                         this text

Exit status: 0 when all is well, 1 when a step failed, 2 when the command line is wrong.";

/// A command line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test { install: bool, extra: Vec<String> },
    Tidy,
    Fuzz(fuzz::Options),
    Bench { args: Vec<String> },
}

/// A command line that was not. The text names the argument and what stands in its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    NoCommand,
    UnknownCommand(String),
    UnknownArgument { command: &'static str, argument: String },
    NotANumber { option: &'static str, found: Option<String> },
}

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, Usage> {
        let mut args = args.into_iter();
        match args.next().as_deref() {
            None => Err(Usage::NoCommand),
            Some("help" | "--help" | "-h") => Ok(Self::Help),
            Some("test") => parse_test(args),
            Some("tidy") => parse_tidy(args),
            Some("fuzz") => parse_fuzz(args),
            Some("bench") => Ok(Self::Bench { args: args.collect() }),
            Some(other) => Err(Usage::UnknownCommand(other.to_owned())),
        }
    }
}

fn parse_test(mut args: impl Iterator<Item = String>) -> Result<Command, Usage> {
    let mut install = false;
    while let Some(argument) = args.next() {
        match argument.as_str() {
            "--install" => install = true,
            "--help" | "-h" => return Ok(Command::Help),
            "--" => return Ok(Command::Test { install, extra: args.collect() }),
            _ => return Err(Usage::UnknownArgument { command: "test", argument }),
        }
    }
    Ok(Command::Test { install, extra: Vec::new() })
}

fn parse_tidy(mut args: impl Iterator<Item = String>) -> Result<Command, Usage> {
    match args.next() {
        None => Ok(Command::Tidy),
        Some(help) if help == "--help" || help == "-h" => Ok(Command::Help),
        Some(argument) => Err(Usage::UnknownArgument { command: "tidy", argument }),
    }
}

fn parse_fuzz(mut args: impl Iterator<Item = String>) -> Result<Command, Usage> {
    let mut options = fuzz::Options::default();
    while let Some(argument) = args.next() {
        match argument.as_str() {
            "--seconds" => options.seconds = number("--seconds", args.next())?,
            "--seed" => options.seed = number("--seed", args.next())?,
            "--help" | "-h" => return Ok(Command::Help),
            option if option.starts_with('-') => {
                return Err(Usage::UnknownArgument { command: "fuzz", argument });
            }
            _ => options.targets.push(argument),
        }
    }
    Ok(Command::Fuzz(options))
}

fn number(option: &'static str, found: Option<String>) -> Result<u32, Usage> {
    let number = found.as_ref().and_then(|text| text.parse().ok());
    number.ok_or(Usage::NotANumber { option, found })
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("a command is missing"),
            Self::UnknownCommand(name) => write!(f, "there is no command `{name}`"),
            Self::UnknownArgument { command: "test", argument } => {
                write!(
                    f,
                    "`test` does not know `{argument}`; what is meant for the test runner goes after `--`"
                )
            }
            Self::UnknownArgument { command, argument } => {
                write!(f, "`{command}` does not know `{argument}`")
            }
            Self::NotANumber { option, found: None } => write!(f, "the number behind `{option}` is missing"),
            Self::NotANumber { option, found: Some(found) } => {
                write!(f, "`{option}` takes a whole number, not `{found}`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, Usage> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    fn owned(args: &[&str]) -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }

    #[test]
    fn what_is_accepted() {
        assert_eq!(parse("--help"), Ok(Command::Help));
        assert_eq!(parse("test --help"), Ok(Command::Help));
        assert_eq!(parse("tidy"), Ok(Command::Tidy));
        assert_eq!(parse("test"), Ok(Command::Test { install: false, extra: vec![] }));
        assert_eq!(
            parse("test --install -- -E package(wechatpay)"),
            Ok(Command::Test { install: true, extra: owned(&["-E", "package(wechatpay)"]) })
        );
        let options = |seconds, seed, targets: &[&str]| {
            Ok(Command::Fuzz(fuzz::Options { seconds, seed, targets: owned(targets) }))
        };
        assert_eq!(parse("fuzz"), options(20, 1, &[]));
        assert_eq!(parse("fuzz --seconds 600 headers --seed 0 xml"), options(600, 0, &["headers", "xml"]));
        assert_eq!(parse("bench --json"), Ok(Command::Bench { args: owned(&["--json"]) }));
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(parse(""), Err(Usage::NoCommand));
        assert_eq!(parse("tset"), Err(Usage::UnknownCommand("tset".to_owned())));
        let unknown =
            |command, argument: &str| Err(Usage::UnknownArgument { command, argument: argument.to_owned() });
        assert_eq!(parse("test --instal"), unknown("test", "--instal"));
        assert_eq!(parse("tidy crates"), unknown("tidy", "crates"));
        assert_eq!(parse("fuzz --second 9"), unknown("fuzz", "--second"));
        let no_number =
            |option, found: Option<&str>| Err(Usage::NotANumber { option, found: found.map(str::to_owned) });
        assert_eq!(parse("fuzz --seconds"), no_number("--seconds", None));
        assert_eq!(parse("fuzz --seed -1"), no_number("--seed", Some("-1")));
    }
}
