//! What is told: sent to the notify URL, signed for today, sealed for the merchant, and sent again by the official
//! schedule until it is acknowledged.

use std::time::Duration;

use payonce_simulator::books::{Account, OrderKey, Progress};
use payonce_simulator::keys::{Mode, Ring};
use payonce_simulator::{Setup, Simulator};
use serde_json::{Value, json};
use wechatpay::Resource;

use crate::receiver::Receiver;
use crate::shop::{Shop, open, setup};

#[tokio::test]
async fn a_payment_is_told_to_the_notify_url_of_its_order() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    let payment = shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    shop.simulator.quiet().await;

    let came = receiver.came();
    assert_eq!(came.len(), 1);
    assert_eq!(came[0].path, "/notify/v3/shop");
    assert_eq!(came[0].headers["host"], receiver.addr.to_string());
    let told = open(&shop.ring, &came[0]);
    assert_eq!(
        (told.event_type.as_str(), told.create_time.as_str()),
        ("TRANSACTION.SUCCESS", "2025-06-15T23:06:40+08:00")
    );
    let queried = shop.get(&format!("/v3/pay/transactions/out-trade-no/ORDER1?mchid={}", shop.mchid)).await;
    assert_eq!(serde_json::from_str::<Value>(&told.plaintext).unwrap(), queried.json());
    assert_eq!(queried.json()["transaction_id"], payment.transaction_id);
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
    shop.simulator.read(|books| {
        let (_, entry) = books.notices.entries().next().unwrap();
        let heard = &entry.attempts[0].heard;
        assert_eq!((heard.status, heard.body.as_str(), heard.failure.as_deref()), (Some(204), "", None));
    });
}

#[tokio::test]
async fn a_partners_payment_is_told_to_the_provider_with_its_key() {
    let (provider, sub) = ("1900000100", "1900000109");
    let setup = setup()
        .with(Account::provider(provider, "wxsp"), Mode::PublicKey)
        .with(Account::sub_merchant(sub, provider, None), Mode::PublicKey);
    let (shop, receiver) = (Shop::of(setup).await, Receiver::answering(204).await);
    let order = json!({
        "sp_appid": "wxsp", "sp_mchid": provider, "sub_mchid": sub, "description": "tea",
        "out_trade_no": "ORDER1", "notify_url": receiver.url(), "amount": { "total": 100 },
        "payer": { "sp_openid": "oPROVIDERS" },
    });
    assert_eq!(shop.post("/v3/pay/partner/transactions/jsapi", &order).await.status, 200);
    shop.simulator.pay(&OrderKey::new(provider, "ORDER1"), None).unwrap();
    shop.simulator.quiet().await;
    let told = open(&shop.ring, &receiver.came()[0]);
    let Resource::PartnerTransaction(partner) = &told.resource else { panic!("{told:?}") };
    assert_eq!((partner.sp_mchid.as_str(), partner.sub_mchid.as_str()), (provider, sub));
    let plaintext: Value = serde_json::from_str(&told.plaintext).unwrap();
    assert_eq!(plaintext["payer"], json!({ "sp_openid": "oPROVIDERS" }));
}

