//! `payonce simulate`: WeChat Pay's look-alike on a port, for a backend under test.
//!
//! Keys are made once and kept in the folder that `--keys` names, so that a backend's configuration stays good from one
//! start to the next; orders and notices last as long as the process, or as the file that `--state` names. Deliberately
//! absent: what it plays, which is crate `payonce-simulator`'s.

use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use payonce_core::{Clock as _, SystemClock};
use payonce_simulator::{Folder, Pace, Scenario, Setup, Simulator};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use wechatpay::UnixSeconds;

use crate::{args::SimulateOptions, signals::Signals};

/// A seed that is drawn is below this: short enough to be typed, and hardly ever drawn twice.
const SEED_MAX: u64 = 1_000_000_000_000;

pub(crate) fn run(options: &SimulateOptions) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(play(options))
}

async fn play(options: &SimulateOptions) -> anyhow::Result<ExitCode> {
    let wall = Arc::new(|| UnixSeconds(SystemClock.now().seconds()));
    // What is printed is for programs that run elsewhere.
    let keys = std::path::absolute(&options.keys)?;
    let folder = Folder::at(&keys);
    let known = folder.read().with_context(|| format!("--keys {}", options.keys.display()))?;
    let scenario = options.scenario.as_deref().map(scenario).transpose()?.unwrap_or_default();
    let named = options.seed.or(scenario.seed);
    // Where nobody names the run it is one of its own: a backend's database knows the numbers of those before.
    let seed = named.unwrap_or_else(|| StdRng::from_os_rng().random_range(0..SEED_MAX));
    let setup = Setup {
        listen: options.listen,
        listen_tls: options.listen_tls,
        limits: options.limits,
        seed,
        reset_repeats: named.is_some(),
        scenario,
        pace: options.speed.map_or(Pace::REAL, Pace::Times),
        known,
        folder: Some(folder.clone()),
        state: options.state.clone(),
        detour: options.notify_to,
        trust: options.trust.iter().map(|path| read(path, "--trust")).collect::<Result<_, _>>()?,
        hosts: options.host.clone(),
        ..Setup::new(wall)
    };
    // Order matters: whoever reads the addresses may ask it to stop.
    let mut signals = Signals::listen()?;
    let simulator = Simulator::start(setup).await?;
    // A state has a pace of its own.
    if let Some(times) = options.speed {
        simulator.set_pace(Pace::Times(times));
    }
    std::io::stdout().write_all(introduction(&simulator, &folder, seed).as_bytes())?;
    signals.next().await;
    tokio::select! {
        finished = simulator.finish() => finished?,
        () = signals.next() => bail!("asked again to stop, it cut off the requests that were open"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The rules in a file.
fn scenario(path: &Path) -> anyhow::Result<Scenario> {
    let text = read(path, "--scenario")?;
    Scenario::from_toml(&text).with_context(|| format!("--scenario {}", path.display()))
}

/// A file that an option names.
fn read(path: &Path, option: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{option} {}", path.display()))
}

/// Where it is, who is on file, and what payonce needs to talk to it.
fn introduction(simulator: &Simulator, folder: &Folder, seed: u64) -> String {
    let base_url = simulator.base_url();
    let mut text = format!("base URL    {base_url}\ncashier     {base_url}/\ncontrol API {base_url}/_sim\n");
    if let Some(tls) = simulator.tls_base_url() {
        text += &format!("with TLS    {tls}\n");
    }
    text += &format!("seed        {seed}\n");
    let mut merchants = format!("[wechat]\nbase_url = \"{base_url}\"\n");
    for mchid in simulator.mchids() {
        let appids = simulator.read(|books| {
            let account = books.account(&mchid);
            let apps = account.into_iter().flat_map(|account| &account.appids);
            apps.filter_map(|appid| books.app(appid)).cloned().collect::<Vec<_>>()
        });
        text += &format!("merchant    {mchid}\n");
        for app in appids {
            text += &format!("app         {}   secret {}\n", app.appid, app.secret);
        }
        if let Some(ring) = simulator.ring(&mchid) {
            text += &ring
                .own()
                .last()
                .map_or_else(String::new, |own| format!("serial      {}\n", own.certificate().serial));
            text +=
                &ring.public_key().map_or_else(String::new, |key| format!("key id      {}\n", key.serial()));
        }
        let files = folder.of_merchant(&mchid);
        text += &format!("keys        {}\n", files.display());
        merchants += &of_merchant(simulator, &mchid, &files);
    }
    format!("{text}\nFor payonce.toml:\n\n{merchants}\nCtrl-C ends it.\n")
}

/// A merchant in payonce's configuration.
fn of_merchant(simulator: &Simulator, mchid: &str, files: &Path) -> String {
    let file = |name: &str| toml_string(&files.join(name));
    let mut text = format!(
        "\n[[merchants]]\nmchid = \"{mchid}\"\napiv3_key_file = {}\napiv2_key_file = {}\nprivate_key_file = {}\n\
         api_certificate_file = {}\n",
        file("apiv3.key"),
        file("apiv2.key"),
        file("apiclient_key.pem"),
        file("apiclient_cert.pem"),
    );
    let ring = simulator.ring(mchid);
    if let Some(key) = ring.as_ref().and_then(|ring| ring.public_key()) {
        text += &format!(
            "\n[[merchants.platform_keys]]\npublic_key_id = \"{}\"\npublic_key_file = {}\n",
            key.serial(),
            file("pub_key.pem")
        );
    }
    text
}

/// A path as a string of TOML, which has every escape of JSON's.
fn toml_string(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
