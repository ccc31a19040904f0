//! What is no callback, no configuration or no such row: one line that says what to do, and exit status 1 (or 2).

use super::{Desk, Request};
use crate::server::{payonce, run};

#[track_caller]
fn refusal(desk: &Desk, callback: impl AsRef<[u8]>, arguments: &[&str]) -> String {
    let said = desk.explain(callback, arguments);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    said.err
}

#[test]
fn files_that_are_no_callback() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "", &[]), @"payonce: callback: it is empty: save the request with its headers and its body");
    insta::assert_snapshot!(refusal(&desk, b"\x7fELF\x02\x01\x01\0\n\xff\xfe", &[]), @r#"payonce: callback: it is neither an HTTP request nor JSON: save the request line, the headers, an empty line and the body, or {"headers": {…}, "body": "…"}"#);
    insta::assert_snapshot!(refusal(&desk, "dear payonce,\nit fails\n", &[]), @r#"payonce: callback: it is neither an HTTP request nor JSON: save the request line, the headers, an empty line and the body, or {"headers": {…}, "body": "…"}"#);
    insta::assert_snapshot!(refusal(&desk, "HTTP/1.1 401 Unauthorized\r\n\r\n", &[]), @"payonce: callback: it is an answer, not a request: save what WeChat Pay sent");
    insta::assert_snapshot!(refusal(&desk, "POST /notify/v3/1 HTTP/1.1\r\nHost: x\r\n", &[]), @"payonce: callback: there is no empty line behind the headers: save the body as well");
    insta::assert_snapshot!(refusal(&desk, Request::genuine().body, &[]), @"payonce: callback: it is the body alone: the signature is in the headers, save them as well");
    let large = Request::genuine().body(|_| "x".repeat(1024 * 1024 + 1)).with("Content-Length", "1048577");
    insta::assert_snapshot!(refusal(&desk, large.raw(), &[]), @"payonce: its body has 1048577 bytes, and a callback at most 1048576: payonce answers 413");
    let said = desk.run(&["nothing-here"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    insta::assert_snapshot!(said.err, @"payonce: cannot read nothing-here: No such file or directory (os error 2)");
    let said = desk.run(&["."]);
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.err, @"payonce: cannot read .: Is a directory (os error 21)");
}

#[test]
fn configurations_that_do_not_do() {
    let desk = Desk::new();
    let good = Request::genuine().raw();
    insta::assert_snapshot!(refusal(&desk, &good, &["--config", "nope.toml"]), @"payonce: command line: there is no file nope.toml; `payonce init` writes a starter");
    desk.configure("");
    insta::assert_snapshot!(refusal(&desk, &good, &[]), @"payonce: no merchant is configured, so there are no keys to check it with: name the configuration by --config FILE");
}

#[test]
fn times_that_are_none() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, Request::genuine().raw(), &["--at", "noon"]), @r#"payonce: --at: "noon" is no time: write Unix seconds, or like 2025-06-15T23:06:40+08:00"#);
}

#[test]
fn a_database_that_is_not_there() {
    let desk = Desk::new();
    let said = desk.run(&["--last-rejected"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    insta::assert_snapshot!(said.err, @"payonce: store.url: there is no file payonce.db: mend its name");
}

#[test]
fn usage() {
    let desk = Desk::new();
    for (arguments, words) in [
        (&[][..], "<CALLBACK|--rejected <ID>|--last-rejected|--unopened <ID>|--last-unopened>"),
        (&["callback", "--last-rejected"], "cannot be used with"),
        (&["--rejected", "x"], "invalid value 'x'"),
        (&["callback", "--at", "1", "--now"], "cannot be used with"),
    ] {
        let said = run(payonce(desk.folder()).arg("explain").args(arguments));
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
}
