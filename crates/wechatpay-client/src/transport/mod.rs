//! One HTTP exchange: which host, what is sent, how much is read.
//!
//! Invariants: the bytes that were signed are the bytes that go out; redirects are not followed; an answer is read up
//! to a bound. Deliberately absent: signing, believing, repeating.

mod reach;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url, redirect};

use crate::error::{NotSent, Unknown};
use crate::{ClientError, Environment, Hosts, Patience, SetupError, SystemEnvironment};

pub use reach::Reached;

/// The largest answer that is read, but for files: order queries with many coupons have some 10 KiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Product, version and what it is made of, as WeChat Pay asks for; never empty, or a request is refused.
const USER_AGENT: &str = concat!("payonce-wechatpay-client/", env!("CARGO_PKG_VERSION"), " (", "Rust", ")");

/// Appended when a request is sent again, as WeChat Pay's own clients do.
const RETRIED: &str = " (Retried-V1)";

/// What all merchants of a process share. Cheap to clone.
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    http: reqwest::Client,
    hosts: Hosts,
    patience: Patience,
    environment: Arc<dyn Environment>,
    /// Unix seconds until which the backup host comes first.
    backup_until: Arc<AtomicI64>,
}

/// One request, ready to go.
pub(crate) struct Outgoing<'a> {
    pub method: &'static str,
    pub path_and_query: &'a str,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub again: bool,
}

/// An answer, read whole.
pub(crate) struct Incoming {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Incoming {
    /// Those that carry the signature, and `Request-Id`.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.headers.get("request-id").and_then(|value| value.to_str().ok())
    }
}

/// An answer whose body is still to be read.
pub(crate) struct Opened {
    response: Response,
    /// What comes before what is left of the response.
    begun: Bytes,
    answer: Duration,
    silence: Duration,
}

impl Opened {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The next piece of a file; `None` at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, ClientError> {
        if !self.begun.is_empty() {
            return Ok(Some(std::mem::take(&mut self.begun)));
        }
        within(self.silence, next(&mut self.response)).await
    }

    /// Puts back what was read of it, to be read again.
    pub(crate) fn put_back(&mut self, begun: Bytes) {
        self.begun = begun;
    }

    /// All of it, as of any answer that is no file.
    pub(crate) async fn whole(self) -> Result<Incoming, ClientError> {
        within(self.answer, read(self.begun, self.response)).await
    }
}

/// Which of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Primary,
    Backup,
}

impl Transport {
    /// To the mainland's hosts, with the system's clock and randomness.
    ///
    /// # Errors
    /// [`SetupError::Tls`].
    pub fn new() -> Result<Self, SetupError> {
        let environment = Arc::new(SystemEnvironment::new());
        Self::with(Hosts::mainland(), Patience::default(), environment)
    }

    /// To these hosts.
    ///
    /// # Errors
    /// [`SetupError::Tls`].
    pub fn with(
        hosts: Hosts,
        patience: Patience,
        environment: Arc<dyn Environment>,
    ) -> Result<Self, SetupError> {
        let http = builder(&hosts, &patience).build().map_err(SetupError::Tls)?;
        let backup_until = Arc::default();
        Ok(Self(Arc::new(Shared { http, hosts, patience, environment, backup_until })))
    }

    /// The same with a TLS client certificate, as some calls of APIv2 need it. What is known of the hosts is shared.
    pub(crate) fn identified(&self, identity: reqwest::Identity) -> Result<Self, SetupError> {
        let Shared { hosts, patience, environment, backup_until, .. } = &*self.0;
        let http = builder(hosts, patience).identity(identity).build().map_err(SetupError::Tls)?;
        Ok(Self(Arc::new(Shared {
            http,
            hosts: hosts.clone(),
            patience: *patience,
            environment: Arc::clone(environment),
            backup_until: Arc::clone(backup_until),
        })))
    }

    pub(crate) fn environment(&self) -> &dyn Environment {
        &*self.0.environment
    }

