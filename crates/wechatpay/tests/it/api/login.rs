//! code2Session: bytes, sessions, errors, and what is kept out of logs.

use wechatpay::answer::Retry;
use wechatpay::api::{Code2Session, LoginError, Rule};

use super::*;

fn call() -> Code2Session {
    Code2Session::new(APPID, "5ecre+/", "0a3b&c").unwrap()
}

#[test]
fn bytes_of_a_login() {
    let path = "/sns/jscode2session?appid=wx0123456789abcdef&secret=5ecre%2B%2F&js_code=0a3b%26c&grant_type=authorization_code";
    assert_eq!((call().method(), call().path_and_query().as_str()), ("GET", path));
    assert_eq!(Code2Session::HOST, "api.weixin.qq.com");
    assert!(readme::is_supported(&format!("GET {path}")));
    assert!(!format!("{:?}", call()).contains("5ecre") && !format!("{:?}", call()).contains("0a3b"));
    let rule = Rule::Length { chars: 0, min: 1, max: 512 };
    assert_invalid(Code2Session::new(APPID, "s", ""), "js_code", &rule);
}

#[test]
fn a_session_is_read() {
    let body = br#"{"openid":"oSECRET","session_key":"kSECRET==","unionid":"","errcode":0,"errmsg":"","expires_in":7200}"#;
    let session = call().read(body).unwrap();
    assert_eq!((session.openid.as_str(), session.session_key.as_str()), ("oSECRET", "kSECRET=="));
    assert_eq!(session.unionid, None);
    assert!(!format!("{session:?}").contains("SECRET"));
}

#[test]
fn table_of_errors() {
    for (errcode, retry, hint) in [
        (-1, Retry::Same, "busy"),
        (40029, Retry::New, "wx.login"),
        (40163, Retry::New, "used before"),
        (45011, Retry::Later, "minute"),
        (40226, Retry::No, "high risk"),
        (40013, Retry::No, "appid"),
        (40125, Retry::No, "secret"),
        (41002, Retry::No, "appid is missing"),
        (41004, Retry::No, "secret is missing"),
        (41008, Retry::No, "js_code is missing"),
        (40066, Retry::No, "lower case"),
        (99999, Retry::No, "list of return codes"),
    ] {
        let body = format!(r#"{{"errcode":{errcode},"errmsg":"text, rid: 65f0-1"}}"#);
        let error = call().read(body.as_bytes()).unwrap_err();
        assert_eq!(error.retry(), retry, "{errcode}");
        let said = error.to_string();
        assert!(
            said.contains(&errcode.to_string()) && said.contains(hint) && said.contains("rid: 65f0-1"),
            "{said}"
        );
    }
}

#[test]
fn what_is_neither_is_refused() {
    assert!(matches!(call().read(b"<html>"), Err(LoginError::Malformed(_))));
    assert!(matches!(call().read(br#"{"openid":1}"#), Err(LoginError::Malformed(_))));
    for body in [&b"{}"[..], br#"{"openid":"o"}"#, br#"{"errcode":0}"#] {
        assert!(matches!(call().read(body), Err(LoginError::Incomplete)));
    }
}
