//! The figures, as a table and as one line of JSON.

use std::time::Duration;

use serde::Serialize;

use crate::load::Phase;

/// What a run measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    store: &'static str,
    first_per_s: f64,
    duplicate_per_s: f64,
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
    /// `cpu` is the server's in the first phase, `rss_bytes` its peak in both.
    pub(crate) fn new(
        ceilings: &[Phase],
        first: &Phase,
        duplicate: &Phase,
        cpu: Duration,
        rss_bytes: u64,
    ) -> Self {
        let ceiling_per_s = ceilings.iter().map(Phase::per_s).sum::<f64>() / ceilings.len() as f64;
        Self {
            store: "sqlite",
            first_per_s: first.per_s().round(),
            duplicate_per_s: duplicate.per_s().round(),
            ceiling_per_s: ceiling_per_s.round(),
            p50_ms: first.quantile_ms(0.5),
            p99_ms: first.quantile_ms(0.99),
            p999_ms: first.quantile_ms(0.999),
            cpu_s: cpu.as_secs_f64(),
            rss_mb: (rss_bytes as f64 / 1e6).round(),
            refused: ceilings.iter().chain([first, duplicate]).map(|phase| phase.refused).sum(),
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
        let share = |rate: f64| rate / self.ceiling_per_s * 100.0;
        println!("store                 {}", self.store);
        println!("ceiling               {:>8.0} callbacks/s", self.ceiling_per_s);
        println!(
            "first copies          {:>8.0} callbacks/s   {:>3.0} % of the ceiling",
            self.first_per_s,
            share(self.first_per_s)
        );
        println!(
            "copies                {:>8.0} callbacks/s   {:>3.0} % of the ceiling",
            self.duplicate_per_s,
            share(self.duplicate_per_s)
        );
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
