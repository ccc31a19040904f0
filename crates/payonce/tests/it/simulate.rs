//! `payonce simulate`: the look-alike as a process, and payonce with the configuration that it prints.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::server::{Said, Server, payonce, run};
use crate::wire::Wire;

/// A simulation, and what it said when it began.
struct Simulation {
    server: Server,
    said: Vec<String>,
}

impl Simulation {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Path, further: &[&str]) -> Self {
        Self::start_as(folder, &[&["--seed", "7"], further].concat())
    }

    fn start_as(folder: &Path, further: &[&str]) -> Self {
        let mut child = payonce(folder)
            .args(["simulate", "--listen", "127.0.0.1:0", "--keys", "keys"])
            .args(further)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
        let addr = value(&said, "base URL").strip_prefix("http://").unwrap().parse().unwrap();
        Self { server: Server::adopt(child, addr), said }
    }

    /// What it said without the port, which is another each time.
    fn said(&self) -> Vec<String> {
        let addr = self.server.addr().to_string();
        self.said.iter().map(|line| line.replace(&addr, "ADDR")).collect()
    }

    /// The part of it that belongs into `payonce.toml`.
    fn configuration(&self) -> String {
        self.said.iter().skip_while(|line| !line.starts_with('[')).map(|line| format!("{line}\n")).collect()
    }
}

fn value<'a>(said: &'a [String], name: &str) -> &'a str {
    said.iter().find_map(|line| line.strip_prefix(name)).unwrap().trim_start()
}

#[tokio::test]
async fn it_serves_until_it_is_asked_to_stop_and_keeps_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let first = Simulation::start(folder.path());
    let (status, _) = Wire::connect(first.server.addr()).await.get("/v3/certificates").await;
    assert_eq!(status, 400, "no User-Agent");
    first.server.terminate();
    assert_eq!(first.server.wait().code(), Some(0));

    let files = folder.path().join("keys").join(value(&first.said, "merchant"));
    let mut names: Vec<_> = std::fs::read_dir(files)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["apiclient_cert.pem", "apiclient_key.pem", "apiv2.key", "apiv3.key", "pub_key.pem", "wxp_pub.pem"]
    );
    assert_eq!(Simulation::start(folder.path()).said(), first.said(), "the same merchant and keys");
}

/// A backend's database outlives the simulation, and knows the numbers of the one before.
#[test]
fn a_start_whose_seed_nobody_names_draws_one_and_says_it() {
    let folder = tempfile::tempdir().unwrap();
    let seed =
        |further: &[&str]| value(&Simulation::start_as(folder.path(), further).said, "seed").to_owned();
    std::fs::write(folder.path().join("scenario.toml"), "seed = 9").unwrap();
    assert_ne!(seed(&[]), seed(&[]));
    assert_eq!(seed(&["--scenario", "scenario.toml"]), "9");
    assert_eq!(seed(&["--scenario", "scenario.toml", "--seed", "7"]), "7");
}

#[test]
fn payonce_takes_the_configuration_that_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(folder.path());
    std::fs::write(folder.path().join("payonce.toml"), simulation.configuration()).unwrap();
    let Said { code, out, err } = run(payonce(folder.path()).arg("config"));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    for set in [
        format!("base_url = \"http://{}\"", simulation.server.addr()),
        format!("mchid = \"{}\"", value(&simulation.said, "merchant")),
        "public_key_id = \"PUB_KEY_ID_".to_owned(),
        format!("private_key_file = \"{}/keys/", std::path::absolute(folder.path()).unwrap().display()),
    ] {
        assert!(out.contains(&set), "{set}\n{out}");
    }
}

