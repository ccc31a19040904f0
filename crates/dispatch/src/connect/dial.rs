//! From a host's name to a connection.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::delivery::Fault;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use crate::{Networks, failure::Failure};

/// What knows the addresses of names.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of a name.
    ///
    /// # Errors
    /// If it has none, or if nobody can be asked.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((host, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}

/// Opens connections to addresses that may be called.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) networks: Networks,
    pub(crate) resolver: Arc<dyn Resolver>,
}

/// So many addresses of a name are tried.
const ADDRESSES_MAX: usize = 8;

/// After so long without an answer the next address is tried as well (RFC 8305 recommends it).
const STAGGER: Duration = Duration::from_millis(250);

impl Dialer {
    /// Opens a connection before `until`.
    pub(crate) async fn dial(&self, host: &str, port: u16, until: Instant) -> Result<TcpStream, Failure> {
        let addresses = self.addresses(host, until).await?;
        let addresses: Vec<_> = addresses.iter().map(|address| SocketAddr::new(*address, port)).collect();
        let not_connected = |words: String| Failure::new(Fault::NotConnected, words);
        let stream = match timeout_at(until, race(&addresses)).await {
            Err(_) => return Err(not_connected(format!("{}: nobody answered in time", addresses[0]))),
            Ok(Err((address, error))) => return Err(not_connected(format!("{address}: {error}"))),
            Ok(Ok(stream)) => stream,
        };
        // A call is one small write; it shall not wait for another. Where this fails, it does.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// The addresses of a host that may be called; there is one at least.
    pub(crate) async fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, Failure> {
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => match timeout_at(until, self.resolver.resolve(host)).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => {
                    return Err(Failure::new(Fault::NotResolved, format_args!("{host}: {error}")));
                }
                Err(_) => {
                    let words = format_args!("{host}: its address did not come in time");
                    return Err(Failure::new(Fault::NotResolved, words));
                }
            },
        };
        if found.is_empty() {
            return Err(Failure::new(Fault::NotResolved, format_args!("{host} has no address")));
        }
        let (mut allowed, refused): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|address| self.networks.allow(*address));
        if allowed.is_empty() {
            let refused: Vec<_> = refused.iter().map(IpAddr::to_string).collect();
            let words = format!(
                "{host} is {}, which is no address of the public internet; if it is yours, add its network to those \
                 that are allowed",
                refused.join(", ")
            );
            return Err(Failure::new(Fault::Forbidden, words));
        }
        allowed.truncate(ADDRESSES_MAX);
        Ok(allowed)
    }
}

/// The first connection that stands; each further address is tried a little later, or at once if one fails.
async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, (SocketAddr, io::Error)> {
    if let [address] = addresses {
        return TcpStream::connect(address).await.map_err(|error| (*address, error));
    }
    let mut waiting = addresses.iter().copied();
    // Dropped with the calls that are still under way.
    let mut calls = JoinSet::new();
    let mut failed = None;
    loop {
        if let Some(address) = waiting.next() {
            calls.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        let ended = if waiting.len() > 0 {
            tokio::select! { ended = calls.join_next() => ended, () = sleep(STAGGER) => continue }
        } else {
            calls.join_next().await
        };
        match ended {
            Some(Ok((_, Ok(stream)))) => return Ok(stream),
            Some(Ok((address, Err(error)))) => failed = Some((address, error)),
            Some(Err(error)) => failed = Some((addresses[0], io::Error::other(error))),
            None => break,
        }
    }
    let nobody = || (addresses[0], io::ErrorKind::AddrNotAvailable.into());
    Err(failed.unwrap_or_else(nobody))
}
