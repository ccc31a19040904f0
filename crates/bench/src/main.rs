//! What `cargo xtask bench` runs: the server as a process against a load generator, beside a ceiling of the same
//! run; the rate of the store alone; how fast bills are read; and how fast the simulator is.
//!
//! Signatures are made ahead of time. Everything stays on the loopback and ends by itself.

mod baseline;
mod bills;
mod ceiling;
mod database;
mod delivery;
mod fixture;
mod load;
mod process;
mod report;
mod simulator;
mod store_rate;

use std::{path::PathBuf, rc::Rc};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use database::Kind;
use fixture::Fixture;
use process::Server;
use report::{Figures, Measured};

/// The baseline is slow: it gets this part of the payments.
const BASELINE_SHARE: u32 = 6;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures payonce on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// The rate of `apply` on the store alone: no HTTP, no cryptography.
    StoreRate(store_rate::Options),
    /// How fast a trade bill is read, plain and compressed, beside counting its lines.
    Bills(bills::Options),
    /// How many signed notices the simulator delivers, and how long its API takes beside the signature.
    Simulator(simulator::Options),
    /// One reading of a bill (started by the benchmark itself).
    #[command(hide = true)]
    BillsRead(bills::Reading),
    /// The server that gives each callback a transaction of its own (started by the benchmark itself).
    #[command(hide = true)]
    Baseline {
        /// payonce's configuration file.
        config: PathBuf,
    },
    /// The server that only verifies and decrypts (started by the benchmark itself).
    #[command(hide = true)]
    Ceiling {
        /// payonce's configuration file.
        config: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// The payonce binary.
    #[arg(long, value_name = "FILE", default_value = "target/release/payonce")]
    server_bin: PathBuf,
    /// The database to measure on.
    #[arg(long, default_value = "sqlite")]
    store: Kind,
    /// Distinct payments, each called back once in the first phase.
    #[arg(long, default_value_t = 60_000)]
    payments: u32,
    /// Copies of each callback in the second phase.
    #[arg(long, default_value_t = 10)]
    copies: u32,
    /// Keep-alive connections, each with one request in flight.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Paid orders in the database before the run.
    #[arg(long, value_name = "ORDERS", default_value_t = 0)]
    orders_before: u64,
    /// Measure how fast messages are handed over to endpoints; `--orders-before` are a backlog then.
    #[arg(long)]
    delivery: bool,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.other {
        Some(Other::StoreRate(options)) => store_rate::run(&options),
        Some(Other::Bills(options)) => bills::run(&options),
        Some(Other::Simulator(options)) => simulator::run(&options),
        Some(Other::BillsRead(reading)) => reading.run(),
        Some(Other::Baseline { config }) => baseline::serve(&config),
        Some(Other::Ceiling { config }) => ceiling::serve(&config),
        None if arguments.run.delivery => delivery::run(&arguments.run),
        None => measure(&arguments.run),
    }
}

fn measure(run: &Run) -> anyhow::Result<()> {
    eprintln!("setting up: {} orders before, {} to be paid", run.orders_before, run.payments);
    let baseline_payments = run.payments / BASELINE_SHARE;
    let fixture = Fixture::make(run.store, run.payments + baseline_payments, run.orders_before)?;
    let requests = Rc::new(fixture.presigned()?);
    let once: Vec<u32> = (0..run.payments).collect();
    let send = |server: &Server, order: Vec<u32>| load::run(server.addr(), &requests, order, run.connections);

    eprintln!("ceiling: the same HTTP stack, verifying and decrypting only");
    let this = std::env::current_exe().context("this program's own file")?;
    let before = send(&Server::start(&this, &["ceiling"], &fixture.config)?, once.clone())?;

    eprintln!("first copies");
    let server = Server::start(&run.server_bin, &["serve", "--config"], &fixture.config)?;
    let cpu_before = server.cpu()?;
    let first = send(&server, once.clone())?;
    let cpu = server.cpu()? - cpu_before;

    eprintln!("{} copies each", run.copies);
    let mut copies = once.repeat(run.copies as usize);
    copies.shuffle(&mut StdRng::seed_from_u64(1));
    let duplicate = send(&server, copies.clone())?;
    let rss_bytes = server.rss_peak_bytes()?;
    drop(server);

    eprintln!("copies that no cache remembers");
    let server = Server::start(&run.server_bin, &["serve", "--config"], &fixture.config)?;
    // A process that was just started remembers nothing, and each copy here is the first that it sees.
    let uncached = send(&server, once.clone())?;
    drop(server);

    eprintln!("baseline: a transaction a callback");
    let rest = (run.payments..run.payments + baseline_payments).collect();
    let baseline = send(&Server::start(&this, &["baseline"], &fixture.config)?, rest)?;

    // The machine's speed drifts: the ceiling is taken on both sides of what is compared with it.
    let after = send(&Server::start(&this, &["ceiling"], &fixture.config)?, once)?;
    fixture.check(run.payments + baseline_payments)?;
    let measured =
        Measured { ceilings: [before, after], first, duplicate, uncached, baseline, cpu, rss_bytes };
    Figures::new(run.store.name(), &measured).print(run.json)
}
