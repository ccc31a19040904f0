//! Databases for tests: fresh ones of the shared server, or of a server that a test may kill.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    AppId, Attempts, Currency, EventType, Fact, Fen, Json, MerchantId, NotificationId, OrderKey, OutTradeNo,
    Outcome, Paid, Policy, Store, StoreError, Submission, Terms, UnixMillis, WechatPaymentId, apply,
    fact::{Content, Passed, Source},
    store::Unavailability,
};
use payonce_store_conformance::{Fixture, shop_tables};
use payonce_store_postgres::{Options, PostgresStore};
use payonce_test_servers::{Database, Postgres, postgres, postgres::PostgresEngine, require};
use sqlx::PgConnection;
use tokio::task::JoinHandle;

/// The shared server. Databases live as long as the fixture.
pub(crate) struct Shared {
    server: payonce_test_servers::Shared<PostgresEngine>,
    databases: Mutex<Vec<Database<PostgresEngine>>>,
}

impl Shared {
    /// `None`, with a word on standard error, where PostgreSQL is not installed.
    pub(crate) fn find() -> Option<Self> {
        Some(Self { server: require(postgres::shared())?, databases: Mutex::default() })
    }

    fn databases(&self) -> MutexGuard<'_, Vec<Database<PostgresEngine>>> {
        self.databases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn latest(&self) -> Box<dyn Store> {
        let url = self.databases().last().expect("one is open").url();
        Box::new(open(&url).await)
    }
}

#[async_trait]
impl Fixture for Shared {
    async fn open(&self) -> Box<dyn Store> {
        let database = self.server.create_database().expect("a fresh database");
        self.databases().push(database);
        self.latest().await
    }

    async fn reopen(&self) -> Option<Box<dyn Store>> {
        Some(self.latest().await)
    }

    async fn second_handle(&self) -> Option<Box<dyn Store>> {
        Some(self.latest().await)
    }

    async fn make_shop(&self) {
        let databases = self.databases();
        let database = databases.last().expect("one is open");
        for table in shop_tables("text", "timestamptz") {
            database.execute(&table).expect("it makes a table");
        }
    }
}

/// A fresh, empty database of the shared server.
pub(crate) fn database() -> Option<Database<PostgresEngine>> {
    Some(require(postgres::shared())?.create_database().expect("a fresh database"))
}

/// A server of a test's own.
pub(crate) fn own_server(settings: &[(&str, &str)]) -> Option<Postgres> {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    require(Postgres::start(&payonce_test_servers::Options { settings, ..Default::default() }))
}

/// Options for tests: few connections, since many tests share a server.
pub(crate) fn options(url: &str) -> Options {
    let mut options = Options::new(url).expect("a URL that is understood");
    options.connections_max = 8;
    options
}

/// Options that give up soon.
pub(crate) fn impatient(url: &str) -> Options {
    let mut options = options(url);
    (options.connect_max, options.work_max) = (Duration::from_millis(800), Duration::from_millis(500));
    options
}

pub(crate) async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&options(url)).await.expect("a database that opens")
}

/// Returns when a transaction waits for another, or `task` is done.
pub(crate) async fn someone_waits<T>(watcher: &mut PgConnection, task: &JoinHandle<T>) {
    const WAITS: &str = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity \
                         WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while !task.is_finished() {
        if sqlx::query_scalar(WAITS).fetch_one(&mut *watcher).await.expect("it answers") {
            return;
        }
    }
}

/// Why something was refused.
pub(crate) fn reason<T>(result: Result<T, StoreError>) -> Unavailability {
    match result.map(drop) {
        Err(StoreError::Unavailable { reason, .. }) => reason,
        other => panic!("the database should be unavailable: {other:?}"),
    }
}

pub(crate) const NOW: UnixMillis = UnixMillis(1_772_414_107_250);

pub(crate) fn merchant() -> MerchantId {
    MerchantId::parse("1900000001").expect("digits")
}

pub(crate) fn key(order: &str) -> OrderKey {
    OrderKey { merchant: merchant(), out_trade_no: OutTradeNo::parse(order).expect("WeChat's charset") }
}

fn terms() -> Terms {
    Terms {
        amount: Fen::new(100).expect("not negative"),
        currency: Currency::CNY,
        appid: AppId::parse("wx8888888888888888").expect("an appid"),
        sub_merchant: None,
        expires_at: None,
    }
}

pub(crate) fn registered(order: &str) -> Fact {
    Fact::Registered { key: key(order), terms: terms() }
}

pub(crate) fn paid(order: &str, payment: &str) -> Fact {
    let Terms { amount, currency, appid, .. } = terms();
    let payment = WechatPaymentId::parse(payment).expect("visible ASCII");
    Fact::Paid(Paid {
        content: Content { key: key(order), payment, amount, currency, appid, sub_merchant: None },
        paid_at: Some(NOW),
        source: Source::Callback,
        detail: Json::empty_object(),
    })
}

pub(crate) fn passed(id: &str) -> Fact {
    Fact::Other(Passed {
        merchant: merchant(),
        notification: NotificationId::parse(id).expect("visible ASCII"),
        event_type: EventType::parse("REFUND.SUCCESS").expect("visible ASCII"),
        plaintext: "{}".into(),
    })
}

/// Applies facts in one transaction, with so many attempts.
pub(crate) async fn apply_all(store: &dyn Store, facts: &[Fact]) -> Vec<Result<Outcome, StoreError>> {
    let batch: Vec<Submission> = facts.iter().cloned().map(Submission::from).collect();
    apply(store, &batch, &Policy::default(), NOW, &Attempts(20)).await
}

/// What was decided.
pub(crate) fn outcomes(results: Vec<Result<Outcome, StoreError>>) -> Vec<Outcome> {
    results.into_iter().map(|result| result.expect("the store applies it")).collect()
}
