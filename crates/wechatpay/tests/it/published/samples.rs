//! Documented envelopes and sample resources of every event type, sealed and signed with the test's own keys: none is
//! refused, each text is kept exactly, and only ordinary payments become a `Transaction`.

use serde_json::{Value, json};
use wechatpay::{Notification, Resource};

use super::{load, text};
use crate::fixture::{envelope, open_body, seal};

/// Which samples, counted from 1, are ordinary payments: with `transaction` as their type, and without any.
const ORDINARY_PAYMENTS: [usize; 8] = [78, 78, 82, 82, 83, 83, 84, 84];

fn open(envelope: &Value, event_type: &str, original_type: &Value, plaintext: &str) -> Notification {
    let mut envelope = envelope.clone();
    envelope["event_type"] = json!(event_type);
    envelope["resource"]["original_type"] = original_type.clone();
    envelope["resource"]["nonce"] = json!("nonce0000099");
    let associated_data = envelope["resource"]["associated_data"].as_str().unwrap_or_default();
    envelope["resource"]["ciphertext"] = json!(seal(plaintext.as_bytes(), "nonce0000099", associated_data));
    let notification = open_body(envelope.to_string());
    notification.unwrap_or_else(|error| panic!("{event_type} {original_type}: {error}\n{plaintext}"))
}

#[test]
fn every_sample_resource() {
    let Some(file) = load("notification_samples.json") else { return };
    let (mut samples, mut payments) = (0, Vec::new());
    for event in file["events"].as_array().unwrap() {
        for sample in event["samples"].as_array().unwrap() {
            samples += 1;
            let plaintext = sample["resource"].to_string();
            let originals = event["original_type"].as_array().unwrap();
            for original_type in originals.iter().chain([&Value::Null]) {
                let event_type = text(event, "event_type");
                let notification = open(&envelope(b""), event_type, original_type, &plaintext);
                assert_eq!(notification.plaintext, plaintext);
                if let Resource::Transaction(transaction) = notification.resource {
                    assert_eq!(
                        (event_type, transaction.trade_state.as_str()),
                        ("TRANSACTION.SUCCESS", "SUCCESS")
                    );
                    payments.push(samples);
                }
            }
        }
    }
    assert_eq!(samples, 88);
    assert_eq!(payments, ORDINARY_PAYMENTS);
}

#[test]
fn every_documented_envelope() {
    let Some(file) = load("notification_samples.json") else { return };
    let envelopes = file["official_envelopes"].as_array().unwrap();
    assert_eq!(envelopes.len(), 10);
    for documented in envelopes {
        let documented = &documented["envelope"];
        let original_type = &documented["resource"]["original_type"];
        let notification = open(documented, text(documented, "event_type"), original_type, "{}");
        assert_eq!(notification.id, text(documented, "id"));
        assert_eq!(notification.summary, documented["summary"].as_str().unwrap_or_default());
        assert_eq!(notification.original_type.as_deref(), original_type.as_str());
    }
}
