//! Which of WeChat's keys signs what, and how a merchant gets them.

use payonce_simulator::books::Account;
use payonce_simulator::keys::{KeptRing, Mode, Ring};
use payonce_simulator::{Folder, Setup};
use serde_json::json;
use wechatpay::{ApiV3Key, PlatformKey};

use crate::shop::{Shop, setup};

const CERTIFICATES: &str = "/v3/certificates";

async fn shop(mode: Mode) -> Shop {
    Shop::of(setup().with(Account::ordinary("1900000001", "wx0123456789abcdef"), mode)).await
}

impl Shop {
    /// Who signs an answer when the request names this key.
    async fn signer_when_asked_for(&self, serial: Option<&str>) -> String {
        let mut request = self.request("POST", "/v3/security/echo", r#"{"echo_message":"hello"}"#);
        if let Some(serial) = serial {
            request.headers_mut().insert("wechatpay-serial", serial.parse().unwrap());
        }
        let answered = self.send(request).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        self.proven_by(&answered)
    }

    fn change_ring(&self, change: impl FnOnce(&mut Ring)) {
        let mut ring = Ring::clone(&self.simulator.ring(&self.mchid).unwrap());
        change(&mut ring);
        self.simulator.set_ring(&self.mchid, ring);
    }

    /// The serials that `/v3/certificates` lists, each opened with the APIv3 key.
    async fn listed(&self) -> Vec<String> {
        let answered = self.get(CERTIFICATES).await;
        let newest = self.simulator.ring(&self.mchid).unwrap();
        let newest = newest.certificates().last().unwrap().serial().to_owned();
        assert_eq!(self.proven_by(&answered), newest, "the newest signs the list");
        let key = ApiV3Key::new(self.ring.sealing_key().text()).unwrap();
        let json = answered.json();
        let entries = json["data"].as_array().unwrap().iter().map(|entry| {
            let text = |field: &str| entry["encrypt_certificate"][field].as_str().unwrap();
            assert_eq!(text("associated_data"), "certificate");
            let pem =
                key.open_as(text("algorithm"), text("nonce"), "certificate", text("ciphertext")).unwrap();
            let opened = PlatformKey::from_certificate_pem(&String::from_utf8(pem).unwrap()).unwrap();
            assert_eq!(entry["serial_no"], opened.serial().as_str());
            assert_eq!(opened.merchant(), None, "no merchant's certificate");
            opened.serial().to_string()
        });
        entries.collect()
    }
}

#[tokio::test]
async fn the_list_is_of_the_algorithm_that_was_asked_for() {
    let shop = shop(Mode::Certificates).await;
    for (query, expected) in [
        ("", None),
        ("?algorithm_type=RSA", None),
        ("?algorithm_type=ALL", None),
        ("?algorithm_type=SM2", Some((404, "RESOURCE_NOT_EXISTS", 0))),
        ("?algorithm_type=rsa", Some((400, "PARAM_ERROR", 268_435_461))),
    ] {
        let answered = shop.get(&format!("{CERTIFICATES}{query}")).await;
        match expected {
            None => assert_eq!(answered.json()["data"].as_array().unwrap().len(), 1, "{query}"),
            Some((status, code, number)) => {
                assert_eq!(answered.refusal(), (status, code.to_owned(), Some(number)), "{query}");
            }
        }
    }
}

#[tokio::test]
async fn a_new_merchant_has_no_certificates() {
    let shop = shop(Mode::PublicKey).await;
    let answered = shop.get(CERTIFICATES).await;
    assert_eq!(answered.refusal(), (404, "RESOURCE_NOT_EXISTS".to_owned(), Some(0)));
    assert_eq!(answered.json()["message"], "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。");
    let public_key = shop.ring.public_key().unwrap().serial().to_owned();
    for asked in [None, Some(public_key.as_str())] {
        assert_eq!(shop.signer_when_asked_for(asked).await, public_key);
    }
}

#[tokio::test]
async fn an_answer_is_signed_by_the_key_that_was_asked_for() {
    let shop = shop(Mode::Both).await;
    let public_key = shop.ring.public_key().unwrap().serial().to_owned();
    let certificate = shop.ring.certificates()[0].serial().to_owned();
    for (asked, signer) in [
        (None, &certificate),
        (Some(certificate.as_str()), &certificate),
        (Some(public_key.as_str()), &public_key),
    ] {
        assert_eq!(&shop.signer_when_asked_for(asked).await, signer);
    }
    let mut request = shop.request("POST", "/v3/security/echo", r#"{"echo_message":"hello"}"#);
    request.headers_mut().insert("wechatpay-serial", "PUB_KEY_ID_01".parse().unwrap());
    let answered = shop.send(request).await;
    assert_eq!(answered.refusal(), (400, "PARAM_ERROR".to_owned(), Some(0)));
    assert_eq!(answered.json()["message"], "平台证书序列号Wechatpay-Serial错误");
}

/// Both are listed while the change lasts; what signs answers follows the grey switch, up and down.
#[tokio::test]
async fn certificates_are_changed_by_degrees() {
    let shop = shop(Mode::Certificates).await;
    let old = shop.ring.certificates()[0].serial().to_owned();
    assert_eq!(shop.listed().await, [old.as_str()]);

    let certificate = shop.simulator.new_certificate().unwrap();
    let new = certificate.serial().to_owned();
    shop.change_ring(|ring| ring.add_certificate(certificate));
    assert_eq!(shop.listed().await, [old.as_str(), new.as_str()]);
    for (permille, signer) in [(0, &old), (1000, &new), (0, &old)] {
        shop.change_ring(|ring| ring.grey.new_certificate_permille = permille);
        assert_eq!(&shop.signer_when_asked_for(None).await, signer, "{permille}");
    }
    shop.change_ring(Ring::retire_old_certificates);
    assert_eq!(shop.listed().await, [new.as_str()]);
    assert_eq!(shop.signer_when_asked_for(None).await, new);
}

#[tokio::test]
async fn the_echo_is_opened_and_sealed_for_whom_it_is() {
    let shop = shop(Mode::Both).await;
    let ring = &shop.ring;
    let public = ring.public_key().unwrap();
    let keys = [
        PlatformKey::from_public_key_pem(public.serial(), public.public_key_pem()).unwrap(),
        PlatformKey::from_certificate_pem(&ring.certificates()[0].certificate().unwrap().pem).unwrap(),
    ];
    for key in keys {
        let sealed = key.encrypt("秘密").unwrap();
        let body = json!({ "echo_message": "你好", "encrypted_echo_message": sealed }).to_string();
        let mut request = shop.request("POST", "/v3/security/echo", &body);
        let answered = shop.send(request.clone()).await;
        assert_eq!(answered.json()["message"], "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)");

        request.headers_mut().insert("wechatpay-serial", key.serial().as_str().parse().unwrap());
        let answered = shop.send(request).await;
        assert_eq!(shop.proven_by(&answered), key.serial().as_str(), "one key family a call");
        let json = answered.json();
        assert_eq!(json["echo_message"], "你好");
        let opened = shop.opens(json["encrypted_echo_message"].as_str().unwrap());
        assert_eq!(opened, "秘密");
    }
    let mut wrong = shop.request(
        "POST",
        "/v3/security/echo",
        &json!({ "echo_message": "x", "encrypted_echo_message": "AAAA" }).to_string(),
    );
    wrong.headers_mut().insert("wechatpay-serial", public.serial().parse().unwrap());
    assert_eq!(shop.send(wrong).await.refusal().0, 400);
}

#[tokio::test]
async fn rings_are_written_out_and_read_back() {
    let shop = shop(Mode::Both).await;
    let json = serde_json::to_string(&KeptRing::of(&shop.ring)).unwrap();
    let read = serde_json::from_str::<KeptRing>(&json).unwrap().restore().unwrap();
    assert_eq!(serde_json::to_string(&KeptRing::of(&read)).unwrap(), json);
    let signer = shop.signer_when_asked_for(None).await;
    shop.simulator.set_ring(&shop.mchid, read);
    assert_eq!(shop.signer_when_asked_for(None).await, signer);

    let spoilt = json.replacen("PRIVATE KEY", "PRIVATE LEY", 1);
    let spoilt: KeptRing = serde_json::from_str(&spoilt).unwrap();
    assert_eq!(spoilt.restore().unwrap_err(), payonce_simulator::Error::KeptKey);
}

/// Every file that an SDK asks for, readable by those who parse such files.
#[tokio::test]
async fn keys_are_written_as_the_files_that_sdks_ask_for() {
    let shop = shop(Mode::Both).await;
    let folder = tempfile::tempdir().unwrap();
    payonce_simulator::write_files(folder.path(), &shop.ring).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();

    let certificate = wechatpay::MerchantCertificate::from_pem(&read("apiclient_cert.pem")).unwrap();
    assert_eq!(certificate.mchid(), Some("1900000001"));
    assert_eq!(certificate.serial().as_str().len(), 40);
    let serial = certificate.serial().as_str();
    let key = wechatpay::MerchantKey::from_pkcs8_pem(serial, &read("apiclient_key.pem")).unwrap();
    assert!(certificate.matches(&key));
    let public_key = shop.ring.public_key().unwrap();
    for name in ["pub_key.pem", "wxp_pub.pem"] {
        PlatformKey::from_public_key_pem(public_key.serial(), &read(name)).unwrap();
    }
    let platform = shop.ring.certificates()[0].serial();
    let listed = PlatformKey::from_certificate_pem(&read(&format!("wechatpay_{platform}.pem"))).unwrap();
    assert_eq!(listed.serial().as_str(), platform);
    assert_eq!((read("apiv3.key").len(), read("apiv2.key").len()), (32, 32));
}

/// A second start has the same merchants, apps and keys; what is changed by hand is refused, not repaired.
#[tokio::test]
async fn a_folder_brings_the_same_keys_back() {
    let (folder, shop) = (tempfile::tempdir().unwrap(), shop(Mode::Both).await);
    let folder_of_keys = Folder::at(&folder.path().join("keys"));
    assert!(folder_of_keys.read().unwrap().is_none());
    folder_of_keys.write(&shop.simulator).unwrap();
    let secret = |shop: &Shop| shop.simulator.read(|books| books.app(&shop.appid).unwrap().secret.clone());

    let known = folder_of_keys.read().unwrap();
    let again = Shop::of(Setup { known, seed: 99, ..setup() }).await;
    let rings = [&shop.ring, &again.ring].map(|ring| serde_json::to_string(&KeptRing::of(ring)).unwrap());
    assert_eq!(rings[0], rings[1]);
    assert_eq!((&again.mchid, secret(&again)), (&shop.mchid, secret(&shop)));
    let authorities = [&shop, &again].map(|shop| shop.simulator.authority().certificate_pem().to_owned());
    assert_eq!(authorities[0], authorities[1]);

    std::fs::write(folder.path().join("keys/simulator.json"), "{}").unwrap();
    assert!(folder_of_keys.read().is_err());
}
