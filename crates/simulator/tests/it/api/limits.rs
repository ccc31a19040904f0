//! Limits, which are off until somebody switches them on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::shop::{Answered, Shop, setup};
use payonce_simulator::Setup;

const FUND_FLOW: &str = "/v3/bill/fundflowbill?bill_date=2025-06-14";

fn too_fast() -> (u16, String, Option<u32>) {
    (429, "FREQUENCY_LIMITED".to_owned(), Some(268_447_840))
}

async fn refund(shop: &Shop, order: &str, number: &str) -> Answered {
    let body: Value = json!({
        "out_trade_no": order, "out_refund_no": number,
        "amount": { "refund": 10, "total": 100, "currency": "CNY" },
    });
    shop.post("/v3/refund/domestic/refunds", &body).await
}

/// The wall clock stands, so all of it is in one second.
#[tokio::test]
async fn who_asks_too_often_is_refused_while_limits_are_on() {
    let shop = Shop::of(Setup { limits: true, ..setup() }).await;
    for _ in 0..3 {
        assert_eq!(shop.get(FUND_FLOW).await.refusal().1, "NO_STATEMENT_EXIST");
    }
    assert_eq!(shop.get(FUND_FLOW).await.refusal(), too_fast());
    shop.simulator.set_limits(false);
    assert_eq!(shop.get(FUND_FLOW).await.refusal().1, "NO_STATEMENT_EXIST");
}

#[tokio::test]
async fn refunds_that_fail_are_limited_sooner() {
    let shop = Shop::of(Setup { limits: true, ..setup() }).await;
    for _ in 0..6 {
        assert_eq!(refund(&shop, "ORDER9", "R1").await.refusal().0, 404);
    }
    assert_eq!(refund(&shop, "ORDER9", "R1").await.refusal(), too_fast());
    let query = shop.get("/v3/refund/domestic/refunds/R1").await;
    assert_eq!(query.refusal().1, "RESOURCE_NOT_EXISTS", "it does not say what became of it; a query does");
}

#[tokio::test]
async fn two_refunds_of_an_order_lie_a_minute_apart_while_limits_are_on() {
    let shop = Shop::of(Setup { limits: true, ..setup() }).await;
    shop.place("ORDER1").await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    assert_eq!(refund(&shop, "ORDER1", "R1").await.status, 200);
    assert_eq!(refund(&shop, "ORDER1", "R1").await.status, 200, "the same refund");
    shop.simulator.step(Duration::from_secs(59));
    assert_eq!(refund(&shop, "ORDER1", "R2").await.refusal(), too_fast());
    shop.simulator.step(Duration::from_secs(1));
    assert_eq!(refund(&shop, "ORDER1", "R2").await.status, 200);
}
