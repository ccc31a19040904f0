//! A shop in a temporary folder with customers, orders and payments, and its process.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use payonce_core::{
    AppId, Attempts, Clock as _, Currency, Fact, Fen, MerchantId, OrderKey, OutTradeNo, Policy, Submission,
    SystemClock, Terms, apply,
};
use payonce_simulator::{
    Answer, Books, Courier, Delivery, Merchant, Notification, Platform, Retry, Signer, Target,
};
use payonce_store_sqlite::{Options, SqliteStore};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use rusqlite::Connection;
use tempfile::TempDir;
use wechatpay::UnixSeconds;

pub(crate) const CUSTOMERS: usize = 3;
const ORDERS: usize = 12;
const SEED: u64 = 7;
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// WeChat's schedule, a thousand times as fast.
const RETRY: Retry = Retry::faster(NonZeroU32::new(1000).unwrap());

pub(crate) struct Shop {
    folder: TempDir,
    platform: Arc<Platform>,
    merchant: Arc<Merchant>,
    notifications: Arc<[Notification]>,
}

/// What order `place` costs: each differs, so that one for another would show.
fn amount_fen(place: usize) -> i64 {
    1000 + i64::try_from(place).unwrap()
}

fn customer(place: usize) -> String {
    format!("customer-{}", place % CUSTOMERS)
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}

impl Shop {
    /// Customers with accounts, and orders that are registered with payonce and paid; no callback has come yet.
    pub(crate) async fn open() -> Self {
        let rng = &mut StdRng::seed_from_u64(SEED);
        let (platform, merchant) =
            (Arc::new(Platform::generate().unwrap()), Arc::new(Merchant::generate(rng)));
        let mut books = Books::new();
        books.enrol(merchant.account().clone(), rng);
        let mut notifications = Vec::new();
        for place in 0..ORDERS {
            let number = books.free_out_trade_no(merchant.mchid(), now(), rng);
            books.prepay(merchant.terms(&number, amount_fen(place)), now(), rng).unwrap();
            let payment = books.pay(&merchant.order_key(&number), None, now(), rng).unwrap();
            notifications.push(Notification::new(payment, &merchant, now(), rng));
        }
        let folder = tempfile::tempdir().unwrap();
        let shop = Self { folder, platform, merchant, notifications: notifications.into() };
        shop.write_files();
        shop.register().await;
        shop
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("payonce.db")
    }

    fn number(&self, place: usize) -> &str {
        &self.notifications[place].payment().out_trade_no
    }

    async fn register(&self) {
        let store = SqliteStore::open(&Options::new(self.database())).unwrap();
        let registered = (0..ORDERS).map(|place| Fact::Registered {
            key: OrderKey {
                merchant: MerchantId::parse(self.merchant.mchid()).unwrap(),
                out_trade_no: OutTradeNo::parse(self.number(place)).unwrap(),
            },
            terms: Terms {
                amount: Fen::new(amount_fen(place)).unwrap(),
                currency: Currency::CNY,
                appid: AppId::parse(self.merchant.appid()).unwrap(),
                sub_merchant: None,
                expires_at: None,
            },
        });
        let registered: Vec<Submission> = registered.map(Submission::from).collect();
        let outcomes = apply(&store, &registered, &Policy::default(), SystemClock.now(), &Attempts(1)).await;
        assert!(outcomes.iter().all(Result::is_ok));
        shop_rust::make_tables(&self.database()).unwrap();
        for place in 0..CUSTOMERS {
            self.open_account(&customer(place));
        }
        let tables = Connection::open(self.database()).unwrap();
        for place in 0..ORDERS {
            let order = [self.number(place).to_owned(), customer(place)];
            tables.execute("INSERT INTO shop_order (no, customer) VALUES (?1, ?2)", order).unwrap();
        }
    }

    pub(crate) fn open_account(&self, customer: &str) {
        let tables = Connection::open(self.database()).unwrap();
        tables.execute("INSERT INTO shop_account VALUES (?1, 0)", [customer]).unwrap();
    }

    /// Closes a customer's account although there are orders.
    pub(crate) fn without_account(&self, place: usize) -> String {
        let tables = Connection::open(self.database()).unwrap();
        tables.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        tables.execute("DELETE FROM shop_account WHERE customer = ?1", [customer(place)]).unwrap();
        customer(place)
    }

