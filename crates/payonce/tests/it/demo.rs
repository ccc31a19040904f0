//! `payonce demo`: the whole of it, in small.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::server::{Server, payonce, run};
use crate::wire::Wire;

/// The last line's keys, in their order: what scripts rely on.
const KEYS: [&str; 9] = [
    "payments",
    "callbacks",
    "acknowledged",
    "refused",
    "effects",
    "lost",
    "doubled",
    "delivered",
    "seconds",
];

#[test]
fn the_demo_ends_well_and_its_last_line_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(payonce(folder.path()).args([
        "demo",
        "--payments",
        "200",
        "--copies",
        "4",
        "--tampered",
        "10",
        "--seed",
        "7",
        "--json",
    ]));
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("Every payment took effect exactly once."), "{}", said.out);

    let last = said.out.lines().last().unwrap();
    let mut at = 0;
    for key in KEYS {
        let key = format!("\"{key}\":");
        at += last[at..].find(&key).unwrap_or_else(|| panic!("{key} is missing or in another place: {last}"));
    }
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last.as_object().unwrap().len(), KEYS.len(), "{last}");
    let figure = |key: &str| last[key].as_u64().unwrap();
    assert_eq!(
        KEYS[..8].iter().map(|key| figure(key)).collect::<Vec<_>>(),
        [200, 880, 800, 80, 200, 0, 0, 200]
    );
    assert!(last["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(said.err, "", "no bar where there is no terminal");
}

#[test]
fn the_demo_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(payonce(folder.path()).env("TMPDIR", folder.path()).args([
        "demo",
        "--payments",
        "3",
        "--copies",
        "2",
    ]));
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn kept_it_prints_its_addresses_and_runs_until_it_is_asked_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = payonce(folder.path())
        .env("TMPDIR", folder.path())
        .args(["demo", "--payments", "3", "--keep"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
    let url = said.iter().find_map(|line| line.strip_prefix("metrics     http://")).expect("an address");
    let server = Server::adopt(child, url.strip_suffix("/metrics").unwrap().parse().unwrap());

    let (status, metrics) = Wire::connect(server.addr()).await.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(metrics.contains("payonce_callbacks_accepted_total{outcome=\"applied\"} 3\n"), "{metrics}");
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "its files are removed");
}

#[test]
fn a_demo_of_nothing_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [["--payments", "0"], ["--copies", "0"], ["--tampered", "101"], ["--seed", "x"]] {
        let said = run(payonce(folder.path()).arg("demo").args(arguments));
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(
            said.err.contains(&format!("invalid value '{}' for '{} ", arguments[1], arguments[0])),
            "{}",
            said.err
        );
    }
}
