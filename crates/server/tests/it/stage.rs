//! The stage: a server on a database in a temporary folder, WeChat's side with real keys, a clock that stands still.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use payonce_core::{
    Clock, Outcome, Store as _, UnixMillis,
    store::{Counts, Owner, Rejected},
};
use payonce_server::{
    EndpointsError, Patience, Running, Server,
    config::{Config, EndpointSettings, Environment},
};
use payonce_simulator::books::TradeType;
use payonce_simulator::{Merchant, Notification, Payment, Platform};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use wechatpay::UnixSeconds;

use crate::{
    letter::Letter,
    seal::seal_into,
    store::TestStore,
    wire::{Answer, Wire, within},
};

/// 2026-03-02T01:15:07Z, when every test begins.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_772_414_107);
pub(crate) const API_KEY: &str = "0123456789abcdef0123456789abcdef01234567";
/// A second one, as while a key is being changed.
pub(crate) const OTHER_API_KEY: &str = "a-second-key-of-at-least-32-characters";
pub(crate) const MCHID: &str = "1900000001";
pub(crate) const APPID: &str = "wx0123456789abcdef";
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
pub(crate) const AMOUNT_FEN: i64 = 5990;

/// One key pair for all tests, since generating it is slow.
pub(crate) fn platform() -> &'static Platform {
    static PLATFORM: OnceLock<Platform> = OnceLock::new();
    PLATFORM.get_or_init(|| Platform::generate().unwrap())
}

/// The merchant of nearly all tests.
pub(crate) fn merchant() -> Merchant {
    Merchant::new(MCHID, APPID, "apiv3KeyOfTheFirstMerchant012345").unwrap()
}

/// Another one.
pub(crate) fn second_merchant() -> Merchant {
    Merchant::new("1900000002", "wxfedcba9876543210", "apiv3KeyOfTheSecondMerchant01234").unwrap()
}

/// The payment of order `ORDER<number>`.
pub(crate) fn payment(number: u32) -> Payment {
    Payment {
        seller: merchant().seller(),
        transaction_id: format!("42000000002026030200{number:08}"),
        out_trade_no: format!("ORDER{number}"),
        trade_type: TradeType::Jsapi,
        amount_fen: AMOUNT_FEN,
        openid: OPENID.to_owned(),
        sub_openid: None,
        bank_type: "OTHERS".to_owned(),
        attach: None,
        device_id: None,
        success_time: NOW,
    }
}

/// A clock that a test moves.
pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Stage {
    pub store: Arc<TestStore>,
    clock: Arc<ManualClock>,
    merchant: Merchant,
    folder: TempDir,
    server: Running,
}

impl Stage {
    /// A server with one merchant, as it comes.
    pub(crate) async fn set() -> Self {
        Self::with(|_, _| ()).await
    }

