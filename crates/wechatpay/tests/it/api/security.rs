//! Certificates, the echo, and any other call.

use serde_json::json;
use wechatpay::Serial;
use wechatpay::answer::AnswerError;
use wechatpay::api::{AnyCall, Call, CertificateAlgorithm, Echo, ListCertificates, Operation, Rule};

use super::*;

#[test]
fn certificates_are_listed() {
    assert_sent(&ListCertificates::new(), "GET /v3/certificates", "");
    for (algorithm, query) in [
        (CertificateAlgorithm::Rsa, "RSA"),
        (CertificateAlgorithm::Sm2, "SM2"),
        (CertificateAlgorithm::All, "ALL"),
    ] {
        let call = ListCertificates::new().algorithm(algorithm);
        assert_sent(&call, &format!("GET /v3/certificates?algorithm_type={query}"), "");
    }
    // As the documentation prints it: a key with a blank at its end.
    let answer = json!({"data": [{
        "serial_no": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        "effective_time ": "2018-06-08T10:34:56+08:00", "expire_time": "2018-12-08T10:34:56+08:00",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM", "nonce": "61f9c719728a", "associated_data": "certificate",
            "ciphertext": "sRvt",
        },
    }]});
    let certificates = ListCertificates::new().read(answer.to_string().as_bytes()).unwrap();
    let sealed = &certificates.data[0];
    assert_eq!(sealed.serial_no.as_deref(), Some("5157F09EFDC096DE15EBE81A47057A7232F1B8E1"));
    assert_eq!((&sealed.effective_time, sealed.expire_time.is_some()), (&None, true));
    assert_eq!(sealed.encrypt_certificate.associated_data.as_deref(), Some("certificate"));
}

#[test]
fn an_echo_comes_back() {
    let line = "POST /v3/security/echo";
    assert_sent(&Echo::new("hello"), line, r#"{"echo_message":"hello"}"#);
    let serial = Serial::parse("PUB_KEY_ID_1").unwrap();
    let full = Echo::new("hello").encrypted("cipher", serial.clone()).notify_url(NOTIFY_URL).unwrap();
    let body = format!(
        r#"{{"echo_message":"hello","encrypted_echo_message":"cipher","notify_url":"{NOTIFY_URL}"}}"#
    );
    assert_sent(&full, line, &body);
    assert_eq!((full.encrypted_for(), full.operation()), (Some(&serial), Operation::Other));
    assert_invalid(Echo::new("a").notify_url("https://a/?b"), "notify_url", &Rule::UrlQuery);

    let echoed = full.read(br#"{"echo_message":"hello","encrypted_echo_message":"back"}"#).unwrap();
    assert_eq!(echoed.encrypted_echo_message.as_deref(), Some("back"));
    let other = full.read(br#"{"echo_message":"bye"}"#).unwrap_err();
    assert!(matches!(other, AnswerError::AboutAnother { field: "echo_message" }), "{other}");
}

#[test]
fn any_other_endpoint_can_be_called() {
    let path = "/v3/profitsharing/orders/a%7Cb?transaction_id=4200000000202506150000000001";
    let get = AnyCall::new("GET", path).unwrap();
    assert_eq!(sent(&get), (format!("GET {path}"), String::new()));
    assert_eq!(get.read(b"{\"state\":\"FINISHED\"}").unwrap(), b"{\"state\":\"FINISHED\"}");

    let serial = Serial::parse("01").unwrap();
    let body = json!({"name": "SECRET"});
    let post = AnyCall::new("POST", "/v3/profitsharing/receivers/add").unwrap().json(&body).unwrap();
    assert_eq!(post.operation(), Operation::Other);
    let post = post.as_operation(Operation::Query).with_encrypted_for(serial.clone());
    assert_eq!((post.operation(), post.encrypted_for()), (Operation::Query, Some(&serial)));
    let line = "POST /v3/profitsharing/receivers/add";
    assert_eq!(sent(&post), (line.to_owned(), body.to_string()));
    assert!(!format!("{post:?}").contains("SECRET"));

    for method in ["get", "HEAD", "", "GET /"] {
        assert_invalid(AnyCall::new(method, "/v3/a"), "method", &Rule::Method);
    }
    for path in
        ["v3/a", "/v3/a b", "/v3/../a", "https://api.mch.weixin.qq.com/v3/a", "/v3/店", "/v3/a\r\nX: 1"]
    {
        assert_invalid(AnyCall::new("GET", path), "path and query", &Rule::Target);
    }
}
