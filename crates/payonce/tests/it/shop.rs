//! A merchant's shop in a temporary folder: configuration, key files, database, orders, and WeChat's books beside it.
//!
//! Its database is a file in the folder, or one on a server. A file belongs to the shop's server from the moment that
//! this runs: orders are registered before by [`payonce_core::apply`], and [`crate::books`] looks at copies of it.

use std::fs::Permissions;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use payonce_core::{
    AppId, Attempts, Clock as _, Currency, Fact, Fen, MerchantId, OrderKey, OutTradeNo, Policy, Store,
    Submission, SystemClock, Terms, apply,
};
use payonce_simulator::{
    Books, Courier, Delivery, Merchant, Notification, Payment, Platform, Signer, Target,
};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use wechatpay::UnixSeconds;

use crate::books;
use crate::server::Server;

/// Connections on which callbacks come.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// What each order costs.
pub(crate) const AMOUNT_FEN: i64 = 1990;

pub(crate) const API_KEY: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Shop {
    folder: TempDir,
    /// Of its database.
    url: String,
    pub(crate) platform: Arc<Platform>,
    pub(crate) merchant: Arc<Merchant>,
    notifications: Arc<[Notification]>,
    seed: u64,
    sent: usize,
}

impl Shop {
    /// A shop on a database file with `orders` orders, registered and paid; no callback has come yet.
    pub(crate) async fn open(orders: usize, seed: u64) -> Self {
        let shop = Self::on("sqlite://payonce.db", orders, seed);
        if orders > 0 {
            let url = format!("sqlite://{}", shop.database().display());
            shop.register(&*books::open(&url).await, 0..orders).await;
        }
        shop
    }

    /// A shop on the database at this URL with `orders` orders, paid and not yet registered.
    pub(crate) fn on(url: &str, orders: usize, seed: u64) -> Self {
        Self::paid_over_and_over(url, orders, 1, seed)
    }

    /// The same, and each order is paid `times` times: so many messages will tell of it, and so many notifications in a row
    /// are about it.
    pub(crate) fn paid_over_and_over(url: &str, orders: usize, times: usize, seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let platform = Arc::new(Platform::generate().unwrap());
        let merchant = Arc::new(Merchant::generate(rng));
        let mut books = Books::new();
        books.enrol(merchant.account().clone(), rng);
        let mut notifications = Vec::with_capacity(orders * times);
        for _ in 0..orders {
            let number = books.free_out_trade_no(merchant.mchid(), now(), rng);
            books.prepay(merchant.terms(&number, AMOUNT_FEN), now(), rng).unwrap();
            let payment = books.pay(&merchant.order_key(&number), None, now(), rng).unwrap();
            notifications.extend((0..times).map(|time| {
                // No number of WeChat's own has a letter.
                let other = |id: &str| if time == 0 { id.to_owned() } else { format!("{id}x{time}") };
                let payment = Payment { transaction_id: other(&payment.transaction_id), ..payment.clone() };
                Notification::new(payment, &merchant, now(), rng)
            }));
        }
        let folder = tempfile::tempdir().unwrap();
        let (url, notifications) = (url.to_owned(), notifications.into());
        let shop = Self { folder, url, platform, merchant, notifications, seed, sent: 0 };
        shop.write_files();
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
        self.numbered(&notifications)
    }

    /// So many copies of each of these notifications as `copies` says, one right after the other; the notifications are
    /// shuffled.
    pub(crate) fn volleys(
        &mut self,
        notifications: Range<usize>,
        copies: impl Fn(usize) -> usize,
        rng: &mut StdRng,
    ) -> Vec<Delivery> {
        let mut notifications: Vec<usize> = notifications.collect();
        notifications.shuffle(rng);
        let copied = notifications.iter().flat_map(|one| std::iter::repeat_n(*one, copies(*one)));
        self.numbered(&copied.collect::<Vec<_>>())
    }

    fn numbered(&mut self, notifications: &[usize]) -> Vec<Delivery> {
        let first = self.sent;
        self.sent += notifications.len();
        let numbered = (first..).zip(notifications);
        numbered.map(|(number, notification)| Delivery::genuine(number, *notification)).collect()
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

    /// The order of a notification, as the merchant registers it over HTTP.
    pub(crate) fn registration(&self, notification: usize) -> Value {
        json!({
            "out_trade_no": self.notifications[notification].payment().out_trade_no,
            "amount": AMOUNT_FEN,
            "appid": self.merchant.appid(),
        })
    }

    /// Registers the orders of these notifications in the database.
    pub(crate) async fn register(&self, store: &dyn Store, notifications: Range<usize>) {
        let terms = Terms {
            amount: Fen::new(AMOUNT_FEN).unwrap(),
            currency: Currency::CNY,
            appid: AppId::parse(self.merchant.appid()).unwrap(),
            sub_merchant: None,
            expires_at: None,
        };
        let registered = self.notifications[notifications].iter().map(|notification| Fact::Registered {
            key: self.order_key(notification.payment()),
            terms: terms.clone(),
        });
        let registrations: Vec<Submission> = registered.map(Submission::from).collect();
        for outcome in apply(store, &registrations, &Policy::default(), SystemClock.now(), &Attempts(1)).await
        {
            outcome.unwrap();
        }
    }

    /// The order that a payment is for.
    pub(crate) fn order_key(&self, payment: &Payment) -> OrderKey {
        OrderKey {
            merchant: MerchantId::parse(self.merchant.mchid()).unwrap(),
            out_trade_no: OutTradeNo::parse(&payment.out_trade_no).unwrap(),
        }
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
        let (url, mchid, key_id) = (&self.url, self.merchant.mchid(), self.platform.serial());
        file(
            "payonce.toml",
            &format!(
                r#"[server]
listen = "127.0.0.1:0"
[store]
url = "{url}"
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
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}
