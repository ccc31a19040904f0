//! Genuine copies are what WeChat would send.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use payonce_simulator::{Delivery, Merchant};
use rand::{SeedableRng as _, rngs::StdRng};
use wechatpay::{OpenError, Resource, Transaction, UnixSeconds};

use crate::fixture::{AMOUNT_FEN, NOW, Refusal, copy, receive, signer};

pub(crate) fn transaction(notification: &wechatpay::Notification) -> &Transaction {
    match &notification.resource {
        Resource::Transaction(transaction) => transaction,
        other => panic!("an ordinary payment was opened as {other:?}"),
    }
}

#[test]
fn a_genuine_copy_opens_to_its_payment() {
    let signer = signer(1);
    let sent = &signer.notifications[0];
    let opened = receive(&signer, &copy(&signer, 0, None)).unwrap();

    assert_eq!(opened.id, sent.id());
    assert_eq!(opened.id.len(), 36);
    assert_eq!(opened.create_time, "2025-06-15T23:06:40+08:00");
    assert_eq!(opened.event_type, "TRANSACTION.SUCCESS");
    assert_eq!(opened.plaintext, sent.plaintext());
    let transaction = transaction(&opened);
    let payment = sent.payment();
    assert_eq!(transaction.mchid, signer.merchant.mchid());
    assert_eq!(transaction.appid, signer.merchant.appid());
    assert_eq!(transaction.out_trade_no, payment.out_trade_no);
    let seen = transaction.payment().unwrap();
    assert_eq!(seen.transaction_id, payment.transaction_id);
    assert_eq!((seen.total.get(), seen.currency), (AMOUNT_FEN, "CNY"));
    assert_eq!(transaction.trade_state, "SUCCESS");
    assert_eq!(transaction.attach.as_deref(), Some("桌 7"));
    assert_eq!(transaction.success_time.as_deref(), Some("2025-06-15T23:06:40+08:00"));
}

#[test]
fn resends_keep_the_notice_and_are_signed_anew() {
    let mut signer = signer(1);
    let seconds = AtomicI64::new(NOW.0);
    signer.clock = Arc::new(move || UnixSeconds(seconds.fetch_add(1, Ordering::Relaxed)));
    let delivery = Delivery::genuine(0, 0);
    let first = signer.callback(&delivery, 1);
    let resent = signer.callback(&delivery, 2);
    let another_copy = signer.callback(&Delivery::genuine(1, 0), 1);

    for later in [&resent, &another_copy] {
        assert_eq!(first.body(), later.body());
        receive(&signer, later).unwrap();
        for name in ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature"] {
            assert_ne!(header(&first, name), header(later, name), "{name}");
        }
    }
}

#[test]
fn nonces_depend_on_seed_delivery_and_attempt_alone() {
    let delivery = Delivery::genuine(3, 0);
    let nonce = |seed, attempt| {
        let mut signer = signer(1);
        signer.seed = seed;
        header(&signer.callback(&delivery, attempt), "wechatpay-nonce")
    };
    assert_eq!(nonce(1, 1), nonce(1, 1));
    assert_ne!(nonce(1, 1), nonce(2, 1));
    assert_ne!(nonce(1, 1), nonce(1, 2));
}

#[test]
fn many_threads_may_sign() {
    let signer = signer(8);
    let copies = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let signer = &signer;
                scope.spawn(move || {
                    [2 * thread, 2 * thread + 1].map(|n| signer.callback(&Delivery::genuine(n, n), 1))
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (copy, notification) in copies.iter().zip(signer.notifications.iter()) {
        assert_eq!(receive(&signer, copy).unwrap().id, notification.id());
    }
}

#[test]
fn a_notice_sealed_under_another_key_does_not_open() {
    let mut signer = signer(1);
    let copy = copy(&signer, 0, None);
    signer.merchant = Merchant::generate(&mut StdRng::seed_from_u64(99)).into();
    assert!(matches!(receive(&signer, &copy), Err(Refusal::Open(OpenError::WrongKey))));
}

#[test]
fn the_envelope_has_the_fields_of_wechats() {
    let signer = signer(1);
    let body: serde_json::Value = serde_json::from_slice(signer.notifications[0].body()).unwrap();
    for (field, value) in [
        ("/resource_type", "encrypt-resource"),
        ("/summary", "支付成功"),
        ("/resource/original_type", "transaction"),
        ("/resource/algorithm", "AEAD_AES_256_GCM"),
        ("/resource/associated_data", "transaction"),
    ] {
        assert_eq!(body.pointer(field).and_then(|value| value.as_str()), Some(value), "{field}");
    }
    assert_eq!(body["resource"]["nonce"].as_str().map(str::len), Some(12));
    assert_eq!(signer.notifications[0].create_time(), NOW);
}

fn header(copy: &payonce_simulator::SignedCallback, name: &str) -> String {
    let found = copy.headers().into_iter().find(|(header, _)| *header == name);
    found.unwrap_or_else(|| panic!("no header {name}")).1.to_owned()
}