#[test]
fn what_cannot_be_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(folder.path());
    let taken = simulation.server.addr().to_string();
    std::fs::write(folder.path().join("file"), "").unwrap();
    std::fs::create_dir(folder.path().join("spoilt")).unwrap();
    std::fs::write(folder.path().join("scenario.toml"), "[[notices]]\nwhn = {}\ndo = \"never\"").unwrap();
    std::fs::write(folder.path().join("spoilt/simulator.json"), "{").unwrap();
    for (arguments, code, why) in [
        (["--listen", &taken, "--keys", "other"], 1, "choose another port"),
        (["--listen", "127.0.0.1:0", "--keys", "file"], 1, "--keys file"),
        (["--listen", "127.0.0.1:0", "--keys", "spoilt"], 1, "--keys spoilt: "),
        (
            ["--listen", "127.0.0.1:0", "--keys", "spoilt"],
            1,
            "spoilt/simulator.json\" is damaged; bring back a copy",
        ),
        (
            ["--scenario", "scenario.toml", "--keys", "other"],
            1,
            "unknown field `whn`, expected one of `name`",
        ),
        (["--state", "spoilt/simulator.json", "--keys", "other"], 1, "is damaged"),
        (["--scenario", "missing.toml", "--keys", "other"], 1, "--scenario missing.toml"),
        (["--trust", "file", "--keys", "other"], 1, "PEM file with CERTIFICATE blocks"),
        (["--listen", "8090", "--keys", "other"], 2, "invalid value '8090' for '--listen <ADDR>'"),
        (["--speed", "0", "--keys", "other"], 2, "invalid value '0' for '--speed <TIMES>'"),
    ] {
        let said = run(payonce(folder.path()).arg("simulate").args(arguments));
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?} {}", said.err);
        assert!(said.err.contains(why), "{}", said.err);
        assert!(said.err.matches("os error").count() <= 1, "said twice: {}", said.err);
    }
}

/// docs/simulator.md says what each option is.
#[test]
fn every_option_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(payonce(folder.path()).args(["simulate", "--help"])).out;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulator.md");
    let document = std::fs::read_to_string(path).unwrap();
    let options: Vec<_> = help.lines().filter_map(|line| line.trim().strip_prefix("--")).collect();
    assert!(options.len() >= 8, "{help}");
    for option in options {
        // `listen <ADDR>  Where …`, or `limits  Refuse …`.
        let name = option.split("  ").next().unwrap().replace(['<', '>'], "");
        assert!(document.contains(&format!("| `--{name}` |")), "--{name}");
    }
}

/// What the file has is tested by crate `payonce-simulator`; here, that the option names it.
#[tokio::test]
async fn a_state_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let start = |extra: &[&str]| Simulation::start_with(folder.path(), extra);
    let first = start(&["--state", "state.json"]);
    let (status, _) = Wire::connect(first.server.addr()).await.get("/_sim/orders").await;
    assert_eq!(status, 200);
    first.server.terminate();
    assert_eq!(first.server.wait().code(), Some(0));
    assert!(folder.path().join("state.json").exists());
    std::fs::remove_dir_all(folder.path().join("keys")).unwrap();
    assert_eq!(start(&["--state", "state.json"]).said(), first.said(), "the keys are in the state");
}

/// What was said of the pace holds, whether there is a state already or not; without a word the state's holds.
#[tokio::test]
async fn the_speed_that_is_named_holds_for_a_state_too() {
    let folder = tempfile::tempdir().unwrap();
    for (further, times) in [(&[][..], 1), (&["--speed", "60"], 60), (&[], 60), (&["--speed", "1"], 1)] {
        let simulation =
            Simulation::start_with(folder.path(), &[&["--state", "state.json"], further].concat());
        let (_, clock) = Wire::connect(simulation.server.addr()).await.get("/_sim/clock").await;
        assert!(clock.contains(&format!("\"pace\":{{\"times\":{times}}}")), "{further:?} {clock}");
        simulation.server.terminate();
        assert_eq!(simulation.server.wait().code(), Some(0));
    }
}

/// Whoever presses Ctrl-C twice does not want to wait for a request that never ends.
#[tokio::test]
async fn asked_twice_it_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(folder.path());
    let addr = simulation.server.addr();
    let mut wire = Wire::connect(addr).await;
    wire.send(b"POST /v3/pay/transactions/jsapi HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n").await;
    let (status, _) = Wire::connect(addr).await.get("/_sim/clock").await;
    assert_eq!(status, 200, "the request before is there, too");
    simulation.server.terminate();
    // It has heard the first once nobody takes connections any more.
    while std::net::TcpStream::connect(addr).is_ok() {}
    simulation.server.terminate();
    assert_eq!(simulation.server.wait().code(), Some(1));
}
