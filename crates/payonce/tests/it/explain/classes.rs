//! Each class with its exit status, and each form in which a callback may be saved.

use std::fs::File;

use super::{Desk, MCHID, Request, merchant};
use crate::server::{payonce, run};

#[test]
fn table_of_exit_statuses() {
    let desk = Desk::new();
    let good = Request::genuine;
    let signature = good().value("Wechatpay-Signature").to_owned();
    let probe = format!("WECHATPAY/SIGNTEST/{}", &signature[19..]);
    let other_path = Request { path: "/notify/v3/1900000002".to_owned(), ..good() };
    let nobodys_path = Request { path: "/notify/v3/42".to_owned(), ..good() };
    let no_payment = good().body(|body| body.replacen("TRANSACTION", "TRANSACTIOM", 1));
    for (what, request, arguments, code, found) in [
        ("good", good(), &[][..], 0, "accepted"),
        ("in time", good(), &["--at", "1750000299"], 0, "accepted"),
        ("header gone", good().without("Wechatpay-Nonce"), &[], 10, "malformed header_missing"),
        ("old", good(), &["--at", "2025-06-15T23:11:40+08:00"], 11, "stale signed_long_ago"),
        ("old by now", good(), &["--now"], 11, "stale signed_long_ago"),
        ("ahead", good(), &["--at", "1749999700"], 11, "stale signed_in_the_future"),
        (
            "unknown serial",
            good().with("Wechatpay-Serial", "0A0B").body(|_| "{}".to_owned()),
            &[],
            12,
            "unknown_serial grey_certificate",
        ),
        ("probe", good().with("Wechatpay-Signature", &probe), &[], 13, "probe signature_probe"),
        (
            "SM",
            good().with("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3").body(|_| "{}".to_owned()),
            &[],
            14,
            "unsupported sm_suite",
        ),
        (
            "newline",
            good().without("Content-Length").body(|body| format!("{body}\n")),
            &[],
            15,
            "changed newline_added",
        ),
        ("forged", no_payment, &[], 16, "unverified none_found"),
        ("cut", good().body(|body| body[..500].to_owned()), &[], 16, "unverified body_truncated"),
        ("other merchant", other_path, &[], 17, "wrong_merchant wrong_merchant"),
        ("no merchant", nobodys_path, &[], 17, "wrong_merchant unknown_merchant"),
        ("named", good(), &["--merchant", "1900000002"], 17, "wrong_merchant wrong_merchant"),
    ] {
        let (status, said) = desk.found(request.raw(), arguments);
        assert_eq!((status, said.as_str()), (Some(code), found), "{what}");
    }
}

#[test]
fn statuses_that_depend_on_the_configuration() {
    let desk = Desk::new();
    let good = Request::genuine();
    let public_key = |name: &str| {
        format!("public_key_id = \"{}\"\npublic_key_file = \"{name}\"", good.value("Wechatpay-Serial"))
    };
    desk.configure(&merchant(MCHID, "other.key", &public_key("pub_key.pem")));
    assert_eq!(desk.found(good.raw(), &[]), (Some(19), "does_not_open wrong_apiv3_key".to_owned()));

    let own = super::vectors("keys")["merchant"]["public_pem"].as_str().unwrap().to_owned();
    desk.file("own.pem", own);
    desk.configure(&merchant(MCHID, "apiv3.key", &public_key("own.pem")));
    assert_eq!(desk.found(good.raw(), &[]), (Some(16), "unverified none_found".to_owned()));

    let certificates: serde_json::Value =
        serde_json::from_str(include_str!("../../../../wechatpay/tests/vectors/certificates.json")).unwrap();
    desk.file("own.pem", certificates["merchant"]["certificate_pem"].as_str().unwrap());
    desk.configure(&merchant(MCHID, "apiv3.key", "certificate_file = \"own.pem\""));
    let found = "wrong_platform_key merchant_key_as_platform_key";
    assert_eq!(desk.found(good.raw(), &[]), (Some(18), found.to_owned()));

    let notice = "<xml><return_code>SUCCESS</return_code><sign>0</sign></xml>";
    assert_eq!(desk.found(notice, &[]), (Some(21), "apiv2 apiv2_key_missing".to_owned()));
    let failure = "<xml><return_code>FAIL</return_code></xml>";
    desk.configure(&merchant(MCHID, "apiv3.key", "certificate_file = \"certificate.pem\"").replace(
        "[[merchants.platform_keys]]",
        "apiv2_key_file = \"apiv2.key\"\n[[merchants.platform_keys]]",
    ));
    assert_eq!(desk.found(notice, &[]), (Some(10), "malformed sign_malformed".to_owned()));
    assert_eq!(desk.found(failure, &[]), (Some(20), "unreadable not_a_notification".to_owned()));
}

#[test]
fn every_form_in_which_it_may_be_saved() {
    let desk = Desk::new();
    let good = Request::genuine();
    let raw = good.raw();
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    let lf = format!("{}\n\n{body}", head.replace("\r\n", "\n"));
    let size = format!("{:x}", body.len());
    let in_chunks = good
        .clone()
        .without("Content-Length")
        .with("Transfer-Encoding", "chunked")
        .body(|body| format!("{size};x\r\n{body}\r\n0\r\n\r\n"));
    let without_request_line = raw.split_once("\r\n").unwrap().1.to_owned();
    for (what, saved) in [
        ("as sent", raw.clone()),
        ("heads end in LF", lf),
        ("an editor's newline behind the body", format!("{raw}\n")),
        ("an editor's byte order mark", format!("\u{feff}{raw}")),
        ("in chunks", in_chunks.raw()),
        ("without request line", without_request_line),
        ("JSON", good.json().to_string()),
        ("JSON, pretty", format!("{:#}\n", good.json())),
    ] {
        assert_eq!(desk.found(saved, &[]), (Some(0), "accepted".to_owned()), "{what}");
    }
    // What was added is in the body as far as its length says.
    let crlf = good.body(|body| body.replace(",", ",\r\n")).raw();
    assert_eq!(desk.found(&crlf, &[]).0, Some(15), "CR LF made it longer than announced");
}

#[test]
fn standard_input() {
    let desk = Desk::new();
    desk.file("callback", Request::genuine().raw());
    let input = File::open(desk.folder().join("callback")).unwrap();
    let said = run(payonce(desk.folder()).args(["explain", "-"]).stdin(input));
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.starts_with("standard input: a callback with 919 bytes of body\n"), "{}", said.out);
}

#[test]
fn what_json_says_beside_headers_and_body() {
    let desk = Desk::new();
    let mut json = Request::genuine().json();
    json["received_at"] = 1_750_000_301.into();
    assert_eq!(desk.found(json.to_string(), &[]).1, "stale signed_long_ago");
    assert_eq!(desk.found(json.to_string(), &["--at", "1750000001"]).1, "accepted");
    json["received_at"] = "2025-06-15T15:06:41Z".into();
    json["merchant"] = "1900000002".into();
    assert_eq!(desk.found(json.to_string(), &[]).1, "wrong_merchant wrong_merchant");
    assert_eq!(desk.found(json.to_string(), &["--merchant", MCHID]).1, "accepted");
}
