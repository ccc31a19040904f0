//! What each broker keeps counts as delivered, and nothing else does. Each test talks to the real server.

use std::sync::Arc;

use payonce_core::delivery::{Answer, Fault};
use payonce_dispatch::{Header, Networks, OpenError, Secrets, Sender, Senders};
use payonce_test_servers::{Engine, Server};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::fixture::{LOCAL, Names, broker_way, endpoint, message, senders, words};

#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "redis")]
mod redis;

/// Long enough for a machine with other work.
const LONG_MS: u32 = 30_000;

/// How long it is waited for a server that hangs.
const SHORT_MS: u32 = 500;

fn way(url: &str) -> Arc<dyn Sender> {
    broker_way(&senders(Names::local()), url, None, LONG_MS)
}

async fn send(way: &Arc<dyn Sender>) -> Answer {
    way.send(&message(1)).await.heard.answer
}

/// A broker that is killed, comes back and hangs is told at each attempt, and has the message in the end.
async fn survives_its_broker<E: Engine>(server: &Server<E>, url: &str) {
    let way = way(url);
    assert_eq!(send(&way).await, Answer::Confirmed);
    server.kill();
    for _ in 0..3 {
        let gone = way.send(&message(2)).await;
        let expected = [Fault::NotConnected, Fault::CutOff].map(Answer::Fault);
        assert!(expected.contains(&gone.heard.answer), "{gone:?}: {}", words(&gone));
    }
    server.start_again().expect("it starts");
    assert_eq!(send(&way).await, Answer::Confirmed);

    let hurried = broker_way(&senders(Names::local()), url, None, SHORT_MS);
    assert_eq!(send(&hurried).await, Answer::Confirmed);
    server.pause();
    let late = hurried.send(&message(3)).await;
    assert_eq!(late.heard.answer, Answer::Fault(Fault::TimedOut), "{}", words(&late));
    let late = hurried.send(&message(3)).await;
    assert_eq!(late.heard.answer, Answer::Fault(Fault::NotConnected), "{}", words(&late));
    server.resume();
    assert_eq!(send(&way).await, Answer::Confirmed);
}

/// What may not be called is not called, whatever its name resolves to.
async fn obeys_networks(url_of: impl Fn(&str) -> String) {
    let strict = Senders { networks: Networks::default(), ..senders(Names::of(&[&["10.0.0.1"]])) };
    for host in ["127.0.0.1", "shop.example"] {
        let report = broker_way(&strict, &url_of(host), None, LONG_MS).send(&message(1)).await;
        assert_eq!(report.heard.answer, Answer::Fault(Fault::Forbidden), "{host}: {}", words(&report));
    }
    let names = Names::of(&[&["127.0.0.1"]]);
    let way = broker_way(&senders(names.clone()), &url_of("shop.example"), None, LONG_MS);
    assert_eq!(send(&way).await, Answer::Confirmed);
    assert_eq!(names.asked(), ["shop.example"]);
}

/// Nobody listens there.
async fn tells_that_nobody_is_there(url: &str) {
    let report = way(url).send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotConnected), "{}", words(&report));
}

/// Who takes a connection and says nothing is left in time, and nothing of it stays open.
async fn leaves_who_says_nothing(url_of: impl Fn(&str) -> String) {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let way = broker_way(&senders(Names::local()), &url_of(&address), None, SHORT_MS);
    let sent = tokio::spawn(async move { way.send(&message(1)).await });
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let report = sent.await.expect("no panic");
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotConnected), "{}", words(&report));
    let mut said = vec![];
    stream.read_to_end(&mut said).await.expect("its end");
}

#[test]
fn a_url_that_means_nothing_is_refused_before_anything_is_sent() {
    let senders = senders(Names::local());
    for url in [
        "amqp://h",
        "nats://h",
        "redis://h",
        "amqp://h?exchang=x",
        "nats://h/a?x=1",
        "redis://h?stream=s&x=1",
    ] {
        let refused = senders.with(Secrets::default(), &endpoint(url)).err().expect(url);
        assert!(matches!(refused, OpenError::Broker(_) | OpenError::NotBuilt(_)), "{url}: {refused}");
    }
    let refused =
        senders.with(Secrets::default(), &endpoint("kafka+tls://h/t")).err().expect("no TLS for Kafka");
    assert!(matches!(refused, OpenError::NotBuilt(_)), "{refused}");
}

#[test]
fn headers_are_for_http_and_a_login_is_for_brokers() {
    let header = Header::parse("a", "b").expect("a header");
    let secrets = Secrets::new(vec![], vec![header], None).expect("secrets");
    let refused = senders(Names::local()).with(secrets, &endpoint("redis://h?stream=s")).err();
    assert_eq!(refused, Some(OpenError::Headers));
    let login = payonce_dispatch::Login::parse("a", "b").expect("a login");
    let secrets = Secrets::new(vec![], vec![], Some(login)).expect("secrets");
    let refused = senders(Names::local()).with(secrets, &endpoint("https://h/")).err();
    assert_eq!(refused, Some(OpenError::Login));
}
