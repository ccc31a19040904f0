//! A database server in trouble: callbacks are answered 503 in time, and all goes on afterwards; at the start each fault
//! is named, with its remedy and without the password.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use payonce_core::Store;
use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery};
use payonce_test_servers::{Options, SqlEngine, mariadb::MariaDbEngine, postgres::PostgresEngine, require};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::runtime::Handle;

use super::{proof::PATIENCE, script::Script, within};
use crate::books::{self, Books};
use crate::crash::{Moment, RETRY};
use crate::server::{Server, payonce, run};
use crate::shop::Shop;

const SEED: u64 = 17;
const DATABASE: &str = "payonce";
const PASSWORD: &str = "rSx7-of-the-shop";

/// A URL with a password does not stand in the configuration's file.
const URL_VARIABLE: &str = "PAYONCE_STORE_URL";

/// Callbacks that come in each trouble, in two copies: as many as are sent at one time.
const CALLBACKS: usize = 4;
const COPIES: usize = 2;

/// The budget is 4 s, and WeChat waits 5 s.
const ANSWERED_WITHIN: Duration = Duration::from_millis(4500);

/// Two seconds to connect to each of a few databases, and a slow machine.
const REFUSED_WITHIN: Duration = Duration::from_secs(6);

/// What differs between the servers.
trait Dialect: SqlEngine {
    const SETTINGS: &[(&str, &str)];
    /// The account `shop`, which may do everything in the database, and `guest`, which may only enter it.
    const ACCOUNTS: &str;
    /// The account gets no connection any more, and loses those that it has.
    const CLOSE: &str;
    /// It gets some again.
    const OPEN: &str;
    /// A table of somebody else under a name of ours.
    const FOREIGN: &str;
    /// A later version of the schema.
    const NEWER: &str;
}

impl Dialect for PostgresEngine {
    const SETTINGS: &[(&str, &str)] = &[];
    const ACCOUNTS: &str =
        "CREATE ROLE shop LOGIN PASSWORD 'rSx7-of-the-shop'; GRANT ALL ON DATABASE payonce TO shop;
        CREATE ROLE guest LOGIN PASSWORD 'rSx7-of-the-shop';";
    const CLOSE: &str = "ALTER ROLE shop CONNECTION LIMIT 0;
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop';";
    const OPEN: &str = "ALTER ROLE shop CONNECTION LIMIT -1;";
    const FOREIGN: &str = "CREATE SCHEMA payonce; CREATE TABLE payonce.orders (theirs text);";
    const NEWER: &str = "UPDATE payonce.database SET schema_version = 99;";
}

impl Dialect for MariaDbEngine {
    // A limit that can be changed while the server runs has to be there from the start.
    const SETTINGS: &[(&str, &str)] = &[("max-user-connections", "100")];
    const ACCOUNTS: &str =
        "CREATE USER shop IDENTIFIED BY 'rSx7-of-the-shop'; GRANT ALL ON payonce.* TO shop;
        CREATE USER guest IDENTIFIED BY 'rSx7-of-the-shop'; GRANT SELECT ON payonce.* TO guest;";
    const CLOSE: &str = "SET GLOBAL max_user_connections = -1; KILL CONNECTION USER shop;";
    const OPEN: &str = "SET GLOBAL max_user_connections = 100;";
    const FOREIGN: &str = "CREATE TABLE payonce_orders (theirs text);";
    const NEWER: &str = "UPDATE payonce_database SET schema_version = 99;";
}

type DbServer<E> = payonce_test_servers::Server<E>;

fn start<E: Dialect>() -> Option<DbServer<E>> {
    let settings = E::SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let server = require(E::start(&Options { settings: settings.collect(), ..Options::default() }))?;
    server.create_database(DATABASE).unwrap();
    server.execute(DATABASE, E::ACCOUNTS).unwrap();
    Some(server)
}

