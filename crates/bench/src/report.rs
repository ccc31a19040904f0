//! The figures, as a table and as one line of JSON.

use std::time::Duration;

use serde::Serialize;

use crate::load::Phase;

/// What a run measured.
pub(crate) struct Measured {
    /// Before and after the rest.
    pub ceilings: [Phase; 2],
    pub first: Phase,
    pub duplicate: Phase,
    /// Copies that no cache remembers.
    pub uncached: Phase,
    pub baseline: Phase,
    /// The server's in the first phase.
    pub cpu: Duration,
    /// The server's peak in the first two.
    pub rss_bytes: u64,
}

/// What is told of it.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    store: &'static str,
    first_per_s: f64,
    duplicate_per_s: f64,
    duplicate_uncached_per_s: f64,
    baseline_per_s: f64,
    ceiling_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    cpu_s: f64,
    rss_mb: f64,
    #[serde(skip)]
    refused: u64,
    #[serde(skip)]
    first_seconds: f64,
}

impl Figures {
    pub(crate) fn new(store: &'static str, measured: &Measured) -> Self {
        let Measured { ceilings, first, duplicate, uncached, baseline, cpu, rss_bytes } = measured;
        let ceiling_per_s = ceilings.iter().map(Phase::per_s).sum::<f64>() / ceilings.len() as f64;
        let phases = ceilings.iter().chain([first, duplicate, uncached, baseline]);
        Self {
            store,
            first_per_s: first.per_s().round(),
            duplicate_per_s: duplicate.per_s().round(),
            duplicate_uncached_per_s: uncached.per_s().round(),
            baseline_per_s: baseline.per_s().round(),
            ceiling_per_s: ceiling_per_s.round(),
            p50_ms: first.quantile_ms(0.5),
            p99_ms: first.quantile_ms(0.99),
            p999_ms: first.quantile_ms(0.999),
            cpu_s: cpu.as_secs_f64(),
            rss_mb: (*rss_bytes as f64 / 1e6).round(),
            refused: phases.map(|phase| phase.refused).sum(),
            first_seconds: first.elapsed.as_secs_f64(),
        }
    }

    #[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.refused == 0,
            "{} callbacks were refused: the figures mean nothing",
            self.refused
        );
        println!("store                 {}", self.store);
        println!("ceiling               {:>8.0} callbacks/s", self.ceiling_per_s);
        for (phase, rate) in [
            ("first copies", self.first_per_s),
            ("copies", self.duplicate_per_s),
            ("copies, uncached", self.duplicate_uncached_per_s),
            ("baseline", self.baseline_per_s),
        ] {
            println!(
                "{phase:<22}{rate:>8.0} callbacks/s   {:>3.0} % of the ceiling",
                rate / self.ceiling_per_s * 100.0
            );
        }
        println!(
            "first copies, latency p50 {} ms, p99 {} ms, p999 {} ms",
            self.p50_ms, self.p99_ms, self.p999_ms
        );
        println!("first copies, server  {:>8.2} CPU s in {:.2} s", self.cpu_s, self.first_seconds);
        println!("server, peak RSS      {:>8.0} MB", self.rss_mb);
        if json {
            println!("{}", serde_json::to_string(self)?);
        }
        Ok(())
    }
}