    pub(crate) fn patience(&self) -> &Patience {
        &self.0.patience
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// The host to begin with.
    pub(crate) fn host(&self) -> Host {
        let until = self.0.backup_until.load(Ordering::Relaxed);
        if self.environment().now().0 < until { Host::Backup } else { Host::Primary }
    }

    /// The host to go to after this failure at `host`. Where the host is at fault it is the other one, and calls to come
    /// begin there, for a while.
    pub(crate) fn host_after(&self, host: Host, error: &ClientError) -> Host {
        if !is_fault_of_host(error) {
            return host;
        }
        let seconds = i64::try_from(self.0.patience.backup.as_secs()).unwrap_or(i64::MAX);
        let (other, until) = match host {
            Host::Primary => (Host::Backup, self.environment().now().0.saturating_add(seconds)),
            Host::Backup => (Host::Primary, 0),
        };
        self.0.backup_until.store(until, Ordering::Relaxed);
        other
    }

    fn base(&self, host: Host) -> &Url {
        match host {
            Host::Primary => &self.0.hosts.primary,
            Host::Backup => &self.0.hosts.backup,
        }
    }

    /// Sends and reads the whole answer, within `limit`.
    pub(crate) async fn exchange(
        &self,
        host: Host,
        outgoing: &Outgoing<'_>,
        limit: Duration,
    ) -> Result<Incoming, ClientError> {
        self.exchange_at(self.base(host), outgoing, limit).await
    }

    /// Sends to the login's host.
    pub(crate) async fn exchange_login(&self, path_and_query: &str) -> Result<Incoming, ClientError> {
        let outgoing = Outgoing {
            method: "GET",
            path_and_query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            again: false,
        };
        self.exchange_at(&self.0.hosts.login, &outgoing, self.patience().answer).await
    }

    async fn exchange_at(
        &self,
        base: &Url,
        outgoing: &Outgoing<'_>,
        limit: Duration,
    ) -> Result<Incoming, ClientError> {
        within(limit, async { read(Bytes::new(), self.send_to(base, outgoing).await?).await }).await
    }

    /// Sends; the answer's body is still to be read.
    pub(crate) async fn open(&self, host: Host, outgoing: &Outgoing<'_>) -> Result<Opened, ClientError> {
        let Patience { answer, file_silence: silence, .. } = self.0.patience;
        let response = within(silence, self.send_to(self.base(host), outgoing)).await?;
        Ok(Opened { response, begun: Bytes::new(), answer, silence })
    }

    async fn send_to(&self, base: &Url, outgoing: &Outgoing<'_>) -> Result<Response, ClientError> {
        let url = url_of(base, outgoing.path_and_query)?;
        let method = Method::from_bytes(outgoing.method.as_bytes())
            .map_err(|_| NotSent::Method { method: outgoing.method })?;
        let agent = if outgoing.again { format!("{USER_AGENT}{RETRIED}") } else { USER_AGENT.to_owned() };
        let request = self
            .0
            .http
            .request(method, url)
            .headers(outgoing.headers.clone())
            .header(reqwest::header::USER_AGENT, agent)
            .body(outgoing.body.clone());
        request.send().await.map_err(|error| {
            let error = error.without_url();
            if error.is_connect() {
                NotSent::Unreachable(error).into()
            } else {
                Unknown::Silence(error).into()
            }
        })
    }
}

fn builder(hosts: &Hosts, patience: &Patience) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(patience.connect)
        .tls_certs_merge(hosts.authorities.iter().cloned())
        .no_proxy()
}

/// Whether the host could not be reached, or says that it can do nothing (502, 503); any other answer is an answer (WeChat
/// Pay's rule on fail-over).
fn is_fault_of_host(error: &ClientError) -> bool {
    match error {
        ClientError::NotSent { reason: NotSent::Unreachable(_) } => true,
        ClientError::Unknown(Unknown::Silence(_) | Unknown::TimedOut { .. }) => true,
        ClientError::Unknown(Unknown::Undecided(error)) => matches!(error.status, 502 | 503),
        _ => false,
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(Unknown::TimedOut { after: limit }.into()),
    }
}

/// The URL, if its path and query go out as they were signed.
fn url_of(base: &Url, path_and_query: &str) -> Result<Url, NotSent> {
    let changed = || NotSent::Path { path: path_and_query.split('?').next().unwrap_or_default().to_owned() };
    if !path_and_query.starts_with('/') || path_and_query.starts_with("//") {
        return Err(changed());
    }
    let url = base.join(path_and_query).map_err(|_| changed())?;
    let sent = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    if sent == path_and_query && url.fragment().is_none() { Ok(url) } else { Err(changed()) }
}

async fn read(begun: Bytes, mut response: Response) -> Result<Incoming, ClientError> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = BytesMut::from(begun);
    while let Some(chunk) = next(&mut response).await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Unknown::Oversized { bytes_max: ANSWER_BYTES_MAX }.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Incoming { status, headers, body: body.freeze() })
}

async fn next(response: &mut Response) -> Result<Option<Bytes>, ClientError> {
    Ok(response.chunk().await.map_err(|error| Unknown::Silence(error.without_url()))?)
}

/// Sets a header.
pub(crate) fn header(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), NotSent> {
    let value = HeaderValue::from_str(value).map_err(|_| NotSent::Header { name: name.to_string() })?;
    headers.insert(name, value);
    Ok(())
}
