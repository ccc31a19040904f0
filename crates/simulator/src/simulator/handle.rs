//! The handle of a running simulation: what a user or an operator does, and what a test wants to see.

use std::fmt;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::begin::prepare;
use super::tls::{Peer, TlsListener};
use super::{Known, Setup, Shared, StartError, StateError, keeper, sender, state};
use crate::books::{Account, Books, OrderKey, Payment, RefundKey, RefundStatus, Refusal};
use crate::clock::{BusinessClock, Pace};
use crate::keys::{Authority, Mode, Platform, Ring};
use crate::trouble;
use crate::{Error, api, control, page};

/// How long open requests are waited for at the end.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// A running simulation. Dropping it ends it at once; [`Self::stop`] lets open requests be answered first.
pub struct Simulator {
    shared: Arc<Shared>,
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    sender: JoinHandle<()>,
    keeper: JoinHandle<()>,
    tls: Option<TlsServer>,
    /// Keeps others away from the state file.
    _lock: Option<File>,
}

/// The port with TLS.
struct TlsServer {
    addr: SocketAddr,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Makes keys, opens the port and begins to serve. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(setup: Setup) -> Result<Self, StartError> {
        let (listen, listen_tls, limits) = (setup.listen, setup.listen_tls, setup.limits);
        let lock = setup.state.as_deref().map(state::lock).transpose()?;
        let refused = |source| StartError::Listen { addr: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let shared = Arc::new(prepare(setup)?);
        shared.set_limits(limits);
        // Order matters: whatever can fail comes before the first task.
        let tls = match listen_tls {
            Some(addr) => Some(serve_tls(addr, &shared).await?),
            None => None,
        };
        shared.keep_keys()?;
        if let Some(path) = &shared.state {
            state::write(&shared, path)?;
        }
        let (stop, stopped) = oneshot::channel();
        // Without it, an answer of a few hundred bytes may wait 40 ms for an acknowledgement (RFC 896 and 1122).
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true); // slower otherwise, and no worse
        });
        let routes = routes(&shared);
        let serving = axum::serve(listener, routes).with_graceful_shutdown(async {
            let _ = stopped.await; // an error means that the handle was dropped
        });
        let server = tokio::spawn(async move {
            // It ends when it is stopped; of failing connections it thinks nothing.
            let _ = serving.await;
        });
        let sender = tokio::spawn(sender::run(Arc::clone(&shared)));
        let keeper = tokio::spawn(keeper::run(Arc::clone(&shared)));
        Ok(Self { shared, addr, stop: Some(stop), server, sender, keeper, tls, _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What stands in place of `https://api.mch.weixin.qq.com`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", reached(self.addr))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The same with TLS, where it listens so.
    #[must_use]
    pub fn tls_base_url(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| format!("https://{}", reached(tls.addr)))
    }

    /// The merchants with keys, by number.
    #[must_use]
    pub fn mchids(&self) -> Vec<String> {
        self.shared.rings.mchids()
    }

    /// The keys of a merchant.
    #[must_use]
    pub fn ring(&self, mchid: &str) -> Option<Arc<Ring>> {
        self.shared.ring(mchid)
    }

    /// Gives a merchant other keys, from the next signature on.
    pub fn set_ring(&self, mchid: &str, ring: Ring) {
        self.shared.rings.set(mchid, ring);
        self.shared.announce();
    }

    /// A fresh platform certificate, for [`Ring::add_certificate`].
    ///
    /// # Errors
    /// [`Error::KeyGeneration`].
    pub fn new_certificate(&self) -> Result<Platform, Error> {
        self.shared.new_certificate()
    }

    /// The certificate of the authority behind all certificates.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.shared.authority
    }

    /// Puts a merchant on file, with fresh keys.
    ///
    /// # Errors
    /// [`Error::MerchantExists`], [`Error::KeyGeneration`].
    pub fn enrol(&self, account: Account, mode: Mode) -> Result<Arc<Ring>, Error> {
        self.shared.enrol(account, mode)
    }

    /// Who is on file, with which keys: for [`Setup::known`] of the next simulation.
    #[must_use]
    pub fn known(&self) -> Known {
        Known::of(&self.shared)
    }

    /// Reads the books.
    pub fn read<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        self.shared.read(|books, _| look(books))
    }

    /// A user pays an order: see [`Books::pay`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn pay(&self, order: &OrderKey, user: Option<&str>) -> Result<Payment, Refusal> {
        self.shared.at_desk(|desk| desk.books.pay(order, user, desk.now, desk.rng))
    }

    /// Ends a refund otherwise than by itself: see [`Books::end_refund`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn end_refund(&self, refund: &RefundKey, status: RefundStatus) -> Result<(), Refusal> {
        self.shared.at_desk(|desk| desk.books.end_refund(refund, status, desk.now, desk.rng))
    }

    /// Says whether a merchant has too little money for refunds.
    pub fn set_short_of_funds(&self, mchid: &str, is_short: bool) {
        self.shared.at_desk(|desk| desk.books.set_short_of_funds(mchid, is_short));
    }

    /// Switches on or off that whoever asks too often is refused.
    pub fn set_limits(&self, on: bool) {
        self.shared.set_limits(on);
    }

    /// Says where a merchant's refunds are told that name no URL of their own: see [`Books::set_refund_url`].
    pub fn set_refund_url(&self, mchid: &str, url: Option<&str>) {
        self.shared.at_desk(|desk| desk.books.set_refund_url(mchid, url));
    }

    /// A user opens a Mini Program, which calls `wx.login`: the code for code2Session.
    #[must_use]
    pub fn login(&self, appid: &str, user: &str) -> String {
        self.shared.at_desk(|desk| desk.books.login(appid, user, desk.now, desk.rng))
    }

    /// Business time.
    #[must_use]
    pub fn clock(&self) -> &BusinessClock {
        &self.shared.clock
    }

    /// Lets so much business time pass: whatever falls due on the way is done at its time.
    pub async fn pass(&self, by: Duration) {
        self.shared.pass(by).await;
    }

    /// Moves business time on at once: what fell due on the way is done now, and once.
    pub fn step(&self, by: Duration) {
        self.shared.clock.step(by);
        self.shared.announce();
    }

    /// Lets business time go otherwise.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.clock.set_pace(pace);
        self.shared.announce();
    }

    /// Waits until no notice is on its way and none is due.
    pub async fn quiet(&self) {
        self.shared.quiet().await;
    }

    /// Waits until all that has happened so far is in the state file, where there is one.
    ///
    /// # Errors
    /// [`StateError`]: it cannot be written.
    pub async fn saved(&self) -> Result<(), Arc<StateError>> {
        self.shared.saved().await
    }

    /// Answers the requests that are open, and ends, after five seconds at the latest.
    pub async fn stop(self) {
        // Whoever has a state to lose calls `finish`.
        let _ = self.finish().await;
    }

    /// The same, and says whether everything is in the state file.
    ///
    /// # Errors
    /// [`StateError`]: it cannot be written.
    pub async fn finish(mut self) -> Result<(), Arc<StateError>> {
        self.shared.stop();
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // it has ended already where nobody listens
        }
        self.sender.abort();
        // A panic in it was reported where it happened; whoever has not sent his whole request by then never will.
        let _ = timeout(LAST_CALLS, &mut self.server).await;
        self.shared.announce();
        self.shared.saved().await
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
        self.sender.abort();
        self.keeper.abort();
        if let Some(tls) = &self.tls {
            tls.server.abort();
        }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// By which address it is reached from this machine: nobody can talk to all of them.