    /// A server with one merchant and another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Config, &mut Patience)) -> Self {
        Self::of(&[merchant()], change).await
    }

    /// A server with these merchants. WeChat writes to the first of them, with the first one's true key.
    pub(crate) async fn of(merchants: &[Merchant], change: impl FnOnce(&mut Config, &mut Patience)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(NOW.0 * 1000)));
        let (store, server) = start(folder.path(), merchants, &clock, |_| (), change).await;
        Self { store, clock, merchant: merchant(), folder, server }
    }

    /// A server with one merchant, on a database that many nodes may use.
    pub(crate) async fn among_many(change: impl FnOnce(&mut Config, &mut Patience)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(NOW.0 * 1000)));
        let (store, server) =
            start(folder.path(), &[merchant()], &clock, TestStore::serve_many, change).await;
        Self { store, clock, merchant: merchant(), folder, server }
    }

    /// A server with one merchant and another configuration, whose own tables stand in the database.
    pub(crate) async fn with_tables(tables: &str, change: impl FnOnce(&mut Config, &mut Patience)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(NOW.0 * 1000)));
        let prepare = |store: &TestStore| drop(store.sql(tables));
        let (store, server) = start(folder.path(), &[merchant()], &clock, prepare, change).await;
        Self { store, clock, merchant: merchant(), folder, server }
    }

    /// Stops the server and starts one with these merchants on the same database.
    pub(crate) async fn restarted(self, merchants: &[Merchant]) -> Self {
        self.restarted_with(merchants, |_, _| ()).await
    }

    /// The same with another configuration.
    pub(crate) async fn restarted_with(
        self,
        merchants: &[Merchant],
        change: impl FnOnce(&mut Config, &mut Patience),
    ) -> Self {
        within("the end of the server", self.server.stop()).await;
        drop(self.store);
        let (store, server) = start(self.folder.path(), merchants, &self.clock, |_| (), change).await;
        Self { store, server, ..self }
    }

    /// Stops the server, copies one database file in its folder over another, and starts one on `payonce.db`.
    pub(crate) async fn with_copied(
        self,
        from: &str,
        to: &str,
        change: impl FnOnce(&mut Config, &mut Patience),
    ) -> Self {
        within("the end of the server", self.server.stop()).await;
        drop(self.store);
        let folder = self.folder.path();
        std::fs::copy(folder.join(from), folder.join(to)).unwrap();
        let (store, server) = start(folder, &[merchant()], &self.clock, |_| (), change).await;
        Self { store, server, ..self }
    }

    /// Stops the server; what is left is the database.
    pub(crate) async fn struck(self) -> Struck {
        let Self { store, server, folder, .. } = self;
        within("the end of the server", server.stop()).await;
        Struck { store, _folder: folder }
    }

    /// The running server and what remains without it.
    pub(crate) fn parted(self) -> (Running, Struck) {
        let Self { store, server, folder, .. } = self;
        (server, Struck { store, _folder: folder })
    }

    /// WeChat writes to this merchant from now on; the path stays.
    pub(crate) fn writing_to(self, merchant: Merchant) -> Self {
        Self { merchant, ..self }
    }

    /// Takes over the merchants of another configuration.
    pub(crate) fn reload(&self, config: Config) {
        self.server.reload(config).unwrap();
    }

    /// Takes over the endpoints of another configuration.
    pub(crate) async fn configure_endpoints(
        &self,
        endpoints: &[EndpointSettings],
    ) -> Result<(), EndpointsError> {
        let mut config = configuration(self.folder.path(), &[merchant()]);
        config.endpoints = endpoints.to_vec();
        self.server.configure_endpoints(&config).await
    }

    /// Starts another node with one merchant on the same database.
    pub(crate) async fn second_node(&self, change: impl FnOnce(&mut Config, &mut Patience)) -> Running {
        let (mut config, mut patience) =
            (configuration(self.folder.path(), &[merchant()]), Patience::default());
        change(&mut config, &mut patience);
        let owner = Owner("another node of this test".to_owned());
        let server = Server::new(config, Arc::clone(&self.store) as _, Arc::clone(&self.clock) as _, owner);
        server.patience(patience).start().await.unwrap()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    pub(crate) fn clock_seconds(&self, now: UnixSeconds) {
        self.clock.0.store(now.0 * 1000, Ordering::SeqCst);
    }

    pub(crate) async fn wire(&self) -> Wire {
        Wire::connect(self.addr()).await
    }

    /// Sends a letter on a connection of its own.
    pub(crate) async fn ask(&self, letter: &Letter) -> Answer {
        self.wire().await.ask(letter).await
    }

    /// Sends letters, each on a connection of its own, all at the same time.
    pub(crate) fn ask_all(&self, letters: impl IntoIterator<Item = Letter>) -> JoinSet<Answer> {
        let addr = self.addr();
        letters
            .into_iter()
            .map(|letter| async move { Wire::connect(addr).await.ask(&letter).await })
            .collect()
    }

    /// Sends a request with the API key.
    pub(crate) async fn api(&self, letter: Letter) -> Answer {
        self.ask(&letter.and("authorization", format!("Bearer {API_KEY}"))).await
    }

    /// Registers the order that [`payment`] `number` pays.
    pub(crate) async fn register(&self, number: u32) {
        let body = registration(number).to_string();
        let answer = self.api(Letter::post("/v1/orders", body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// A genuine callback about this payment.
    pub(crate) fn callback(&self, payment: Payment) -> Letter {
        Letter::callback(MCHID, &self.notice(payment).signed(platform(), NOW, &mut rng(0)))
    }

    /// A notice of this payment to the merchant to whom WeChat writes; the same payment has the same notice.
    pub(crate) fn notice(&self, payment: Payment) -> Notification {
        let payment = Payment { seller: self.merchant.seller(), ..payment };
        let seed =
            payment.transaction_id.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        Notification::new(payment, &self.merchant, NOW, &mut rng(seed))
    }

    /// Any bytes, signed as WeChat signs.
    pub(crate) fn signed(&self, body: impl Into<Bytes>) -> Letter {
        Letter::callback(MCHID, &platform().sign(body.into(), NOW, "0123456789abcdef".to_owned()))
    }

    /// A notification of anything, sealed for the merchant and signed.
    pub(crate) fn telling(
        &self,
        id: &str,
        event_type: &str,
        original_type: &str,
        plaintext: &Value,
    ) -> Letter {
        let mut envelope = json!({
            "id": id, "create_time": "2026-03-02T09:15:07+08:00", "resource_type": "encrypt-resource",
            "event_type": event_type, "summary": "支付成功",
            "resource": {
                "original_type": original_type, "algorithm": "AEAD_AES_256_GCM",
                "associated_data": original_type,
            },
        });
        seal_into(&mut envelope, plaintext, &self.merchant);
        self.signed(envelope.to_string())
    }

    /// An envelope that was changed before WeChat signed it.
    pub(crate) fn edited(&self, payment: Payment, edit: impl FnOnce(&mut serde_json::Value)) -> Letter {
        let mut envelope = serde_json::from_slice(self.notice(payment).body()).unwrap();
        edit(&mut envelope);
        self.signed(envelope.to_string())
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.store.counts().await.unwrap()
    }

    /// The value of a line of `/metrics`.
    pub(crate) async fn metric(&self, line: &str) -> Option<String> {
        let text = self.ask(&Letter::get("/metrics")).await.body;
        text.lines().find_map(|found| Some(found.strip_prefix(line)?.strip_prefix(' ')?.to_owned()))
    }

    /// The types of all messages, in their order.
    pub(crate) async fn message_types(&self) -> Vec<String> {
        let json = self.api(Letter::get("/v1/messages")).await.json();
        let messages = json["messages"].as_array().unwrap();
        messages.iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The state of order `ORDER<number>`.
    pub(crate) async fn order_state(&self, number: u32) -> String {
        let json = self.api(Letter::get(&format!("/v1/orders/ORDER{number}"))).await.json();
        json["state"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    }
}

/// What is left of a stage whose server has stopped.
pub(crate) struct Struck {
    pub store: Arc<TestStore>,
    _folder: TempDir,
}

impl Struck {
    pub(crate) async fn counts(&self) -> Counts {
        self.store.counts().await.unwrap()
    }

    /// The callbacks that were refused, the earliest first.
    pub(crate) async fn kept(&self) -> Vec<Rejected> {
        let mut kept = self.store.rejected_latest(usize::MAX >> 1).await.unwrap();
        kept.reverse();
        kept
    }

    /// What came of the callbacks that were accepted, in the order of their receipts.
    pub(crate) async fn receipts(&self) -> Vec<Outcome> {
        self.store.receipts().await
    }

    /// Why they were.
    pub(crate) async fn kept_verdicts(&self) -> Vec<String> {
        self.kept().await.into_iter().map(|rejected| rejected.verdict).collect()
    }
}

/// What registers order `ORDER<number>`.
pub(crate) fn registration(number: u32) -> serde_json::Value {
    serde_json::json!({ "out_trade_no": format!("ORDER{number}"), "amount": AMOUNT_FEN, "appid": APPID })
}

pub(crate) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

async fn start(
    folder: &Path,
    merchants: &[Merchant],
    clock: &Arc<ManualClock>,
    prepare: impl FnOnce(&TestStore),
    change: impl FnOnce(&mut Config, &mut Patience),
) -> (Arc<TestStore>, Running) {
    let mut config = configuration(folder, merchants);
    let mut patience = Patience::default();
    change(&mut config, &mut patience);
    let store = Arc::new(TestStore::open(&folder.join("payonce.db")));
    prepare(&store);
    let owner = Owner("the node of this test".to_owned());
    let server =
        Server::new(config, Arc::clone(&store) as _, Arc::clone(clock) as _, owner).patience(patience);
    (store, server.start().await.unwrap())
}

pub(crate) fn configuration(folder: &Path, merchants: &[Merchant]) -> Config {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let platform = platform();
    write("pub_key.pem", platform.public_key_pem());
    write("api.key", &format!("{OTHER_API_KEY}\n{API_KEY}\n"));
    let mut toml = "[server]\nlisten = \"127.0.0.1:0\"\n[api]\nkey_file = \"api.key\"\n".to_owned();
    for merchant in merchants {
        let (mchid, id) = (merchant.mchid(), platform.serial());
        write(&format!("{mchid}.key"), merchant.apiv3_key());
        toml += &format!(
            "[[merchants]]\nmchid = \"{mchid}\"\napiv3_key_file = \"{mchid}.key\"\n\
             [[merchants.platform_keys]]\npublic_key_id = \"{id}\"\npublic_key_file = \"pub_key.pem\"\n"
        );
    }
    write("payonce.toml", &toml);
    Config::load(Some(&folder.join("payonce.toml")), &Environment::default()).unwrap().config
}
