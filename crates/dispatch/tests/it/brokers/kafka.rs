//! A message in a Kafka topic. The cluster is librdkafka's own stand-in, which speaks the protocol on loopback ports: Debian
//! has no Kafka.

use std::time::Duration;

use payonce_core::delivery::{Answer, Fault};
use payonce_dispatch::{Networks, Senders};
use rdkafka::{
    ClientConfig, Message as _,
    consumer::{Consumer as _, StreamConsumer},
    message::{Headers as _, OwnedMessage},
    mocking::MockCluster,
    producer::DefaultProducerContext,
};
use tokio::time::timeout;

use super::{LONG_MS, SHORT_MS, tells_that_nobody_is_there, way};
use crate::fixture::{Names, broker_way, message, senders, words};

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster() -> (Cluster, String) {
    let cluster = Cluster::new(1).expect("a cluster");
    let url = format!("kafka://{}", cluster.bootstrap_servers());
    (cluster, url)
}

/// The next messages of a topic.
async fn read(cluster: &Cluster, topic: &str, count: usize) -> Vec<OwnedMessage> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("group.id", "test")
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("a subscription");
    let mut found = vec![];
    while found.len() < count {
        let next = timeout(Duration::from_secs(60), consumer.recv()).await.expect("in time");
        found.push(next.expect("a message").detach());
    }
    found
}

#[tokio::test]
async fn a_topic_gets_the_message_with_its_id_and_bytes_under_its_order() {
    let (cluster, url) = cluster();
    cluster.create_topic("orders", 3, 1).expect("a topic");
    let way = way(&format!("{url}/orders"));
    for number in [1, 1, 2] {
        let report = way.send(&message(number)).await;
        assert_eq!(report.heard.answer, Answer::Confirmed, "{}", words(&report));
    }
    let mut found = read(&cluster, "orders", 3).await;
    found.sort_by_key(|found| found.key().map(<[u8]>::to_vec));
    for (found, number) in found.iter().zip([1, 1, 2]) {
        let sent = message(number);
        assert_eq!(found.payload(), Some(sent.body.as_bytes()));
        assert_eq!(found.key(), Some(format!("order:1900000001:shop-{number}").as_bytes()));
        let headers = found.headers().expect("headers");
        let [id, kind] = [0, 1].map(|at| headers.get(at));
        assert_eq!((id.key, id.value), ("webhook-id", Some(sent.id.0.as_bytes())));
        assert_eq!((kind.key, kind.value), ("type", Some(sent.kind.as_bytes())));
    }
}

#[tokio::test]
async fn what_the_cluster_does_not_keep_is_refused() {
    let (cluster, url) = cluster();
    cluster.create_topic("orders", 1, 1).expect("a topic");
    let way = way(&format!("{url}/orders"));
    let error = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(rdkafka::types::RDKafkaApiKey::Produce, &[error]);
    let report = way.send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::Refused), "{}", words(&report));
    let report = way.send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Confirmed, "{}", words(&report));
}

#[tokio::test]
async fn a_cluster_that_goes_away_is_told_in_time() {
    let (cluster, url) = cluster();
    cluster.create_topic("orders", 1, 1).expect("a topic");
    let url = format!("{url}/orders");
    let hurried = broker_way(&senders(Names::local()), &url, None, 4 * SHORT_MS);
    assert_eq!(hurried.send(&message(1)).await.heard.answer, Answer::Confirmed);
    cluster.broker_down(1).expect("it goes down");
    let report = hurried.send(&message(2)).await;
    let expected = [Fault::NotConnected, Fault::TimedOut].map(Answer::Fault);
    assert!(expected.contains(&report.heard.answer), "{report:?}: {}", words(&report));
    cluster.broker_up(1).expect("it comes back");
    assert_eq!(way(&url).send(&message(2)).await.heard.answer, Answer::Confirmed);
    drop(cluster);
    tells_that_nobody_is_there(&url).await;
}

#[tokio::test]
async fn a_cluster_is_begun_with_only_where_it_may_be() {
    let (cluster, url) = cluster();
    cluster.create_topic("orders", 1, 1).expect("a topic");
    let url = format!("{url}/orders");
    let strict = Senders { networks: Networks::default(), ..senders(Names::of(&[])) };
    let report = broker_way(&strict, &url, None, LONG_MS).send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::Forbidden), "{}", words(&report));
    let named = url.replace("127.0.0.1", "shop.example");
    assert_eq!(way(&named).send(&message(1)).await.heard.answer, Answer::Confirmed);
}