/// Same id and same plaintext each time, under another signature; due when the schedule says so, and not a second before.
#[tokio::test]
async fn what_is_refused_is_sent_again_when_it_is_due() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    shop.simulator.quiet().await;
    for (wait_seconds, attempts) in [(14, 1), (1, 2), (15, 3), (29, 3), (1, 4)] {
        shop.simulator.step(Duration::from_secs(wait_seconds));
        shop.simulator.quiet().await;
        assert_eq!(receiver.came().len(), attempts, "after {wait_seconds} s more");
    }
    receiver.answer(200);
    shop.simulator.step(Duration::from_secs(180));
    shop.simulator.quiet().await;
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
    shop.simulator.step(Duration::from_secs(24 * 3600));
    shop.simulator.quiet().await;

    let came = receiver.came();
    assert_eq!(came.len(), 5);
    let first = open(&shop.ring, &came[0]);
    for again in &came[1..] {
        let opened = open(&shop.ring, again);
        assert_eq!((&opened.id, &opened.plaintext), (&first.id, &first.plaintext));
        assert_eq!(again.body, came[0].body);
        assert_ne!(again.headers["wechatpay-nonce"], came[0].headers["wechatpay-nonce"]);
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_noted_and_tried_again() {
    let shop = Shop::open().await;
    for (number, url, why) in [
        ("ORDER1", "http://127.0.0.1:1/notify", "no connection"),
        ("ORDER2", "https://127.0.0.1:1/notify", "no connection"),
        ("ORDER3", "http://shop.invalid/notify", "does not resolve"),
    ] {
        shop.place_for(number, url).await;
        shop.simulator.pay(&shop.order_key(number), None).unwrap();
        shop.simulator.quiet().await;
        shop.simulator.read(|books| {
            let (_, entry) = books.notices.entries().next_back().unwrap();
            let heard = &entry.attempts[0].heard;
            let failure = heard.failure.as_deref().unwrap();
            assert!(heard.status.is_none() && failure.contains(why), "{failure}");
            assert!(matches!(entry.progress, Progress::Due { .. }));
        });
    }
}

/// `https` URLs, and hosts that only the outside knows, reach the backend under test all the same.
#[tokio::test]
async fn a_detour_takes_every_notice_to_one_address() {
    let receiver = Receiver::answering(204).await;
    let shop = Shop::of(Setup { detour: Some(receiver.addr), ..setup() }).await;
    shop.place_for("ORDER1", "https://shop.example/notify/v3/shop").await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    shop.simulator.quiet().await;
    let came = receiver.came();
    assert_eq!(
        (came[0].path.as_str(), &came[0].headers["host"]),
        ("/notify/v3/shop", &"shop.example".parse().unwrap())
    );
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
}

#[tokio::test]
async fn notices_move_to_the_public_key_as_the_grey_switch_says() {
    let receiver = Receiver::answering(204).await;
    let setup = setup().with(Account::ordinary("1900000001", "wx0123456789abcdef"), Mode::Both);
    let shop = Shop::of(setup).await;
    let certificate = shop.ring.certificates()[0].serial().to_owned();
    let public_key = shop.ring.public_key().unwrap().serial().to_owned();
    for (number, permille, signer) in
        [("ORDER1", 0, &certificate), ("ORDER2", 1000, &public_key), ("ORDER3", 0, &certificate)]
    {
        let mut ring = Ring::clone(&shop.ring);
        ring.grey.public_key_permille = permille;
        shop.simulator.set_ring(&shop.mchid, ring);
        shop.place_for(number, &receiver.url()).await;
        shop.simulator.pay(&shop.order_key(number), None).unwrap();
        shop.simulator.quiet().await;
        assert_eq!(receiver.came().last().unwrap().headers["wechatpay-serial"], signer.as_str());
    }
}

#[tokio::test]
async fn an_echo_is_told_too() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let body = json!({ "echo_message": "你好", "notify_url": receiver.url() });
    assert_eq!(shop.post("/v3/security/echo", &body).await.json(), json!({ "echo_message": "你好" }));
    shop.simulator.quiet().await;
    let told = open(&shop.ring, &receiver.came()[0]);
    assert_eq!(told.event_type, "SECURITY_ECHO.SUCCESS");
    let Resource::SecurityEcho(echo) = &told.resource else { panic!("{told:?}") };
    assert_eq!(echo.echo_message, "你好");
}

/// What a firewall, a router or a log at the receiver sees of WeChat.
#[tokio::test]
async fn a_notice_has_the_headers_of_wechats() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.paid("ORDER1", &receiver.url()).await;
    shop.simulator.step(Duration::from_secs(15));
    shop.simulator.quiet().await;
    let came = receiver.came();
    for (name, value) in [
        ("user-agent", "Mozilla/4.0"),
        ("accept", "*/*"),
        ("pragma", "no-cache"),
        ("content-type", "application/json"),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"),
    ] {
        assert_eq!(came[0].headers[name], value);
    }
    let ids = [0, 1].map(|n: usize| came[n].headers["request-id"].to_str().unwrap().to_owned());
    assert!(ids[0].starts_with("08") && ids[0].ends_with("-0") && ids[0].len() == 36, "{ids:?}");
    assert_ne!(ids[0], ids[1], "each attempt is a request of its own");
}