/// The URL of the database for another account.
fn url<E: Dialect>(server: &DbServer<E>, account: &str, password: &str) -> String {
    let admin = server.url(DATABASE);
    let (scheme, rest) = admin.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    format!("{scheme}://{account}:{password}@{host}")
}

/// A shop whose node runs on such a server.
struct Troubled {
    shop: Shop,
    node: Server,
    store: Arc<dyn Store>,
    sent: usize,
}

impl Troubled {
    async fn start<E: Dialect>(server: &DbServer<E>, troubles: usize) -> Self {
        let shop = Shop::on(&server.url(DATABASE), troubles * CALLBACKS, SEED);
        let url = url(server, "shop", PASSWORD);
        let node = Server::launch(payonce(shop.folder()).arg("serve").env(URL_VARIABLE, url));
        let store = books::open(&server.url(DATABASE)).await;
        shop.register(&*store, 0..troubles * CALLBACKS).await;
        Self { shop, node, store, sent: 0 }
    }

    /// The callbacks of another trouble.
    fn next(&mut self) -> Vec<Delivery> {
        let next: Range<usize> = self.sent..self.sent + CALLBACKS;
        self.sent = next.end;
        self.shop.deliveries(next, COPIES, &mut StdRng::seed_from_u64(SEED))
    }

    async fn send_once(&self, deliveries: Vec<Delivery>) -> Vec<Answer> {
        let signer = self.shop.signer();
        let callback = move |delivery: &Delivery, attempt| signer.callback(delivery, attempt);
        self.shop.courier(&self.node).deliver(deliveries, callback, |_| ()).await
    }

    /// With WeChat's retries: in the end all is acknowledged.
    async fn send(&self, deliveries: Vec<Delivery>, script: Script) {
        let (signer, sending) = (self.shop.signer(), Arc::new(script));
        let script = Arc::clone(&sending);
        let callback = move |delivery: &Delivery, attempt| {
            sending.sending();
            signer.callback(delivery, attempt)
        };
        let courier = self.shop.courier(&self.node).retrying(RETRY);
        let answers = courier.deliver(deliveries, callback, |_| ()).await;
        assert_eq!(unacknowledged(&answers), []);
        assert!(answers.iter().all(|answer| matches!(answer.status, Some(204 | 503))), "{answers:?}");
        script.check_played();
    }

    /// The last of it: every message has its position, the node stops well, and all has happened once.
    async fn end(self) {
        within(PATIENCE, "every message has its position", async || {
            let written = self.store.counts().await.unwrap().messages;
            (books::messages(&*self.store).await.len() as u64 == written).then_some(())
        })
        .await;
        self.node.terminate();
        assert_eq!(self.node.wait().code(), Some(0));
        Books::of(&*self.store, &self.shop).await.check_complete("after all troubles");
    }

    /// Sends callbacks that must be refused in time.
    async fn refused(&self, deliveries: Vec<Delivery>, trouble: &str) -> Vec<Delivery> {
        let answers = self.send_once(deliveries).await;
        let statuses: BTreeSet<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [Some(503)].into(), "{trouble}");
        let slowest = answers.iter().map(|answer| answer.elapsed).max().unwrap();
        println!("{trouble}: refused after {slowest:?} at the latest");
        assert!(slowest < ANSWERED_WITHIN, "{trouble}: {slowest:?}");
        unacknowledged(&answers)
    }
}

