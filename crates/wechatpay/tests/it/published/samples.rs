//! Documented envelopes and sample resources of every event type, sealed and signed with the test's own keys: none is
//! refused, each text is kept exactly, and each is of the product and type that stand here for it.

use serde_json::{Value, json};
use wechatpay::{Notification, OpenError, Product, Resource};

use super::{load, text};
use crate::fixture::{envelope, open_body, seal};
use crate::resource::PAID;

/// The samples, counted from 1, of products that have a type or share an event; the type's name, `-` for none.
/// All others are passed on, as the product of their event.
fn expected(number: usize) -> Option<(Product, &'static str)> {
    Some(match number {
        24 => (Product::MerchantTransfer, "TransferAuthorization"),
        25 | 26 => (Product::MerchantTransfer, "TransferBatch"),
        27 | 28 => (Product::MerchantTransfer, "TransferBill"),
        49..=52 => (Product::ProfitSharing, "ProfitSharing"),
        55 | 56 | 59 | 60 | 65 | 66 => (Product::CrossBorderRefund, "-"),
        57 | 58 | 61..=64 | 67..=69 => (Product::Refund, "Refund"),
        71 | 72 | 80 => (Product::Parking, "-"),
        73 | 81 => (Product::PartnerPayment, "PartnerTransaction"),
        74 | 77 => (Product::CombinePayment, "CombineTransaction"),
        75 | 76 => (Product::CrossBorderPayment, "-"),
        78 | 82 | 83 => (Product::Payment, "Transaction"),
        // A vehicle's contract, which is no payment at all.
        79 => (Product::Unknown, "-"),
        84 => (Product::Deduction, "-"),
        _ => return None,
    })
}

fn type_name(resource: &Resource) -> &'static str {
    match resource {
        Resource::Transaction(_) => "Transaction",
        Resource::PartnerTransaction(_) => "PartnerTransaction",
        Resource::CombineTransaction(_) => "CombineTransaction",
        Resource::Refund(_) => "Refund",
        Resource::ProfitSharing(_) => "ProfitSharing",
        Resource::TransferBill(_) => "TransferBill",
        Resource::TransferBatch(_) => "TransferBatch",
        Resource::TransferAuthorization(_) => "TransferAuthorization",
        Resource::SecurityEcho(_) => "SecurityEcho",
        _ => "-",
    }
}

fn open(
    envelope: &Value,
    event_type: &str,
    original_type: &Value,
    plaintext: &str,
) -> Result<Notification, OpenError> {
    let mut envelope = envelope.clone();
    envelope["event_type"] = json!(event_type);
    envelope["resource"]["original_type"] = original_type.clone();
    envelope["resource"]["nonce"] = json!("nonce0000099");
    let associated_data = envelope["resource"]["associated_data"].as_str().unwrap_or_default();
    envelope["resource"]["ciphertext"] = json!(seal(plaintext.as_bytes(), "nonce0000099", associated_data));
    open_body(envelope.to_string())
}

#[test]
fn every_event_is_recognised() {
    let Some(file) = load("notification_samples.json") else { return };
    let events = file["events"].as_array().unwrap();
    assert_eq!(events.len(), 106);
    for event in events {
        let by_event = Product::of_event_type(text(event, "event_type"));
        assert!(by_event.is_some(), "{}", event["event_type"]);
        // The types that each is documented to have; the event of payments is shared.
        for original_type in event["original_type"].as_array().unwrap() {
            let notification = open(&envelope(b""), text(event, "event_type"), original_type, "{}");
            let product = notification.map(|notification| notification.product);
            match product {
                Ok(product) => assert_eq!(by_event.filter(|known| *known != Product::Payment), {
                    Some(product).filter(|known| *known != Product::Unknown)
                }),
                // Nothing of what its type needs.
                Err(OpenError::ResourceMalformed { original_type: named, .. }) => {
                    assert_eq!(named, original_type.as_str().unwrap());
                }
                Err(other) => panic!("{}: {other}", event["event_type"]),
            }
        }
    }
}

#[test]
fn every_sample_resource() {
    let Some(file) = load("notification_samples.json") else { return };
    let mut number = 0;
    for event in file["events"].as_array().unwrap() {
        for sample in event["samples"].as_array().unwrap() {
            number += 1;
            let plaintext = sample["resource"].to_string();
            let originals = event["original_type"].as_array().unwrap();
            for original_type in originals.iter().chain([&Value::Null]) {
                check(number, text(event, "event_type"), original_type, &plaintext);
            }
            // Share movements come under the event of payments too.
            if originals.iter().any(|named| named == "profitsharing") && (49..=52).contains(&number) {
                check(number, PAID, &json!("profitsharing"), &plaintext);
                check(number, PAID, &Value::Null, &plaintext);
            }
        }
    }
    assert_eq!(number, 88);
}

fn check(number: usize, event_type: &str, original_type: &Value, plaintext: &str) {
    let opened = open(&envelope(b""), event_type, original_type, plaintext);
    // The list of types is of the event, not of the sample: no payment is a share movement.
    if original_type == "profitsharing" && (73..=84).contains(&number) {
        return assert!(matches!(opened, Err(OpenError::ResourceMalformed { .. })), "{number}: {opened:?}");
    }
    let opened = opened.unwrap_or_else(|error| panic!("{number} {event_type} {original_type}: {error}"));
    assert_eq!(opened.plaintext, plaintext);
    let by_event = || (Product::of_event_type(event_type).unwrap(), "-");
    let seen = (opened.product, type_name(&opened.resource));
    assert_eq!(seen, expected(number).unwrap_or_else(by_event), "{number} {event_type} {original_type}");
    for payment in opened.resource.payments() {
        assert_eq!(payment.state, "SUCCESS", "{number}");
    }
}

#[test]
fn every_documented_envelope() {
    let Some(file) = load("notification_samples.json") else { return };
    let envelopes = file["official_envelopes"].as_array().unwrap();
    assert_eq!(envelopes.len(), 10);
    let (payment, refund) = (crate::resource::ordinary(), crate::resource::refund());
    for documented in envelopes {
        let documented = &documented["envelope"];
        let (event_type, original_type) =
            (text(documented, "event_type"), &documented["resource"]["original_type"]);
        let plaintext = if event_type == PAID { &payment.plaintext } else { &refund.plaintext };
        let notification = open(documented, event_type, original_type, &plaintext.to_string()).unwrap();
        assert_eq!(notification.id, text(documented, "id"));
        assert_eq!(notification.summary, documented["summary"].as_str().unwrap_or_default());
        assert_eq!(notification.original_type.as_deref(), original_type.as_str());
        assert_eq!(Some(notification.product), Product::of_event_type(event_type));
    }
}