#[tokio::test]
async fn a_receiver_may_have_an_ipv6_address() {
    let (shop, receiver) = (Shop::open().await, Receiver::over_ipv6(204).await);
    shop.paid("ORDER1", &receiver.url()).await;
    assert_eq!(receiver.came()[0].headers["host"], receiver.addr.to_string());
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
}

/// Many machines know `localhost` by ::1 first, and many backends listen on 127.0.0.1 alone.
#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.paid("ORDER1", &format!("http://localhost:{}/notify", receiver.addr.port())).await;
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
}

/// A certificate that the simulation issued is believed, and one of a root that was named; no other is.
#[tokio::test]
async fn https_is_spoken_to_whom_a_trusted_root_vouches_for() {
    let (shop, other) = (Shop::open().await, Shop::open().await);
    let issued = |shop: &Shop, host: &str| {
        shop.simulator.authority().issue_for_hosts(&[host.to_owned()], crate::fixture::NOW).unwrap()
    };
    let trust = vec![other.simulator.authority().certificate_pem().to_owned()];
    let trusting = Shop::of(Setup { trust, ..setup() }).await;
    let mut number = 0;
    for (shop, issuer, host, why) in [
        (&shop, &shop, "127.0.0.1", None),
        (&shop, &shop, "shop.example", Some("not valid for name")),
        // All authorities have one name, so that it is looked for among the own, and found not to be of it.
        (&shop, &other, "127.0.0.1", Some("BadSignature")),
        (&trusting, &other, "127.0.0.1", None),
    ] {
        number += 1;
        let (certificate, key) = issued(issuer, host);
        let receiver = Receiver::over_tls(204, &certificate, &key).await;
        shop.paid(&format!("ORDER{number}"), &receiver.url()).await;
        assert_eq!(receiver.came().len(), usize::from(why.is_none()), "{host}");
        let heard = shop.last_heard();
        let failure = heard.failure.unwrap_or_default();
        match why {
            None => assert_eq!((heard.status, failure.as_str()), (Some(204), "")),
            Some(why) => assert!(failure.contains(why) && failure.contains("--trust"), "{failure}"),
        }
    }
}

#[tokio::test]
async fn a_root_that_is_none_is_said_at_the_start() {
    let trust = vec!["-----BEGIN PUBLIC KEY-----".to_owned()];
    let error = Simulator::start(Setup { trust, ..setup() }).await.unwrap_err();
    assert!(error.to_string().contains("PEM file with CERTIFICATE blocks"), "{error}");
}

/// A hundred notices wait for a receiver that never answers; another merchant's is told at once.
#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let (shop, silent, quick) =
        (Shop::open().await, Receiver::silent().await, Receiver::answering(204).await);
    for number in 0..100 {
        let number = format!("SILENT{number}");
        shop.place_for(&number, &silent.url()).await;
        shop.simulator.pay(&shop.order_key(&number), None).unwrap();
    }
    silent.until(1).await;
    shop.place_for("QUICK1", &quick.url()).await;
    shop.simulator.pay(&shop.order_key("QUICK1"), None).unwrap();
    quick.until(1).await;
    let waiting = shop.simulator.read(|books| books.notices.sending());
    assert!(waiting >= 100, "{waiting}: nobody else has come to an end");
}

#[tokio::test]
async fn a_receiver_has_so_long_for_its_answer_and_no_longer() {
    let silent = Receiver::silent().await;
    let shop = Shop::of(Setup { answer_limit: Duration::from_millis(50), ..setup() }).await;
    assert_eq!(setup().answer_limit, Duration::from_secs(5), "WeChat's own");
    shop.paid("ORDER1", &silent.url()).await;
    let heard = shop.last_heard();
    assert_eq!(silent.came().len(), 1);
    assert_eq!((heard.status, heard.failure.as_deref()), (None, Some("no whole answer within 50ms")));
    assert!(matches!(shop.progress()[..], [Progress::Due { .. }]));
}

#[tokio::test]
async fn a_taken_port_is_said() {
    let shop = Shop::open().await;
    let listen = shop.simulator.addr();
    let error = Simulator::start(Setup { listen, ..setup() }).await.unwrap_err();
    assert!(error.to_string().contains(&listen.to_string()), "{error}");
}
