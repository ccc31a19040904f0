//! NATS JetStream: publishes to a subject that a stream keeps.
//!
//! The URL: `nats://HOST[:4222]/SUBJECT`. If the subject ends with `.*`, the message's type takes the star's place
//! (`shop.*` becomes `shop.payment.succeeded`). The header `Nats-Msg-Id` is the message's id: JetStream drops what comes a
//! second time within the stream's `duplicate_window` (two minutes unless set); later than that readers dedupe. A subject
//! that no stream keeps is refused, and so is what the stream has no room for. A login without a user is a token.
//!
//! The client connects to the addresses that were judged, and to none that a server tells it of. TLS verifies the name in
//! the URL, without sending it (SNI), because the client is given addresses alone.

use std::{net::SocketAddr, time::Duration};

use async_nats::{
    ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr,
    connection::State,
    jetstream::{
        self, ErrorCode,
        context::{ContextBuilder, PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use async_trait::async_trait;
use payonce_core::{
    delivery::{Fault, Settings},
    store::MessageView,
};
use tokio::time::Instant;
use tokio_rustls::rustls::{self, ClientConfig};

use crate::{
    Login,
    connect::Dialer,
    failure::{Failure, cause_of},
    target::Target,
};

use super::{Broker, BrokerUrlError, url::Parts};

/// A subject in a NATS server.
pub(crate) struct Nats {
    target: Target,
    subject: Subject,
    login: Option<Login>,
    dialer: Dialer,
    tls: ClientConfig,
    is_encrypted: bool,
    /// So many publishes may be under way.
    concurrency: usize,
    total_max: Duration,
}

/// A connection, and JetStream on it.
pub(crate) struct Connection {
    client: async_nats::Client,
    jetstream: jetstream::Context,
}

/// Where a message goes.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    Fixed(String),
    /// Before the message's type, with the dot.
    Before(String),
}

impl Subject {
    fn of(target: &Target) -> Result<Self, BrokerUrlError> {
        let parts = Parts::of(target)?;
        let path = parts.path();
        let subject = match path.strip_suffix('*') {
            Some(before) if before.is_empty() || before.ends_with('.') => Self::Before(before.to_owned()),
            _ => Self::Fixed(path.to_owned()),
        };
        if path.is_empty() {
            return Err(BrokerUrlError::Missing { expected: "subject: nats://HOST/SUBJECT" });
        }
        if !is_subject(&subject.for_kind("type")) {
            let expected = "words with dots between them, without spaces; a star only as the last word";
            return Err(BrokerUrlError::Value { name: "subject", expected });
        }
        parts.end("none")?;
        Ok(subject)
    }

    fn for_kind(&self, kind: &str) -> String {
        match self {
            Self::Fixed(subject) => subject.clone(),
            Self::Before(before) => format!("{before}{kind}"),
        }
    }
}

/// Whether something can be published there.
fn is_subject(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && !word.contains(|c: char| matches!(c, '*' | '>') || c.is_whitespace() || c.is_control())
    };
    text.split('.').all(is_word)
}

impl Nats {
    pub(crate) fn new(
        target: Target,
        login: Option<&Login>,
        (dialer, tls, is_encrypted): (Dialer, ClientConfig, bool),
        settings: &Settings,
    ) -> Result<Self, BrokerUrlError> {
        let subject = Subject::of(&target)?;
        let total_max = Duration::from_millis(settings.total_max_ms.into());
        let concurrency = usize::from(settings.concurrency).max(1);
        Ok(Self { target, subject, login: login.cloned(), dialer, tls, is_encrypted, concurrency, total_max })
    }

    fn options(&self, until: Instant) -> ConnectOptions {
        let options = ConnectOptions::new()
            .name("payonce")
            .connection_timeout(until.saturating_duration_since(Instant::now()))
            // Only to addresses that were judged; who is gone is looked up anew.
            .ignore_discovered_servers()
            .retain_servers_order()
            .max_reconnects(1)
            .tls_client_config(self.tls.clone())
            .require_tls(self.is_encrypted);
        match &self.login {
            None => options,
            Some(login) if login.user().is_empty() => options.token(login.password().to_owned()),
            Some(login) => options.user_and_password(login.user().to_owned(), login.password().to_owned()),
        }
    }
}

#[async_trait]
impl Broker for Nats {
    type Connection = Connection;

    async fn connect(&self, until: Instant) -> Result<Connection, Failure> {
        let addresses = self.dialer.addresses(&self.target.host, until).await?;
        let server = |address| {
            let url = format!("nats://{}", SocketAddr::new(address, self.target.port));
            url.parse::<ServerAddr>().map_err(|error| Failure::of(Fault::NotConnected, &error))
        };
        let servers: Vec<_> = addresses.into_iter().map(server).collect::<Result<_, _>>()?;
        let client = self.options(until).connect(servers).await.map_err(|error| not_connected(&error))?;
        let jetstream = ContextBuilder::new()
            .timeout(self.total_max)
            .max_ack_inflight(self.concurrency)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Connection { client, jetstream })
    }

    fn is_alive(connection: &Connection) -> bool {
        connection.client.connection_state() == State::Connected
    }

    async fn publish(&self, connection: &Connection, message: &MessageView) -> Result<(), Failure> {
        let subject = self.subject.for_kind(&message.kind);
        if !is_subject(&subject) {
            let words =
                format!("{subject:?} is no subject; give the URL one that does not end with the type");
            return Err(Failure::new(Fault::Refused, words));
        }
        let publish = PublishMessage::build().payload(message.body.clone().into()).message_id(&message.id.0);
        let jetstream = &connection.jetstream;
        let kept = jetstream.send_publish(subject, publish).await.map_err(|error| not_kept(&error))?;
        let kept = kept.await.map_err(|error| not_kept(&error))?;
        tracing::trace!(
            stream = kept.stream,
            sequence = kept.sequence,
            duplicate = kept.duplicate,
            "in the stream"
        );
        Ok(())
    }
}

