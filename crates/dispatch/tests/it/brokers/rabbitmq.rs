//! A message in a RabbitMQ queue.

use std::sync::Arc;

use lapin::{
    Channel, Connection, ConnectionProperties, ExchangeKind,
    message::BasicGetMessage,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use payonce_core::{
    delivery::{Answer, Fault},
    store::MessageView,
};
use payonce_test_servers::{RabbitMq, rabbitmq, require};
use tokio::task::JoinSet;

use super::{
    LONG_MS, leaves_who_says_nothing, obeys_networks, send, survives_its_broker, tells_that_nobody_is_there,
    way,
};
use crate::{
    fixture::{Names, broker_way, message, senders, unique, words},
    tls::{Authority, HOST, encrypted},
};

async fn channel(url: &str) -> Channel {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
    connection.create_channel().await.expect("a channel")
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), durable, arguments).await.expect("a queue");
}

async fn get(channel: &Channel, queue: &str) -> Option<BasicGetMessage> {
    channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.expect("an answer")
}

#[tokio::test]
async fn a_queue_gets_the_message_to_keep_with_its_id_and_bytes() {
    let Some(url) = require(rabbitmq::shared_url()) else { return };
    let channel = channel(&url).await;
    let name = unique("queue");
    queue(&channel, &name, FieldTable::default()).await;
    let way = way(&format!("{url}?queue={name}"));
    for number in [1, 2] {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Confirmed);
    }
    for number in [1, 2] {
        let found = get(&channel, &name).await.expect("a message").delivery;
        let sent = message(number);
        assert_eq!(found.data, sent.body.as_bytes());
        let properties = &found.properties;
        assert_eq!(properties.message_id().as_ref().map(|id| id.as_str()), Some(sent.id.0.as_str()));
        assert_eq!(properties.kind().as_ref().map(|kind| kind.as_str()), Some("payment.succeeded"));
        assert_eq!(*properties.delivery_mode(), Some(2), "it survives a restart");
    }
    assert!(get(&channel, &name).await.is_none());
}

#[tokio::test]
async fn an_exchange_gets_the_type_as_routing_key_and_what_no_queue_gets_is_refused() {
    let Some(url) = require(rabbitmq::shared_url()) else { return };
    let channel = channel(&url).await;
    let (exchange, name) = (unique("exchange"), unique("paid"));
    let options = ExchangeDeclareOptions::default();
    channel
        .exchange_declare(exchange.as_str().into(), ExchangeKind::Topic, options, FieldTable::default())
        .await
        .expect("an exchange");
    queue(&channel, &name, FieldTable::default()).await;
    let bind = channel.queue_bind(
        name.as_str().into(),
        exchange.as_str().into(),
        "payment.*".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bind.await.expect("a binding");

    // All at once, on one channel: each is told what came of it, and not of another.
    let way = way(&format!("{url}?exchange={exchange}"));
    let mut calls = JoinSet::new();
    for number in 0..100 {
        let way = Arc::clone(&way);
        let is_wanted = number % 2 == 0;
        let kind = if is_wanted { "payment.succeeded" } else { "order.closed" };
        let message = MessageView { kind: kind.to_owned(), ..message(number) };
        calls.spawn(async move { (is_wanted, way.send(&message).await) });
    }
    for (is_wanted, report) in calls.join_all().await {
        let expected = if is_wanted { Answer::Confirmed } else { Answer::Fault(Fault::Refused) };
        assert_eq!(report.heard.answer, expected, "{}", words(&report));
        assert_eq!(words(&report).contains("NO_ROUTE"), !is_wanted, "{}", words(&report));
    }
    let mut found = 0;
    while get(&channel, &name).await.is_some() {
        found += 1;
    }
    assert_eq!(found, 50);
    let fixed = super::way(&format!("{url}?exchange={exchange}&routing_key=order.closed"));
    assert_eq!(send(&fixed).await, Answer::Fault(Fault::Refused));
}

#[tokio::test]
async fn an_exchange_that_is_not_there_and_a_queue_that_is_full_refuse() {
    let Some(url) = require(rabbitmq::shared_url()) else { return };
    let absent = way(&format!("{url}?exchange={}", unique("absent")));
    for _ in 0..2 {
        let report = absent.send(&message(1)).await;
        assert_eq!(report.heard.answer, Answer::Fault(Fault::Refused), "{}", words(&report));
        assert!(words(&report).contains("NOT_FOUND"), "{}", words(&report));
    }
    let channel = channel(&url).await;
    let name = unique("full");
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    queue(&channel, &name, arguments).await;
    let way = way(&format!("{url}?queue={name}"));
    assert_eq!(send(&way).await, Answer::Confirmed);
    let report = way.send(&message(2)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::Full), "{}", words(&report));
    assert!(get(&channel, &name).await.is_some());
    assert_eq!(send(&way).await, Answer::Confirmed, "there is room again");
}

#[tokio::test]
async fn a_login_and_a_virtual_host_are_judged() {
    let Some(url) = require(rabbitmq::shared_url()) else { return };
    for (login, vhost) in
        [(Some(("guest", "rSx7")), ""), (Some(("nobody", "rSx7")), ""), (None, "/no-such-host")]
    {
        let url = format!("{url}{vhost}?queue=any");
        let report = broker_way(&senders(Names::local()), &url, login, LONG_MS).send(&message(1)).await;
        assert_eq!(report.heard.answer, Answer::Fault(Fault::LoginFailed), "{}", words(&report));
        assert!(!words(&report).contains("rSx7"));
    }
}

#[tokio::test]
async fn rabbitmq_may_die_come_back_and_hang() {
    let Some(server) = require(RabbitMq::start()) else { return };
    queue(&channel(&server.url()).await, "orders", FieldTable::default()).await;
    // That there is a queue is on the disk a little later; to stop in order is to wait for it.
    server.stop().expect("it stops");
    server.start_again().expect("it starts");
    let url = format!("{}?queue=orders", server.url());
    survives_its_broker(&server, &url).await;
    assert!(
        get(&channel(&server.url()).await, "orders").await.is_some(),
        "what was confirmed is there after a crash"
    );
    server.kill();
    tells_that_nobody_is_there(&url).await;
}

#[tokio::test]
async fn rabbitmq_is_called_only_where_it_may_be_and_over_tls_only_whom_it_trusts() {
    let Some(url) = require(rabbitmq::shared_url()) else { return };
    let name = unique("networks");
    queue(&channel(&url).await, &name, FieldTable::default()).await;
    obeys_networks(|host| format!("{}?queue={name}", url.replace("127.0.0.1", host))).await;

    let authority = Authority::ours();
    let port = url.rsplit(':').next().expect("a port").parse().expect("a port");
    for (acceptor, expected) in [
        (authority.good(), Answer::Confirmed),
        (Authority::another().good(), Answer::Fault(Fault::TlsFailed)),
    ] {
        let port = encrypted(acceptor, port).await;
        let url = format!("amqps://{HOST}:{port}?queue={name}");
        let report = broker_way(&authority.senders(), &url, None, LONG_MS).send(&message(1)).await;
        assert_eq!(report.heard.answer, expected, "{}", words(&report));
    }
}

#[tokio::test]
async fn who_takes_a_connection_and_says_nothing_is_left() {
    leaves_who_says_nothing(|address| format!("amqp://{address}?queue=orders")).await;
}