async fn gets_over_it<E: Dialect>() {
    let Some(server) = start::<E>() else { return };
    let server = Arc::new(server);
    let mut troubled = Troubled::start(&server, 4).await;

    let deliveries = troubled.next();
    let (restarts, runtime) = (Arc::clone(&server), Handle::current());
    let restart = Script::default().at(Moment::Sending(3), move || {
        restarts.stop().unwrap();
        runtime.spawn_blocking(move || restarts.start_again().unwrap());
    });
    troubled.send(deliveries, restart).await;

    let deliveries = troubled.next();
    server.pause();
    let left = troubled.refused(deliveries, "a server that hangs").await;
    server.resume();
    troubled.send(left, Script::default()).await;

    let deliveries = troubled.next();
    server.execute(E::HOME, E::CLOSE).unwrap();
    let left = troubled.refused(deliveries, "a server that is full").await;
    server.execute(E::HOME, E::OPEN).unwrap();
    troubled.send(left, Script::default()).await;

    let deliveries = troubled.next();
    let mut keys: Vec<_> = troubled.shop.payments().map(|payment| troubled.shop.order_key(payment)).collect();
    keys.sort();
    let mut other = troubled.store.begin().await.unwrap();
    other.orders_for_update(&keys).await.unwrap();
    let left = troubled.refused(deliveries, "orders that somebody has locked").await;
    drop(other);
    troubled.send(left, Script::default()).await;
    troubled.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_restarts_hangs_is_full_and_is_locked() {
    gets_over_it::<PostgresEngine>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_restarts_hangs_is_full_and_is_locked() {
    gets_over_it::<MariaDbEngine>().await;
}

/// What `payonce serve` says when it refuses this database.
async fn refusal(url: &str) -> String {
    let shop = Shop::open(0, SEED).await;
    let started = Instant::now();
    let mut serve = payonce(shop.folder());
    let said = run(serve.arg("serve").env(URL_VARIABLE, url).env("PAYONCE_LOG_FILTER", "off"));
    assert!(started.elapsed() < REFUSED_WITHIN, "{:?}: {}", started.elapsed(), said.err);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(!said.err.contains(PASSWORD) && !said.err.contains("wrong-pass"), "{}", said.err);
    said.err
}

/// What it says to every fault, a line each, without what the server adds to it in its own words.
async fn refusals<E: Dialect>() -> Option<String> {
    let server = start::<E>()?;
    let (admin, port) = (server.url(DATABASE), server.port().to_string());
    let mut said = vec![
        refusal(&url(&server, "shop", "wrong-pass")).await,
        refusal(&admin.replace(&port, "1")).await,
        refusal(&admin.replace("/payonce", "/nothing")).await,
        refusal(&url(&server, "guest", PASSWORD)).await,
    ];
    server.execute(DATABASE, E::FOREIGN).unwrap();
    said.push(refusal(&admin).await);

    server.execute(E::HOME, "DROP DATABASE payonce;").unwrap();
    server.create_database(DATABASE).unwrap();
    drop(books::open(&admin).await);
    server.execute(DATABASE, E::NEWER).unwrap();
    said.push(refusal(&admin).await);
    let ours = said.iter().map(|line| line.split(": error ").next().unwrap().trim_end());
    Some(ours.collect::<Vec<_>>().join("\n"))
}

/// The same on every server.
fn check_refusals(said: &str) {
    insta::assert_snapshot!(said, @r"
    payonce: store.url: the database is unavailable (access denied: check user, password, TLS and rights (the user needs to create and change tables))
    payonce: store.url: the database is unavailable (no server answers: check host, port and network in the database's URL)
    payonce: store.url: the database is unavailable (no such database: create it, or mend its name in the URL)
    payonce: store.url: the database is unavailable (access denied: check user, password, TLS and rights (the user needs to create and change tables))
    payonce: store.url: the database has tables under payonce's names, but not payonce's schema: choose another database, or restore it whole
    payonce: store.url: the database has schema version 99, this payonce knows up to 3: run the payonce that wrote it, or a newer one
    ");
}

#[tokio::test]
async fn postgresql_at_the_start() {
    let Some(said) = refusals::<PostgresEngine>().await else { return };
    check_refusals(&said);
}

#[tokio::test]
async fn mariadb_at_the_start() {
    let Some(said) = refusals::<MariaDbEngine>().await else { return };
    check_refusals(&said);
}
