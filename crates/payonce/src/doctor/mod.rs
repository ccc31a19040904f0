//! `payonce doctor`: whether everything that payments depend on is as it should be, and what to do where it is not.
//!
//! From near to far: configuration, keys, database, WeChat Pay's hosts and clock, a signed call, the notify URL; with
//! `--echo` the whole way, by a callback that WeChat Pay signs and sends. Each check is one [`Finding`], and one that
//! fails does not keep the others from being made; what was asked for and could not be made is a finding too. Invariants:
//! no secret is shown; each wait has an end; nothing is changed but that a probe of the notify URL leaves one refused
//! callback, and `--echo` one message `wechat.SECURITY_ECHO.SUCCESS`.

mod address;
mod answer;
mod arrival;
mod certificate;
mod database;
mod echo;
mod effects;
mod finding;
mod keys;
mod notify_url;
mod remedy;
mod report;
mod wechat;

use std::{process::ExitCode, sync::Arc, time::Duration};

use payonce_core::{Clock as _, SystemClock, store::archive::Archive, store::with_causes};
use payonce_server::config::{Config, Environment, Loaded};
use wechatpay::UnixSeconds;

use self::finding::{Finding, Findings};
use self::notify_url::NotifyUrl;
use crate::{args::DoctorOptions, configuration};

/// Seconds in a day.
const DAY: i64 = 24 * 3600;

pub(crate) fn run(options: &DoctorOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    if let Some(config) = configuration(options, environment, &mut findings) {
        // A store may block the thread that waits for it.
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime.block_on(look(&config, options, &mut findings)),
            Err(error) => {
                let detail = format!("nothing more was looked at: {}", with_causes(&error));
                let remedy = "let this process have threads and files: look at its limits (ulimit -a)";
                findings.add(Finding::failed("configuration", detail, remedy));
            }
        }
    }
    report::print(&findings, options)?;
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

async fn look(config: &Config, options: &DoctorOptions, findings: &mut Findings) {
    let now = UnixSeconds(SystemClock.now().seconds());
    for merchant in &config.merchants {
        keys::look(merchant, now, findings);
    }
    let database = database::look(&config.store, findings).await;
    effects::look(&config.effects, database.as_deref(), findings).await;
    if options.offline {
        return;
    }
    let wechat = wechat::WeChat::look(config, findings).await;
    for merchant in &config.merchants {
        let client = match &wechat {
            Some(wechat) => wechat.sign_in(merchant, options.echo, findings).await,
            None => {
                let why = "WeChat Pay cannot be asked: see wechat_host above";
                findings.add(Finding::skipped("signed_call", why).about(&merchant.mchid));
                None
            }
        };
        let url = NotifyUrl::of(config, merchant, options.notify_url.as_deref());
        let is_usable = url.look(merchant, findings).await;
        if options.echo {
            let limit = Duration::from_secs(options.wait_seconds);
            let database = database.as_deref();
            let ends = echo::Ends { client: client.as_ref(), url: &url, is_usable, database };
            ends.follow(merchant, limit, findings).await;
        }
    }
}

/// The database, where it could be opened.
type Database = Option<Arc<dyn Archive>>;
