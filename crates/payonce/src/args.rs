//! What can be said on the command line.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand};

/// A self-hosted WeChat Pay backend whose payment callbacks take effect exactly once.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGTERM or Ctrl-C.
    Serve {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// See it work: pay orders, send every callback many times, tamper with some, check the database.
    Demo(DemoOptions),
    /// Play WeChat Pay on a port of this machine, for a backend under test.
    Simulate(SimulateOptions),
    /// Write a starter configuration in which every key is explained.
    Init {
        /// The file to write; it must not exist yet.
        #[arg(default_value = "payonce.toml")]
        path: PathBuf,
    },
    /// Bring the database's schema up to date, or say what it lacks.
    Migrate {
        #[command(subcommand)]
        command: MigrateCommand,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Move everything from one database to another, for example from SQLite to PostgreSQL. Stop payonce first.
    Copy(CopyOptions),
    /// Serve a database again that `payonce copy` moved to another one, and give that one up. Nothing is copied back.
    TakeBack {
        /// The identity of the database to give up, as the refusal to serve this one says it.
        #[arg(value_name = "IDENTITY")]
        target: String,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Say what was checked of a saved callback, step by step, and where it failed, why.
    Explain(ExplainOptions),
    /// Check all that payments depend on: configuration, keys, database, clock, the way to WeChat Pay and back.
    Doctor(DoctorOptions),
    /// Show the configuration in effect and where each value comes from. Secrets are not shown.
    Config {
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ConfigFile {
    /// The configuration file. Without it: the one that PAYONCE_CONFIG names, else payonce.toml here if there is one.
    #[arg(long = "config", value_name = "FILE")]
    pub path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum MigrateCommand {
    /// List the migrations that the database lacks, without running them.
    Plan,
    /// Run the migrations that the database lacks.
    Apply,
    /// Say whether the schema is up to date; exit status 1 if it is not.
    Status,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct CopyOptions {
    /// The database to copy: sqlite://PATH, postgres://… or mysql://…
    ///
    /// Its password may stand in the environment variable PAYONCE_COPY_FROM_PASSWORD.
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The database to fill: empty, or with an unfinished copy, which goes on where it stopped.
    ///
    /// Its password may stand in the environment variable PAYONCE_COPY_TO_PASSWORD.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ExplainOptions {
    #[command(flatten)]
    pub config: ConfigFile,
    #[command(flatten)]
    pub source: CallbackSource,
    /// The merchant that it was sent to. Without it: the one in the path, else the one whose keys fit best.
    #[arg(long, value_name = "MCHID")]
    pub merchant: Option<String>,
    /// When it was received: Unix seconds, or like 2025-06-15T23:06:40+08:00. Without it: when it was saved, if the
    /// callback says so; else freshness is not checked.
    #[arg(long, value_name = "TIME", conflicts_with = "now")]
    pub at: Option<String>,
    /// Check it as if it was received now.
    #[arg(long)]
    pub now: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Print the decrypted resource as well. It names the payer.
    #[arg(long)]
    pub show_plaintext: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    pub config: ConfigFile,
    /// Have WeChat Pay send a real, signed callback (no money moves), and follow it into the database. `payonce serve`
    /// must be running.
    #[arg(long, conflicts_with = "offline")]
    pub echo: bool,
    /// How long that callback is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub wait_seconds: u64,
    /// The notify_url to look at, of the merchant whose number it ends in. Without it: server.public_url, /notify/v3/ and the merchant number.
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    pub notify_url: Option<String>,
    /// Ask neither WeChat Pay nor the notify URL anything.
    #[arg(long)]
    pub offline: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Where the callback is.
#[derive(Clone, Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub(crate) struct CallbackSource {
    /// A file with the request as captured (HTTP/1.1), or with headers and body as JSON. `-`: standard input.
    #[arg(value_name = "CALLBACK")]
    pub file: Option<PathBuf>,
    /// The refused callback of this number, in the configured database (table rejected).
    #[arg(long, value_name = "ID")]
    pub rejected: Option<i64>,
    /// The refused callback that came last.
    #[arg(long)]
    pub last_rejected: bool,
    /// The callback of this number that did not open, in the configured database (table unopened).
    #[arg(long, value_name = "ID")]
    pub unopened: Option<i64>,
    /// The callback that did not open and came last.
    #[arg(long)]
    pub last_unopened: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DemoOptions {
    /// How many orders are paid.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub payments: u32,
    /// How many genuine copies of each callback are sent.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub copies: u32,
    /// How many tampered copies come on top, in percent of the genuine ones.
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub tampered: u32,
    /// Names the run: the same seed sends the same copies in the same order.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
    /// Leave it running afterwards and print the addresses.
    #[arg(long)]
    pub keep: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SimulateOptions {
    /// Where it listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Where it listens with TLS as well, for APIv2's refunds; clients trust ca.pem in the folder of the keys.
    #[arg(long, value_name = "ADDR")]
    pub listen_tls: Option<SocketAddr>,
    /// The folder of the keys. They are made where it has none, and are the same at the next start.
    #[arg(long, value_name = "DIR", default_value = "wechat-keys")]
    pub keys: PathBuf,
    /// Names the run: the same seed makes the same numbers, also after a reset. Without it: the scenario's, else one that
    /// is drawn and printed.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Keep everything in this file, and go on from it: orders, notices, keys, clock, rules. Without it, orders and notices
    /// last as long as the process.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Trouble from the start: rules in a TOML file, which docs/simulator.md explains.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Refuse whoever asks too often, by the limits that WeChat publishes.
    #[arg(long)]
    pub limits: bool,
    /// How many times as fast as real time orders expire and notices are sent again. Without it: as the state says, else 1.
    #[arg(long, value_name = "TIMES")]
    pub speed: Option<NonZeroU32>,
    /// Send every notice to this address instead of the host in its notify_url; over plain HTTP, also for https URLs.
    #[arg(long, value_name = "ADDR")]
    pub notify_to: Option<SocketAddr>,
    /// Believe certificates of the roots in this PEM file, too, when notices go to https URLs. May be given again.
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
    /// A further name by which the page and the control API are reached. Addresses, localhost, names of containers and names
    /// under .internal and .test need not be named. May be given again.
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
}
