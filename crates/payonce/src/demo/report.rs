//! The closing table, and the one line of JSON.

use std::{io::Write, time::Duration};

use payonce_simulator::{Plan, Report};
use serde::Serialize;

use super::{audit::Audit, receiver::Received};

/// What came of it all.
#[derive(Debug, Serialize)]
pub(super) struct Closing {
    payments: usize,
    callbacks: u64,
    acknowledged: u64,
    refused: u64,
    effects: u64,
    lost: u64,
    doubled: u64,
    /// Different messages that the merchant's own system got.
    delivered: u64,
    seconds: f64,
    #[serde(skip)]
    tampered: u64,
    #[serde(skip)]
    tampered_acknowledged: u64,
    #[serde(skip)]
    copies: usize,
    #[serde(skip)]
    forged: u64,
}

impl Closing {
    pub(super) fn new(
        plan: &Plan,
        report: &Report,
        audit: &Audit,
        received: Received,
        elapsed: Duration,
    ) -> Self {
        Self {
            payments: plan.payments,
            callbacks: report.sent(),
            acknowledged: report.genuine.acknowledged,
            refused: report.tampered.refused,
            effects: audit.effects,
            lost: audit.lost,
            doubled: audit.doubled,
            delivered: received.messages,
            // Milliseconds are enough.
            seconds: Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
                .as_secs_f64(),
            tampered: plan.tampered() as u64,
            tampered_acknowledged: report.tampered.acknowledged,
            copies: plan.copies,
            forged: received.forged,
        }
    }

    /// Nothing lost, nothing doubled, everything that was tampered with refused, every message delivered and verified.
    pub(super) fn is_good(&self) -> bool {
        let is_kept = self.lost == 0 && self.doubled == 0 && self.refused == self.tampered;
        is_kept && self.delivered == self.effects && self.forged == 0
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        let rate = self.callbacks as f64 / self.seconds.max(0.001);
        writeln!(out)?;
        writeln!(out, "  payments made at WeChat          {:>10}", self.payments)?;
        writeln!(
            out,
            "  callbacks sent                   {:>10}   {} copies each, shuffled, {:.0} a second",
            self.callbacks, self.copies, rate
        )?;
        writeln!(out, "  genuine and acknowledged         {:>10}", self.acknowledged)?;
        writeln!(
            out,
            "  tampered and refused             {:>10}   of {}, {} acknowledged",
            self.refused, self.tampered, self.tampered_acknowledged
        )?;
        writeln!(
            out,
            "  payments with exactly one effect {:>10}   one transition, one message",
            self.effects
        )?;
        writeln!(
            out,
            "  messages at the merchant's own   {:>10}   each signature verified, the same id at every attempt",
            self.delivered
        )?;
        writeln!(out, "  lost                             {:>10}", self.lost)?;
        writeln!(out, "  doubled                          {:>10}", self.doubled)?;
        writeln!(out)?;
        let verdict = if self.is_good() {
            "Every payment took effect exactly once."
        } else {
            "NOT GOOD: see the figures above."
        };
        writeln!(out, "  {verdict}")?;
        if json {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
        }
        Ok(())
    }
}
