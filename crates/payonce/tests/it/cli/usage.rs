//! Help and usage errors.

use crate::server::{payonce, run};

/// What `payonce arguments…` says on its standard output.
fn help(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let said = run(payonce(folder.path()).args(arguments));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?}");
    said.out
}

#[test]
fn payonce_help() {
    insta::assert_snapshot!(help(&["--help"]), @r"
    A self-hosted WeChat Pay backend whose payment callbacks take effect exactly once

    Usage: payonce <COMMAND>

    Commands:
      serve    Run the server until SIGTERM or Ctrl-C
      demo     See it work: pay orders, send every callback many times, tamper with some, check the database
      init     Write a starter configuration in which every key is explained
      migrate  Bring the database's schema up to date, or say what it lacks
      copy     Move everything from one database to another, for example from SQLite to PostgreSQL. Stop payonce first
      config   Show the configuration in effect and where each value comes from. Secrets are not shown
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn serve_help() {
    insta::assert_snapshot!(help(&["serve", "--help"]), @"
    Run the server until SIGTERM or Ctrl-C

    Usage: payonce serve [OPTIONS]

    Options:
          --config <FILE>  The configuration file. Without it: the one that PAYONCE_CONFIG names, else payonce.toml here if there is one
      -h, --help           Print help
    ");
}

#[test]
fn demo_help() {
    insta::assert_snapshot!(help(&["demo", "--help"]), @"
    See it work: pay orders, send every callback many times, tamper with some, check the database

    Usage: payonce demo [OPTIONS]

    Options:
          --payments <PAYMENTS>  How many orders are paid [default: 500]
          --copies <COPIES>      How many genuine copies of each callback are sent [default: 5]
          --tampered <PERCENT>   How many tampered copies come on top, in percent of the genuine ones [default: 5]
          --seed <SEED>          Names the run: the same seed sends the same copies in the same order [default: 1]
          --json                 Print one JSON object as the last line
          --keep                 Leave it running afterwards and print the addresses
      -h, --help                 Print help
    ");
}

#[test]
fn init_help() {
    insta::assert_snapshot!(help(&["init", "--help"]), @"
    Write a starter configuration in which every key is explained

    Usage: payonce init [PATH]

    Arguments:
      [PATH]  The file to write; it must not exist yet [default: payonce.toml]

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn config_help() {
    insta::assert_snapshot!(help(&["config", "--help"]), @"
    Show the configuration in effect and where each value comes from. Secrets are not shown

    Usage: payonce config [OPTIONS]

    Options:
          --config <FILE>  The configuration file. Without it: the one that PAYONCE_CONFIG names, else payonce.toml here if there is one
      -h, --help           Print help
    ");
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(help(&["--version"]), format!("payonce {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&[][..], "Usage: payonce <COMMAND>"),
        (&["sevre"], "a similar subcommand exists: 'serve'"),
        (&["serve", "--confg", "x"], "a similar argument exists: '--config'"),
        (&["serve", "--config"], "a value is required for '--config <FILE>'"),
    ] {
        let said = run(payonce(folder.path()).args(arguments));
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
}
