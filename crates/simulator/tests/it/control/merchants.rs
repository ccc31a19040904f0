//! Merchants made over HTTP are as good as those of the start: their keys sign, verify, and change.

use payonce_simulator::keys::KeptRing;
use payonce_simulator::{Folder, Setup};
use serde_json::{Value, json};
use wechatpay::{ApiV3Key, MerchantCertificate, MerchantKey, PlatformKey};

use crate::shop::{Shop, setup};

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no {field} in {json}"))
}

#[tokio::test]
async fn a_merchant_is_made_with_all_its_keys() {
    let shop = Shop::open().await;
    let made = shop
        .sim(
            "POST /_sim/merchants",
            json!({ "mchid": "1900000777", "name": "茶", "appids": ["wxtea"], "keys": "both" }),
        )
        .await;
    assert_eq!((text(&made, "mchid"), text(&made, "name")), ("1900000777", "茶"));
    assert_eq!(made["apps"][0]["appid"], "wxtea");
    assert_eq!(text(&made["apps"][0], "secret").len(), 32);
    let certificate = MerchantCertificate::from_pem(text(&made, "certificate_pem")).unwrap();
    assert_eq!(certificate.mchid(), Some("1900000777"));
    let key = MerchantKey::from_pkcs8_pem(text(&made, "serial"), text(&made, "private_key_pem")).unwrap();
    assert!(certificate.matches(&key));
    PlatformKey::from_public_key_pem(text(&made, "public_key_id"), text(&made, "public_key_pem")).unwrap();
    PlatformKey::from_certificate_pem(text(&made["certificates"][0], "pem")).unwrap();
    ApiV3Key::new(text(&made, "apiv3_key")).unwrap();
    assert_eq!(made["folder"], Value::Null, "this simulation keeps no files");
    assert_eq!(shop.sim("GET /_sim/merchants/1900000777", Value::Null).await, made);

    let listed = shop.sim("GET /_sim/merchants", Value::Null).await;
    assert_eq!(listed["merchants"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains("PRIVATE KEY"), "the list has no keys");
}

#[tokio::test]
async fn a_provider_and_its_sub_merchant_are_made_too() {
    let shop = Shop::open().await;
    shop.sim("POST /_sim/merchants", json!({ "mchid": "1900000100", "role": "provider" })).await;
    let role = json!({ "sub_merchant": { "providers": ["1900000100"] } });
    let sub = shop.sim("POST /_sim/merchants", json!({ "role": role, "appids": [] })).await;
    assert_eq!((&sub["role"], &sub["apps"]), (&role, &json!([])));
}

/// What is asked for is made up by the seed alone, but for RSA keys.
#[tokio::test]
async fn the_seed_makes_the_same_merchants() {
    let (one, two) = (Shop::open().await, Shop::open().await);
    let made = [
        one.sim("POST /_sim/merchants", Value::Null).await,
        two.sim("POST /_sim/merchants", Value::Null).await,
    ];
    for field in ["mchid", "apps", "apiv3_key", "apiv2_key", "serial"] {
        assert_eq!(made[0][field], made[1][field], "{field}");
    }
}

#[tokio::test]
async fn files_follow_what_is_made_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Folder::at(folder.path());
    let shop = Shop::of(Setup { folder: Some(keys.clone()), ..setup() }).await;
    let made = shop.sim("POST /_sim/merchants", json!({ "mchid": "1900000777" })).await;
    let files = folder.path().join("1900000777");
    assert_eq!(text(&made, "folder"), files.to_str().unwrap());
    let read = |name: &str| std::fs::read_to_string(files.join(name)).unwrap();
    assert_eq!(read("apiclient_key.pem"), text(&made, "private_key_pem"));

    let changed = shop.sim("POST /_sim/merchants/1900000777/certificates", Value::Null).await;
    let serial = text(&changed["certificates"][0], "serial");
    assert_eq!(read(&format!("wechatpay_{serial}.pem")), text(&changed["certificates"][0], "pem"));
    let known = keys.read().unwrap();
    let again = Shop::of(Setup { known, ..setup() }).await;
    let ring = again.simulator.ring("1900000777").unwrap();
    assert_eq!(ring.certificates()[0].serial(), serial, "the next start knows it");
}

/// A platform certificate is changed by degrees, the public key comes beside it, and the merchant's own is changed.
#[tokio::test]
async fn keys_change_as_wechat_changes_them() {
    let shop = Shop::open().await;
    let at = |rest: &str| format!("/_sim/merchants/{}/{rest}", shop.mchid);
    let old = shop.sim(&format!("POST {}", at("certificates")), Value::Null).await;
    let new = shop.sim(&format!("POST {}", at("certificates")), Value::Null).await;
    assert_eq!(new["certificate_serials"].as_array().unwrap().len(), 2);
    assert_eq!(new["certificate_serials"][0], old["certificate_serials"][0]);
    let grey = json!({ "new_certificate_permille": 1000, "public_key_permille": 500 });
    let set = shop.sim(&format!("PUT {}", at("grey")), grey.clone()).await;
    assert_eq!(set["grey"], grey);
    let partly = shop.sim(&format!("PUT {}", at("grey")), json!({ "public_key_permille": 0 })).await;
    assert_eq!(partly["grey"], json!({ "new_certificate_permille": 1000, "public_key_permille": 0 }));
    let retired = shop.sim(&format!("DELETE {}", at("certificates")), Value::Null).await;
    assert_eq!(retired["certificate_serials"], json!([new["certificate_serials"][1]]));
    let former = text(&retired, "public_key_id").to_owned();
    let keyed = shop.sim(&format!("POST {}", at("public-key")), Value::Null).await;
    assert_ne!(text(&keyed, "public_key_id"), former);
    let owned = shop.sim(&format!("POST {}", at("api-certificate")), Value::Null).await;
    assert_ne!(owned["serial"], keyed["serial"]);
    let ring = serde_json::to_value(KeptRing::of(&shop.simulator.ring(&shop.mchid).unwrap())).unwrap();
    assert_eq!(ring["own"].as_array().unwrap().len(), 2, "the former is good still");
}

