//! code2Session: another host, unsigned, once, and quiet about its secrets.

use std::sync::Arc;

use wechatpay::api::{Code2Session, LoginError};
use wechatpay_client::{ClientError, Hosts, LoginFailure, Transport, Unknown};

use crate::wechat::{Nobody, Reply, Still, Wechat, cut, patience};

fn call() -> Code2Session {
    Code2Session::new("wx0123456789abcdef", "the-secret", "the-code").expect("a test's own data are good")
}

/// With the login at this server, and the payments nowhere.
fn transport(login: &Wechat, nobody: &Nobody) -> Transport {
    let hosts = Hosts::all_at(&nobody.base).and_then(|hosts| hosts.with_login(&login.base));
    Transport::with(hosts.expect("a test's own data are good"), patience(), Arc::new(Still))
        .expect("a test's own data are good")
}

#[tokio::test]
async fn a_login_is_answered_by_its_own_host() {
    let nobody = Nobody::listens();
    let session = r#"{"openid":"oUpF8uMuAJO","session_key":"MDEyMzQ1Njc4OWFiY2RlZg=="}"#;
    let wechat = Wechat::plays([Reply::Plain(200, session.to_owned())]).await;
    let session = transport(&wechat, &nobody).login(&call()).await.unwrap();
    assert_eq!(session.openid, "oUpF8uMuAJO");
    let asked = &wechat.asked()[0];
    let path = "/sns/jscode2session?appid=wx0123456789abcdef&secret=the-secret&js_code=the-code\
                &grant_type=authorization_code";
    assert!(asked.head.starts_with(&format!("GET {path} HTTP/1.1")), "{}", asked.head);
    assert_eq!(asked.header("authorization"), None, "another API, which knows no merchants");
}

/// A code is good for one answer: nothing is repeated, and no text has the secret or the code.
#[tokio::test]
async fn a_login_without_a_session_is_told_by_whose_fault_it_is() {
    let nobody = Nobody::listens();
    for (reply, is_refusal) in [
        (Reply::Plain(200, r#"{"errcode":40163,"errmsg":"code been used"}"#.to_owned()), true),
        (Reply::Plain(200, "<html>".to_owned()), true),
        (cut(), false),
    ] {
        let wechat = Wechat::plays([reply]).await;
        let error = transport(&wechat, &nobody).login(&call()).await.unwrap_err();
        let expected = match &error {
            LoginFailure::Login(LoginError::Refused { .. } | LoginError::Malformed(_)) => is_refusal,
            LoginFailure::Call(ClientError::Unknown(Unknown::Silence(_))) => !is_refusal,
            _ => false,
        };
        let shown = format!("{error} {error:?}");
        assert!(expected && !shown.contains("the-secret") && !shown.contains("the-code"), "{shown}");
        assert_eq!(wechat.asked().len(), 1);
    }
}