    /// What each customer has.
    pub(crate) fn credits(&self) -> BTreeMap<String, i64> {
        let tables = Connection::open(self.database()).unwrap();
        let mut select = tables.prepare("SELECT customer, credits FROM shop_account").unwrap();
        let accounts = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        accounts.map(Result::unwrap).collect()
    }

    /// What each should have once everything is credited.
    pub(crate) fn expected(&self) -> BTreeMap<String, i64> {
        let mut credits = BTreeMap::new();
        for place in 0..ORDERS {
            *credits.entry(customer(place)).or_default() += amount_fen(place);
        }
        credits
    }

    /// So many copies of each callback, shuffled.
    pub(crate) fn copies(&self, copies: usize) -> Vec<Delivery> {
        let mut notifications: Vec<usize> =
            (0..ORDERS).flat_map(|place| std::iter::repeat_n(place, copies)).collect();
        notifications.shuffle(&mut StdRng::seed_from_u64(SEED));
        let numbered = notifications.into_iter().enumerate();
        numbered.map(|(number, notification)| Delivery::genuine(number, notification)).collect()
    }

    /// Sends callbacks, again and again as WeChat does.
    pub(crate) async fn deliver(&self, process: &Process, deliveries: Vec<Delivery>) -> Vec<Answer> {
        let courier = self.courier(process).retrying(RETRY);
        self.send(courier, deliveries).await
    }

    /// Sends callbacks once.
    pub(crate) async fn deliver_once(&self, process: &Process, deliveries: Vec<Delivery>) -> Vec<Answer> {
        let courier = self.courier(process);
        self.send(courier, deliveries).await
    }

    fn courier(&self, process: &Process) -> Courier {
        let path = format!("/pay/notify/v3/{}", self.merchant.mchid());
        Courier::new(Target::new(process.addr, &path).unwrap(), CONNECTIONS)
    }

    async fn send(&self, courier: Courier, deliveries: Vec<Delivery>) -> Vec<Answer> {
        let signer = Signer {
            platform: Arc::clone(&self.platform),
            merchant: Arc::clone(&self.merchant),
            notifications: Arc::clone(&self.notifications),
            clock: Arc::new(now),
            seed: SEED,
        };
        let callback = move |delivery: &Delivery, attempt| signer.callback(delivery, attempt);
        courier.deliver(deliveries, callback, |_| ()).await
    }

    fn write_files(&self) {
        let file = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        };
        file("api.key", "0123456789abcdef0123456789abcdef");
        file("apiv3.key", self.merchant.apiv3_key());
        file("pub_key.pem", self.platform.public_key_pem());
        let (mchid, key_id) = (self.merchant.mchid(), self.platform.serial());
        file(
            "payonce.toml",
            &format!(
                "[store]\nurl = \"sqlite://payonce.db\"\n[api]\nkey_file = \"api.key\"\n[[merchants]]\n\
                 mchid = \"{mchid}\"\napiv3_key_file = \"apiv3.key\"\n[[merchants.platform_keys]]\n\
                 public_key_id = \"{key_id}\"\npublic_key_file = \"pub_key.pem\"\n"
            ),
        );
    }
}

/// The shop's program. It does not outlive this.
pub(crate) struct Process {
    child: Mutex<Child>,
    addr: SocketAddr,
}

impl Process {
    /// Starts it and waits until it listens; it dies at `point`, if one is named.
    pub(crate) fn start(shop: &Shop, point: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shop-rust"));
        command.env_clear().current_dir(shop.folder.path()).arg("127.0.0.1:0").stdin(Stdio::null());
        command.envs(point.map(|point| ("PAYONCE_FAULT", point)));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find_map(|line| Some(line.split_once("addr=")?.1.to_owned()));
        let addr = line.expect("the shop ended before it listened").parse().unwrap();
        // A pipe that nobody reads would stop the process once it is full.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child: Mutex::new(child), addr }
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> ExitStatus {
        self.child.lock().unwrap().wait().unwrap()
    }

    /// SIGKILL.
    pub(crate) fn end(self) {
        self.child.lock().unwrap().kill().unwrap();
        self.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Both fail only if it has ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}
