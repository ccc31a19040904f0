//! Bills over the API: asked for, downloaded, refused.

use std::time::Duration;

use payonce_simulator::books::Account;
use payonce_simulator::keys::Mode;
use serde_json::{Value, json};

use crate::shop::{Shop, setup};

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Shop {
    /// An order of the 15th of June, paid; and then it is the next day, 23:06.
    async fn traded(&self) {
        self.place("ORDER1").await;
        self.simulator.pay(&self.order_key("ORDER1"), None).unwrap();
        self.simulator.step(DAY);
    }

    async fn statement(&self, query: &str) -> Value {
        let answered = self.get(&format!("/v3/bill/{query}")).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        self.proven_by(&answered);
        answered.json()
    }

    /// Path and query of a download, which is at this simulator.
    fn local(&self, statement: &Value) -> String {
        let url = statement["download_url"].as_str().unwrap();
        url.strip_prefix(&self.simulator.base_url()).unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_bill_is_downloaded_from_where_its_statement_says() {
    let shop = Shop::open().await;
    shop.traded().await;
    let statement = shop.statement("tradebill?bill_date=2025-06-15&bill_type=ALL").await;
    assert_eq!((&statement["hash_type"], statement.as_object().unwrap().len()), (&json!("SHA1"), 3));
    let file = shop.get(&shop.local(&statement)).await;
    assert_eq!((file.status, file.header("wechatpay-signature")), (200, None), "a file is not signed");
    let text = String::from_utf8(file.body.to_vec()).unwrap();
    assert!(text.starts_with("\u{feff}交易时间,公众账号ID,商户号,特约商户号,"), "{text}");
    let row = text.lines().nth(1).unwrap();
    assert!(row.starts_with(&format!("`2025-06-15 23:06:40,`{},`{},`0,`,`4200", shop.appid, shop.mchid)));
    assert!(row.ends_with(",`Image形象店-深圳腾大-QQ公仔,`桌 7,`0.01000,`0.60%,`1.00,`0.00,`"), "{row}");
    assert_eq!(text.lines().nth(3), Some("`1,`1.00,`0.00,`0.00,`0.01000,`1.00,`0.00"));

    let zipped = shop.statement("tradebill?bill_date=2025-06-15&tar_type=GZIP").await;
    assert_eq!(zipped["hash_value"], statement["hash_value"], "of what is inside");
    let url = shop.local(&zipped);
    assert!(url.ends_with("&tartype=gzip"), "{url}");
    assert_eq!(shop.get(&url).await.body[..2], [0x1f, 0x8b]);
    shop.simulator.step(Duration::from_secs(300));
    assert_eq!(shop.get(&url).await.refusal().1, "INVALID_REQUEST");
}

#[tokio::test]
async fn table_of_refused_bills() {
    let shop = Shop::open().await;
    shop.traded().await;
    for (query, expected) in [
        ("tradebill", (400, "PARAM_ERROR", "bill_date")),
        ("tradebill?bill_date=20250615", (400, "PARAM_ERROR", "bill_date")),
        ("tradebill?bill_date=2025-06-31", (400, "PARAM_ERROR", "bill_date")),
        ("tradebill?bill_date=2025-06-15&bill_type=SOME", (400, "PARAM_ERROR", "bill_type")),
        ("tradebill?bill_date=2025-06-15&tar_type=ZIP", (400, "PARAM_ERROR", "tar_type")),
        ("fundflowbill?bill_date=2025-06-15&account_type=SOME", (400, "PARAM_ERROR", "account_type")),
        ("tradebill?bill_date=2025-06-16", (400, "INVALID_REQUEST", "")),
        ("tradebill?bill_date=2025-03-15", (400, "INVALID_REQUEST", "")),
        ("tradebill?bill_date=2025-06-14", (400, "NO_STATEMENT_EXIST", "")),
        ("tradebill?bill_date=2025-06-15&bill_type=REFUND", (400, "NO_STATEMENT_EXIST", "")),
        ("tradebill?bill_date=2025-06-15&bill_type=RECHARGE_REFUND", (400, "NO_STATEMENT_EXIST", "")),
        ("fundflowbill?bill_date=2025-06-15&account_type=FEES", (400, "NO_STATEMENT_EXIST", "")),
        ("tradebill?bill_date=2025-06-15&sub_mchid=1900000109", (403, "NO_AUTH", "")),
    ] {
        let answered = shop.get(&format!("/v3/bill/{query}")).await;
        let (status, code, _) = answered.refusal();
        assert_eq!((status, code.as_str()), (expected.0, expected.1), "{query}");
        if !expected.2.is_empty() {
            assert_eq!(answered.json()["detail"]["field"], expected.2, "{query}");
        }
    }
}

/// Generated from nine in the morning, and there at ten.
#[tokio::test]
async fn a_bill_is_being_made_until_ten_in_the_morning() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    let to_midnight = 3200; // it is 23:06:40
    shop.simulator.step(Duration::from_secs(to_midnight + 10 * 3600 - 1));
    let url = "/v3/bill/fundflowbill?bill_date=2025-06-15";
    assert_eq!(shop.get(url).await.refusal().1, "STATEMENT_CREATING");
    shop.simulator.step(Duration::from_secs(1));
    assert_eq!(shop.get(url).await.status, 200);
}

#[tokio::test]
async fn a_download_is_for_the_merchant_that_asked() {
    let setup = setup()
        .with(Account::ordinary("1900000001", "wx0123456789abcdef"), Mode::PublicKey)
        .with(Account::ordinary("1900000002", "wx0123456789abcdef"), Mode::PublicKey);
    let shop = Shop::of(setup).await;
    shop.traded().await;
    let url = shop.local(&shop.statement("tradebill?bill_date=2025-06-15").await);
    let refused = shop.get_as("1900000002", &url).await;
    assert_eq!(refused.refusal(), (403, "NO_AUTH".to_owned(), Some(0)));
    assert_eq!(shop.get(&url).await.status, 200);
}
