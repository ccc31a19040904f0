//! The audit sees what is wrong: each test damages a good database in one way, below everything that forbids it.

use payonce_core::{
    AppId, Attempts, Currency, Fact, Fen, MerchantId, OrderKey, OutTradeNo, Paid, Policy, Submission, Terms,
    UnixMillis, WechatPaymentId, apply,
    fact::{Content, Source},
};
use payonce_simulator::books::{Seller, TradeType};
use payonce_store_sqlite::{Options, SqliteStore};
use rusqlite::Connection;
use wechatpay::UnixSeconds;

use super::*;

/// Payments that WeChat knows.
const PAYMENTS: u64 = 3;

const GOOD: Audit = Audit { effects: PAYMENTS, lost: 0, doubled: 0 };
const ONE_LOST: Audit = Audit { effects: PAYMENTS - 1, lost: 1, doubled: 0 };
const ONE_DOUBLED: Audit = Audit { effects: PAYMENTS - 1, lost: 0, doubled: 1 };

struct Desk {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Desk {
    /// A database in which these payments took effect.
    async fn with(payments: impl IntoIterator<Item = u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path().join("p.db"))).unwrap();
        let desk = Self { folder, store };
        for number in payments {
            desk.apply(Fact::Registered { key: key(number), terms: terms() }).await;
            desk.apply(Fact::Paid(paid(number))).await;
        }
        desk
    }

    async fn apply(&self, fact: Fact) {
        let batch = [Submission::from(fact)];
        apply(&self.store, &batch, &Policy::default(), UnixMillis(0), &Attempts(1)).await.remove(0).unwrap();
    }

    /// Changes rows behind payonce's back.
    fn damage(&self, sql: &str) {
        Connection::open(self.folder.path().join("p.db")).unwrap().execute_batch(sql).unwrap();
    }

    async fn audit(&self) -> Audit {
        let payments: Vec<Payment> = (1..=PAYMENTS).map(payment).collect();
        audit(&self.store, &payments.iter().collect::<Vec<_>>()).await.unwrap()
    }
}

fn key(number: u64) -> OrderKey {
    OrderKey {
        merchant: MerchantId::parse("1900000001").unwrap(),
        out_trade_no: OutTradeNo::parse(&payment(number).out_trade_no).unwrap(),
    }
}

fn terms() -> Terms {
    Terms {
        amount: Fen::new(100).unwrap(),
        currency: Currency::CNY,
        appid: AppId::parse("wx0123456789abcdef").unwrap(),
        sub_merchant: None,
        expires_at: None,
    }
}

fn paid(number: u64) -> Paid {
    let Terms { amount, currency, appid, .. } = terms();
    let number_at_wechat = WechatPaymentId::parse(&payment(number).transaction_id).unwrap();
    let content =
        Content { key: key(number), payment: number_at_wechat, amount, currency, appid, sub_merchant: None };
    Paid { content, paid_at: None, source: Source::Callback, detail: payonce_core::Json::empty_object() }
}

fn payment(number: u64) -> Payment {
    Payment {
        seller: Seller::Ordinary { appid: "wx0123456789abcdef".to_owned(), mchid: "1900000001".to_owned() },
        transaction_id: format!("4200{number:024}"),
        out_trade_no: format!("ORDER{number}"),
        trade_type: TradeType::Jsapi,
        amount_fen: 100,
        openid: "o".to_owned(),
        sub_openid: None,
        bank_type: "OTHERS".to_owned(),
        attach: None,
        device_id: None,
        success_time: UnixSeconds(0),
    }
}

#[tokio::test]
async fn what_took_effect_once_is_good() {
    assert_eq!(Desk::with(1..=PAYMENTS).await.audit().await, GOOD);
}

#[tokio::test]
async fn a_payment_that_never_arrived_is_lost() {
    assert_eq!(Desk::with(2..=PAYMENTS).await.audit().await, ONE_LOST, "nothing of it");
    let desk = Desk::with(2..=PAYMENTS).await;
    desk.apply(Fact::Registered { key: key(1), terms: terms() }).await;
    assert_eq!(desk.audit().await, ONE_LOST, "its order is pending");
}

#[tokio::test]
async fn half_an_effect_is_lost() {
    for sql in [
        "DELETE FROM message WHERE body LIKE '%ORDER2%'",
        "DELETE FROM payment WHERE out_trade_no = 'ORDER2'",
        "UPDATE orders SET state = 0 WHERE out_trade_no = 'ORDER2'",
        "UPDATE payment SET standing = 2 WHERE out_trade_no = 'ORDER2'",
    ] {
        let desk = Desk::with(1..=PAYMENTS).await;
        desk.damage(sql);
        assert_eq!(desk.audit().await, ONE_LOST, "{sql}");
    }
}

#[tokio::test]
async fn a_second_effect_is_doubled() {
    for sql in [
        "DROP INDEX payment_settles_once;
         INSERT INTO payment SELECT id + 100, mchid, transaction_id, 1, 1, out_trade_no, amount, currency, appid,
           sub_mchid, standing, order_id, paid_at, source, learnt_at, detail FROM payment WHERE out_trade_no = 'ORDER2'",
        "DROP INDEX payment_succeeded_once;
         INSERT INTO message SELECT position + 100, id, kind, order_id, sequence + 1, body, created_at
           FROM message WHERE body LIKE '%ORDER2%'",
        "INSERT INTO message SELECT position + 100, id, kind, NULL, NULL, body, created_at
           FROM message WHERE body LIKE '%ORDER2%'",
    ] {
        let desk = Desk::with(1..=PAYMENTS).await;
        desk.damage(sql);
        assert_eq!(desk.audit().await, ONE_DOUBLED, "{sql}");
    }
}

#[tokio::test]
async fn an_effect_without_a_payment_is_doubled() {
    for sql in [
        "",
        "DELETE FROM message WHERE body LIKE '%ORDER4%'",
        "DELETE FROM orders WHERE out_trade_no = 'ORDER4'",
    ] {
        let desk = Desk::with(1..=PAYMENTS + 1).await;
        desk.damage(sql);
        assert_eq!(desk.audit().await, Audit { doubled: 1, ..GOOD }, "{sql}");
    }
}
