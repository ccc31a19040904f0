//! One task for all merchants, in tokio's time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use wechatpay_client::{KeyRing, RefreshStatus, Refresher};

use crate::wechat::{NOW, Reply, Wechat, certificate, certificates, client_of, public_key, transport};

/// Runs until so much of tokio's time has passed, but no sooner than the exchanges with the server take.
async fn run(refresher: Refresher, wechat: &Wechat, requests: usize) {
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(refresher.run(stopping));
    timeout(Duration::from_secs(30), async {
        while wechat.asked().len() < requests {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the server is asked");
    stop.send(true).expect("a test's own data are good");
    running.await.expect("a test's own data are good");
}

/// An idle node after all its certificates have expired, and a new one: it knows no key, and needs none.
#[tokio::test]
async fn certificates_are_had_without_a_key() {
    let wechat = Wechat::plays([certificates()]).await;
    let client = client_of("1900000001", transport(&wechat), KeyRing::new([]));
    assert_eq!(client.refresh_keys().await.unwrap(), 1);
    assert!(client.keys().keys().platform().valid(certificate().serial().as_str(), NOW).is_some());
    wechat.say_next(certificates());
    assert_eq!(client.refresh_keys().await.unwrap(), 0, "nothing new");
}

#[tokio::test]
async fn what_is_not_proven_or_not_there_changes_nothing() {
    for reply in [
        Reply::Plain(404, r#"{"code":"RESOURCE_NOT_EXISTS"}"#.to_owned()),
        Reply::Plain(200, "{}".to_owned()),
        Reply::good(r#"{"data":[]}"#),
        Reply::good("<html>"),
        Reply::error(500, "SYSTEM_ERROR"),
        Reply::Silence,
    ] {
        let wechat = Wechat::plays([reply]).await;
        let client = client_of("1900000001", transport(&wechat), KeyRing::new([public_key()]));
        client.refresh_keys().await.unwrap_err();
        assert_eq!(client.keys().health().len(), 1);
    }
}

/// 1,500 merchants are not 1,500 tasks: a few at a time, each asked once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_merchants_are_asked_for_a_few_at_a_time() {
    let wechat = Wechat::plays((0..40).map(|_| certificates())).await;
    let transport = transport(&wechat);
    let clients: Vec<_> =
        (0..40).map(|n| client_of(&format!("19000000{n:02}"), transport.clone(), KeyRing::new([]))).collect();
    let refresher = Refresher::new(clients.clone());
    let status = refresher.status();
    run(refresher, &wechat, 40).await;
    assert_eq!(wechat.asked().len(), 40);
    let done = status.values().filter(|status| status.lock().unwrap().succeeded_at == Some(NOW)).count();
    assert!(done >= 36, "at most a few were under way at the end: {done}");
}

/// Callbacks with forged serials do not make payonce a nuisance to WeChat Pay.
#[tokio::test]
async fn a_storm_of_wakes_is_one_download() {
    let wechat = Wechat::plays([certificates(), certificates()]).await;
    let client = client_of("1900000001", transport(&wechat), KeyRing::new([]));
    let refresher = Refresher::new([client.clone()]);
    let waker = refresher.waker();
    for _ in 0..10_000 {
        waker.wake("1900000001");
    }
    waker.wake("of nobody");
    let (status, storm) = (refresher.status(), refresher.waker());
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(refresher.run(stopping));
    while *status["1900000001"].lock().unwrap() == RefreshStatus::default() {
        storm.wake("1900000001");
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(wechat.asked().len(), 1);
}

#[tokio::test]
async fn a_merchant_without_certificates_is_known_as_that() {
    let wechat = Wechat::plays([Reply::Plain(404, r#"{"code":"RESOURCE_NOT_EXISTS"}"#.to_owned())]).await;
    let client = client_of("1900000001", transport(&wechat), KeyRing::new([]));
    let refresher = Refresher::new([client]);
    let status = refresher.status();
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(refresher.run(stopping));
    while !status["1900000001"].lock().unwrap().without_certificates {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(status["1900000001"].lock().unwrap().error, None);
}

/// A reload is no reason to ask again, nor to forget how it went.
#[tokio::test]
async fn who_goes_on_after_another_asks_no_sooner_and_knows_what_it_knew() {
    let wechat = Wechat::plays([certificates(), certificates()]).await;
    let client = client_of("1900000001", transport(&wechat), KeyRing::new([]));
    let before = Refresher::new([client.clone()]);
    let (history, status) = (before.history(), before.status());
    before.waker().wake("1900000001");
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(before.run(stopping));
    while status["1900000001"].lock().unwrap().succeeded_at.is_none() {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();

    let other = client_of("1900000002", transport(&wechat), KeyRing::new([]));
    let after = Refresher::after(&history, [client, other]);
    assert_eq!(after.status()["1900000001"].lock().unwrap().succeeded_at, Some(NOW));
    let (waker, status) = (after.waker(), after.status());
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(after.run(stopping));
    // The second merchant is new, and asked for when it is wished.
    while status["1900000002"].lock().unwrap().succeeded_at.is_none() {
        waker.wake("1900000001");
        waker.wake("1900000002");
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(wechat.asked().len(), 2, "each once");
}
