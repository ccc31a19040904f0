//! The words, whole.

use super::{Desk, Request, vectors};

#[test]
fn a_genuine_callback() {
    let said = Desk::new().explain(Request::genuine().raw(), &["--at", "1750000003"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(said.out, @r#"
    callback: a callback with 919 bytes of body
    received at 2025-06-15T15:06:43Z

    1 merchant        ok           merchant 1900000001 is configured
    2 headers         ok           each is there once and well-formed
    3 timestamp       ok           signed 3 s before it was received
    4 signature_type  ok           a known algorithm
    5 serial          ok           a valid key goes by "PUB_KEY_ID_0119000000012025060100000000000001"
    6 signature       ok           that key signed the timestamp, the nonce and these 919 bytes of body
    7 envelope        ok           notification "00000000-0000-5000-8000-000000000000", "TRANSACTION.SUCCESS"
    8 decryption      ok           the APIv3 key opens it
    9 resource        ok           a resource of type "transaction"

    Result: accepted: it verifies and opens
    "#);
}

#[test]
fn a_body_that_was_written_anew() {
    let python = |body: &str| {
        body.replace("\":", "\": ").replace(",\"", ", \"").replace("支付成功", "\\u652f\\u4ed8\\u6210\\u529f")
    };
    let request = Request::genuine().without("Content-Length").body(python);
    let said = Desk::new().explain(request.raw(), &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(15), ""));
    insta::assert_snapshot!(said.out, @r#"
    callback: a callback with 951 bytes of body
    when it was received is not known (--at TIME says it)

    1 merchant        ok           merchant 1900000001 is configured
    2 headers         ok           each is there once and well-formed
    3 timestamp       not checked  signed at 1750000000; when it was received is not known
    4 signature_type  ok           a known algorithm
    5 serial          ok           a valid key goes by "PUB_KEY_ID_0119000000012025060100000000000001"
    6 signature       FAILED       the signature does not fit; was the body changed on its way?
    7 envelope        not reached
    8 decryption      not reached
    9 resource        not reached

    Result: changed: WeChat Pay signed it, and it was changed on its way

    Cause: the body was parsed and written anew as JSON: its blanks and newlines differ
    What to do: verify over the bytes as they came, before anything parses them; look for a framework, gateway or WAF that reads JSON and writes it anew

    Cause: the body was parsed and written anew as JSON: its escapes of characters beyond ASCII differ

    Undoing that, it verifies and opens: notification "00000000-0000-5000-8000-000000000000", "TRANSACTION.SUCCESS"
    "#);
}

#[test]
fn a_forgery() {
    let request = Request::genuine().body(|body| body.replacen("TRANSACTION", "TRANSACTIOM", 1));
    let said = Desk::new().explain(request.raw(), &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(16), ""));
    insta::assert_snapshot!(said.out, @r#"
    callback: a callback with 919 bytes of body
    when it was received is not known (--at TIME says it)

    1 merchant        ok           merchant 1900000001 is configured
    2 headers         ok           each is there once and well-formed
    3 timestamp       not checked  signed at 1750000000; when it was received is not known
    4 signature_type  ok           a known algorithm
    5 serial          ok           a valid key goes by "PUB_KEY_ID_0119000000012025060100000000000001"
    6 signature       FAILED       the signature does not fit; was the body changed on its way?
    7 envelope        not reached
    8 decryption      not reached
    9 resource        not reached

    Result: unverified: its signature does not fit: changed on its way, or forged

    Cause: none of the known changes makes the signature fit: the body or a header was changed otherwise, or it is forged
    What to do: capture the request as it leaves the outermost proxy and compare it with this; if it comes from nobody you know, it is forged, and refusing it is right
    "#);
}

#[test]
fn as_json() {
    let request = Request::genuine().without("Content-Length").body(|body| format!("{body}\n"));
    let said = Desk::new().explain(request.raw(), &["--json", "--at", "1750000003"]);
    assert_eq!((said.code, said.err.as_str()), (Some(15), ""));
    assert_eq!(said.out.lines().count(), 1);
    let mut pretty: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let steps = pretty.as_object_mut().unwrap().remove("steps").unwrap();
    let outcomes =
        steps.as_array().unwrap().iter().map(|step| format!("{}: {}\n", step["check"], step["outcome"]));
    insta::assert_snapshot!(outcomes.collect::<String>(), @r#"
    "merchant": "ok"
    "headers": "ok"
    "timestamp": "ok"
    "signature_type": "ok"
    "serial": "ok"
    "signature": "failed"
    "envelope": "not_reached"
    "decryption": "not_reached"
    "resource": "not_reached"
    "#);
    insta::assert_snapshot!(format!("{:#}", steps[5]), @r#"
    {
      "check": "signature",
      "detail": "the signature does not fit; was the body changed on its way?",
      "outcome": "failed"
    }
    "#);
    insta::assert_snapshot!(format!("{pretty:#}"), @r#"
    {
      "body_bytes": 920,
      "causes": [
        {
          "cause": "newline_added",
          "proved": true,
          "remedy": "an editor or a log may have done that to this copy alone; if the server refused it as well, verify over the bytes as they came, before anything reads them as text",
          "text": "a newline was added to the body's end"
        }
      ],
      "class": "changed",
      "exit_status": 15,
      "merchant": "1900000001",
      "notes": [],
      "notification": {
        "create_time": "2025-06-15T23:06:40+08:00",
        "event_type": "TRANSACTION.SUCCESS",
        "id": "00000000-0000-5000-8000-000000000000",
        "original_type": "transaction"
      },
      "path": "/notify/v3/1900000001",
      "received_at": 1750000003,
      "source": "callback",
      "text": "WeChat Pay signed it, and it was changed on its way"
    }
    "#);
}

#[test]
fn the_payer_is_shown_only_if_it_is_asked_for() {
    let desk = Desk::new();
    let plaintext = &vectors("callbacks")["vectors"][0]["expected"]["plaintext"];
    let plaintext = plaintext.as_str().unwrap();
    let openid = serde_json::from_str::<serde_json::Value>(plaintext).unwrap()["payer"]["openid"].clone();
    let openid = openid.as_str().unwrap();
    for arguments in [&[][..], &["--json"]] {
        let said = desk.explain(Request::genuine().raw(), arguments);
        assert!(!said.out.contains(openid) && !said.out.contains("payonce-0001"), "{}", said.out);
        let said = desk.explain(Request::genuine().raw(), &[arguments, &["--show-plaintext"]].concat());
        assert!(said.out.contains(openid), "{}", said.out);
    }
    let said = desk.explain(Request::genuine().raw(), &["--show-plaintext"]);
    assert!(said.out.ends_with(&format!("\n{plaintext}\n")), "{}", said.out);
    let forged = Request::genuine().body(|_| "{}".to_owned());
    let said = desk.explain(forged.raw(), &["--show-plaintext"]);
    assert!(said.out.ends_with("\nNote: nothing was decrypted\n"), "{}", said.out);
}

/// What comes from outside neither adds lines of its own nor commands the terminal.
#[test]
fn control_characters_are_not_passed_on() {
    let request = Request::genuine().with("Wechatpay-Serial", "x").body(|_| "{}".to_owned());
    let path = "/notify/v3/1\u{1b}[31m";
    let said = Desk::new().explain(Request { path: path.to_owned(), ..request }.raw(), &[]);
    assert_eq!(said.code, Some(17), "{}", said.out);
    assert!(said.out.contains("1\\u{1b}[31m") && !said.out.contains('\u{1b}'), "{}", said.out);
}
