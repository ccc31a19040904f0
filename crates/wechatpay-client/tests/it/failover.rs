//! What a failure means for the hosts, for the next call, and for what is told in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wechatpay::UnixSeconds;
use wechatpay::api::Operation;
use wechatpay_client::{Client, ClientError, Environment, Hosts, KeyRing, Patience, Transport, Unknown};

use crate::wechat::{
    MCHID, Nobody, Reply, Still, Wechat, call, certificates, client_of, cut, good, patience, public_key,
};

fn client_at(primary: &str, backup: &str, patience: Patience) -> Client {
    let hosts = Hosts::all_at(primary).and_then(|hosts| hosts.with_backup(backup));
    let transport = Transport::with(hosts.expect("a test's own data are good"), patience, Arc::new(Still));
    client_of(MCHID, transport.expect("a test's own data are good"), KeyRing::new([public_key()]))
}

fn retried(wechat: &Wechat) -> Vec<bool> {
    let agents = wechat.asked().into_iter();
    agents.map(|asked| asked.header("user-agent").is_some_and(|agent| agent.contains("Retried"))).collect()
}

/// What certainly did not arrive goes to the backup host, a refund too; later calls begin there.
#[tokio::test]
async fn the_backup_host_takes_over() {
    let (nobody, backup) = (Nobody::listens(), Wechat::plays([good(), good()]).await);
    let client = client_at(&nobody.base, &backup.base, patience());
    client.send(&call(Operation::Refund)).await.unwrap();
    client.send(&call(Operation::Other)).await.unwrap();
    assert_eq!(retried(&backup), [true, false], "the second call began at the backup");
}

/// A refund whose answer broke off is not repeated, but the next call does not go to that host.
#[tokio::test]
async fn a_host_that_breaks_is_turned_from_though_the_call_is_not_repeated() {
    for operation in [Operation::Refund, Operation::Other] {
        let (primary, backup) = (Wechat::plays([cut()]).await, Wechat::plays([good()]).await);
        let client = client_at(&primary.base, &backup.base, patience());
        let error = client.send(&call(operation)).await.unwrap_err();
        assert!(matches!(error, ClientError::Unknown(Unknown::Silence(_))), "{error}");
        client.send(&call(operation)).await.unwrap();
        assert_eq!((retried(&primary), retried(&backup)), (vec![false], vec![false]));
    }
}

/// The list of certificates is asked for once, but the next time elsewhere where the host was at fault.
#[tokio::test]
async fn the_backup_host_takes_over_the_list_of_certificates() {
    for reply in [cut(), Reply::Plain(503, "<html>busy</html>".to_owned())] {
        let (primary, backup) = (Wechat::plays([reply]).await, Wechat::plays([certificates()]).await);
        let client = client_at(&primary.base, &backup.base, patience());
        client.refresh_keys().await.unwrap_err();
        assert_eq!(client.refresh_keys().await.unwrap(), 1);
        assert_eq!((primary.asked().len(), backup.asked().len()), (1, 1));
    }
}

#[tokio::test]
async fn nobody_there_is_told_as_not_sent() {
    let (nobody, neither) = (Nobody::listens(), Nobody::listens());
    let client = client_at(&nobody.base, &neither.base, patience());
    let error = client.send(&call(Operation::Refund)).await.unwrap_err();
    assert!(matches!(error, ClientError::NotSent { .. }), "{error}");
    assert!(error.to_string().starts_with("the call was not sent: no host could be reached"), "{error}");
}

/// The primary may have placed the order, whatever became of the second attempt: a caller who is told "not sent" takes a
/// new number, and there are two orders to be paid.
#[tokio::test(start_paused = true)]
async fn a_silent_primary_and_an_unreachable_backup_leave_the_outcome_unknown() {
    for operation in [Operation::Prepay, Operation::Close] {
        let (primary, nobody) = (Wechat::plays([Reply::Silence]).await, Nobody::listens());
        let client = client_at(&primary.base, &nobody.base, Patience { attempts_max: 2, ..patience() });
        let error = client.send(&call(operation)).await.unwrap_err();
        assert!(matches!(error, ClientError::Unknown(Unknown::TimedOut { .. })), "{operation:?}: {error}");
    }
}

/// Neither answers nor the keys that they ask for are waited for any longer.
#[tokio::test(start_paused = true)]
async fn a_call_ends_when_its_time_is_over() {
    let hour = Duration::from_secs(3600);
    let patience = Patience {
        connect: hour,
        answer: hour,
        call: Duration::from_secs(25),
        attempts_max: 9,
        ..patience()
    };
    let unknown_key = || Reply::Signed("certificate", "{}".to_owned());
    for script in [vec![Reply::Silence; 9], vec![unknown_key(), Reply::Silence]] {
        let wechat = Wechat::plays(script).await;
        let client = client_at(&wechat.base, &wechat.base, patience);
        let began = Instant::now();
        let error = client.send(&call(Operation::Query)).await.unwrap_err();
        assert!(matches!(error, ClientError::Unknown(_)), "{error}");
        assert!(began.elapsed() <= Duration::from_millis(25_010), "{:?}", began.elapsed());
    }
}

/// Each host's time is held against the moment of its own answer, not of the last one.
#[tokio::test]
async fn when_each_host_answered_is_kept_beside_its_answer() {
    struct Ticking(AtomicI64);
    impl Environment for Ticking {
        fn now(&self) -> UnixSeconds {
            UnixSeconds(self.0.fetch_add(10, Ordering::SeqCst))
        }
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    let (primary, backup) = (Wechat::plays([good()]).await, Wechat::plays([good()]).await);
    let hosts = Hosts::all_at(&primary.base).and_then(|hosts| hosts.with_backup(&backup.base)).unwrap();
    let environment = Arc::new(Ticking(AtomicI64::new(1_000)));
    let transport = Transport::with(hosts, patience(), environment).unwrap();
    let reached = transport.reach().await;
    let times: Vec<i64> = reached.iter().map(|(_, reached)| reached.as_ref().unwrap().at.0).collect();
    assert_eq!(times, [1_000, 1_010]);
}
