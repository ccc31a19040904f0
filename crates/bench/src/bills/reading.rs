//! One reading of a bill's file, from open to the end, and what it took.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use wechatpay::bill::{Bill, Entry, Trade};

use crate::process;

/// As much as is read from a file at a time.
const PIECE_BYTES: usize = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// The bill.
    file: PathBuf,
    /// Only count its lines.
    #[arg(long)]
    ceiling: bool,
}

/// What a reading took, and saw.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Took {
    pub(super) seconds: f64,
    pub(super) cpu_s: f64,
    pub(super) rss_mb: f64,
    pub(super) rows: u64,
    pub(super) fen: i64,
}

impl Reading {
    #[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (cpu, started) = (process::cpu("self")?, Instant::now());
        let (rows, fen) = if self.ceiling { (lines(&self.file)?, 0) } else { rows(&self.file)? };
        let seconds = started.elapsed().as_secs_f64();
        let cpu_s = (process::cpu("self")? - cpu).as_secs_f64();
        let rss_mb = process::rss_peak_bytes("self")? as f64 / 1e6;
        println!("{}", serde_json::to_string(&Took { seconds, cpu_s, rss_mb, rows, fen })?);
        Ok(())
    }
}

/// The rows, and what payments less refunds come to.
fn rows(file: &Path) -> anyhow::Result<(u64, i64)> {
    let (mut file, mut piece) = (File::open(file)?, vec![0; PIECE_BYTES]);
    let (mut bill, mut fen) = (Bill::<Trade>::new(), 0);
    loop {
        let bytes = file.read(&mut piece)?;
        bill.push(&piece[..bytes]);
        while let Some(row) = bill.next_row()? {
            fen += match row.entry {
                Entry::Refund(refund) => -refund.total.get(),
                _ => row.total.get(),
            };
        }
        if bytes == 0 {
            return Ok((bill.finish()?.rows, fen));
        }
    }
}

fn lines(path: &Path) -> anyhow::Result<u64> {
    let file = File::open(path)?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    if is_gzip { count(MultiGzDecoder::new(file)) } else { count(file) }
}

fn count(mut text: impl Read) -> anyhow::Result<u64> {
    let (mut piece, mut lines) = (vec![0; PIECE_BYTES], 0);
    loop {
        let bytes = text.read(&mut piece)?;
        lines += memchr::memchr_iter(b'\n', &piece[..bytes]).count() as u64;
        if bytes == 0 {
            return Ok(lines);
        }
    }
}
