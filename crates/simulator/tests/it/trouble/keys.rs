//! WeChat's keys change in mid-stream, and the grey switch moves both ways.

use payonce_simulator::books::Account;
use payonce_simulator::keys::Mode;
use payonce_simulator::{Folder, Scenario, Setup};
use serde_json::{Value, json};

use super::received;
use crate::receiver::Receiver;
use crate::shop::{Shop, setup};

async fn shop(mode: Mode, scenario: &str) -> Shop {
    let setup = setup().with(Account::ordinary("1900000001", "wx0123456789abcdef"), mode);
    Shop::of(Setup { scenario: Scenario::from_toml(scenario).unwrap(), ..setup }).await
}

/// The serials of five notices.
async fn serials(shop: &Shop) -> Vec<String> {
    let receiver = Receiver::answering(204).await;
    for number in 1..=5 {
        shop.paid(&format!("ORDER{number}"), &receiver.url()).await;
    }
    let ring = shop.simulator.ring(&shop.mchid).unwrap();
    let serials = receiver.came().into_iter().map(|came| {
        received(&ring, &came).unwrap();
        came.headers["wechatpay-serial"].to_str().unwrap().to_owned()
    });
    serials.collect()
}

#[tokio::test]
async fn a_new_certificate_signs_from_the_third_notice_on() {
    let shop = shop(Mode::Certificates, "[[notices]]\nwhen = { nth = 3 }\ndo = \"new_certificate\"").await;
    let old = shop.ring.certificates()[0].serial().to_owned();
    let serials = serials(&shop).await;
    let new = shop.simulator.ring(&shop.mchid).unwrap().certificates()[1].serial().to_owned();
    assert_eq!(serials, [old.clone(), old, new.clone(), new.clone(), new]);
}

/// Who has certificates alone is suddenly told under a serial `PUB_KEY_ID_…`.
#[tokio::test]
async fn a_public_key_comes_to_who_has_certificates() {
    let shop = shop(Mode::Certificates, "[[notices]]\nwhen = { nth = 4 }\ndo = \"new_public_key\"").await;
    let certificate = shop.ring.certificates()[0].serial().to_owned();
    let serials = serials(&shop).await;
    assert_eq!(serials[..3], [certificate.clone(), certificate.clone(), certificate]);
    assert!(serials[3].starts_with("PUB_KEY_ID_") && serials[3] == serials[4], "{serials:?}");
}

#[tokio::test]
async fn the_grey_switch_moves_to_the_public_key_and_back() {
    let scenario = "
        [[notices]]
        when = { nth = 2 }
        do = { grey = { public_key_permille = 1000 } }
        [[notices]]
        when = { nth = 4 }
        do = { grey = { public_key_permille = 0 } }
    ";
    let shop = shop(Mode::Both, scenario).await;
    let certificate = shop.ring.certificates()[0].serial().to_owned();
    let public = shop.ring.public_key().unwrap().serial().to_owned();
    let expected = [certificate.clone(), public.clone(), public, certificate.clone(), certificate];
    assert_eq!(serials(&shop).await, expected);
}

/// A test that ran with such a rule leaves nothing behind for the next one.
#[tokio::test]
async fn keys_that_trouble_made_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, receiver) = (Folder::at(&folder.path().join("keys")), Receiver::answering(204).await);
    let state = Some(folder.path().join("state.json"));
    let rules = || json!({ "notices": [{ "name": "changed", "do": "new_certificate" }] });
    for (place, ends) in
        ["DELETE /_sim/trouble", "DELETE /_sim/trouble/changed", "POST /_sim/reset"].into_iter().enumerate()
    {
        let shop = Shop::of(Setup { folder: Some(keys.clone()), state: state.clone(), ..setup() }).await;
        shop.sim("PUT /_sim/trouble", rules()).await;
        shop.paid(&format!("ORDER{place}"), &receiver.url()).await;
        let serial = receiver.came().last().unwrap().headers["wechatpay-serial"].clone();
        let ring = shop.simulator.ring(&shop.mchid).unwrap();
        assert_eq!(ring.certificates()[0].serial(), serial);
        let known = keys.read().unwrap().unwrap();
        let mchid = shop.mchid.clone();
        shop.simulator.finish().await.unwrap();
        let other = Shop::of(Setup { known: Some(known), ..setup() }).await;
        assert_eq!(other.ring.certificates().len(), 0, "the folder knows nothing of it");
        let shop = Shop::of(Setup { folder: Some(keys.clone()), state: state.clone(), ..setup() }).await;
        assert_eq!(shop.ring.certificates().len(), 1, "the state does");
        // What an operator changes meanwhile stays.
        shop.sim(&format!("PUT /_sim/merchants/{mchid}/grey"), json!({ "public_key_permille": place })).await;
        shop.sim(ends, Value::Null).await;
        let ring = shop.simulator.ring(&mchid).unwrap();
        assert_eq!(
            (ring.certificates().len(), usize::from(ring.grey.public_key_permille)),
            (0, place),
            "{ends}"
        );
        shop.sim("DELETE /_sim/trouble", Value::Null).await;
        shop.simulator.finish().await.unwrap();
    }
}
