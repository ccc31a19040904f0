//! Redis: appends to a stream.
//!
//! The URL: `redis://HOST[:6379][/DATABASE]?stream=NAME[&maxlen=N]`. Each message is one entry, `XADD NAME [MAXLEN ~ N] * id
//! … type … body …`; `maxlen` lets Redis forget the oldest ones, a few more than `N` stay. Redis does not dedupe: readers
//! do, by `id`. It answers before anything is on a disk; how much it may lose when it dies is its own setting
//! (`appendfsync`). Errors that say something of the message or the stream are refusals: a key of another kind, no more
//! memory, a replica, no permission.

use async_trait::async_trait;
use payonce_core::{delivery::Fault, store::MessageView};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind,
    aio::MultiplexedConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    Login,
    connect::{Dialer, Encryption},
    failure::Failure,
    target::Target,
};

use super::{Broker, BrokerUrlError, url::Parts};

const PARAMETERS: &str = "stream, maxlen";

/// A stream in a Redis server.
pub(crate) struct Redis {
    target: Target,
    place: Place,
    info: RedisConnectionInfo,
    dialer: Dialer,
    encryption: Option<Encryption>,
}

/// What the URL says.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    database: i64,
    stream: String,
    maxlen: Option<u64>,
}

/// A connection, and what drives it.
pub(crate) struct Connection {
    commands: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    /// It would otherwise wait for answers of a server that hangs.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Place {
    fn of(target: &Target) -> Result<Self, BrokerUrlError> {
        let mut parts = Parts::of(target)?;
        let database = match parts.path() {
            "" => 0,
            path => {
                path.parse::<u16>().map_err(|_| BrokerUrlError::Path { expected: "the database's number" })?
            }
        };
        let expected = "stream: ?stream=NAME";
        let stream = parts.take("stream").ok_or(BrokerUrlError::Missing { expected })?;
        let number = |text: String| text.parse().ok().filter(|maxlen| *maxlen > 0);
        let wrong = BrokerUrlError::Value { name: "maxlen", expected: "a number of entries, 1 or more" };
        let maxlen = parts.take("maxlen").map(|text| number(text).ok_or(wrong)).transpose()?;
        parts.end(PARAMETERS)?;
        Ok(Self { database: database.into(), stream, maxlen })
    }
}

impl Redis {
    pub(crate) fn new(
        target: Target,
        login: Option<&Login>,
        (dialer, encryption): (Dialer, Option<Encryption>),
    ) -> Result<Self, BrokerUrlError> {
        let place = Place::of(&target)?;
        let mut info = RedisConnectionInfo::default().set_db(place.database).set_skip_set_lib_name();
        if let Some(login) = login {
            info = info.set_password(login.password());
            if !login.user().is_empty() {
                info = info.set_username(login.user());
            }
        }
        Ok(Self { target, place, info, dialer, encryption })
    }

    async fn open<S>(&self, stream: S, config: AsyncConnectionConfig) -> Result<Connection, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let opened = MultiplexedConnection::new_with_config(&self.info, stream, config).await;
        let (commands, driver) = opened.map_err(|error| failure(&error))?;
        Ok(Connection { commands, driver: tokio::spawn(driver) })
    }

    fn command(&self, message: &MessageView) -> Cmd {
        let mut command = redis::cmd("XADD");
        command.arg(&self.place.stream);
        if let Some(maxlen) = self.place.maxlen {
            command.arg("MAXLEN").arg("~").arg(maxlen);
        }
        command.arg("*").arg("id").arg(&message.id.0).arg("type").arg(&message.kind);
        command.arg("body").arg(&message.body);
        command
    }
}

#[async_trait]
impl Broker for Redis {
    type Connection = Connection;

    async fn connect(&self, until: Instant) -> Result<Connection, Failure> {
        let stream = self.dialer.dial(&self.target.host, self.target.port, until).await?;
        // The time-outs are the endpoint's.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let connection = match &self.encryption {
            None => self.open(stream, config).await?,
            Some(encryption) => self.open(encryption.encrypt(stream, until).await?, config).await?,
        };
        // Without a login and a database nothing was said yet. Who may do nothing but append is let in all the same.
        let mut commands = connection.commands.clone();
        match redis::cmd("PING").query_async::<()>(&mut commands).await.map_err(|error| failure(&error)) {
            Err(failure) if failure.fault != Fault::Refused => Err(failure),
            _ => Ok(connection),
        }
    }

    fn is_alive(connection: &Connection) -> bool {
        !connection.driver.is_finished()
    }

    async fn publish(&self, connection: &Connection, message: &MessageView) -> Result<(), Failure> {
        let mut commands = connection.commands.clone();
        let entry: String =
            self.command(message).query_async(&mut commands).await.map_err(|error| failure(&error))?;
        tracing::trace!(entry, "in the stream");
        Ok(())
    }
}

/// What an error of Redis's means.
fn failure(error: &RedisError) -> Failure {
    let fault = match error.kind() {
        ErrorKind::AuthenticationFailed => Fault::LoginFailed,
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::TryAgain,
        ) => Fault::NotConnected,
        ErrorKind::Server(_) | ErrorKind::Extension => match error.code() {
            Some("NOAUTH" | "WRONGPASS") => Fault::LoginFailed,
            // No memory, no disk, too few replicas.
            Some("OOM" | "MISCONF" | "NOREPLICAS") => Fault::Full,
            _ => Fault::Refused,
        },
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType | ErrorKind::RESP3NotSupported => Fault::Garbled,
        _ => Fault::CutOff,
    };
    Failure::of(fault, error)
}

#[cfg(test)]
mod tests {
    use super::{super::url::tests::target, *};

    #[test]
    fn the_url_names_database_and_stream() {
        let place = |url| Place::of(&target(url));
        let found = place("redis://h/3?stream=shop%3Apayonce&maxlen=1000");
        let expected = Place { database: 3, stream: "shop:payonce".to_owned(), maxlen: Some(1000) };
        assert_eq!(found, Ok(expected));
        let found = place("rediss://h?stream=s").expect("a place");
        assert_eq!((found.database, found.maxlen), (0, None));
        for url in [
            "redis://h",
            "redis://h/0?stream=",
            "redis://h/x?stream=s",
            "redis://h/0/s",
            "redis://h?stream=s&maxlen=0",
            "redis://h?stream=s&maxlen=-1",
            "redis://h?stream=s&maxlength=1",
        ] {
            let error = place(url).expect_err(url);
            assert!(!error.to_string().is_empty());
        }
    }
}
