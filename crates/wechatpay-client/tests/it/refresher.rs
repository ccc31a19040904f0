//! One task for all merchants, in tokio's time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{interval, timeout};
use wechatpay::UnixSeconds;
use wechatpay_client::{
    Environment, Hosts, KeyRing, Patience, RefreshError, RefreshStatus, Refresher, Transport,
};

use crate::wechat::{
    NOW, Reply, Still, Wechat, certificate, certificates, client, client_of, expired, patience, public_key,
    transport,
};

/// Runs until so much of tokio's time has passed, but no sooner than the exchanges with the server take.
async fn run(refresher: Refresher, wechat: &Wechat, requests: usize) {
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(refresher.run(stopping));
    let asked = timeout(Duration::from_secs(30), wechat.is_asked(requests)).await;
    asked.expect("the server is asked");
    stop.send(true).expect("a test's own data are good");
    running.await.expect("a test's own data are good");
}

/// A new node knows no key, and needs none.
#[tokio::test]
async fn certificates_are_had_without_a_key() {
    let wechat = Wechat::plays([certificates()]).await;
    let client = client_of("1900000001", transport(&wechat), KeyRing::new([]));
    assert_eq!(client.refresh_keys().await.unwrap(), 1);
    assert!(client.keys().keys().platform().valid(certificate().serial().as_str(), NOW).is_some());
    wechat.say_next(certificates());
    assert_eq!(client.refresh_keys().await.unwrap(), 0, "nothing new");
}

/// A node that was idle while all its certificates expired: it verifies the new list by what the list holds.
#[tokio::test]
async fn trap_an_idle_node_could_not_refresh_after_the_old_certificate_had_expired() {
    for configured in [true, false] {
        let ring = if configured { KeyRing::new([expired()]) } else { KeyRing::new([]) };
        ring.learn(&[expired()], UnixSeconds(NOW.0 - 400 * 86_400));
        ring.keys().proved_callback(expired().serial().as_str());
        let wechat = Wechat::plays([certificates()]).await;
        let client = client_of("1900000001", transport(&wechat), ring);
        assert!(client.keys().keys().platform().valid(expired().serial().as_str(), NOW).is_none());
        assert_eq!(client.refresh_keys().await.unwrap(), 1);
        assert!(client.keys().keys().platform().valid(certificate().serial().as_str(), NOW).is_some());
    }
}

#[tokio::test(start_paused = true)]
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

/// At once there are a few downloads, however many merchants are due.
#[tokio::test(start_paused = true)]
async fn trap_1500_merchants_started_1500_refresh_tasks() {
    let wechat = Wechat::plays([]).await;
    wechat.has_certificates(certificates());
    wechat.answers(false);
    let hour = Duration::from_secs(3600);
    let patience = Patience { connect: hour, answer: hour, ..patience() };
    let hosts = Hosts::all_at(&wechat.base).unwrap();
    let transport = Transport::with(hosts, patience, Arc::new(Still)).unwrap();
    let clients = (0..1500).map(|n| client_of(&format!("19{n:08}"), transport.clone(), KeyRing::new([])));
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(Refresher::new(clients).run(stopping));
    wechat.is_asked(4).await;
    // Ten minutes, in which all have become due.
    let fifth = timeout(10 * Duration::from_secs(60), wechat.is_asked(5)).await;
    assert!(fifth.is_err(), "no more than four at a time");
    wechat.answers(true);
    wechat.is_asked(40).await;
    assert_eq!(wechat.open_max(), 4);
    stop.send(true).unwrap();
    running.await.unwrap();
}

/// Each merchant is asked for, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_merchant_is_asked_for_once() {
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

/// Only WeChat Pay's own word is that there are none: any other 404 is a failure, which is tried again soon.
#[tokio::test]
async fn table_of_what_says_that_there_are_no_certificates() {
    for (reply, expected) in [
        (Reply::error(404, "RESOURCE_NOT_EXISTS"), true),
        (Reply::error(404, "NOT_FOUND"), true),
        (Reply::error(400, "RESOURCE_NOT_EXISTS"), false),
        (Reply::error(404, "MCH_NOT_EXISTS"), false),
        (Reply::Plain(404, String::new()), false),
        (Reply::Plain(404, "<html>no such page</html>".to_owned()), false),
    ] {
        let wechat = Wechat::plays([reply]).await;
        let error = client(&wechat).refresh_keys().await.unwrap_err();
        assert_eq!(matches!(error, RefreshError::NoCertificates), expected, "{error}");
    }
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

/// A fault of our own in one download is shown, and is not the last thing that is done for that merchant.
#[tokio::test(start_paused = true)]
async fn a_download_that_panics_is_tried_again() {
    struct FaultyOnce(AtomicBool);
    impl Environment for FaultyOnce {
        fn now(&self) -> UnixSeconds {
            assert!(self.0.swap(true, Ordering::SeqCst), "the fault that this test is about");
            NOW
        }
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    let wechat = Wechat::plays([]).await;
    wechat.has_certificates(certificates());
    let environment = Arc::new(FaultyOnce(AtomicBool::new(false)));
    let transport = Transport::with(Hosts::all_at(&wechat.base).unwrap(), patience(), environment).unwrap();
    let refresher = Refresher::new([client_of("1900000001", transport, KeyRing::new([]))]);
    let status = Arc::clone(&refresher.status()["1900000001"]);
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(refresher.run(stopping));
    let (mut seconds, mut errors) = (interval(Duration::from_secs(1)), Vec::new());
    while status.lock().unwrap().succeeded_at.is_none() {
        seconds.tick().await;
        errors.extend(status.lock().unwrap().error.clone());
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert!(errors[0].contains("a fault of the program's own"), "{errors:?}");
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
