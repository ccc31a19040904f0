//! Which product a notification is of. `TRANSACTION.SUCCESS` is shared by many, and no other may pass for an ordinary
//! payment.

use proptest::prelude::*;
use serde_json::{Value, json};
use wechatpay::{OpenError, Product, Resource};

use super::{
    Kind, PAID, authorization, batch, bill, combine, echo, kinds, open, ordinary, partner, refund, share,
};

/// `original_type` as it may be left out.
const NAMELESS: [Value; 2] = [Value::Null, Value::String(String::new())];

fn product(event_type: &str, original_type: &Value, plaintext: &Value) -> (Product, bool) {
    let notification = open(event_type, original_type, &plaintext.to_string());
    let notification = notification.unwrap_or_else(|error| panic!("{event_type} {original_type}: {error}"));
    assert_eq!(notification.plaintext, plaintext.to_string());
    (notification.product, notification.resource != Resource::Other)
}

fn with(mut kind: Kind, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = kind.plaintext.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().insert(name.to_owned(), value);
    kind.plaintext
}

#[test]
fn trap_transaction_success_is_an_ordinary_payment_only_if_nothing_says_otherwise() {
    let plaintext = ordinary().plaintext;
    for original_type in [json!("transaction"), Value::Null, json!("")] {
        assert_eq!(product(PAID, &original_type, &plaintext), (Product::Payment, true));
        for (plaintext, expected) in [
            (with(ordinary(), "/trade_scene", json!("PARKING")), Product::Parking),
            (with(ordinary(), "/trade_scene", json!("PARKING SPACE")), Product::Parking),
            (with(ordinary(), "/trade_scene", json!("MOONBASE")), Product::Unknown),
            (with(ordinary(), "/trade_type", json!("PAP")), Product::Deduction),
            (with(ordinary(), "/trade_type", json!("AUTH")), Product::Deduction),
            (with(ordinary(), "/amount/exchange_rate", json!({"rate": 1})), Product::CrossBorderPayment),
            (with(ordinary(), "/receiver", json!({"any": 1})), Product::Unknown),
            (with(ordinary(), "/mchid", Value::Null), Product::Unknown),
            (with(ordinary(), "/mchid", json!("")), Product::Unknown),
            (with(ordinary(), "/out_trade_no", Value::Null), Product::Unknown),
            (with(ordinary(), "/transaction_id", json!("")), Product::Unknown),
            // The same in partner mode, where they are no partner payments either.
            (with(partner(), "/trade_scene", json!("PARKING")), Product::Parking),
            (with(partner(), "/trade_type", json!("PAP")), Product::Deduction),
            (with(partner(), "/amount/exchange_rate", json!({"rate": 1})), Product::CrossBorderPayment),
            (with(partner(), "/transaction_id", Value::Null), Product::Unknown),
            (json!({}), Product::Unknown),
        ] {
            assert_eq!(product(PAID, &original_type, &plaintext), (expected, false), "{plaintext}");
        }
        for (plaintext, expected) in [
            (partner().plaintext, Product::PartnerPayment),
            (combine().plaintext, Product::CombinePayment),
            // A partner or a combine payment however much of an ordinary one it has besides.
            (with(partner(), "/mchid", json!("1")), Product::PartnerPayment),
            // What is null or empty says nothing.
            (with(ordinary(), "/sp_mchid", Value::Null), Product::Payment),
            (with(ordinary(), "/combine_mchid", json!("")), Product::Payment),
            (with(ordinary(), "/trade_scene", json!("")), Product::Payment),
            (with(ordinary(), "/amount/exchange_rate", Value::Null), Product::Payment),
            (with(ordinary(), "/trade_type", json!("HOLOGRAM")), Product::Payment),
        ] {
            assert_eq!(product(PAID, &original_type, &plaintext), (expected, true), "{plaintext}");
        }
    }
}