#[tokio::test]
async fn a_certificate_for_a_receivers_tls_is_issued() {
    let shop = Shop::open().await;
    let tls = shop.sim("POST /_sim/tls", json!({ "hosts": ["127.0.0.1", "shop.test"] })).await;
    let receiver = crate::receiver::Receiver::over_tls(
        204,
        text(&tls, "certificate_pem"),
        text(&tls, "private_key_pem"),
    )
    .await;
    shop.paid("ORDER1", &receiver.url()).await;
    assert_eq!(receiver.came().len(), 1);
    assert_eq!(text(&tls, "authority_pem"), shop.simulator.authority().certificate_pem());
}

#[tokio::test]
async fn users_have_openids_and_log_in() {
    let shop = Shop::open().await;
    let user = json!({ "user": "alice", "appid": shop.appid });
    let openid = shop.sim("POST /_sim/users", user.clone()).await["openid"].clone();
    let code = shop.sim("POST /_sim/logins", user).await["js_code"].as_str().unwrap().to_owned();
    let secret = shop.simulator.read(|books| books.app(&shop.appid).unwrap().secret.clone());
    let session = shop
        .get(&format!(
            "/sns/jscode2session?appid={}&secret={secret}&js_code={code}&grant_type=authorization_code",
            shop.appid
        ))
        .await;
    assert_eq!(session.json()["openid"], openid);
    let users = shop.sim("GET /_sim/users", Value::Null).await;
    assert_eq!(users["users"][0], json!({ "user": "alice", "openids": { shop.appid.clone(): openid } }));
}

/// Each call makes its key beside the others, and none takes another's away.
#[tokio::test]
async fn keys_that_are_made_at_one_moment_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Folder::at(folder.path());
    let shop = Shop::of(Setup { folder: Some(keys.clone()), ..setup() }).await;
    let at = |rest: &str| format!("/_sim/merchants/{}/{rest}", shop.mchid);
    let (certificates, public_key) =
        (format!("POST {}", at("certificates")), format!("POST {}", at("public-key")));
    let grey = format!("PUT {}", at("grey"));
    let one = || shop.sim(&certificates, Value::Null);
    tokio::join!(
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        shop.sim(&public_key, Value::Null),
        shop.sim(&grey, json!({ "public_key_permille": 500 })),
    );
    let ring = shop.simulator.ring(&shop.mchid).unwrap();
    assert_eq!((ring.certificates().len(), ring.grey.public_key_permille), (6, 500));
    assert_ne!(ring.public_key().unwrap().serial(), shop.ring.public_key().unwrap().serial());
    let again = Shop::of(Setup { known: keys.read().unwrap(), ..setup() }).await;
    let kept = again.simulator.ring(&shop.mchid).unwrap();
    assert_eq!((kept.certificates().len(), kept.grey), (6, ring.grey));
}

#[tokio::test]
async fn a_merchant_is_made_once() {
    let shop = Shop::open().await;
    let new = json!({ "mchid": "1900000777" });
    let one = || shop.control("POST /_sim/merchants", &new);
    let made = tokio::join!(one(), one(), one(), one());
    let mut statuses = [made.0.0, made.1.0, made.2.0, made.3.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    let ring = shop.simulator.ring("1900000777").unwrap();
    let winner = [made.0, made.1, made.2, made.3].into_iter().find(|(status, _)| *status == 200).unwrap().1;
    assert_eq!(text(&winner, "serial"), ring.own()[0].certificate().serial);
}

/// The folder has the certificates that there are, and no others.
#[tokio::test]
async fn files_of_retired_certificates_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::of(Setup { folder: Some(Folder::at(folder.path())), ..setup() }).await;
    let at = format!("/_sim/merchants/{}/certificates", shop.mchid);
    shop.sim(&format!("POST {at}"), Value::Null).await;
    shop.sim(&format!("POST {at}"), Value::Null).await;
    let left = shop.sim(&format!("DELETE {at}"), Value::Null).await;
    let names = std::fs::read_dir(folder.path().join(&shop.mchid)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name.starts_with("wechatpay_")).collect();
    assert_eq!(names, [format!("wechatpay_{}.pem", text(&left["certificates"][0], "serial"))]);
}

/// The only copy of the keys is there whole or refused by name.
#[tokio::test]
async fn a_damaged_file_of_keys_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Folder::at(folder.path());
    Shop::of(Setup { folder: Some(keys.clone()), ..setup() }).await;
    let path = folder.path().join("simulator.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = keys.read().unwrap_err().to_string();
    assert!(error.contains("simulator.json") && error.contains("bring back a copy"), "{error}");
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.collect::<Vec<_>>().contains(&"simulator.json.new".into()), "nothing is left half-written");
}
