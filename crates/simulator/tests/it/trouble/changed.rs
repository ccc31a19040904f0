//! What is changed on the way is refused, each for its own reason; a resend comes as it should be.

use wechatpay::{HeaderError, VerifyError};

use super::{received, troubled};
use crate::fixture::Refusal;
use crate::receiver::{Came, Receiver};
use crate::shop::Shop;

/// What came at the first attempt, refused, and at the second, genuine.
async fn attempts(trouble: &str) -> (Shop, Vec<Came>) {
    let shop = troubled(&format!("[[notices]]\ndo = {trouble}")).await;
    let receiver = Receiver::answering(401).await;
    shop.paid("ORDER1", &receiver.url()).await;
    shop.later(15).await;
    (shop, receiver.came())
}

#[tokio::test]
async fn a_changed_body_or_signature_does_not_verify() {
    for trouble in [
        "body_bit",
        "body_reserialised",
        "body_keys_sorted",
        "body_newline_dropped",
        "body_charset",
        "body_truncated",
        "signature_changed",
        "nonce_changed",
    ] {
        let (shop, came) = attempts(&format!("\"{trouble}\"")).await;
        let refused = received(&shop.ring, &came[0]).unwrap_err();
        assert!(matches!(refused, Refusal::Verify(VerifyError::SignatureMismatch)), "{trouble}: {refused:?}");
        received(&shop.ring, &came[1]).unwrap();
    }
}

/// Three of the ways leave what is said as it is: only the bytes differ, as with frameworks that parse first.
#[tokio::test]
async fn a_body_that_was_written_anew_says_the_same() {
    for trouble in ["body_reserialised", "body_keys_sorted", "body_newline_dropped"] {
        let (_, came) = attempts(&format!("\"{trouble}\"")).await;
        let said = [0, 1].map(|n: usize| serde_json::from_slice::<serde_json::Value>(&came[n].body).unwrap());
        assert_eq!(said[0], said[1], "{trouble}");
        let is_as_signed = came[0].body == came[1].body;
        assert_eq!(is_as_signed, trouble == "body_newline_dropped", "{trouble}");
    }
}

#[tokio::test]
async fn a_changed_header_is_refused_for_what_it_is() {
    type Expected = fn(&Refusal) -> bool;
    let cases: [(&str, Expected); 6] = [
        ("\"serial_unknown\"", |why| matches!(why, Refusal::Verify(VerifyError::UnknownSerial { .. }))),
        ("\"signature_probe\"", |why| matches!(why, Refusal::Verify(VerifyError::SignatureProbe))),
        ("\"replayed\"", |why| matches!(why, Refusal::Verify(VerifyError::StaleTimestamp { .. }))),
        ("\"timestamp_changed\"", |why| {
            matches!(
                why,
                Refusal::Verify(VerifyError::SignatureMismatch | VerifyError::StaleTimestamp { .. })
            )
        }),
        ("{ header_missing = { header = \"Wechatpay-Signature\" } }", |why| {
            matches!(why, Refusal::Header(HeaderError::Missing { .. }))
        }),
        ("{ header_doubled = { header = \"Wechatpay-Nonce\" } }", |why| {
            matches!(why, Refusal::Header(HeaderError::Repeated { .. }))
        }),
    ];
    for (trouble, expected) in cases {
        let (shop, came) = attempts(trouble).await;
        let refused = received(&shop.ring, &came[0]).unwrap_err();
        assert!(expected(&refused), "{trouble}: {refused:?}");
        received(&shop.ring, &came[1]).unwrap();
    }
}

/// HTTP takes blanks around a value away: nobody should notice.
#[tokio::test]
async fn blanks_around_a_header_change_nothing() {
    let (shop, came) = attempts("{ header_spaced = { header = \"Wechatpay-Serial\" } }").await;
    received(&shop.ring, &came[0]).unwrap();
}
