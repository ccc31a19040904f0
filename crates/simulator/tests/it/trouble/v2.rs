//! Trouble with notices of APIv2: what means something there does it, and what does not is not said to have been done.

use payonce_simulator::Scenario;
use payonce_simulator::books::{OrderKey, RefundKey, RefundStatus};
use serde_json::{Value, json};
use wechatpay::v2::{ACK_BODY, ApiV2Key, Callback, Notice, SignType, fail_body, parse_xml};

use super::troubled;
use crate::receiver::{Came, Receiver};
use crate::shop::Shop;

/// Every trouble that changes what is sent, and whether it means anything to a payment and to a refund.
const TROUBLES: [(&str, bool, bool); 28] = [
    ("\"body_bit\"", true, true),
    ("\"body_reserialised\"", true, true),
    ("\"body_keys_sorted\"", true, true),
    ("\"body_newline_dropped\"", false, false),
    ("\"body_charset\"", true, false),
    ("\"body_truncated\"", true, true),
    ("\"signature_changed\"", true, false),
    ("\"nonce_changed\"", true, false),
    ("\"timestamp_changed\"", false, false),
    ("\"replayed\"", false, false),
    ("\"serial_unknown\"", false, false),
    ("\"signature_probe\"", false, false),
    ("{ header_missing = { header = \"Content-Type\" } }", true, true),
    ("{ header_doubled = { header = \"content-type\" } }", true, true),
    ("{ header_missing = { header = \"Wechatpay-Nonce\" } }", false, false),
    ("{ header_doubled = { header = \"Wechatpay-Nonce\" } }", false, false),
    ("{ header_spaced = { header = \"Wechatpay-Nonce\" } }", false, false),
    ("{ other_amount = { by_fen = 1 } }", true, true),
    ("{ other_merchant = { mchid = \"1900009999\" } }", true, true),
    ("{ other_field = { path = \"/out_trade_no\", value = \"OTHER1\" } }", true, true),
    ("\"profit_sharing\"", false, false),
    ("{ other_event = { event_type = \"TEA.POURED\" } }", false, false),
    ("\"associated_data_empty\"", false, false),
    ("\"associated_data_missing\"", false, false),
    ("{ resource_nonce = { chars = 16 } }", false, false),
    ("\"other_key\"", true, true),
    ("\"new_certificate\"", false, false),
    ("\"new_public_key\"", false, false),
];

/// Those that change when, how often and how it is sent; or what it is signed by, which is not for one notice alone.
const OTHERS: [&str; 11] = [
    "never",
    "late",
    "behind",
    "duplicate",
    "concurrent",
    "slow",
    "broken",
    "hang_up",
    "headers_small",
    "header_spaced",
    "grey",
];

fn key(shop: &Shop) -> ApiV2Key {
    ApiV2Key::new(shop.ring.apiv2_key()).unwrap()
}

/// What came of a payment and its refund, each in trouble at first, and genuine once more.
async fn told(trouble: &str) -> (Shop, [Vec<Came>; 2]) {
    let shop = troubled(&format!("[[notices]]\ndo = {trouble}")).await;
    let receivers = [Receiver::answering(200).await, Receiver::answering(200).await];
    receivers.iter().for_each(|receiver| receiver.answer_with(&fail_body("busy")));
    let url = receivers[0].url();
    shop.call("/pay/unifiedorder", &shop.v2_order("ORDER1", &url), SignType::Md5).await;
    shop.simulator.pay(&OrderKey::new(&shop.mchid, "ORDER1"), None).unwrap();
    shop.simulator.quiet().await;
    shop.later(15).await;
    receivers[0].answer_with(ACK_BODY);
    shop.later(15).await;
    shop.simulator.set_refund_url(&shop.mchid, Some(&receivers[1].url()));
    let refund = json!({
        "out_trade_no": "ORDER1", "out_refund_no": "R1", "amount": { "refund": 10, "total": 88, "currency": "CNY" },
    });
    assert_eq!(shop.post("/v3/refund/domestic/refunds", &refund).await.status, 200);
    shop.simulator.end_refund(&RefundKey::new(&shop.mchid, "R1"), RefundStatus::Success).unwrap();
    shop.simulator.quiet().await;
    shop.later(15).await;
    let came = receivers.map(|receiver| receiver.came());
    (shop, came)
}

