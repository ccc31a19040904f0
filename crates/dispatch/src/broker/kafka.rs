//! Kafka: appends to a topic, by librdkafka.
//!
//! The URL: `kafka://HOST[:9092]/TOPIC`. `acks=all`, idempotent within a connection; the header `webhook-id` is the message's
//! id, by which readers dedupe. The key is the order's part of the id (`order:MERCHANT:NUMBER`), so that an order's
//! messages share a partition and keep their sequence; of what belongs to no order it is the id. A login is SASL PLAIN.
//!
//! Limits: the host in the URL is judged, and its addresses are what librdkafka begins with; which addresses a cluster
//! tells of its brokers it follows by itself, so a cluster is to be trusted with where it leads. There is no TLS:
//! librdkafka's needs OpenSSL, and cryptography here comes from one library.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    delivery::{Fault, Settings},
    store::MessageView,
};
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer as _},
};
use tokio::{task::spawn_blocking, time::Instant};

use crate::{Login, WEBHOOK_ID, connect::Dialer, failure::Failure, target::Target};

use super::{Broker, BrokerUrlError, url::Parts};

/// librdkafka tries no connection for a shorter time.
const SETUP_MIN: Duration = Duration::from_secs(1);

/// The longest name of a topic.
const TOPIC_BYTES_MAX: usize = 249;

/// A topic in a Kafka cluster.
pub(crate) struct Kafka {
    target: Target,
    topic: String,
    login: Option<Login>,
    dialer: Dialer,
    connect_max: Duration,
    total_max: Duration,
}

/// What librdkafka said last of its connections: a message that fails only knows that it took too long.
#[derive(Clone, Default)]
pub(crate) struct Complaints(Arc<Mutex<Option<(Code, String)>>>);

pub(crate) struct Connection {
    producer: FutureProducer<Complaints>,
    complaints: Complaints,
}

impl Complaints {
    fn last(&self) -> Option<(Code, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Complaints {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "librdkafka: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // That all brokers are down says less than why.
            if code != Code::AllBrokersDown || last.is_none() {
                *last = Some((code, reason.to_owned()));
            }
        }
    }
}

fn topic_of(target: &Target) -> Result<String, BrokerUrlError> {
    let parts = Parts::of(target)?;
    let topic = parts.path().to_owned();
    parts.end("none")?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if topic.is_empty() {
        return Err(BrokerUrlError::Missing { expected: "topic: kafka://HOST/TOPIC" });
    }
    if topic.len() > TOPIC_BYTES_MAX || !topic.chars().all(is_allowed) || topic == "." || topic == ".." {
        let expected = "1 to 249 of a-z, A-Z, 0-9, ., _ and -";
        return Err(BrokerUrlError::Value { name: "topic", expected });
    }
    Ok(topic)
}

/// An order's messages have one key.
fn key_of(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((order, _)) if order.starts_with("order:") => order,
        _ => id,
    }
}

impl Kafka {
    pub(crate) fn new(
        target: Target,
        login: Option<&Login>,
        dialer: Dialer,
        settings: &Settings,
    ) -> Result<Self, BrokerUrlError> {
        let [connect_max, total_max] = [settings.connect_max_ms, settings.total_max_ms]
            .map(|milliseconds| Duration::from_millis(milliseconds.into()));
        Ok(Self { topic: topic_of(&target)?, target, login: login.cloned(), dialer, connect_max, total_max })
    }

    fn configuration(&self, servers: &str) -> ClientConfig {
        let milliseconds = |time: Duration| time.as_millis().to_string();
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", servers)
            .set("client.id", "payonce")
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "0")
            .set("message.timeout.ms", milliseconds(self.total_max))
            .set("socket.connection.setup.timeout.ms", milliseconds(self.connect_max.max(SETUP_MIN)));
        if let Some(login) = &self.login {
            config
                .set("security.protocol", "sasl_plaintext")
                .set("sasl.mechanisms", "PLAIN")
                .set("sasl.username", login.user())
                .set("sasl.password", login.password());
        }
        config
    }
}

#[async_trait]
impl Broker for Kafka {
    type Connection = Connection;

    const REMEMBERS_REFUSALS: bool = true;

    async fn connect(&self, until: Instant) -> Result<Connection, Failure> {
        let addresses = self.dialer.addresses(&self.target.host, until).await?;
        let servers = addresses.iter().map(|address| SocketAddr::new(*address, self.target.port).to_string());
        let config = self.configuration(&servers.collect::<Vec<_>>().join(","));
        let complaints = Complaints::default();
        let producer: FutureProducer<_> = config
            .create_with_context(complaints.clone())
            .map_err(|error| Failure::of(Fault::NotConnected, &error))?;
        let (asker, topic) = (producer.clone(), self.topic.clone());
        let within = until.saturating_duration_since(Instant::now());
        let asked =
            spawn_blocking(move || asker.client().fetch_metadata(Some(&topic), within).map(drop)).await;
        match asked {
            Ok(Ok(())) => Ok(Connection { producer, complaints }),
            Ok(Err(error)) => Err(failure(&error, Fault::NotConnected, &complaints)),
            Err(error) => Err(Failure::of(Fault::NotConnected, &error)),
        }
    }

