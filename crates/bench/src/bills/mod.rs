//! How fast a trade bill is read, plain and compressed, and in how much memory; beside a ceiling of the same run, which
//! only reads the file (inflates it) and counts its lines.
//!
//! Each reading is a process of its own, so that its memory is nobody else's. Files come from the page cache.

mod file;
mod reading;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;

use file::Written;
pub(crate) use reading::Reading;
use reading::Took;

/// Readings of each kind, one kind after the other; the one in the middle counts.
const READINGS: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rows of the bill.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

/// The file's format, and what reading it took.
struct Measured {
    format: &'static str,
    file_bytes: u64,
    read: Took,
    ceiling: Took,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("payonce-bench-").tempdir_in(".")?;
    eprintln!("setting up: a bill of {} rows, plain and compressed", options.rows);
    let (plain, gzip) = (folder.path().join("bill.csv"), folder.path().join("bill.csv.gz"));
    let written = file::write(options.rows, &plain, &gzip)?;
    let measured = [measure("plain", &plain, &written)?, measure("gzip", &gzip, &written)?];
    print(options, &written, &measured)
}

fn measure(format: &'static str, file: &Path, written: &Written) -> anyhow::Result<Measured> {
    eprintln!("{format}: {READINGS} readings, and as many of the ceiling");
    let (mut reads, mut ceilings) = (Vec::new(), Vec::new());
    for _ in 0..READINGS {
        ceilings.push(in_a_process(file, &["--ceiling"])?);
        reads.push(in_a_process(file, &[])?);
    }
    let is_whole = reads.iter().all(|took| took.rows == written.rows && took.fen == written.fen);
    ensure!(is_whole, "not every reading saw {} rows of {} fen: {reads:?}", written.rows, written.fen);
    let file_bytes = std::fs::metadata(file)?.len();
    Ok(Measured { format, file_bytes, read: middle(reads)?, ceiling: middle(ceilings)? })
}

fn in_a_process(file: &Path, options: &[&str]) -> anyhow::Result<Took> {
    let this = std::env::current_exe().context("this program's own file")?;
    let mut command = Command::new(this);
    command.arg("bills-read").arg(file).args(options).stderr(Stdio::inherit());
    let output = command.output().context("cannot start a reading")?;
    ensure!(output.status.success(), "a reading of {} failed: {}", file.display(), output.status);
    serde_json::from_slice(&output.stdout).context("what a reading says")
}

fn middle(mut took: Vec<Took>) -> anyhow::Result<Took> {
    took.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let rss_mb = took.iter().map(|took| took.rss_mb).fold(0.0, f64::max);
    let middle = took.into_iter().nth(READINGS / 2).context("no reading")?;
    Ok(Took { rss_mb, ..middle })
}

#[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
fn print(options: &Options, written: &Written, measured: &[Measured]) -> anyhow::Result<()> {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let mut figures = json!({ "rows": written.rows, "mb": mb(written.bytes).round() });
    println!("a trade bill of {} rows, {:.0} MB", written.rows, mb(written.bytes));
    for Measured { format, file_bytes, read, ceiling } in measured {
        let mb_per_s = mb(written.bytes) / read.seconds;
        println!(
            "{format:<6} {:>4.0} MB  {:>6.2} s ({:.2} s CPU) {:>9.0} rows/s {mb_per_s:>6.0} MB/s, peak RSS {:.1} MB",
            mb(*file_bytes),
            read.seconds,
            read.cpu_s,
            written.rows as f64 / read.seconds,
            read.rss_mb,
        );
        println!(
            "  its ceiling  {:>6.2} s ({:.2} s CPU), {:.0} % of the time",
            ceiling.seconds,
            ceiling.cpu_s,
            ceiling.seconds / read.seconds * 100.0
        );
        figures[*format] = json!({
            "file_mb": mb(*file_bytes).round(),
            "seconds": read.seconds,
            "cpu_s": read.cpu_s,
            "mb_per_s": mb_per_s.round(),
            "rss_mb": read.rss_mb,
            "ceiling_seconds": ceiling.seconds,
            "ceiling_cpu_s": ceiling.cpu_s,
        });
    }
    if options.json {
        println!("{figures}");
    }
    Ok(())
}
