//! A merchant's shop in a temporary folder: configuration, key files, database, orders, and WeChat's books beside it.
//!
//! Orders are registered by [`payonce_core::apply`] before a server starts; from then on the database belongs to the
//! server, and [`crate::books`] looks at copies of it.

use std::fs::Permissions;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use payonce_core::{
    AppId, Attempts, Clock as _, Currency, Fact, Fen, MerchantId, OrderKey, OutTradeNo, Policy, Submission,
    SystemClock, Terms, apply,
};
use payonce_simulator::{
    Courier, Delivery, Merchant, Notification, Payment, Platform, Signer, Target, World,
};
use payonce_store_sqlite::{Options, SqliteStore};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use tempfile::TempDir;
use wechatpay::UnixSeconds;

use crate::server::Server;

/// Connections on which callbacks come.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// What each order costs.
const AMOUNT_FEN: i64 = 1990;

pub(crate) const API_KEY: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Shop {
    folder: TempDir,
    pub(crate) platform: Arc<Platform>,
    pub(crate) merchant: Arc<Merchant>,
    notifications: Arc<[Notification]>,
    seed: u64,
    sent: usize,
}

impl Shop {
    /// A shop with `orders` orders, registered and paid; no callback has come yet.
    pub(crate) async fn open(orders: usize, seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let platform = Arc::new(Platform::generate().unwrap());
        let merchant = Arc::new(Merchant::generate(rng));
        let mut world = World::new();
        let mut notifications = Vec::with_capacity(orders);
        for _ in 0..orders {
            let number = world.free_out_trade_no(now(), rng);
            world.place(&number, AMOUNT_FEN, None).unwrap();
            let payment = world.pay(&number, now(), rng).unwrap();
            notifications.push(Notification::new(payment, &merchant, now(), rng));
        }
        let folder = tempfile::tempdir().unwrap();
        let shop = Self { folder, platform, merchant, notifications: notifications.into(), seed, sent: 0 };
        shop.write_files();
        if orders > 0 {
            shop.register().await;
        }
        shop
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder().join("payonce.toml")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder().join("payonce.db")
    }

    /// The payments that WeChat knows, by the number of their notification.
    pub(crate) fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.notifications.iter().map(Notification::payment)
    }

    /// `copies` copies of each of these notifications, shuffled.
    pub(crate) fn deliveries(
        &mut self,
        notifications: Range<usize>,
        copies: usize,
        rng: &mut StdRng,
    ) -> Vec<Delivery> {
        let mut notifications: Vec<usize> =
            notifications.flat_map(|notification| std::iter::repeat_n(notification, copies)).collect();
        notifications.shuffle(rng);
        let first = self.sent;
        self.sent += notifications.len();
        (first..)
            .zip(notifications)
            .map(|(number, notification)| Delivery::genuine(number, notification))
            .collect()
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer {
            platform: Arc::clone(&self.platform),
            merchant: Arc::clone(&self.merchant),
            notifications: Arc::clone(&self.notifications),
            clock: Arc::new(now),
            seed: self.seed,
        }
    }

    /// The notify URL's path.
    pub(crate) fn notify_path(&self) -> String {
        format!("/notify/v3/{}", self.merchant.mchid())
    }

    pub(crate) fn courier(&self, server: &Server) -> Courier {
        Courier::new(Target::new(server.addr(), &self.notify_path()).unwrap(), CONNECTIONS)
    }

    fn write_files(&self) {
        let file = |name: &str, text: &str| {
            let path = self.folder().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        };
        file("api.key", API_KEY);
        file("apiv3.key", self.merchant.apiv3_key());
        file("pub_key.pem", self.platform.public_key_pem());
        let (mchid, key_id) = (self.merchant.mchid(), self.platform.public_key_id());
        file(
            "payonce.toml",
            &format!(
                r#"[server]
listen = "127.0.0.1:0"
[store]
url = "sqlite://payonce.db"
[api]
key_file = "api.key"
[[merchants]]
mchid = "{mchid}"
apiv3_key_file = "apiv3.key"
[[merchants.platform_keys]]
public_key_id = "{key_id}"
public_key_file = "pub_key.pem"
"#
            ),
        );
    }

    async fn register(&self) {
        let store = SqliteStore::open(&Options::new(self.database())).unwrap();
        let terms = Terms {
            amount: Fen::new(AMOUNT_FEN).unwrap(),
            currency: Currency::CNY,
            appid: AppId::parse(self.merchant.appid()).unwrap(),
            expires_at: None,
        };
        let registrations: Vec<Submission> = self
            .payments()
            .map(|payment| {
                let merchant = MerchantId::parse(self.merchant.mchid()).unwrap();
                let out_trade_no = OutTradeNo::parse(&payment.out_trade_no).unwrap();
                let key = OrderKey { merchant, out_trade_no };
                Fact::Registered { key, terms: terms.clone() }.into()
            })
            .collect();
        for outcome in
            apply(&store, &registrations, &Policy::default(), SystemClock.now(), &Attempts(1)).await
        {
            outcome.unwrap();
        }
    }
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}