fn not_connected(error: &ConnectError) -> Failure {
    let fault = match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => Fault::LoginFailed,
        ConnectErrorKind::Tls => Fault::TlsFailed,
        // The client says the same of both.
        _ if cause_of::<rustls::Error>(error).is_some() => Fault::TlsFailed,
        ConnectErrorKind::Dns
        | ConnectErrorKind::ServerParse
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => Fault::NotConnected,
    };
    Failure::of(fault, error)
}

fn not_kept(error: &PublishError) -> Failure {
    let fault = match error.kind() {
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::MaxPayloadExceeded
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence => Fault::Refused,
        PublishErrorKind::TimedOut | PublishErrorKind::MaxAckPending => Fault::TimedOut,
        PublishErrorKind::BrokenPipe => Fault::CutOff,
        PublishErrorKind::Other => {
            match cause_of::<jetstream::Error>(error).map(jetstream::Error::error_code) {
                // No more messages, bytes, memory or disk.
                Some(
                    ErrorCode::STREAM_STORE_FAILED
                    | ErrorCode::INSUFFICIENT_RESOURCES
                    | ErrorCode::MEMORY_RESOURCES_EXCEEDED
                    | ErrorCode::STORAGE_RESOURCES_EXCEEDED,
                ) => Fault::Full,
                // The server answered, and said no.
                Some(_) => Fault::Refused,
                None => Fault::CutOff,
            }
        }
    };
    Failure::of(fault, error)
}

#[cfg(test)]
mod tests {
    use super::{super::url::tests::target, *};

    #[test]
    fn the_url_names_a_subject_that_may_end_with_the_type() {
        let subject = |path: &str| Subject::of(&target(&format!("nats://h{path}")));
        for (path, expected) in [
            ("/orders", "orders"),
            ("/shop.orders", "shop.orders"),
            ("/shop.*", "shop.payment.succeeded"),
            ("/*", "payment.succeeded"),
        ] {
            assert_eq!(subject(path).expect(path).for_kind("payment.succeeded"), expected);
        }
        for path in ["", "/", "/a..b", "/.a", "/a.", "/a.*.b", "/a*", "/a%20b", "/a.%3E", "/a/b", "/a?x=1"] {
            assert!(subject(path).is_err(), "{path}");
        }
    }
}
