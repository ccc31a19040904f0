//! RabbitMQ: publishes to an exchange, or to a queue.
//!
//! The URL: `amqp://HOST[:5672][/VHOST]?exchange=NAME[&routing_key=KEY]`, or `?queue=NAME`. The routing key is the
//! message's type (`payment.succeeded`) unless the URL has one; a message for a queue goes there by the default exchange.
//! Without a path the virtual host is `/`. Messages are persistent and *mandatory*: what no queue gets comes back, and is
//! refused. The broker confirms each message once its queues have it (and it is on disk, or with the quorum's majority).
//! One message is out on a channel at a time: the client gives a message that comes back to whichever confirmation it
//! hears next on that channel, so that among several a message that no queue gets would pass for one that is kept.
//! RabbitMQ does not dedupe: readers do, by the property `message_id`. Without a login it is `guest`, which RabbitMQ lets
//! in from its own machine alone.

mod runtime;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_rs::Tokio;
use async_trait::async_trait;
use lapin::{
    BasicProperties, Channel, Confirmation, ConnectionProperties, Error, ErrorKind,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
    tcp::AsyncTcpStream,
    types::ShortString,
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo},
};
use payonce_core::{delivery::Fault, store::MessageView};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    Login,
    connect::{Dialer, Encryption},
    failure::Failure,
    target::Target,
};

use super::{Broker, BrokerUrlError, url::Parts};

use runtime::{Runtime, Tether, tethered};

const PARAMETERS: &str = "exchange, routing_key, queue";

/// Seconds after which a connection that says nothing is dead.
const HEARTBEAT_SECONDS: u16 = 30;

/// The longest name in AMQP, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Messages stay over a restart.
const PERSISTENT: u8 = 2;

/// An exchange in a RabbitMQ server.
pub(crate) struct RabbitMq {
    target: Target,
    place: Place,
    user: AMQPUserInfo,
    dialer: Dialer,
    encryption: Option<Encryption>,
}

/// What the URL says.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    vhost: String,
    exchange: ShortString,
    /// `None`: the message's type.
    routing_key: Option<ShortString>,
}

/// A connection, and its channels, on each of which a message is confirmed.
pub(crate) struct Connection {
    connection: lapin::Connection,
    /// As many as the broker lets us have channels.
    turns: Semaphore,
    /// Channels on which nothing is out.
    free: Mutex<Vec<Channel>>,
    /// Ends the connection when nobody has it any more.
    _tether: Tether,
}

impl Place {
    fn of(target: &Target) -> Result<Self, BrokerUrlError> {
        let mut parts = Parts::of(target)?;
        let vhost = if parts.path().is_empty() { "/" } else { parts.path() }.to_owned();
        let (exchange, queue) = (parts.take("exchange"), parts.take("queue"));
        let routing_key = parts.take("routing_key");
        parts.end(PARAMETERS)?;
        let place = |exchange: &str, key: Option<&str>| {
            let short = |name, text: &str| match text.len() {
                1..=NAME_BYTES_MAX => Ok(ShortString::from(text)),
                0 => Ok(ShortString::default()),
                _ => Err(BrokerUrlError::Value { name, expected: "255 bytes at most" }),
            };
            let routing_key = key.map(|key| short("routing key or queue", key)).transpose()?;
            Ok(Self { vhost: vhost.clone(), exchange: short("exchange", exchange)?, routing_key })
        };
        match (exchange, queue) {
            (Some(exchange), None) => place(&exchange, routing_key.as_deref()),
            (None, Some(queue)) if routing_key.is_none() => place("", Some(&queue)),
            _ => Err(BrokerUrlError::Missing {
                expected: "either an exchange (?exchange=NAME, with or without &routing_key=KEY) or a queue \
                           (?queue=NAME)",
            }),
        }
    }
}

impl RabbitMq {
    pub(crate) fn new(
        target: Target,
        login: Option<&Login>,
        (dialer, encryption): (Dialer, Option<Encryption>),
    ) -> Result<Self, BrokerUrlError> {
        let place = Place::of(&target)?;
        let (username, password) = login.map_or(("guest", "guest"), |login| (login.user(), login.password()));
        let user = AMQPUserInfo { username: username.to_owned(), password: password.to_owned() };
        Ok(Self { target, place, user, dialer, encryption })
    }

    fn uri(&self) -> AMQPUri {
        let Target { host, port, .. } = &self.target;
        AMQPUri {
            // What is to be encrypted is so already.
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority { userinfo: self.user.clone(), host: host.clone(), port: *port },
            vhost: self.place.vhost.clone(),
            query: AMQPQueryString { heartbeat: Some(HEARTBEAT_SECONDS), ..AMQPQueryString::default() },
        }
    }
}

impl Connection {
    fn free(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn channel(&self) -> Result<Channel, Error> {
        let free = self.free().pop();
        match free {
            Some(channel) => Ok(channel),
            None => confirming(&self.connection).await,
        }
    }
}

/// A new channel on which each message is confirmed.
async fn confirming(connection: &lapin::Connection) -> Result<Channel, Error> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

#[async_trait]
impl Broker for RabbitMq {
    type Connection = Connection;

