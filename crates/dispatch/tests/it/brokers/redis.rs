//! A message in a Redis stream.

use payonce_core::delivery::{Answer, Fault};
use payonce_test_servers::{Redis, redis, require};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use super::{
    LONG_MS, leaves_who_says_nothing, obeys_networks, send, survives_its_broker, tells_that_nobody_is_there,
    way,
};
use crate::{
    fixture::{LOCAL, Names, broker_way, message, senders, unique, words},
    tls::{Authority, HOST, encrypted},
};

type Entries = Vec<(String, Vec<String>)>;

async fn entries(url: &str, stream: &str) -> Entries {
    let client = ::redis::Client::open(url).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let entries = ::redis::cmd("XRANGE").arg(stream).arg("-").arg("+").query_async(&mut connection).await;
    entries.expect("entries")
}

#[tokio::test]
async fn each_message_is_one_entry_with_its_id_type_and_bytes() {
    let Some(url) = require(redis::shared_url()) else { return };
    let stream = unique("店");
    let way = way(&format!("{url}?stream={}", stream.replace('店', "%E5%BA%97")));
    for number in [1, 2] {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Confirmed);
    }
    let fields: Vec<_> = entries(&url, &stream).await.into_iter().map(|(_, fields)| fields).collect();
    let expected = [1, 2].map(|number| {
        let message = message(number);
        ["id", &message.id.0, "type", &message.kind, "body", &message.body].map(str::to_owned).to_vec()
    });
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_database_of_its_own_and_a_bounded_length_are_kept_to() {
    let Some(server) = require(Redis::start()) else { return };
    let way = way(&format!("{}3?stream=s&maxlen=100", server.url()));
    for number in 0..400 {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Confirmed);
    }
    assert_eq!(entries(&server.url(), "s").await, Entries::new());
    let kept = entries(&format!("{}3", server.url()), "s").await.len();
    assert!((100..=200).contains(&kept), "{kept}");
}

#[tokio::test]
async fn what_redis_does_not_take_is_refused() {
    let Some(server) = require(Redis::start()) else { return };
    let way = way(&format!("{}?stream=s", server.url()));
    assert_eq!(server.command_line("SET s text").expect("an answer"), "+OK");
    let refused = way.send(&message(1)).await;
    assert_eq!(refused.heard.answer, Answer::Fault(Fault::Refused));
    assert!(words(&refused).contains("WRONGTYPE"), "{}", words(&refused));
    server.flush().expect("an answer");
    assert_eq!(send(&way).await, Answer::Confirmed);
    assert_eq!(server.command_line("CONFIG SET maxmemory 1").expect("an answer"), "+OK");
    let refused = way.send(&message(1)).await;
    assert_eq!(refused.heard.answer, Answer::Fault(Fault::Full), "{}", words(&refused));
}

#[tokio::test]
async fn a_login_is_asked_for_and_judged() {
    let Some(server) = require(Redis::start()) else { return };
    let url = format!("{}?stream=s", server.url());
    assert_eq!(server.command_line("ACL SETUSER shop on >rSx7 ~* +@all").expect("an answer"), "+OK");
    assert_eq!(server.command_line("ACL SETUSER writer on >rSx9 ~s +xadd").expect("an answer"), "+OK");
    assert_eq!(server.command_line("ACL SETUSER reader on >rSx9 ~s +xrange").expect("an answer"), "+OK");
    assert_eq!(server.command_line("CONFIG SET requirepass rSx8").expect("an answer"), "+OK");
    let login_failed = Answer::Fault(Fault::LoginFailed);
    for (login, expected) in [
        (None, login_failed),
        (Some(("", "wrong")), login_failed),
        (Some(("shop", "wrong")), login_failed),
        (Some(("", "rSx8")), Answer::Confirmed),
        (Some(("shop", "rSx7")), Answer::Confirmed),
        (Some(("writer", "rSx9")), Answer::Confirmed),
        (Some(("reader", "rSx9")), Answer::Fault(Fault::Refused)),
    ] {
        let report = broker_way(&senders(Names::local()), &url, login, LONG_MS).send(&message(1)).await;
        assert_eq!(report.heard.answer, expected, "{login:?}: {}", words(&report));
        assert!(!words(&report).contains("rSx"));
    }
}

#[tokio::test]
async fn redis_may_die_come_back_and_hang() {
    let Some(server) = require(Redis::start()) else { return };
    survives_its_broker(&server, &format!("{}?stream=s", server.url())).await;
    server.kill();
    tells_that_nobody_is_there(&format!("{}?stream=s", server.url())).await;
}

#[tokio::test]
async fn redis_is_called_only_where_it_may_be() {
    let Some(url) = require(redis::shared_url()) else { return };
    let stream = unique("networks");
    obeys_networks(|host| format!("{}?stream={stream}", url.replace("127.0.0.1", host))).await;
}

#[tokio::test]
async fn over_tls_a_certificate_that_is_not_trusted_is_not_believed() {
    let Some(server) = require(Redis::start()) else { return };
    let authority = Authority::ours();
    for (acceptor, expected) in [
        (authority.good(), Answer::Confirmed),
        (Authority::another().good(), Answer::Fault(Fault::TlsFailed)),
    ] {
        let port = encrypted(acceptor, server.port()).await;
        let url = format!("rediss://{HOST}:{port}?stream=s");
        let report = broker_way(&authority.senders(), &url, None, LONG_MS).send(&message(1)).await;
        assert_eq!(report.heard.answer, expected, "{}", words(&report));
    }
    assert_eq!(entries(&server.url(), "s").await.len(), 1);
}

#[tokio::test]
async fn what_is_no_redis_is_garbled_or_cut_off() {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let report = way(&format!("redis://127.0.0.1:{port}?stream=s")).send(&message(1)).await;
    let expected = [Fault::Garbled, Fault::CutOff].map(Answer::Fault);
    assert!(expected.contains(&report.heard.answer), "{report:?}");
}

#[tokio::test]
async fn who_takes_a_connection_and_says_nothing_is_left() {
    leaves_who_says_nothing(|address| format!("redis://{address}?stream=s")).await;
}
