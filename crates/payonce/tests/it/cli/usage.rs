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
    insta::assert_snapshot!(help(&["--help"]), @"
    A self-hosted WeChat Pay backend whose payment callbacks take effect exactly once

    Usage: payonce <COMMAND>

    Commands:
      serve      Run the server until SIGTERM or Ctrl-C
      demo       See it work: pay orders, send every callback many times, tamper with some, check the database
      simulate   Play WeChat Pay on a port of this machine, for a backend under test
      init       Write a starter configuration in which every key is explained
      migrate    Bring the database's schema up to date, or say what it lacks
      copy       Move everything from one database to another, for example from SQLite to PostgreSQL. Stop payonce first
      take-back  Serve a database again that `payonce copy` moved to another one, and give that one up. Nothing is copied back
      explain    Say what was checked of a saved callback, step by step, and where it failed, why
      doctor     Check all that payments depend on: configuration, keys, database, clock, the way to WeChat Pay and back
      config     Show the configuration in effect and where each value comes from. Secrets are not shown
      help       Print this message or the help of the given subcommand(s)

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
fn simulate_help() {
    insta::assert_snapshot!(help(&["simulate", "--help"]), @"
    Play WeChat Pay on a port of this machine, for a backend under test

    Usage: payonce simulate [OPTIONS]

    Options:
          --listen <ADDR>      Where it listens [default: 127.0.0.1:8090]
          --listen-tls <ADDR>  Where it listens with TLS as well, for APIv2's refunds; clients trust ca.pem in the folder of the keys
          --keys <DIR>         The folder of the keys. They are made where it has none, and are the same at the next start [default: wechat-keys]
          --seed <SEED>        Names the run: the same seed makes the same numbers, also after a reset. Without it: the scenario's, else one that is drawn and printed
          --state <FILE>       Keep everything in this file, and go on from it: orders, notices, keys, clock, rules. Without it, orders and notices last as long as the process
          --scenario <FILE>    Trouble from the start: rules in a TOML file, which docs/simulator.md explains
          --limits             Refuse whoever asks too often, by the limits that WeChat publishes
          --speed <TIMES>      How many times as fast as real time orders expire and notices are sent again. Without it: as the state says, else 1
          --notify-to <ADDR>   Send every notice to this address instead of the host in its notify_url; over plain HTTP, also for https URLs
          --trust <FILE>       Believe certificates of the roots in this PEM file, too, when notices go to https URLs. May be given again
          --host <NAME>        A further name by which the page and the control API are reached. Addresses, localhost, names of containers and names under .internal and .test need not be named. May be given again
      -h, --help               Print help
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
fn explain_help() {
    insta::assert_snapshot!(help(&["explain", "--help"]), @"
    Say what was checked of a saved callback, step by step, and where it failed, why

    Usage: payonce explain [OPTIONS] <CALLBACK|--rejected <ID>|--last-rejected|--unopened <ID>|--last-unopened>

    Arguments:
      [CALLBACK]  A file with the request as captured (HTTP/1.1), or with headers and body as JSON. `-`: standard input

    Options:
          --config <FILE>     The configuration file. Without it: the one that PAYONCE_CONFIG names, else payonce.toml here if there is one
          --rejected <ID>     The refused callback of this number, in the configured database (table rejected)
          --last-rejected     The refused callback that came last
          --unopened <ID>     The callback of this number that did not open, in the configured database (table unopened)
          --last-unopened     The callback that did not open and came last
          --merchant <MCHID>  The merchant that it was sent to. Without it: the one in the path, else the one whose keys fit best
          --at <TIME>         When it was received: Unix seconds, or like 2025-06-15T23:06:40+08:00. Without it: when it was saved, if the callback says so; else freshness is not checked
          --now               Check it as if it was received now
          --json              Print the result as one JSON object
          --show-plaintext    Print the decrypted resource as well. It names the payer
      -h, --help              Print help
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