    async fn connect(&self, until: Instant) -> Result<Connection, Failure> {
        let opened = self.dialer.dial(&self.target.host, self.target.port, until).await?;
        let (opened, tether) = match &self.encryption {
            Some(encryption) => tethered(encryption.encrypt(opened, until).await?),
            None => tethered(opened),
        };
        // The client asks once; it does not come back by itself.
        let opened = Mutex::new(Some(opened));
        let hand_over = async move |_: AMQPUri, _| {
            let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
            opened
                .map(AsyncTcpStream::Plain)
                .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::BrokenPipe).into())
        };
        let properties = ConnectionProperties::default()
            .with_connection_name("payonce".into())
            .configure_backoff(|backoff| backoff.with_max_times(0));
        let runtime = async_rs::Runtime::new(Runtime(Tokio::current()));
        let connection = lapin::Connection::connector(self.uri(), runtime, hand_over, properties).await;
        let connection = connection.map_err(|error| not_let_in(&error))?;
        let channel = confirming(&connection).await.map_err(|error| not_let_in(&error))?;
        let turns = Semaphore::new(connection.configuration().channel_max().into());
        Ok(Connection { connection, turns, free: Mutex::new(vec![channel]), _tether: tether })
    }

    fn is_alive(Connection { connection, .. }: &Connection) -> bool {
        connection.status().connected()
    }

    async fn publish(&self, connection: &Connection, message: &MessageView) -> Result<(), Failure> {
        let [id, kind] = [&message.id.0, &message.kind].map(|text| text.as_str());
        if id.len() > NAME_BYTES_MAX || kind.len() > NAME_BYTES_MAX {
            return Err(Failure::new(Fault::Refused, "the message's id or type is too long for AMQP"));
        }
        let routing_key = self.place.routing_key.clone().unwrap_or_else(|| kind.into());
        let properties = BasicProperties::default()
            .with_message_id(id.into())
            .with_type(kind.into())
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT)
            .with_timestamp(message.created_at.seconds().try_into().unwrap_or_default())
            .with_app_id("payonce".into());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (exchange, body) = (self.place.exchange.clone(), message.body.as_bytes());
        let _turn = connection.turns.acquire().await;
        let channel = connection.channel().await.map_err(|error| not_kept(&error))?;
        let sent = channel.basic_publish(exchange, routing_key, options, body, properties).await;
        let confirmed = sent.map_err(|error| not_kept(&error))?.await.map_err(|error| not_kept(&error))?;
        // Not before: a channel on which something may still be out closes, as nobody keeps it.
        connection.free().push(channel);
        match confirmed {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                let words = format!("no queue gets it: {} {}", returned.reply_code, returned.reply_text);
                Err(Failure::new(Fault::Refused, words))
            }
            // A queue that is full, or that failed.
            Confirmation::Nack(None) => {
                Err(Failure::new(Fault::Full, "the broker does not keep it: it said nack"))
            }
            Confirmation::NotRequested => {
                Err(Failure::new(Fault::Garbled, "the broker does not confirm what it keeps"))
            }
        }
    }
}

/// The connection did not come about.
fn not_let_in(error: &Error) -> Failure {
    let fault = match error.kind() {
        // A virtual host that is not there, or not ours, is answered with NOT_ALLOWED.
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Fault::LoginFailed,
            _ => Fault::NotConnected,
        },
        ErrorKind::InvalidProtocolVersion(_) | ErrorKind::ParsingError(_) => Fault::Garbled,
        _ => Fault::NotConnected,
    };
    Failure::of(fault, error)
}

/// The broker does not have the message, or did not say so.
fn not_kept(error: &Error) -> Failure {
    let fault = match error.kind() {
        // These end the channel: no such exchange, no permission, too large.
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(_) => Fault::Refused,
            AMQPErrorKind::Hard(_) => Fault::CutOff,
        },
        ErrorKind::ParsingError(_) | ErrorKind::SerialisationError(_) => Fault::Garbled,
        // One that the broker closed, or that was left, counts for a moment longer.
        ErrorKind::ChannelsLimitReached => Fault::Full,
        _ => Fault::CutOff,
    };
    Failure::of(fault, error)
}

#[cfg(test)]
mod tests {
    use super::{super::url::tests::target, *};

    #[test]
    fn the_url_names_virtual_host_and_exchange_or_queue() {
        let place = |behind: &str| Place::of(&target(&format!("amqp://h{behind}")));
        let of = |vhost: &str, exchange: &str, key: Option<&str>| Place {
            vhost: vhost.to_owned(),
            exchange: exchange.into(),
            routing_key: key.map(ShortString::from),
        };
        for (behind, expected) in [
            ("?exchange=shop", of("/", "shop", None)),
            ("/?exchange=shop&routing_key=paid", of("/", "shop", Some("paid"))),
            ("/v?queue=orders", of("v", "", Some("orders"))),
            ("/a%2Fb?queue=orders", of("a/b", "", Some("orders"))),
        ] {
            assert_eq!(place(behind), Ok(expected), "{behind}");
        }
        let long = format!("?queue={}", "q".repeat(256));
        for behind in [
            "",
            "/v",
            "?exchange=a&queue=b",
            "?queue=a&routing_key=b",
            "?exchange=",
            "/v/q",
            "?queues=a",
            &long,
        ] {
            assert!(place(behind).is_err(), "{behind}");
        }
    }
}