/// Every field that marks another product, put into an ordinary payment: whatever becomes of it, no ordinary payment.
#[test]
fn no_mark_of_another_product_is_overlooked() {
    for field in ["combine_mchid", "combine_out_trade_no", "sp_mchid", "receiver"] {
        for value in [json!("1"), json!({"any": 1}), json!(7), json!(false), json!([])] {
            for original_type in [json!("transaction"), Value::Null] {
                let plaintext = with(ordinary(), &format!("/{field}"), value.clone());
                // Spelled with an escape it is the same field.
                let escaped = field.replace('i', "\\u0069");
                let escaped =
                    plaintext.to_string().replace(&format!("\"{field}\""), &format!("\"{escaped}\""));
                assert_ne!(escaped, plaintext.to_string());
                for text in [plaintext.to_string(), escaped] {
                    match open(PAID, &original_type, &text) {
                        Ok(notification) => assert_eq!(notification.resource, Resource::Other, "{text}"),
                        Err(OpenError::ResourceMalformed { .. }) => (),
                        Err(other) => panic!("{text}: {other}"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_share_movement_under_the_event_of_payments() {
    let plaintext = share().plaintext;
    for original_type in [json!("profitsharing"), Value::Null, json!("")] {
        assert_eq!(product(PAID, &original_type, &plaintext), (Product::ProfitSharing, true));
    }
    // Called a payment, and looking like a share: neither.
    assert_eq!(product(PAID, &json!("transaction"), &plaintext), (Product::Unknown, false));
    // Called a share, and looking like a payment: refused, and no payment.
    for kind in [ordinary(), partner(), combine()] {
        let result = open(PAID, &json!("profitsharing"), &kind.plaintext.to_string());
        assert!(share().is_malformed(&result), "{result:?}");
    }
}

#[test]
fn every_typed_event_with_its_type_and_without() {
    for (kind, also, expected) in [
        (refund(), &["REFUND.ABNORMAL", "REFUND.CLOSED"][..], Product::Refund),
        (share(), &["PROFITSHARING.RETURN"], Product::ProfitSharing),
        (bill(), &["MCHTRANSFER.QQWALLETBILL.FINISHED"], Product::MerchantTransfer),
        (batch(), &["MCHTRANSFER.BATCH.CLOSED"], Product::MerchantTransfer),
        (authorization(), &["MCHTRANSFER.AUTHORIZATION.CONFIRMED"], Product::MerchantTransfer),
        (echo(), &[], Product::SecurityEcho),
    ] {
        for event_type in also.iter().chain([&kind.event_type]) {
            for original_type in [json!(kind.original_type), Value::Null, json!("")] {
                assert_eq!(product(event_type, &original_type, &kind.plaintext), (expected, true));
            }
        }
    }
}

#[test]
fn a_refund_with_an_exchange_rate_is_passed_on() {
    for plaintext in [
        with(refund(), "/amount/exchange_rate", json!({"type": "SETTLEMENT_RATE", "rate": 1})),
        // Not even held to the fields of a domestic one.
        json!({"amount": {"exchange_rate": {}}}),
    ] {
        assert_eq!(
            product("REFUND.SUCCESS", &json!("refund"), &plaintext),
            (Product::CrossBorderRefund, false)
        );
    }
    let unrated = with(refund(), "/amount/exchange_rate", Value::Null);
    assert_eq!(product("REFUND.SUCCESS", &json!("refund"), &unrated), (Product::Refund, true));
}

#[test]
fn table_of_names_that_disagree_or_are_not_known() {
    for (event_type, original_type, expected) in [
        // Known products without a type of their own: either name tells.
        ("COMPLAINT.CREATE", "complaint", Product::Complaint),
        ("COMPLAINT.CREATE", "complaint_2", Product::Complaint),
        ("COMPLAINT.CREATE", "", Product::Complaint),
        ("COMPLAINT.NEW", "complaint", Product::Complaint),
        ("BLOCKSUBMISSION.CHANGE", "block_submisison_record", Product::BlockedTrade),
        ("PAYSCORE.USER_OPEN_SERVICE", "payscore", Product::PayScore),
        ("TRANSACTION.FAIL", "transaction", Product::Parking),
        ("TRANSACTION.PAY_BACK", "", Product::Parking),
        ("TRANSACTION.INDUSTRY_SUCCESS", "transaction", Product::CampusPayment),
        // A new event of a product that has a type.
        ("REFUND.PROCESSING", "refund", Product::Refund),
        ("MCHTRANSFER.MOON.FINISHED", "mch_payment", Product::MerchantTransfer),
        // `transaction` alone, and types that the event does not have.
        ("TRANSACTION.REVERSED", "transaction", Product::Unknown),
        (PAID, "Transaction", Product::Unknown),
        (PAID, "refund", Product::Unknown),
        ("REFUND.SUCCESS", "transaction", Product::Unknown),
        ("REFUND.SUCCESS", "refund_2", Product::Unknown),
        ("COMPLAINT.CREATE", "transaction", Product::Unknown),
        ("TRANSACTION.FAIL", "profitsharing", Product::Unknown),
        ("transaction.success", "transaction", Product::Unknown),
        ("WHATEVER", "whatever", Product::Unknown),
        ("", "", Product::Unknown),
    ] {
        for plaintext in
            [json!([1]), json!({}), ordinary().plaintext, refund().plaintext, json!("x"), Value::Null]
        {
            let seen = product(event_type, &json!(original_type), &plaintext);
            assert_eq!(seen, (expected, false), "{event_type} {original_type}");
        }
    }
}

#[test]
fn a_typed_product_that_is_no_object_is_malformed() {
    for kind in kinds() {
        for original_type in NAMELESS.into_iter().chain([json!(kind.original_type)]) {
            for plaintext in ["[1]", "null", "7", "\"oSECRET\"", "[[],[]]", "true"] {
                let result = open(kind.event_type, &original_type, plaintext);
                assert!(kind.is_malformed(&result), "{} {plaintext}: {result:?}", kind.event_type);
                assert!(!result.unwrap_err().to_string().contains("SECRET"));
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "mchid",
        "sp_mchid",
        "combine_mchid",
        "out_trade_no",
        "transaction_id",
        "receiver",
        "order_id",
        "amount",
        "trade_type",
        "trade_scene",
        "sub_orders",
        "total",
        "exchange_rate",
        "appid",
        "trade_state",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9]{0,4}".prop_map(Value::from),
        Just(json!("PAP")),
    ];
    leaf.prop_recursive(3, 40, 12, move |inner| {
        let name = name.clone().prop_map(str::to_owned);
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(name, inner, 0..14).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn what_has_no_type_is_passed_on_whatever_it_holds(plaintext in any_json(), event in "[A-Z]{1,3}\\.[A-Z]{1,3}") {
        for (event_type, original_type) in
            [(event.as_str(), "refund"), (&event, "transaction"), (&event, ""), ("TRANSACTION.FAIL", "transaction"), ("COUPON.USE", "coupon")]
        {
            let notification = open(event_type, &json!(original_type), &plaintext.to_string()).unwrap();
            prop_assert_eq!(notification.resource, Resource::Other);
        }
    }

    #[test]
    fn whatever_is_called_a_payment_is_one_is_passed_on_or_is_malformed(plaintext in any_json()) {
        match open(PAID, &Value::Null, &plaintext.to_string()) {
            Ok(notification) => {
                let paid = matches!(notification.resource, Resource::Transaction(_));
                prop_assert_eq!(paid, notification.product == Product::Payment);
                if paid {
                    prop_assert!(notification.resource.payments().count() == 1);
                    for field in ["sp_mchid", "combine_mchid", "receiver"] {
                        let said = plaintext.get(field).unwrap_or(&Value::Null);
                        prop_assert!(said.is_null() || said == "");
                    }
                }
            }
            Err(OpenError::ResourceMalformed { .. }) => (),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