    fn is_alive(connection: &Connection) -> bool {
        connection.producer.client().fatal_error().is_none()
    }

    async fn publish(&self, connection: &Connection, message: &MessageView) -> Result<(), Failure> {
        let id = Header { key: WEBHOOK_ID, value: Some(&message.id.0) };
        let kind = Header { key: "type", value: Some(&message.kind) };
        let record = FutureRecord::to(&self.topic)
            .key(key_of(&message.id.0))
            .payload(&message.body)
            .headers(OwnedHeaders::new_with_capacity(2).insert(id).insert(kind));
        match connection.producer.send(record, self.total_max).await {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(failure(&error, Fault::CutOff, &connection.complaints)),
        }
    }
}

/// What an error of Kafka's means; `otherwise`, if nothing is known of it.
fn failure(error: &KafkaError, otherwise: Fault, complaints: &Complaints) -> Failure {
    let code = error.rdkafka_error_code();
    match code.map(fault_of) {
        Some(Some(fault)) if fault != Fault::TimedOut => Failure::of(fault, error),
        found => {
            let last = complaints.last();
            let why = last.as_ref().and_then(|(code, _)| fault_of(*code));
            let fault = why.or(found.flatten()).unwrap_or(otherwise);
            let words = last.map(|(_, reason)| format!(": {reason}")).unwrap_or_default();
            Failure::new(fault, format_args!("{error}{words}"))
        }
    }
}

fn fault_of(code: Code) -> Option<Fault> {
    Some(match code {
        Code::Resolve => Fault::NotResolved,
        Code::BrokerTransportFailure | Code::AllBrokersDown => Fault::NotConnected,
        Code::SSL => Fault::TlsFailed,
        Code::Authentication | Code::SaslAuthenticationFailed | Code::ClusterAuthorizationFailed => {
            Fault::LoginFailed
        }
        Code::MessageTimedOut | Code::OperationTimedOut | Code::RequestTimedOut | Code::QueueFull => {
            Fault::TimedOut
        }
        Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicOrPartition
        | Code::InvalidTopic
        | Code::TopicAuthorizationFailed
        | Code::MessageSizeTooLarge
        | Code::MessageBatchTooLarge
        | Code::InvalidMessage
        | Code::InvalidMessageSize
        | Code::PolicyViolation => Fault::Refused,
        Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => Fault::Full,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::url::tests::target, *};

    #[test]
    fn the_url_names_a_topic() {
        let topic = |behind: &str| topic_of(&target(&format!("kafka://h{behind}")));
        assert_eq!(topic("/shop.payments-1_a").as_deref(), Ok("shop.payments-1_a"));
        let long = format!("/{}", "t".repeat(250));
        for behind in ["", "/", "/a%20b", "/a/b", "/a?x=1", "/..", &long] {
            assert!(topic(behind).is_err(), "{behind}");
        }
    }

    #[test]
    fn an_order_s_messages_share_a_key() {
        for (id, key) in [
            ("order:1900000001:shop-1:1", "order:1900000001:shop-1"),
            ("order:1900000001:shop-1:12", "order:1900000001:shop-1"),
            ("payment:1900000001:420000:1", "payment:1900000001:420000:1"),
            ("event:1900000001:abc", "event:1900000001:abc"),
            ("", ""),
        ] {
            assert_eq!(key_of(id), key);
        }
    }

    #[test]
    fn a_message_that_took_too_long_is_told_with_the_reason() {
        let late = KafkaError::MessageProduction(Code::MessageTimedOut);
        let silent = Complaints::default();
        assert_eq!(failure(&late, Fault::CutOff, &silent).fault, Fault::TimedOut);
        for (code, fault) in [
            (Code::Authentication, Fault::LoginFailed),
            (Code::BrokerTransportFailure, Fault::NotConnected),
            (Code::Resolve, Fault::NotResolved),
        ] {
            let complaints = Complaints::default();
            complaints.error(KafkaError::Global(code), "because");
            complaints.error(KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
            let failure = failure(&late, Fault::CutOff, &complaints);
            assert_eq!(failure.fault, fault);
            assert!(failure.words.ends_with(": because"), "{}", failure.words);
        }
        let refused = KafkaError::MessageProduction(Code::MessageSizeTooLarge);
        assert_eq!(failure(&refused, Fault::CutOff, &silent).fault, Fault::Refused);
    }
}
