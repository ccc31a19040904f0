//! Callbacks that the server kept, explained while it serves and after.

use payonce_simulator::{Delivery, Mischief, Tampering};
use serde_json::Value;

use crate::server::{Said, Server, payonce, run};
use crate::shop::Shop;
use crate::wire::Wire;

fn explain(shop: &Shop, arguments: &[&str]) -> Said {
    run(payonce(shop.folder()).arg("explain").args(arguments))
}

#[track_caller]
fn found(shop: &Shop, arguments: &[&str]) -> (Option<i32>, Value) {
    let said = explain(shop, &[arguments, &["--json"]].concat());
    (said.code, serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err)))
}

/// Sends the first notification's callback to its server, once; the status of the answer.
async fn send(shop: &Shop, server: &Server, mischief: Option<Mischief>) -> u16 {
    let delivery = Delivery { mischief, ..Delivery::genuine(0, 0) };
    let callback = shop.signer().callback(&delivery, 1);
    let mut wire = Wire::connect(server.addr()).await;
    wire.send_head(&shop.notify_path(), &callback, "").await;
    wire.send(callback.body()).await;
    wire.status().await
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_callbacks() {
    let shop = Shop::open(1, 7).await;
    let server = Server::start(&shop);
    for tampering in [Tampering::UnknownSerial, Tampering::SignatureProbe, Tampering::BodyByte] {
        assert_eq!(send(&shop, &server, Some(Mischief::Tampered(tampering))).await, 401);
    }
    server.terminate();
    assert!(server.wait().success());
    for (arguments, code, cause) in [
        (&["--rejected", "1"][..], 15, "serial_altered"),
        (&["--rejected", "2"], 13, "signature_probe"),
        (&["--rejected", "3"], 16, "none_found"),
        (&["--last-rejected"], 16, "none_found"),
    ] {
        let (status, report) = found(&shop, arguments);
        assert_eq!(
            (status, &report["causes"][0]["cause"]),
            (Some(code), &Value::from(cause)),
            "{arguments:?}"
        );
        assert_eq!(report["merchant"], shop.merchant.mchid());
        assert_eq!(report["steps"][2]["outcome"], "ok", "the time at which it came is known");
    }
    let said = explain(&shop, &["--rejected", "4"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    insta::assert_snapshot!(said.err, @"payonce: the table rejected has no row 4; old ones go (retention.rejected_rows_max, callback_days)");
    let said = explain(&shop, &["--last-unopened"]);
    insta::assert_snapshot!(said.err, @"payonce: there is none: the table unopened is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_did_not_open() {
    let shop = Shop::open(1, 8).await;
    let key = shop.folder().join("apiv3.key");
    let good = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "0".repeat(32)).unwrap();
    let server = Server::start(&shop);
    assert_eq!(send(&shop, &server, None).await, 500);
    // It is stored before it is answered, and read while the server is at work.
    for arguments in [["--unopened", "1"].as_slice(), &["--last-unopened"]] {
        let (status, report) = found(&shop, arguments);
        assert_eq!((status, &report["causes"][0]["cause"]), (Some(19), &Value::from("wrong_apiv3_key")));
    }
    // With the key mended it would be taken.
    std::fs::write(&key, good).unwrap();
    let (status, report) = found(&shop, &["--last-unopened"]);
    assert_eq!(
        (status, &report["notification"]["event_type"]),
        (Some(0), &Value::from("TRANSACTION.SUCCESS"))
    );
    assert!(server.is_alive());
}
