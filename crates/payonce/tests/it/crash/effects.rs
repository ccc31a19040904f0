//! The process dies around an effect: the merchant's own table and payonce's say the same, and each payment counts once.

use std::os::unix::process::ExitStatusExt as _;

use payonce_core::fault::EFFECT_POINTS;
use payonce_simulator::deliver::unacknowledged;
use rand::{SeedableRng as _, rngs::StdRng};
use rusqlite::Connection;

use super::{acknowledged, recover};
use crate::{
    books::Books,
    server::{Server, payonce},
    shop::{AMOUNT_FEN, Shop},
};

const PAYMENTS: usize = 12;
const COPIES: usize = 3;
const SEED: u64 = 21;

/// SIGABRT, with which a fault point ends the process.
const SIGABRT: i32 = 6;

/// Twice would show: it is not guarded by what it finds.
const EFFECT: &str = r#"
[[effects]]
name = "shop-paid"
on = ["payment.succeeded"]
statements = [
  { sql = "UPDATE shop_orders SET times = times + 1, fen = fen + :amount WHERE no = :out_trade_no" },
  { sql = "INSERT INTO shop_log (message, body) VALUES (:message_id, :body)" },
]
"#;

/// A shop whose own tables have its orders.
async fn shop() -> Shop {
    let shop = Shop::open(PAYMENTS, SEED).await;
    let tables = Connection::open(shop.database()).unwrap();
    tables
        .execute_batch(
            "CREATE TABLE shop_orders (no TEXT PRIMARY KEY, times INTEGER NOT NULL, fen INTEGER NOT NULL) STRICT; \
             CREATE TABLE shop_log (message TEXT NOT NULL, body TEXT NOT NULL) STRICT",
        )
        .unwrap();
    for payment in shop.payments() {
        tables.execute("INSERT INTO shop_orders VALUES (?1, 0, 0)", [&payment.out_trade_no]).unwrap();
    }
    let config = std::fs::read_to_string(shop.config()).unwrap() + EFFECT;
    std::fs::write(shop.config(), config).unwrap();
    shop
}

/// How many orders were paid in the shop's own table, each once and in full.
fn paid(shop: &Shop, when: &str) -> usize {
    let tables = Connection::open(shop.database()).unwrap();
    let count = |sql: &str| -> usize {
        let rows: i64 = tables.query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(rows).unwrap()
    };
    let once = count(&format!("SELECT count(*) FROM shop_orders WHERE times = 1 AND fen = {AMOUNT_FEN}"));
    let never = count("SELECT count(*) FROM shop_orders WHERE times = 0 AND fen = 0");
    assert_eq!(once + never, PAYMENTS, "{when}: by halves or twice");
    let logged =
        [count("SELECT count(*) FROM shop_log"), count("SELECT count(DISTINCT message) FROM shop_log")];
    assert_eq!(logged, [once; 2], "{when}");
    once
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_around_an_effect_it_loses_and_doubles_nothing() {
    let beyond = ["apply: saved, before commit", "apply: after commit"];
    for point in EFFECT_POINTS.iter().chain(&beyond) {
        let mut shop = shop().await;
        let deliveries = shop.deliveries(0..PAYMENTS, COPIES, &mut StdRng::seed_from_u64(SEED));
        let server = Server::launch(payonce(shop.folder()).arg("serve").env("PAYONCE_FAULT", point));
        let signer = shop.signer();
        let callback = move |delivery: &_, attempt| signer.callback(delivery, attempt);
        let answers = shop.courier(&server).deliver(deliveries, callback, |_| ()).await;

        let left = unacknowledged(&answers);
        assert_eq!(server.wait().signal(), Some(SIGABRT), "{point}");
        let books = Books::read(&shop).await;
        books.check(&acknowledged(&answers), point);
        assert_eq!(books.effects() > 0, *point == "apply: after commit", "{point}");
        assert_eq!(paid(&shop, point), books.effects(), "{point}: payonce and the shop say the same");

        recover(&shop, left, point).await;
        assert_eq!(paid(&shop, point), PAYMENTS, "{point}");
    }
}
