//! Every typed resource, damaged field by field.

use serde_json::{Value, json};
use wechatpay::{Notification, OpenError, Resource};

use super::{Kind, kinds};

/// Changes what a pointer leads to; `None` takes it out.
fn changed(kind: &Kind, pointer: &str, value: Option<Value>) -> String {
    let mut plaintext = kind.plaintext.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = plaintext.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    assert!(parent.contains_key(name), "{pointer}");
    match value {
        Some(value) => drop(parent.insert(name.to_owned(), value)),
        None => drop(parent.remove(name)),
    }
    plaintext.to_string()
}

/// The same with a value that no [`Value`] can hold, or a field that occurs twice.
fn rewritten(kind: &Kind, pointer: &str, text: &str) -> String {
    changed(kind, pointer, Some(json!("@@"))).replace("\"@@\"", text)
}

#[track_caller]
fn assert_malformed(kind: &Kind, text: &str) {
    let result = kind.open(text);
    assert!(kind.is_malformed(&result), "{text}: {result:?}");
    let said = result.unwrap_err().to_string();
    assert!(!said.contains(super::SECRET), "{said}");
}

/// Found by the fuzz target `resource`: `Display` was quiet, while `Debug` and the source said it all.
#[test]
fn no_error_shows_a_text_that_was_decrypted() {
    let mut tried = 0;
    for kind in kinds() {
        for pointer in kind.amounts {
            let error = kind.open(&changed(&kind, pointer, Some(json!(super::SECRET)))).unwrap_err();
            let mut shown = format!("{error:?}");
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                shown += &format!(" {error} {error:?}");
                cause = error.source();
            }
            assert!(shown.contains("invalid type") && !shown.contains(super::SECRET), "{pointer}: {shown}");
            tried += 1;
        }
    }
    assert!(tried > 0);
}

#[test]
fn whole_they_all_open() {
    for kind in kinds() {
        let Notification { resource, .. } = kind.open(&kind.plaintext.to_string()).unwrap();
        assert_ne!(resource, Resource::Other, "{}", kind.plaintext);
    }
}

#[test]
fn required_fields() {
    for kind in kinds() {
        for pointer in kind.required {
            assert_malformed(&kind, &changed(&kind, pointer, None));
            assert_malformed(&kind, &changed(&kind, pointer, Some(Value::Null)));
            assert_malformed(&kind, &changed(&kind, pointer, Some(json!([super::SECRET]))));
            assert_malformed(&kind, &changed(&kind, pointer, Some(json!(true))));
        }
    }
}

#[test]
fn optional_texts_absent_null_or_empty_are_one() {
    for kind in kinds() {
        for pointer in kind.optional {
            let open = |value| kind.open(&changed(&kind, pointer, value)).unwrap().resource;
            let absent = open(None);
            assert_eq!(open(Some(Value::Null)), absent, "{pointer}");
            assert_eq!(open(Some(json!(""))), absent, "{pointer}");
            assert_ne!(open(Some(json!("something"))), absent, "{pointer}");
            for value in [json!(7), json!({}), json!([]), json!(false)] {
                assert_malformed(&kind, &changed(&kind, pointer, Some(value)));
            }
        }
    }
}

#[test]
fn amounts_and_counts_are_whole_numbers_and_not_negative() {
    for kind in kinds() {
        for pointer in kind.amounts {
            for text in ["0", "9223372036854775807"] {
                kind.open(&rewritten(&kind, pointer, text)).unwrap();
            }
            for text in
                ["-1", "1.0", "0.5", "1e2", "\"1\"", "\"\"", "18446744073709551616", "true", "[1]", "{}"]
            {
                assert_malformed(&kind, &rewritten(&kind, pointer, text));
            }
            let null = kind.open(&rewritten(&kind, pointer, "null"));
            assert_eq!(null.is_err(), kind.required.contains(pointer), "{pointer}");
        }
    }
}

#[test]
fn known_fields_that_occur_twice_are_refused() {
    for kind in kinds() {
        for pointer in kind.required.iter().chain(kind.optional).chain(kind.amounts) {
            let name = pointer.rsplit_once('/').unwrap().1;
            let value = kind.plaintext.pointer(pointer).unwrap();
            let twice = rewritten(&kind, pointer, &format!("{value},\"{name}\":{value}"));
            assert_malformed(&kind, &twice);
        }
    }
}

/// Every object gets a field of tomorrow's.
#[test]
fn unknown_fields_are_kept() {
    fn grow(value: &mut Value) -> usize {
        match value {
            Value::Object(fields) => {
                let grown = fields.values_mut().map(grow).sum::<usize>();
                fields.insert("of_tomorrow".to_owned(), json!({"x": [1, null]}));
                grown + 1
            }
            Value::Array(values) => values.iter_mut().map(grow).sum(),
            _ => 0,
        }
    }
    for mut kind in kinds() {
        let whole = kind.open(&kind.plaintext.to_string()).unwrap();
        assert!(grow(&mut kind.plaintext) > 0);
        let grown = kind.open(&kind.plaintext.to_string()).unwrap();
        assert_eq!(grown.plaintext, kind.plaintext.to_string());
        assert_eq!(grown.product, whole.product);
        let other = match &grown.resource {
            Resource::Transaction(read) => &read.amount.as_ref().unwrap().other,
            Resource::PartnerTransaction(read) => &read.payer.as_ref().unwrap().other,
            Resource::CombineTransaction(read) => &read.sub_orders[1].other,
            Resource::Refund(read) => &read.amount.other,
            Resource::ProfitSharing(read) => &read.receiver.other,
            Resource::TransferBill(read) => &read.other,
            Resource::TransferBatch(read) => &read.other,
            Resource::TransferAuthorization(read) => &read.close_info.as_ref().unwrap().other,
            Resource::SecurityEcho(read) => &read.other,
            other => panic!("{other:?}"),
        };
        assert_eq!(other["of_tomorrow"], json!({"x": [1, null]}));
    }
}

#[test]
fn a_combine_payment_without_orders_is_malformed() {
    let kind = super::combine();
    assert_malformed(&kind, &changed(&kind, "/sub_orders", Some(json!([]))));
    assert_malformed(&kind, &changed(&kind, "/sub_orders", Some(json!({}))));
    assert_malformed(&kind, &changed(&kind, "/sub_orders", Some(json!([{}]))));
    assert_malformed(&kind, &changed(&kind, "/sub_orders/1/transaction_id", Some(json!(""))));
}

/// Every byte of every kind, overwritten: nothing panics, and no other kind becomes an ordinary payment.
#[test]
fn a_changed_byte_makes_no_ordinary_payment_of_another_kind() {
    for (place, kind) in kinds().iter().enumerate() {
        let whole = kind.plaintext.to_string();
        let mut text = whole.clone().into_bytes();
        for position in 0..text.len() {
            for byte in *b"0\"" {
                let kept = std::mem::replace(&mut text[position], byte);
                if let Ok(changed) = std::str::from_utf8(&text) {
                    match kind.open(changed) {
                        Ok(Notification { resource: Resource::Transaction(_), .. }) => {
                            assert_eq!(place, 0, "{changed}")
                        }
                        Err(other)
                            if !matches!(
                                other,
                                OpenError::PlaintextNotJson(_) | OpenError::ResourceMalformed { .. }
                            ) =>
                        {
                            panic!("{changed}: {other}")
                        }
                        _ => {}
                    }
                }
                text[position] = kept;
            }
        }
    }
}
