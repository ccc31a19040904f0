//! A merchant whose keys are 国密.

use std::sync::Arc;

use serde_json::Value;
use wechatpay::{ApiV3Key, MerchantKey, Suite};
use wechatpay_client::{Account, Client, KeyRing};

use crate::wechat::{MCHID, Reply, Wechat, keys, transport};

/// Made by `scripts/make-vectors.py`.
fn file() -> Value {
    serde_json::from_str(include_str!("../../../wechatpay/tests/vectors/sm.json"))
        .expect("a test's own data are good")
}

/// The list of certificates as WeChat Pay answers it.
fn certificates() -> Reply {
    let answer = &file()["certificates"];
    let body = answer["body"].as_str().expect("a test's own data are good");
    let mut head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in answer["headers"].as_object().expect("a test's own data are good") {
        head += &format!("{name}: {}\r\n", value.as_str().expect("a test's own data are good"));
    }
    Reply::Raw(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())
}

/// It asks for the certificates of its suite, is understood, and understands them.
#[tokio::test]
async fn an_sm_merchant_refreshes_its_keys() {
    let wechat = Wechat::plays([certificates()]).await;
    let (file, shared) = (file(), keys());
    let text = |name: &str| file["keys"]["merchant"][name].as_str().unwrap();
    let key = MerchantKey::from_pkcs8_pem(text("serial"), text("private_pem")).unwrap();
    let apiv3_key = ApiV3Key::new(shared["apiv3_key"].as_str().unwrap()).unwrap();
    let account = Account::new(MCHID, Arc::new(key), apiv3_key, Arc::new(KeyRing::new([])));
    let client = Client::new(transport(&wechat), account.unwrap());
    assert_eq!(client.refresh_keys().await.unwrap(), 1);
    let asked = &wechat.asked()[0];
    assert!(asked.head.starts_with("GET /v3/certificates?algorithm_type=SM2 HTTP/1.1"), "{}", asked.head);
    assert!(asked.header("authorization").unwrap().starts_with(Suite::Sm.scheme()));
    let serial = file["keys"]["certificate"]["serial"].as_str().unwrap();
    assert_eq!(client.keys().health()[0].serial, serial);
}