/// How often a notice was said to be struck.
async fn struck(shop: &Shop) -> [usize; 2] {
    let notices = shop.sim("GET /_sim/notices", Value::Null).await;
    [0, 1].map(|place: usize| {
        notices["notices"][place]["attempts"][0]["trouble"].as_array().map_or(0, Vec::len)
    })
}

/// Nobody takes a test for passed in which nothing was done.
#[tokio::test]
async fn what_is_said_to_be_done_is_done() {
    for (trouble, payment, refund) in TROUBLES {
        let (shop, came) = told(trouble).await;
        assert_eq!(struck(&shop).await, [usize::from(payment), usize::from(refund)], "{trouble}");
        let rules = shop.sim("GET /_sim/trouble", Value::Null).await;
        assert_eq!(rules["notices"][0]["hits"], u32::from(payment) + u32::from(refund), "{trouble}");
        for (came, differs) in came.iter().zip([payment, refund]) {
            let [first, second] = [0, 1].map(|place: usize| (&came[place].body, &came[place].headers));
            assert_eq!(first != second, differs, "{trouble}: {first:?} {second:?}");
        }
    }
}

#[test]
fn no_trouble_is_left_out() {
    let refused = Scenario::from_toml("[[notices]]\ndo = \"no_such_trouble\"").unwrap_err().to_string();
    let known = refused.split_once("expected one of ").unwrap().1;
    let known: Vec<_> = known.lines().next().unwrap().split('`').skip(1).step_by(2).collect();
    for name in &known {
        let has =
            |(trouble, _, _): &(&str, bool, bool)| trouble.trim_matches(['"', '{', ' ']).starts_with(name);
        assert!(TROUBLES.iter().any(has) || OTHERS.contains(name), "{name}");
    }
    assert!(known.len() > 30, "{refused}");
}

/// What a payment says otherwise is rightly signed, so that only a comparison finds it out.
#[tokio::test]
async fn what_is_said_otherwise_is_rightly_signed_and_sealed() {
    for (trouble, payment, refund) in [
        (
            "{ other_amount = { by_fen = 1 } }",
            [("total_fee", "89"), ("cash_fee", "89")],
            ("refund_fee", "11"),
        ),
        (
            "{ other_field = { path = \"/fee_type\", value = \"USD\" } }",
            [("fee_type", "USD"), ("total_fee", "88")],
            ("fee_type", "USD"),
        ),
        (
            "{ other_merchant = { mchid = \"1900009999\" } }",
            [("mch_id", "1900009999"); 2],
            ("refund_fee", "10"),
        ),
    ] {
        let (shop, [paid, refunded]) = told(trouble).await;
        let Callback::Signed(signed) = Callback::parse(&paid[0].body).unwrap() else { panic!("{paid:?}") };
        let verified = signed.verify(&key(&shop), Some(SignType::Md5)).unwrap();
        payment.iter().for_each(|(name, value)| assert_eq!(verified.get(name), Some(*value), "{trouble}"));
        let Notice::Paid(_) = verified.notice().unwrap() else { panic!("not paid") };
        let outer = parse_xml(&refunded[0].body).unwrap();
        let inner = key(&shop).open_req_info(outer.get("req_info").unwrap()).unwrap();
        let (name, value) = refund;
        assert!(inner.contains(&format!("<{name}><![CDATA[{value}]]>")), "{trouble}: {inner}");
    }
}

/// Written anew, XML says the same, and its sign is good: whoever reads it as text alone is found out.
#[tokio::test]
async fn xml_that_was_written_anew_verifies() {
    for trouble in ["\"body_reserialised\"", "\"body_keys_sorted\""] {
        let (shop, [paid, _]) = told(trouble).await;
        let Callback::Signed(signed) = Callback::parse(&paid[0].body).unwrap() else { panic!("{paid:?}") };
        signed.verify(&key(&shop), Some(SignType::Md5)).unwrap();
    }
    for trouble in ["\"signature_changed\"", "\"nonce_changed\"", "\"other_key\"", "\"body_charset\""] {
        let (shop, [paid, _]) = told(trouble).await;
        let Callback::Signed(signed) = Callback::parse(&paid[0].body).unwrap() else { panic!("{paid:?}") };
        signed.verify(&key(&shop), Some(SignType::Md5)).unwrap_err();
    }
    let (shop, [_, refunded]) = told("\"other_key\"").await;
    let Callback::Sealed(sealed) = Callback::parse(&refunded[0].body).unwrap() else {
        panic!("{refunded:?}")
    };
    sealed.open(&key(&shop)).unwrap_err();
}