fn reached(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, addr.port())
}

/// WeChat's API, with trouble around it, and what is beside it.
fn routes(shared: &Arc<Shared>) -> Router {
    let trouble = from_fn_with_state(Arc::clone(shared), trouble::layer);
    api::routes(Arc::clone(shared))
        .layer(trouble)
        .merge(control::routes(Arc::clone(shared)))
        .merge(page::routes(Arc::clone(shared)))
}

/// Serves the same on a port with TLS.
async fn serve_tls(listen: SocketAddr, shared: &Arc<Shared>) -> Result<TlsServer, StartError> {
    let refused = |source| StartError::Listen { addr: listen, source };
    let port = TcpListener::bind(listen).await.map_err(refused)?;
    let addr = port.local_addr().map_err(refused)?;
    let listener = TlsListener::of(port, shared)?;
    let routes = routes(shared).into_make_service_with_connect_info::<Peer>();
    let server = tokio::spawn(async move {
        let _ = axum::serve(listener, routes).await; // it ends when it is stopped
    });
    Ok(TlsServer { addr, server })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_at_home() {
        for (listens, is_reached) in [
            ("0.0.0.0:8090", "127.0.0.1:8090"),
            ("[::]:8090", "[::1]:8090"),
            ("192.0.2.1:8090", "192.0.2.1:8090"),
            ("127.0.0.1:80", "127.0.0.1:80"),
        ] {
            assert_eq!(reached(listens.parse().unwrap()).to_string(), is_reached);
        }
    }
}
