//! Sets the stage: keys, configuration, database, server, orders and their payments.

use std::{io::Write, net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use payonce_core::{Clock as _, Store, SystemClock};
use payonce_dispatch::{Algorithm, SigningKey};
use payonce_server::{
    Running, Server,
    config::{Config, Environment},
};
use payonce_simulator::{Books, Clock, Merchant, Notification, Payment, Platform};
use rand::{
    Rng as _, SeedableRng as _,
    distr::{Alphanumeric, SampleString as _},
    rngs::StdRng,
};
use tempfile::TempDir;
use wechatpay::UnixSeconds;

use super::{client, progress, receiver::Receiver};
use crate::{
    args::DemoOptions,
    database::{self, Purpose},
};

/// The dearest order of the demo, in fen.
const AMOUNT_FEN_MAX: i64 = 100_000;

/// Everything that the demo plays with.
pub(super) struct Stage {
    pub platform: Arc<Platform>,
    pub merchant: Arc<Merchant>,
    pub notifications: Arc<[Notification]>,
    pub store: Arc<dyn Store>,
    pub receiver: Receiver,
    server: Running,
    api_key: String,
    folder: TempDir,
}

impl Stage {
    /// Starts a server in a temporary folder, registers the orders with it and has them paid.
    pub(super) async fn set(options: &DemoOptions) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(options.seed);
        let platform = Arc::new(Platform::generate()?);
        let merchant = Arc::new(Merchant::generate(&mut rng));
        let api_key = Alphanumeric.sample_string(&mut rng, 40);
        let folder = tempfile::Builder::new().prefix("payonce-demo-").tempdir()?;
        let config = write_configuration(folder.path(), &platform, &merchant, &api_key, &mut rng)?;
        let store: Arc<dyn Store> = database::open(&config.store, Purpose::Serve).await?;
        let server =
            Server::new(config, Arc::clone(&store), Arc::new(SystemClock), database::owner()).start().await?;
        let secret = SigningKey::generate(Algorithm::Hmac, &mut rng).secret_text();
        let receiver = Receiver::open(&secret).await?;
        let endpoint = serde_json::json!({"url": receiver.url(), "secret": secret, "start": 0});
        client::define(server.addr(), &api_key, "demo", &endpoint).await?;
        let mut stage = Self {
            platform,
            merchant,
            notifications: Arc::new([]),
            store,
            receiver,
            server,
            api_key,
            folder,
        };
        stage.notifications = stage.sell(options.payments, &mut rng).await?;
        Ok(stage)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The payments that WeChat knows.
    pub(super) fn payments(&self) -> Vec<&Payment> {
        self.notifications.iter().map(Notification::payment).collect()
    }

    /// Places the orders, registers them with the server over HTTP, and pays them.
    async fn sell(&self, orders: u32, rng: &mut StdRng) -> anyhow::Result<Arc<[Notification]>> {
        let mut books = Books::new();
        books.enrol(self.merchant.account().clone(), rng);
        let mut registrations = Vec::with_capacity(orders as usize);
        let mut numbers = Vec::with_capacity(orders as usize);
        for _ in 0..orders {
            let number = books.free_out_trade_no(self.merchant.mchid(), now(), rng);
            let amount_fen = rng.random_range(1..=AMOUNT_FEN_MAX);
            books.prepay(self.merchant.terms(&number, amount_fen), now(), rng)?;
            registrations.push(serde_json::json!({
                "mchid": self.merchant.mchid(), "out_trade_no": number, "amount": amount_fen,
                "appid": self.merchant.appid(),
            }));
            numbers.push(number);
        }
        let bar = progress("orders", u64::from(orders));
        client::register_all(self.addr(), &self.api_key, registrations, &bar).await?;
        bar.finish_and_clear();
        numbers
            .iter()
            .map(|number| {
                let payment = books.pay(&self.merchant.order_key(number), None, now(), rng)?;
                Ok(Notification::new(payment, &self.merchant, now(), rng))
            })
            .collect()
    }

    pub(super) fn print_addresses(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        let (addr, mchid) = (self.addr(), self.merchant.mchid());
        writeln!(out, "callbacks   http://{addr}/notify/v3/{mchid}")?;
        writeln!(
            out,
            "orders      http://{addr}/v1/orders/OUT_TRADE_NO   (Authorization: Bearer {})",
            self.api_key
        )?;
        writeln!(out, "messages    http://{addr}/v1/messages?after=0")?;
        writeln!(out, "endpoints   http://{addr}/v1/endpoints")?;
        writeln!(out, "metrics     http://{addr}/metrics")?;
        writeln!(out, "files       {}", self.folder.path().display())?;
        writeln!(out, "Ctrl-C ends it and removes the files.")?;
        Ok(())
    }

    /// Stops the server and removes the files.
    pub(super) async fn strike(self) {
        self.server.stop().await;
    }
}

fn write_configuration(
    folder: &Path,
    platform: &Platform,
    merchant: &Merchant,
    api_key: &str,
    rng: &mut StdRng,
) -> anyhow::Result<Config> {
    write_secret(&folder.join("api.key"), api_key)?;
    write_secret(&folder.join("apiv3.key"), merchant.apiv3_key())?;
    write_secret(&folder.join("sealing.key"), &STANDARD.encode(rng.random::<[u8; 32]>()))?;
    write_secret(&folder.join("pub_key.pem"), platform.public_key_pem())?;
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[api]\nkey_file = \"api.key\"\n\n[[merchants]]\nmchid = \"{}\"\n\
         apiv3_key_file = \"apiv3.key\"\n\n[[merchants.platform_keys]]\npublic_key_id = \"{}\"\n\
         public_key_file = \"pub_key.pem\"\n\n[delivery]\nsealing_key_file = \"sealing.key\"\nnetworks = [\"127.0.0.1\"]\n\
         unencrypted = \"allow\"\n",
        merchant.mchid(),
        platform.serial(),
    );
    let path = folder.join("payonce.toml");
    std::fs::write(&path, text)?;
    let loaded =
        Config::load(Some(&path), &Environment::default()).context("the demo's own configuration")?;
    Ok(loaded.config)
}

/// Writes a file that only this user may read.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}

/// The machine's clock, for the simulator.
pub(super) fn clock() -> Clock {
    Arc::new(now)
}
