//! Starts one throw-away server for use by hand, prints its URL and its folder, and keeps it until standard input ends.

#![expect(clippy::print_stdout, reason = "its standard output is its user interface")]

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use payonce_test_servers::{MariaDb, Nats, Options, Postgres, RabbitMq, Redis, ServerError};

const USAGE: &str = "Usage: payonce-test-servers postgres|mariadb|redis|rabbitmq|nats

The server lives until standard input ends (Ctrl-D) or this program is ended.";

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("postgres") => {
            Postgres::start(&Options::default()).map(|s| hold(&s.url("postgres"), s.folder()))
        }
        Some("mariadb") => MariaDb::start(&Options::default()).map(|s| hold(&s.url("mysql"), s.folder())),
        Some("redis") => Redis::start().map(|s| hold(&s.url(), s.folder())),
        Some("rabbitmq") => RabbitMq::start().map(|s| hold(&s.url(), s.folder())),
        Some("nats") => Nats::start(&[]).map(|s| hold(&s.url(), s.folder())),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

fn hold(url: &str, folder: &Path) {
    println!("{url}\n{}", folder.display());
    // However it ends, it ends.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn failed(error: &ServerError) -> ExitCode {
    eprintln!("payonce-test-servers: {error}");
    ExitCode::FAILURE
}
