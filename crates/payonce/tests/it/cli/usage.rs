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
    insta::assert_snapshot!(help(&["--help"]), @"");
}

#[test]
fn serve_help() {
    insta::assert_snapshot!(help(&["serve", "--help"]), @"");
}

#[test]
fn demo_help() {
    insta::assert_snapshot!(help(&["demo", "--help"]), @"");
}

#[test]
fn init_help() {
    insta::assert_snapshot!(help(&["init", "--help"]), @"");
}

#[test]
fn config_help() {
    insta::assert_snapshot!(help(&["config", "--help"]), @"");
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
