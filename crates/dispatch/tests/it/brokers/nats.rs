//! A message in a JetStream stream.

use std::path::Path;

use async_nats::jetstream::{
    self,
    stream::{Config, DiscardPolicy, Stream},
};
use payonce_core::{
    delivery::{Answer, Fault},
    store::MessageView,
};
use payonce_test_servers::{Nats, nats, require};

use super::{
    LONG_MS, leaves_who_says_nothing, obeys_networks, send, survives_its_broker, tells_that_nobody_is_there,
    way,
};
use crate::{
    fixture::{Names, broker_way, message, senders, unique, words},
    tls::{Authority, HOST},
};

async fn stream(url: &str, name: &str, subject: &str, more: Config) -> Stream {
    let client = async_nats::connect(url).await.expect("a connection");
    let config = Config { name: name.to_owned(), subjects: vec![subject.to_owned()], ..more };
    jetstream::new(client).create_stream(config).await.expect("a stream")
}

async fn kept(stream: &Stream) -> u64 {
    stream.get_info().await.expect("its state").state.messages
}

#[tokio::test]
async fn a_message_that_is_sent_twice_is_kept_once_with_its_id_and_bytes() {
    let Some(url) = require(nats::shared_url()) else { return };
    let name = unique("twice");
    let stream = stream(&url, &name, &format!("{name}.orders"), Config::default()).await;
    let way = way(&format!("{url}/{name}.orders"));
    for number in [1, 1, 2, 1] {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Confirmed);
    }
    assert_eq!(kept(&stream).await, 2);
    for number in [1, 2] {
        let found = stream.get_raw_message(number).await.expect("a message");
        let sent = message(number.try_into().expect("small"));
        assert_eq!(found.payload, sent.body.as_bytes());
        assert_eq!(found.headers.get("Nats-Msg-Id").expect("an id").as_str(), sent.id.0);
    }
}

#[tokio::test]
async fn a_subject_may_end_with_the_message_s_type() {
    let Some(url) = require(nats::shared_url()) else { return };
    let name = unique("types");
    let stream = stream(&url, &name, &format!("{name}.>"), Config::default()).await;
    let way = way(&format!("{url}/{name}.*"));
    assert_eq!(send(&way).await, Answer::Confirmed);
    let found = stream.get_raw_message(1).await.expect("a message");
    assert_eq!(found.subject.as_str(), format!("{name}.payment.succeeded"));
    let odd = MessageView { kind: "wechat.a b".to_owned(), ..message(2) };
    assert_eq!(way.send(&odd).await.heard.answer, Answer::Fault(Fault::Refused));
}

#[tokio::test]
async fn what_no_stream_keeps_is_refused() {
    let Some(url) = require(nats::shared_url()) else { return };
    let name = unique("full");
    let report = way(&format!("{url}/{name}")).send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::Refused), "{}", words(&report));
    let full = Config { max_messages: 1, discard: DiscardPolicy::New, ..Config::default() };
    let stream = stream(&url, &name, &name, full).await;
    let way = way(&format!("{url}/{name}"));
    assert_eq!(send(&way).await, Answer::Confirmed);
    let report = way.send(&message(2)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::Full), "{}", words(&report));
    assert_eq!(kept(&stream).await, 1);
}

#[tokio::test]
async fn a_login_is_asked_for_and_judged() {
    let login_failed = Answer::Fault(Fault::LoginFailed);
    let refused = Answer::Fault(Fault::Refused);
    for (arguments, right) in [
        (["--user", "shop", "--pass", "rSx7"], ("shop", "rSx7")),
        (["--auth", "rSx7", "--name", "n"], ("", "rSx7")),
    ] {
        let Some(server) = require(Nats::start(&arguments)) else { return };
        let url = format!("{}/orders", server.url());
        // There is no stream, so who is let in is refused.
        for (login, expected) in [
            (None, login_failed),
            (Some(("shop", "wrong")), login_failed),
            (Some(("", "wrong")), login_failed),
            (Some(right), refused),
        ] {
            let report = broker_way(&senders(Names::local()), &url, login, LONG_MS).send(&message(1)).await;
            assert_eq!(report.heard.answer, expected, "{login:?}: {}", words(&report));
            assert!(!words(&report).contains("rSx"));
        }
    }
}

#[tokio::test]
async fn nats_may_die_come_back_and_hang() {
    let Some(server) = require(Nats::start(&[])) else { return };
    let stream = stream(&server.url(), "orders", "orders", Config::default()).await;
    let url = format!("{}/orders", server.url());
    survives_its_broker(&server, &url).await;
    assert!(kept(&stream).await >= 1);
    server.kill();
    tells_that_nobody_is_there(&url).await;
}

#[tokio::test]
async fn nats_is_called_only_where_it_may_be() {
    let Some(url) = require(nats::shared_url()) else { return };
    let name = unique("networks");
    stream(&url, &name, &name, Config::default()).await;
    obeys_networks(|host| format!("{}/{name}", url.replace("127.0.0.1", host))).await;
}

#[tokio::test]
async fn over_tls_the_name_in_the_url_is_verified() {
    let (ours, another) = (Authority::ours(), Authority::another());
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let write = |name: &str, text: &str| std::fs::write(Path::new(&path(name)), text).expect("a file");
    for (authority, host, expected) in [
        (&ours, HOST, Fault::Refused),
        (&ours, "other.example", Fault::TlsFailed),
        (&ours, "127.0.0.1", Fault::TlsFailed),
        (&another, HOST, Fault::TlsFailed),
    ] {
        let (certificate, key) = authority.good_pem();
        write("certificate", &certificate);
        write("key", &key);
        let tls = ["--tls", "--tlscert", &path("certificate"), "--tlskey", &path("key")];
        let Some(server) = require(Nats::start(&tls)) else { return };
        let url = format!("nats+tls://{host}:{}/orders", server.port());
        let report = broker_way(&ours.senders(), &url, None, LONG_MS).send(&message(1)).await;
        assert_eq!(report.heard.answer, Answer::Fault(expected), "{host}: {}", words(&report));
    }
    let Some(plain) = require(nats::shared_url()) else { return };
    let url = format!("{}/orders", plain.replace("nats://127.0.0.1", &format!("nats+tls://{HOST}")));
    let report = broker_way(&ours.senders(), &url, None, LONG_MS).send(&message(1)).await;
    assert_ne!(report.heard.answer, Answer::Fault(Fault::Refused), "nothing is sent in the clear");
}

#[tokio::test]
async fn who_takes_a_connection_and_says_nothing_is_left() {
    leaves_who_says_nothing(|address| format!("nats://{address}/orders")).await;
}
