//! Connections are used again, and nothing is lost when they end.

use std::sync::Arc;

use payonce_core::delivery::{Answer, Fault};
use payonce_dispatch::IDLE_MAX;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time,
};

use crate::{
    fixture::{LOCAL, Names, Silent, message, senders, way, words},
    receiver::{Receiver, Reply, answer, taken},
};

#[tokio::test]
async fn calls_one_after_another_share_a_connection() {
    let mut receiver = Receiver::start(vec![
        taken(),
        Reply::Bytes(answer("500 Oh", "", &"x".repeat(50_000))),
        Reply::Bytes(answer("404 None", "", "none")),
        taken(),
    ])
    .await;
    let way = way(&senders(Names::local()), &receiver.url());
    for number in 1..=4 {
        way.send(&message(number)).await;
        let call = receiver.call().await;
        assert_eq!((call.connection, call.body), (1, message(number).body));
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn calls_at_the_same_time_have_a_connection_each_and_keep_them() {
    let receiver = Receiver::start(vec![taken()]).await;
    let way = way(&senders(Names::local()), &receiver.url());
    for _ in 0..3 {
        let mut calls = JoinSet::new();
        for number in 1..=16 {
            let way = Arc::clone(&way);
            calls.spawn(async move { way.send(&message(number)).await.heard.answer });
        }
        assert!(calls.join_all().await.iter().all(|answer| *answer == Answer::Status(204)));
    }
    assert!(receiver.connections() <= 16, "{}", receiver.connections());
}

#[tokio::test]
async fn a_connection_that_the_receiver_ends_is_not_used_again() {
    let receiver = Receiver::start(vec![Reply::Last(answer("200 OK", "Connection: close\r\n", ""))]).await;
    let way = way(&senders(Names::local()), &receiver.url());
    for number in 1..=3 {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Status(200));
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_ended_while_idle_costs_no_attempt() {
    let receiver = Receiver::start(vec![Reply::Last(answer("200 OK", "", ""))]).await;
    let way = way(&senders(Names::local()), &receiver.url());
    for number in 1..=3 {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Status(200));
        // The end of the connection came before this byte, and so it is seen before.
        a_byte_went_round().await;
    }
    assert_eq!(receiver.connections(), 3);
}

async fn a_byte_went_round() {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let mut client =
        TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
    drop(listener.accept().await.expect("a connection"));
    assert_eq!(client.read(&mut [0]).await.expect("its end"), 0);
}

#[tokio::test]
async fn a_connection_that_lay_idle_for_long_is_not_used_again() {
    let receiver = Receiver::start(vec![taken()]).await;
    let way = way(&senders(Names::local()), &receiver.url());
    for (idle, connections) in [(IDLE_MAX / 2, 1), (IDLE_MAX * 2, 1), (IDLE_MAX, 2)] {
        way.send(&message(1)).await;
        assert_eq!(receiver.connections(), connections);
        time::pause();
        time::advance(idle).await;
        time::resume();
    }
}

#[tokio::test]
async fn a_call_that_may_have_been_heard_is_not_made_again_within_the_attempt() {
    let mut receiver = Receiver::start(vec![taken(), Reply::Last(vec![]), taken()]).await;
    let way = way(&senders(Names::local()), &receiver.url());
    let answers = [Answer::Status(204), Answer::Fault(Fault::CutOff), Answer::Status(204)];
    for (number, expected) in (1..).zip(answers) {
        assert_eq!(way.send(&message(number)).await.heard.answer, expected);
        assert_eq!(receiver.call().await.body, message(number).body);
    }
}

#[tokio::test]
async fn the_next_attempt_has_a_connection_of_its_own_after_a_hang() {
    let mut receiver = Receiver::start(vec![Reply::Hang(vec![]), taken()]).await;
    let way = way(&senders(Names::local()), &receiver.url());
    let late = way.send(&message(1)).await;
    assert_eq!(late.heard.answer, Answer::Fault(Fault::TimedOut));
    time::resume();
    assert_eq!(way.send(&message(1)).await.heard.answer, Answer::Status(204));
    let (first, second) = (receiver.call().await, receiver.call().await);
    assert_eq!((first.connection, second.connection), (1, 2));
    assert_eq!(first.headers("webhook-id"), second.headers("webhook-id"));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn nobody_listens_there() {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let report = way(&senders(Names::local()), &format!("http://{address}/")).send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotConnected));
    assert!(words(&report).contains(&address.to_string()), "{}", words(&report));
}

#[tokio::test]
async fn nobody_takes_the_connection_in_time() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((LOCAL, 0).into()).expect("a port");
    // Whoever comes when the queue is full is not answered.
    let listener = socket.listen(1).expect("a queue");
    let address = listener.local_addr().expect("an address");
    let _queue = [TcpStream::connect(address).await, TcpStream::connect(address).await];
    time::pause();
    let report = way(&senders(Names::local()), &format!("http://{address}/")).send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotConnected), "{}", words(&report));
    assert!(words(&report).contains("nobody answered in time"), "{}", words(&report));
}

#[tokio::test]
async fn a_name_without_an_address_is_told_and_so_is_one_of_which_nothing_is_heard() {
    let report = way(&senders(Names::of(&[])), "http://shop.example/").send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotResolved));
    assert_eq!(words(&report), "shop.example: no such name");
    let report = way(&senders(Names::of(&[&[]])), "http://shop.example/").send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotResolved));
    let report = way(&senders(Arc::new(Silent)), "http://shop.example/").send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::NotResolved));
    assert!(words(&report).contains("in time"), "{}", words(&report));
}
