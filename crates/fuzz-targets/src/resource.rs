//! Target `resource`: an arbitrary text, sealed and signed by WeChat Pay under arbitrary names.
//!
//! The input's first line is the event type, its second the original type (`-`: absent); the rest is the text.
//!
//! Held: the text comes out exactly; what is typed says what the JSON says; no payment of another product is taken for
//! an ordinary one; of each payment all that identifies it is there; what is not JSON, or not what its names promise,
//! is a typed error that shows nobody's id.

use serde_json::{Value, json};
use wechatpay::{Fen, Notification, OpenError, Product, Resource};

use crate::fixture::{KEYS, SEAL_DATA, SEAL_NONCE, Signed, seal};
use crate::input::canary::{self, CANARY, assert_hidden};
use crate::input::lines;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "resource",
    run,
    stages: &[
        "not UTF-8",
        "not JSON",
        "malformed",
        "passed on",
        "payment",
        "partner payment",
        "combine payment",
        "refund",
        "profit sharing",
        "transfer",
        "echo",
    ],
};

/// Fields that an ordinary payment does not have.
const FOREIGN: [&str; 5] = ["combine_mchid", "combine_out_trade_no", "receiver", "sp_mchid", "trade_scene"];

/// Fields that name a person, or where money went.
const PERSONAL: [&str; 4] = ["payer", "combine_payer_info", "openid", "user_received_account"];

fn run(input: &[u8]) -> Stage {
    let (event_type, rest) = lines::first_text(input);
    let (original_type, plaintext) = lines::first_text(rest);
    let body = envelope(&event_type, &original_type, plaintext);
    let signed = Signed::new(body.as_bytes());
    let opened = signed.verified().open(&KEYS.apiv3);
    let names_show_it = event_type.contains(CANARY) || original_type.contains(CANARY);
    match opened {
        Ok(notification) => {
            assert_eq!(notification.plaintext.as_bytes(), plaintext);
            assert_eq!(notification.event_type, event_type);
            let said = serde_json::from_slice::<Value>(plaintext).ok();
            if let Some(said) = &said {
                says_what_the_text_says(&notification.resource, said);
                if !names_show_it && !canary::is_beside(said, &PERSONAL) {
                    assert_hidden(&format!("{notification:?}"));
                }
            }
            payments_are_whole(&notification.resource);
            stage(&notification)
        }
        Err(error) => {
            if !names_show_it {
                assert_hidden(&format!("{error} {error:?}"));
            }
            refused(&error, plaintext)
        }
    }
}

fn envelope(event_type: &str, original_type: &str, plaintext: &[u8]) -> String {
    let mut envelope = json!({
        "id": "00000000-0000-5000-8000-000000000099",
        "create_time": "2025-06-15T23:06:40+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "支付成功",
        "resource": {
            "original_type": original_type,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": seal(plaintext, SEAL_DATA),
            "associated_data": SEAL_DATA,
            "nonce": SEAL_NONCE,
        },
    });
    if original_type == "-" {
        envelope["resource"]["original_type"] = Value::Null;
    }
    envelope.to_string()
}

/// Whether a field is there, as WeChat Pay's readers have it: not `null`, not empty.
fn is_there(said: &Value, name: &str) -> bool {
    !said[name].is_null() && said[name] != ""
}

