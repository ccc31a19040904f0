//! Makes the way to an endpoint, by its URL's scheme.
//!
//! Invariants: every way obeys the same [`Networks`], and none is encrypted for less than the URL says; where no way can be
//! made, no attempt is: messages wait. Deliberately absent: which endpoints there are, and how long
//! a way lives.

use std::sync::Arc;

use payonce_core::{
    Clock,
    delivery::{Endpoint, EndpointName, Scheme},
};

use crate::{
    BrokerUrlError, Login, Networks, Open, Posts, Resolver, SealingKeys, Secrets, Sender, Trust, UnsealError,
    connect::{Dialer, Encryption},
    failure::Failure,
    target::{Target, TargetError},
};

/// What ways are made of.
#[derive(Clone)]
pub struct Senders {
    /// The time, for signatures.
    pub clock: Arc<dyn Clock>,
    /// What opens endpoints' secrets.
    pub keys: Arc<SealingKeys>,
    /// Which addresses may be called.
    pub networks: Networks,
    /// Whether what is not encrypted may be called: `http://`, and brokers without TLS.
    pub plain: bool,
    /// What knows the addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// Whose certificates are believed.
    pub trust: Trust,
}

/// Why there is no way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its secrets do not open.
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    /// It would be called without encryption.
    #[error("{}:// is not encrypted, and such calls are not allowed here; use the encrypted scheme", .0.as_str())]
    Plain(Scheme),
    /// Nobody could verify its calls.
    #[error("the endpoint has no signing key that lasts; give it one, so that its receiver can verify calls")]
    NoKey,
    /// Its URL cannot be called.
    #[error(transparent)]
    Url(#[from] TargetError),
    /// What stands behind the host in a broker's URL means nothing.
    #[error(transparent)]
    Broker(#[from] BrokerUrlError),
    /// Brokers get no headers.
    #[error("headers of one's own are for HTTP alone; leave them out, or give a broker's login by itself")]
    Headers,
    /// What is called here is a web server.
    #[error("a broker takes no such calls; use an https:// URL")]
    NoWebServer,
    /// Web servers know no login.
    #[error("a login is for brokers alone; send an Authorization header instead")]
    Login,
    /// Nothing can be encrypted for it.
    #[error("{words}")]
    Trust {
        /// Why.
        words: String,
    },
    /// This payonce was built without what speaks with such a broker.
    #[error("{}:// is not part of this build of payonce", .0.as_str())]
    NotBuilt(Scheme),
}

impl Senders {
    /// The way to an endpoint. Nothing is connected yet.
    ///
    /// # Errors
    /// [`OpenError`] says why there is none.
    pub fn open(&self, name: &EndpointName, endpoint: &Endpoint) -> Result<Arc<dyn Sender>, OpenError> {
        let secrets = self.keys.open(name, &endpoint.sealed)?;
        self.with(secrets, endpoint)
    }

    /// The way to an endpoint with secrets that are not sealed, for whoever checks an endpoint before it is kept.
    ///
    /// # Errors
    /// [`OpenError`] says why there is none.
    pub fn with(&self, secrets: Secrets, endpoint: &Endpoint) -> Result<Arc<dyn Sender>, OpenError> {
        let scheme = endpoint.url.scheme();
        if !scheme.is_encrypted() && !self.plain {
            return Err(OpenError::Plain(scheme));
        }
        let target = Target::of(&endpoint.url)?;
        if !scheme.is_broker() {
            return self.http(secrets, endpoint);
        }
        if !secrets.headers().is_empty() {
            return Err(OpenError::Headers);
        }
        self.broker(target, secrets.login(), endpoint)
    }

    fn http(&self, secrets: Secrets, endpoint: &Endpoint) -> Result<Arc<dyn Sender>, OpenError> {
        if secrets.login().is_some() {
            return Err(OpenError::Login);
        }
        if !secrets.signs() {
            return Err(OpenError::NoKey);
        }
        let posts = Posts {
            clock: Arc::clone(&self.clock),
            networks: self.networks.clone(),
            plain: self.plain,
            resolver: Arc::clone(&self.resolver),
            trust: self.trust.clone(),
        };
        posts.open(&endpoint.url, secrets, &endpoint.settings)
    }

    fn broker(
        &self,
        target: Target,
        login: Option<&Login>,
        endpoint: &Endpoint,
    ) -> Result<Arc<dyn Sender>, OpenError> {
        let settings = &endpoint.settings;
        match endpoint.url.scheme() {
            #[cfg(feature = "rabbitmq")]
            Scheme::Amqps | Scheme::Amqp => {
                let way = (self.dialer(), self.encryption(&target, endpoint, None)?);
                let broker = crate::broker::rabbitmq::RabbitMq::new(target, login, way)?;
                Ok(Arc::new(crate::broker::BrokerSender::new(broker, settings)))
            }
            #[cfg(feature = "nats")]
            scheme @ (Scheme::NatsTls | Scheme::Nats) => {
                let tls = self.trust.configuration_for(&target.host).map_err(untrusted)?;
                let way = (self.dialer(), tls, scheme.is_encrypted());
                let broker = crate::broker::nats::Nats::new(target, login, way, settings)?;
                Ok(Arc::new(crate::broker::BrokerSender::new(broker, settings)))
            }
            #[cfg(feature = "redis")]
            Scheme::Rediss | Scheme::Redis => {
                let way = (self.dialer(), self.encryption(&target, endpoint, None)?);
                let broker = crate::broker::redis::Redis::new(target, login, way)?;
                Ok(Arc::new(crate::broker::BrokerSender::new(broker, settings)))
            }
            // Its client has no TLS.
            #[cfg(feature = "kafka")]
            Scheme::Kafka => {
                let broker = crate::broker::kafka::Kafka::new(target, login, self.dialer(), settings)?;
                Ok(Arc::new(crate::broker::BrokerSender::new(broker, settings)))
            }
            other => {
                let _ = (target, login, settings);
                Err(OpenError::NotBuilt(other))
            }
        }
    }

    fn encryption(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        protocol: Option<&[u8]>,
    ) -> Result<Option<Encryption>, OpenError> {
        let encrypt = || self.trust.encryption(&target.host, protocol).map_err(untrusted);
        endpoint.url.scheme().is_encrypted().then(encrypt).transpose()
    }

    fn dialer(&self) -> Dialer {
        Dialer { networks: self.networks.clone(), resolver: Arc::clone(&self.resolver) }
    }
}

impl Open for Senders {
    fn open(&self, name: &EndpointName, endpoint: &Endpoint) -> Result<Arc<dyn Sender>, String> {
        Self::open(self, name, endpoint).map_err(|error| error.to_string())
    }
}

pub(crate) fn untrusted(failure: Failure) -> OpenError {
    OpenError::Trust { words: failure.words }
}
