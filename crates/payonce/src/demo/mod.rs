//! `payonce demo`: the server and the simulator on this machine, many copies of every callback, then an audit.
//!
//! Nothing is faked: real configuration files, real HTTP, real signatures and encryption, a real database.

mod audit;
mod client;
mod receiver;
mod report;
mod stage;

use std::{
    num::NonZero,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use payonce_simulator::{Answer, Courier, Plan, Report, Retry, Signer, Target};

use crate::{args::DemoOptions, signals};
use report::Closing;
use stage::Stage;

/// Connections that send callbacks at one time.
const CONNECTIONS: NonZero<usize> = NonZero::new(32).expect("BUG: 32 is not zero");

/// Copies are shuffled further by holding each back for up to this long.
const DELAY_MAX: Duration = Duration::from_millis(20);

/// WeChat's schedule, a thousand times as fast: 15 ms, 15 ms, 30 ms, 180 ms …
const RETRY: Retry = Retry::faster(NonZero::new(1000).expect("BUG: 1000 is not zero")).at_most(8);

pub(crate) fn run(options: &DemoOptions) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(perform(options))
}

async fn perform(options: &DemoOptions) -> anyhow::Result<ExitCode> {
    let stage = Stage::set(options).await.context("the demo could not be set up")?;
    let plan = Plan {
        payments: stage.notifications.len(),
        copies: options.copies as usize,
        tampered_percent: options.tampered,
        delay_max: DELAY_MAX,
        seed: options.seed,
    };
    let started = Instant::now();
    let answers = deliver(&stage, &plan, options.seed).await?;
    let elapsed = started.elapsed();

    let report: Report = answers.iter().collect();
    let audit =
        audit::audit(&*stage.store, &stage.payments()).await.context("the database could not be audited")?;
    let received = stage.receiver.received(audit.effects).await;
    let closing = Closing::new(&plan, &report, &audit, received, elapsed);
    closing.print(options.json)?;
    if options.keep {
        let asked_to_stop = signals::asked_to_stop()?;
        stage.print_addresses()?;
        asked_to_stop.await;
    }
    stage.strike().await;
    Ok(if closing.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn deliver(stage: &Stage, plan: &Plan, seed: u64) -> anyhow::Result<Vec<Answer>> {
    let signer = Signer {
        platform: Arc::clone(&stage.platform),
        merchant: Arc::clone(&stage.merchant),
        notifications: stage.notifications.clone(),
        clock: stage::clock(),
        seed,
    };
    let path = format!("/notify/v3/{}", stage.merchant.mchid());
    let courier = Courier::new(Target::new(stage.addr(), &path)?, CONNECTIONS).retrying(RETRY);
    let deliveries = plan.deliveries();
    let bar = progress("callbacks", deliveries.len() as u64);
    let answers = courier
        .deliver(deliveries, move |delivery, attempt| signer.callback(delivery, attempt), |_| bar.inc(1))
        .await;
    bar.finish_and_clear();
    Ok(answers)
}

/// A bar on standard error, if that is a terminal.
fn progress(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {pos}/{len} {per_sec}")
        .expect("BUG: the template is a constant");
    ProgressBar::new(length).with_style(style).with_message(what)
}
