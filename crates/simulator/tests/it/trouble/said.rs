//! What WeChat itself says otherwise: rightly signed, and to be found out by its content.

use serde_json::{Value, json};
use wechatpay::{OpenError, Resource};

use super::{received, troubled};
use crate::fixture::Refusal;
use crate::receiver::{Came, Receiver};
use crate::shop::Shop;

async fn told(trouble: &str) -> (Shop, Vec<Came>) {
    let shop = troubled(&format!("[[notices]]\ndo = {trouble}")).await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    (shop, receiver.came())
}

#[tokio::test]
async fn an_amount_and_a_merchant_may_be_others() {
    for (trouble, pointer, value) in [
        ("{ other_amount = { by_fen = -1 } }", "/amount/total", Value::from(99)),
        ("{ other_amount = { by_fen = 1 } }", "/amount/payer_total", Value::from(101)),
        ("{ other_merchant = { mchid = \"1900009999\" } }", "/mchid", Value::from("1900009999")),
        (
            "{ other_field = { path = \"/amount/currency\", value = \"USD\" } }",
            "/amount/currency",
            Value::from("USD"),
        ),
        ("{ other_field = { path = \"/amount/tip\", value = 7 } }", "/amount/tip", Value::from(7)),
        (
            "{ other_field = { path = \"/trade_type\", value = \"PARK\" } }",
            "/trade_type",
            Value::from("PARK"),
        ),
    ] {
        let (shop, came) = told(trouble).await;
        let plaintext: Value =
            serde_json::from_str(&received(&shop.ring, &came[0]).unwrap().plaintext).unwrap();
        assert_eq!(plaintext.pointer(pointer), Some(&value), "{trouble}");
        let queried =
            shop.get(&format!("/v3/pay/transactions/out-trade-no/ORDER1?mchid={}", shop.mchid)).await;
        assert_eq!(queried.json()["amount"]["total"], 100, "the books say what is true");
    }
}

#[tokio::test]
async fn profit_sharing_comes_under_the_name_of_a_payment() {
    let (shop, came) = told("\"profit_sharing\"").await;
    let told = received(&shop.ring, &came[0]).unwrap();
    assert_eq!(told.event_type, "TRANSACTION.SUCCESS");
    let Resource::ProfitSharing(share) = &told.resource else { panic!("{told:?}") };
    let payment = shop.simulator.read(|books| books.orders().next().unwrap().1.payment().unwrap().clone());
    assert_eq!(share.transaction_id, payment.transaction_id);
}

#[tokio::test]
async fn an_event_is_one_of_which_nobody_has_heard() {
    let (shop, came) = told("{ other_event = { event_type = \"TEA.POURED\" } }").await;
    assert_eq!(received(&shop.ring, &came[0]).unwrap().event_type, "TEA.POURED");
}

#[tokio::test]
async fn associated_data_is_empty_or_absent_and_opens() {
    for (trouble, is_there) in [("\"associated_data_empty\"", true), ("\"associated_data_missing\"", false)] {
        let (shop, came) = told(trouble).await;
        let body: Value = serde_json::from_slice(&came[0].body).unwrap();
        assert_eq!(body["resource"].get("associated_data"), is_there.then_some(&Value::from("")));
        received(&shop.ring, &came[0]).unwrap();
    }
}

/// Such a nonce has brought down whole processes.
#[tokio::test]
async fn a_nonce_of_another_length_and_another_key_do_not_open() {
    for chars in [0, 11, 13, 16] {
        let (shop, came) = told(&format!("{{ resource_nonce = {{ chars = {chars} }} }}")).await;
        let body: Value = serde_json::from_slice(&came[0].body).unwrap();
        assert_eq!(body["resource"]["nonce"].as_str().unwrap().len(), chars);
        let refused = received(&shop.ring, &came[0]).unwrap_err();
        assert!(matches!(refused, Refusal::Open(_)), "{refused:?}");
    }
    let (shop, came) = told("\"other_key\"").await;
    let refused = received(&shop.ring, &came[0]).unwrap_err();
    assert!(matches!(refused, Refusal::Open(OpenError::WrongKey)), "{refused:?}");
}

/// What a rule says of a payment means nothing to a refund, and nobody is told that it was tried.
#[tokio::test]
async fn a_rule_strikes_what_it_means_something_to() {
    let scenario = "
        [[notices]]
        do = \"profit_sharing\"
        [[notices]]
        do = { other_field = { path = \"/nowhere/at/all\", value = 1 } }
    ";
    let (shop, receiver) = (troubled(scenario).await, Receiver::answering(204).await);
    shop.paid("ORDER1", &receiver.url()).await;
    shop.sim("POST /_sim/refund", json!({ "out_trade_no": "ORDER1" })).await;
    shop.later(5).await;
    assert_eq!(received(&shop.ring, &receiver.came()[1]).unwrap().event_type, "REFUND.SUCCESS");
    assert_eq!(shop.last_heard().trouble, [""; 0]);
    let rules = shop.sim("GET /_sim/trouble", Value::Null).await;
    assert_eq!((&rules["notices"][0]["hits"], &rules["notices"][1]["hits"]), (&json!(1), &json!(0)));
}
