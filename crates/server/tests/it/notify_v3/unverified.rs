//! 401: what is not proven to be WeChat's. Nothing of it takes effect, all of it is kept with its verdict.

use payonce_simulator::Platform;
use wechatpay::{UnixSeconds, headers};

use crate::{
    letter::Letter,
    stage::{MCHID, NOW, Stage, payment, platform},
};

/// Each header, and one byte more than it may have.
const HEADERS: [(&str, usize); 5] = [
    (headers::TIMESTAMP, 19),
    (headers::NONCE, 129),
    (headers::SIGNATURE, 1537),
    (headers::SERIAL, 129),
    (headers::SIGNATURE_TYPE, 65),
];

/// Sends what must be refused and holds verdict and effects against what is expected.
async fn assert_all_refused(stage: Stage, cases: Vec<(&str, Letter, &str)>) {
    for (verdict, letter, why) in &cases {
        stage.ask(letter).await.assert_refused(401, why);
        let line = format!("payonce_callbacks_refused_total{{verdict=\"{verdict}\"}}");
        assert!(stage.metric(&line).await.is_some(), "{verdict} is not counted");
    }
    let struck = stage.struck().await;
    let counts = struck.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts, counts.unopened), (0, 0, 0, 0));
    let kept = struck.kept_verdicts().await;
    assert_eq!(kept, cases.iter().map(|(verdict, ..)| *verdict).collect::<Vec<_>>());
}

/// A header is absent, doubled or has other bytes; elsewhere verification was *skipped* when a header was null.
#[tokio::test]
async fn headers_absent_doubled_empty_oversized_or_not_ascii() {
    let stage = Stage::set().await;
    let genuine = stage.callback(payment(1));
    let mut cases = Vec::new();
    for (name, oversized) in HEADERS {
        let mut not_ascii = genuine.header(name).to_vec();
        not_ascii[0] = 0xE9;
        if name != headers::SIGNATURE_TYPE {
            cases.push(("headers", genuine.clone().without(name), "is missing"));
        }
        cases.push(("headers", genuine.clone().twice(name), "more than once"));
        cases.push(("headers", genuine.clone().with(name, ""), "is empty"));
        cases.push(("headers", genuine.clone().with(name, vec![b'1'; oversized]), "bytes; at most"));
        cases.push(("headers", genuine.clone().with(name, not_ascii), "not visible ASCII"));
    }
    // Elsewhere an unreadable timestamp was parsed as 0.
    for timestamp in ["17724141O7", "-1772414107", "+1772414107", "1772414107.0", "0x69A4E45B"] {
        let letter = genuine.clone().with(headers::TIMESTAMP, timestamp);
        cases.push(("headers", letter, "not a number of Unix seconds"));
    }
    assert_eq!(cases.len(), 4 + 4 * 5 + 5);
    assert_all_refused(stage, cases).await;
}

/// The body was changed on the way: JSON written anew, a newline dropped or added, the charset converted.
#[tokio::test]
async fn a_body_that_was_changed_on_its_way() {
    let stage = Stage::set().await;
    let genuine = stage.callback(payment(1));
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let not_utf8: Vec<u8> = text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect();
    let changed = [
        serde_json::to_string(&value).unwrap().into_bytes(),
        serde_json::to_string_pretty(&value).unwrap().into_bytes(),
        format!("{text}\n").into_bytes(),
        text.replace("支付成功", "\\u652f\\u4ed8\\u6210\\u529f").into_bytes(),
        not_utf8,
        Vec::new(),
    ];
    let case = |body: Vec<u8>| {
        assert_ne!(body, genuine.body);
        ("signature_mismatch", genuine.clone().with_body(body), "was the body changed on its way?")
    };
    let cases = changed.into_iter().map(case).collect();
    assert_all_refused(stage, cases).await;
}

