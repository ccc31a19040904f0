//! Brokers take connections when they say so, die and come back.

use std::net::{Ipv4Addr, TcpStream};

use payonce_test_servers::{Engine, Nats, RabbitMq, Server, nats, rabbitmq, require};

fn lives_and_dies<E: Engine>(server: &Server<E>) {
    let connects = || TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).is_ok();
    assert!(connects());
    server.kill();
    assert!(!connects());
    server.start_again().unwrap();
    assert!(connects());
    server.stop().unwrap();
    assert!(!connects());
}

#[test]
fn rabbitmq_lives_and_dies_and_leaves_nothing() {
    let Some(server) = require(RabbitMq::start()) else { return };
    assert_eq!(server.url(), format!("amqp://127.0.0.1:{}", server.port()));
    lives_and_dies(&server);
    let folder = server.folder().to_owned();
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn nats_lives_and_dies_and_takes_arguments() {
    let Some(server) = require(Nats::start(&["--name", "shop"])) else { return };
    assert_eq!(server.url(), format!("nats://127.0.0.1:{}", server.port()));
    lives_and_dies(&server);
    assert!(Nats::start(&["--no-such-argument"]).is_err());
}

#[test]
fn the_shared_brokers_are_one_each() {
    let Some(url) = require(rabbitmq::shared_url()) else { return };
    assert_eq!(rabbitmq::shared_url().unwrap(), url);
    let Some(url) = require(nats::shared_url()) else { return };
    assert_eq!(nats::shared_url().unwrap(), url);
}