fn says_what_the_text_says(resource: &Resource, said: &Value) {
    match resource {
        Resource::Transaction(payment) => {
            assert!(FOREIGN.iter().all(|name| !is_there(said, name)), "another product's: {said}");
            assert!(said["amount"]["exchange_rate"].is_null(), "a payment across borders: {said}");
            assert!(said["trade_type"] != "PAP" && said["trade_type"] != "AUTH", "a deduction: {said}");
            assert_eq!(said["mchid"], payment.mchid.as_str());
            assert_eq!(said["appid"], payment.appid.as_str());
            assert_eq!(said["out_trade_no"], payment.out_trade_no.as_str());
            assert_eq!(said["trade_state"], payment.trade_state.as_str());
            assert_eq!(said["transaction_id"].as_str(), payment.transaction_id.as_deref());
            is_amount(payment.amount.as_ref().map(|amount| amount.total), &said["amount"]["total"]);
        }
        Resource::PartnerTransaction(payment) => {
            assert_eq!(said["sp_mchid"], payment.sp_mchid.as_str());
            assert_eq!(said["sub_mchid"], payment.sub_mchid.as_str());
            assert_eq!(said["transaction_id"].as_str(), payment.transaction_id.as_deref());
            is_amount(payment.amount.as_ref().map(|amount| amount.total), &said["amount"]["total"]);
        }
        Resource::CombineTransaction(whole) => {
            let orders = said["sub_orders"].as_array().map(Vec::as_slice).unwrap_or_default();
            assert_eq!(orders.len(), whole.sub_orders.len());
            for (said, order) in orders.iter().zip(&whole.sub_orders) {
                assert_eq!(said["out_trade_no"], order.out_trade_no.as_str());
                let total = order.amount.as_ref().map(|amount| amount.total_amount);
                is_amount(total, &said["amount"]["total_amount"]);
            }
        }
        Resource::Refund(refund) => {
            assert_eq!(said["out_refund_no"], refund.out_refund_no.as_str());
            assert_eq!(said["refund_status"], refund.refund_status.as_str());
            is_amount(Some(refund.amount.refund), &said["amount"]["refund"]);
            is_amount(Some(refund.amount.total), &said["amount"]["total"]);
        }
        _ => {}
    }
}

/// An amount is the JSON integer that was written.
fn is_amount(read: Option<Fen>, said: &Value) {
    assert_eq!(read.map(Fen::get), said.as_i64());
}

fn payments_are_whole(resource: &Resource) {
    for payment in resource.payments() {
        assert!(payment.total.get() >= 0);
        assert!(!payment.transaction_id.is_empty() && !payment.currency.is_empty());
    }
    let count = resource.payments().count();
    match resource {
        Resource::Transaction(_) | Resource::PartnerTransaction(_) => assert_eq!(count, 1),
        Resource::CombineTransaction(whole) => {
            assert!(count == whole.sub_orders.len() && count > 0, "a payment is lost");
        }
        _ => assert_eq!(count, 0),
    }
}

/// The type that a product's resource is read as, if it has one.
fn stage(notification: &Notification) -> Stage {
    match (notification.product, &notification.resource) {
        (Product::Payment, Resource::Transaction(_)) => "payment",
        (Product::PartnerPayment, Resource::PartnerTransaction(_)) => "partner payment",
        (Product::CombinePayment, Resource::CombineTransaction(_)) => "combine payment",
        (Product::Refund, Resource::Refund(_)) => "refund",
        (Product::ProfitSharing, Resource::ProfitSharing(_)) => "profit sharing",
        (
            Product::MerchantTransfer,
            Resource::TransferBill(_) | Resource::TransferBatch(_) | Resource::TransferAuthorization(_),
        ) => "transfer",
        (Product::SecurityEcho, Resource::SecurityEcho(_)) => "echo",
        (_, Resource::Other) => "passed on",
        (product, resource) => panic!("a resource of {product:?} is read as {resource:?}"),
    }
}

fn refused(error: &OpenError, plaintext: &[u8]) -> Stage {
    let is_text = std::str::from_utf8(plaintext).is_ok();
    assert_eq!(matches!(error, OpenError::PlaintextNotUtf8), !is_text, "{error}");
    match error {
        OpenError::PlaintextNotUtf8 => "not UTF-8",
        OpenError::PlaintextNotJson(_) => {
            assert!(serde_json::from_slice::<Value>(plaintext).is_err(), "it is JSON: {error}");
            "not JSON"
        }
        OpenError::ResourceMalformed { notification, .. } => {
            assert_eq!(notification.plaintext.as_bytes(), plaintext);
            assert_eq!(notification.resource, Resource::Other);
            "malformed"
        }
        other => panic!("the envelope is a good one: {other}"),
    }
}