#[tokio::test]
async fn a_signature_that_is_wrong_or_no_base64() {
    let stage = Stage::set().await;
    let genuine = stage.callback(payment(1));
    let signature = String::from_utf8(genuine.header(headers::SIGNATURE).to_vec()).unwrap();
    let forger = Platform::generate().unwrap();
    let body = genuine.body.clone().into();
    let forged = Letter::callback(MCHID, &forger.sign(body, NOW, "0123456789abcdef".to_owned()))
        .with(headers::SERIAL, platform().serial());
    let of_another = stage.callback(payment(2)).header(headers::SIGNATURE).to_vec();
    let with = |signature: &[u8]| genuine.clone().with(headers::SIGNATURE, signature);
    let not_base64 = "the signature is not base64";
    let mismatch = "the signature does not fit";
    let cases = vec![
        ("malformed_signature", with(signature.trim_end_matches('=').as_bytes()), not_base64),
        ("malformed_signature", with(format!("{signature}=").as_bytes()), not_base64),
        ("malformed_signature", with(b"!!!!"), not_base64),
        ("malformed_signature", with(signature.replace('+', "-").replace('/', "_").as_bytes()), not_base64),
        ("signature_mismatch", with(b"AAAA"), mismatch),
        ("signature_mismatch", with(&of_another), mismatch),
        ("signature_mismatch", forged, mismatch),
        ("signature_mismatch", genuine.clone().with(headers::NONCE, "fedcba9876543210"), mismatch),
        ("signature_mismatch", genuine.clone().with(headers::TIMESTAMP, (NOW.0 + 1).to_string()), mismatch),
    ];
    assert_all_refused(stage, cases).await;
}

/// The window of five minutes is checked by almost nobody on callbacks.
#[tokio::test]
async fn a_timestamp_300_seconds_off_on_either_side() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1));
    for seconds in [300, -300, 86_400] {
        stage.clock_seconds(UnixSeconds(NOW.0 + seconds));
        stage.ask(&letter).await.assert_refused(401, "does this machine's clock run right?");
    }
    let struck = stage.struck().await;
    assert_eq!(struck.counts().await.payments, 0);
    assert_eq!(struck.kept_verdicts().await, ["stale_timestamp"; 3]);
}

/// A merchant on certificates suddenly receives `PUB_KEY_ID_…`, and back; elsewhere it was parsed as hex.
#[tokio::test]
async fn a_serial_that_nobody_knows() {
    let stage = Stage::set().await;
    let genuine = stage.callback(payment(1));
    let id = platform().serial();
    let case = |serial: &str| {
        (
            "unknown_serial",
            genuine.clone().with(headers::SERIAL, serial),
            "no valid platform key has the serial",
        )
    };
    let cases = vec![
        case("PUB_KEY_ID_0100000000000000000000000000000000"),
        case("5157F09EFDC096DE15EBE81A47057A7232F1B8E1"),
        case(&id.to_lowercase()),
        case(&id["PUB_KEY_ID_".len()..]),
    ];
    assert_all_refused(stage, cases).await;
}

/// SIGNTEST probes crashed base64 decoders elsewhere. They are refused, and counted apart from forgeries and from keys
/// that are new, since a probe may name any serial.
#[tokio::test]
async fn trap_signtest_probe_is_counted_as_one_whatever_serial_it_names() {
    let stage = Stage::set().await;
    let genuine = stage.callback(payment(1));
    let case = |signature: &str| {
        let letter = genuine.clone().with(headers::SIGNATURE, signature);
        ("signature_probe", letter, "WeChat Pay's signature probe")
    };
    let mut cases =
        vec![case("WECHATPAY/SIGNTEST/"), case("WECHATPAY/SIGNTEST/AAAA"), case("WECHATPAY/SIGNTEST/%")];
    for serial in
        ["PUB_KEY_ID_0100000000000000000000000000000000", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"]
    {
        let (verdict, letter, why) = case("WECHATPAY/SIGNTEST/AAAA");
        cases.push((verdict, letter.with(headers::SERIAL, serial), why));
    }
    for (_, letter, why) in &cases {
        stage.ask(letter).await.assert_refused(401, why);
    }
    let counted = async |verdict: &str| {
        stage.metric(&format!("payonce_callbacks_refused_total{{verdict=\"{verdict}\"}}")).await
    };
    assert_eq!(counted("signature_probe").await.as_deref(), Some("5"));
    assert_eq!([counted("signature_mismatch").await, counted("unknown_serial").await], [None, None]);
    let stage = Stage::set().await;
    assert_all_refused(stage, cases).await;
}
