//! What people and programs read.

use payonce_simulator::keys::Mode;

use super::{Clinic, PAGE, notify_url};
use crate::server::{payonce, run};

#[tokio::test(flavor = "multi_thread")]
async fn people_read_one_line_a_check_and_what_to_do() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let said = clinic.say(&["--offline"]).await;
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("ok       configuration      it loads, with 1 merchant(s)"), "{}", said.out);
    assert!(said.out.contains("what to do: `payonce serve` makes it at its first start"), "{}", said.out);
    assert_eq!((lines.last().copied(), said.code), (Some("It works, with 1 warning(s)."), Some(0)));
}

/// What was not made is not well.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_well_that_was_not_looked_at() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let server = clinic.serve();
    let said = clinic.say(&["--offline"]).await;
    let last = said.out.lines().last().unwrap();
    assert_eq!((last, said.code), ("All is well, as far as it can be seen from here.", Some(0)));

    let said = clinic.say(&[]).await;
    let last = said.out.lines().last().unwrap();
    let expected = "What was looked at is well; 2 check(s) were not made.";
    assert_eq!((last, said.code), (expected, Some(0)), "{}", said.out);

    let said = clinic.say(&["--notify-url", &notify_url(&server)]).await;
    let last = said.out.lines().last().unwrap();
    let expected = "It works, with 1 warning(s); 1 check(s) were not made.";
    assert_eq!((last, said.code), (expected, Some(0)), "{}", said.out);

    let said = clinic.say(&["--echo"]).await;
    let last = said.out.lines().last().unwrap();
    let expected = "1 check(s) failed; 4 were not made.";
    assert_eq!((last, said.code), (expected, Some(1)), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_read_what_was_not_made_and_what_to_do() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let findings = clinic.look(&["--notify-url", "http://pay.example.com/notify/v3/1900000001"]).await;
    let failed = findings.only("notify_url");
    assert_eq!((&failed["outcome"], failed["remedy"].is_string()), (&"failed".into(), true), "{failed}");
    let skipped = findings.only("apiv3_key");
    assert_eq!((&skipped["outcome"], skipped["remedy"].is_null()), (&"skipped".into(), true), "{skipped}");
    for word in ["`ok`", "`warning`", "`failed`", "`skipped`", "`healthy`", "`checks[]`", "`remedy`"] {
        assert!(PAGE.contains(word), "{word} is not in docs/doctor.md");
    }
}

#[test]
fn doctor_help() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(payonce(folder.path()).args(["doctor", "-h"]));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(said.out, @"
    Check all that payments depend on: configuration, keys, database, clock, the way to WeChat Pay and back

    Usage: payonce doctor [OPTIONS]

    Options:
          --config <FILE>           The configuration file. Without it: the one that PAYONCE_CONFIG names, else payonce.toml here if there is one
          --echo                    Have WeChat Pay send a real, signed callback (no money moves), and follow it into the database. `payonce serve` must be running
          --wait-seconds <SECONDS>  How long that callback is waited for [default: 30]
          --notify-url <URL>        The notify_url to look at, of the merchant whose number it ends in. Without it: server.public_url, /notify/v3/ and the merchant number
          --offline                 Ask neither WeChat Pay nor the notify URL anything
          --json                    Print the result as one JSON object
      -h, --help                    Print help
    ");
}

#[test]
fn what_needs_the_network_is_not_asked_for_offline() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--echo"][..], &["--notify-url", "https://pay.example.com/notify/v3/1900000001"]] {
        let said = run(payonce(folder.path()).args(["doctor", "--offline"]).args(arguments));
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.err.contains("cannot be used with"), "{}", said.err);
    }
}
