//! code2Session: a login code becomes the openid with which an order is placed.

use payonce_simulator::keys::Mode;
use wechatpay::api::{Code2Session, LoginError};
use wechatpay_client::LoginFailure;

use super::{SHOP_APP, Stage};

#[tokio::test]
async fn a_code_is_good_once() {
    let stage = Stage::set(Mode::PublicKey).await;
    let transport = stage.transport();
    let secret = stage.simulator.read(|books| books.app(SHOP_APP).unwrap().secret.clone());
    let code = stage.simulator.login(SHOP_APP, "alice");
    let call = Code2Session::new(SHOP_APP, &secret, &code).unwrap();
    let session = transport.login(&call).await.unwrap();
    assert_eq!((session.openid.len(), session.unionid), (28, None));

    let code = stage.simulator.login(SHOP_APP, "alice");
    let later = transport.login(&Code2Session::new(SHOP_APP, &secret, &code).unwrap()).await.unwrap();
    assert_eq!(later.openid, session.openid, "the same user under the same app");

    for (appid, secret, code, expected) in [
        (SHOP_APP, secret.as_str(), code.as_str(), 40163),
        (SHOP_APP, &secret, "0none", 40029),
        (SHOP_APP, "guess", &code, 40125),
        ("wx0", &secret, &code, 40013),
    ] {
        let refused = transport.login(&Code2Session::new(appid, secret, code).unwrap()).await;
        let Err(LoginFailure::Login(LoginError::Refused { errcode, errmsg })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(errcode, expected);
        assert!(errmsg.contains(", rid: "), "{errmsg}");
    }
}
