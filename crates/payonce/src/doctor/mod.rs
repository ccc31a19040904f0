//! `payonce doctor`: whether everything that payments depend on is as it should be, and what to do where it is not.
//!
//! From near to far: configuration, keys, database, WeChat Pay's hosts and clock, a signed call, the notify URL; with
//! `--echo` the whole way, by a callback that WeChat Pay signs and sends. Each check is one [`Finding`], and one that
//! fails does not keep the others from being made. Invariants: no secret is shown; nothing is changed but that a probe of
//! the notify URL leaves one refused callback, and `--echo` one message `wechat.SECURITY_ECHO.SUCCESS`.

mod database;
mod echo;
mod finding;
mod keys;
mod notify_url;
mod report;
mod wechat;

use std::{process::ExitCode, sync::Arc};

use payonce_core::{Clock as _, SystemClock, store::archive::Archive};
use payonce_server::config::{Config, Environment, Loaded, Merchant};
use wechatpay::UnixSeconds;

use self::finding::{Finding, Findings};
use crate::{args::DoctorOptions, configuration};

/// Seconds in a day.
const DAY: i64 = 24 * 3600;

pub(crate) fn run(options: &DoctorOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    if let Some(config) = configuration(options, environment, &mut findings) {
        // A store may block the thread that waits for it.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(look(&config, options, &mut findings))?;
    }
    report::print(&findings, options.json)?;
    Ok(if findings.any_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Loads it as the server would. Without one there is nothing more to look at.
fn configuration(
    options: &DoctorOptions,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<Config> {
    const REMEDY: &str =
        "mend what is named; `payonce config` shows what is in effect and where it comes from";
    let Loaded { config, warnings, .. } =
        match configuration::load(options.config.path.as_deref(), environment) {
            Ok(loaded) => loaded,
            Err(error) => {
                findings.add(Finding::failed("configuration", format!("{error:#}"), REMEDY));
                return None;
            }
        };
    match config.ready_to_serve() {
        Ok(()) => {
            let merchants = config.merchants.len();
            findings.add(Finding::ok("configuration", format!("it loads, with {merchants} merchant(s)")));
        }
        Err(error) => findings.add(Finding::failed("configuration", error.to_string(), REMEDY)),
    }
    for warning in warnings {
        findings.add(Finding::warning("configuration", warning.to_string(), REMEDY));
    }
    Some(config)
}

async fn look(config: &Config, options: &DoctorOptions, findings: &mut Findings) -> anyhow::Result<()> {
    let now = UnixSeconds(SystemClock.now().seconds());
    for merchant in &config.merchants {
        keys::look(merchant, now, findings);
    }
    let database = database::look(&config.store, findings).await;
    if options.offline {
        return Ok(());
    }
    let wechat = wechat::WeChat::look(config, findings).await?;
    let prober = notify_url::Prober::new()?;
    for merchant in &config.merchants {
        let client = wechat.sign_in(merchant, findings).await?;
        let Some(url) = notify_url_of(config, merchant, options) else {
            findings.add(
                Finding::skipped("notify_url", "not known: set server.public_url, or say --notify-url URL")
                    .about(&merchant.mchid),
            );
            continue;
        };
        prober.look(&url, merchant, findings).await;
        if let (true, Some(client)) = (options.echo, client) {
            let way = echo::Way { client: &client, merchant, url: &url, database: database.as_deref() };
            way.follow(options.wait_seconds, findings).await;
        }
    }
    Ok(())
}

/// What the merchant gives WeChat Pay as `notify_url`.
fn notify_url_of(config: &Config, merchant: &Merchant, options: &DoctorOptions) -> Option<String> {
    let configured = || {
        let base = config.server.public_url.as_deref()?;
        Some(format!("{}/notify/v3/{}", base.trim_end_matches('/'), merchant.mchid))
    };
    options.notify_url.clone().or_else(configured)
}

/// The database, where it could be opened.
type Database = Option<Arc<dyn Archive>>;
