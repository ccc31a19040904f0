//! Which values an ordinary payment may have, each amount by name. Deliberately absent: what it is told apart by
//! (`dispatch`), and what it shares with the other kinds (`wrong`).

use serde_json::{Value, json};
use wechatpay::{OpenError, Resource, Transaction};

use crate::fixture::open_plaintext;

fn plaintext() -> Value {
    json!({
        "mchid": "1900000001", "appid": "wx0", "out_trade_no": "o1", "transaction_id": "42", "trade_state": "SUCCESS",
        "amount": {"total": 100, "payer_total": 90, "currency": "CNY"},
    })
}

fn with_total(total: &str) -> Result<Transaction, OpenError> {
    let text = plaintext().to_string().replace(r#""total":100"#, &format!(r#""total":{total}"#));
    match open_plaintext(text)?.resource {
        Resource::Transaction(transaction) => Ok(*transaction),
        other => panic!("{other:?}"),
    }
}

fn is_malformed(error: &OpenError) -> bool {
    matches!(error, OpenError::ResourceMalformed { original_type, .. } if original_type == "transaction")
}

#[test]
fn amounts_are_whole_not_negative_and_within_i64() {
    for (text, fen) in [("0", 0), ("1", 1), ("9223372036854775807", i64::MAX)] {
        assert_eq!(with_total(text).unwrap().payment().unwrap().total.get(), fen);
    }
    for text in [
        "-1",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "1000000000000000000000000000000",
        "1.0",
        "1e2",
        "0.99",
        "\"100\"",
        "null",
        "true",
        "[100]",
        "{}",
    ] {
        let error = with_total(text).unwrap_err();
        assert!(is_malformed(&error), "{text}: {error:?}");
    }
    // What is no number at all is no JSON.
    for text in ["01", "+1", "1.", "NaN", "0x10"] {
        assert!(matches!(with_total(text), Err(OpenError::PlaintextNotJson(_))), "{text}");
    }
    let error = with_total("-1").unwrap_err();
    assert!(error.to_string().contains("an amount in fen, 0 or more"), "{error}");
}

#[test]
fn payer_total_is_held_to_the_same() {
    for (text, ok) in
        [("0", true), ("null", true), ("-1", false), ("1.5", false), ("9223372036854775808", false)]
    {
        let text =
            plaintext().to_string().replace(r#""payer_total":90"#, &format!(r#""payer_total":{text}"#));
        assert_eq!(open_plaintext(&text).is_ok(), ok, "{text}");
    }
}

#[test]
fn currency_absent_null_or_empty_is_cny() {
    for (currency, expected) in
        [(None, "CNY"), (Some(Value::Null), "CNY"), (Some(json!("")), "CNY"), (Some(json!("HKD")), "HKD")]
    {
        let mut plaintext = plaintext();
        let amount = plaintext["amount"].as_object_mut().unwrap();
        match currency {
            Some(currency) => amount.insert("currency".to_owned(), currency),
            None => amount.remove("currency"),
        };
        let notification = open_plaintext(plaintext.to_string()).unwrap();
        let Resource::Transaction(transaction) = notification.resource else { panic!() };
        assert_eq!(transaction.payment().unwrap().currency, expected);
    }
}

#[test]
fn required_fields() {
    for field in ["appid", "trade_state", "amount"] {
        let mut absent = plaintext();
        absent.as_object_mut().unwrap().remove(field);
        let mut null = plaintext();
        null[field] = Value::Null;
        for wrong in [absent, null] {
            let error = open_plaintext(wrong.to_string()).unwrap_err();
            assert!(is_malformed(&error), "{field}: {error:?}");
        }
    }
    let mut wrong = plaintext();
    wrong["amount"] = json!([100, 90, "CNY"]);
    assert!(is_malformed(&open_plaintext(wrong.to_string()).unwrap_err()));
}

#[test]
fn fields_that_occur_twice_are_refused() {
    for field in
        [r#""mchid":"1","#, r#""out_trade_no":"1","#, r#""trade_state":"1","#, r#""amount":{"total":1},"#]
    {
        let twice = plaintext().to_string().replacen('{', &format!("{{{field}"), 1);
        let error = open_plaintext(twice).unwrap_err();
        assert!(is_malformed(&error), "{field}: {error:?}");
    }
    let twice = plaintext().to_string().replace(r#""total":100"#, r#""total":100,"total":1"#);
    assert!(is_malformed(&open_plaintext(twice).unwrap_err()));
    // Of what is not known here the last is kept, and the text is whole.
    let twice = plaintext().to_string().replacen('{', r#"{"x":1,"x":2,"#, 1);
    let notification = open_plaintext(&twice).unwrap();
    assert_eq!(notification.plaintext, twice);
    let Resource::Transaction(transaction) = notification.resource else { panic!() };
    assert_eq!(transaction.other["x"], 2);
}
