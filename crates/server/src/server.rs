//! The running server: what it shares, how it starts and how it stops.

use std::{
    mem,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::Router;
use payonce_core::{
    Clock, Fact, Policy, Store, StoreError,
    delivery::Filter,
    effect::{Effect, Effects},
    store::{Lease, Owner},
};
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{Notify, watch},
    task::{JoinHandle, spawn_blocking},
};

use wechatpay_client::SetupError;

use crate::{
    alerts::{self, Alerts, Lines},
    api::newest::Newest,
    config::{Config, EffectSettings, RetentionSettings},
    delivery::{Delivery, EndpointsError},
    http,
    ingest::{
        Applier, Applying, BATCH_WITH_EFFECTS_MAX, CALLBACK_BUDGET, Committed, Flood, Grouping, Intake,
        REOPEN_EVERY, SHARED_WAIT_MAX, Shared, SharedError, Shed, UnfitEffect, check_effects, with_bounded,
    },
    merchants::Merchants,
    metrics::Metrics,
    presence::{Absence, Guarded, Presence},
    refreshing::{Refreshing, Way},
    roles::{self, Habits},
};

/// What every request may use.
pub(crate) struct App {
    /// By mchid. Those of now: a reload takes others in their place.
    pub merchants: ArcSwap<Merchants>,
    pub refreshing: Refreshing,
    pub api_keys: Vec<crate::config::ApiKey>,
    /// Does nothing while the database does not see this node.
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub caches: Arc<Committed>,
    /// Told after each commit of this node.
    pub committed: Arc<Notify>,
    /// Changes when messages may have got positions.
    pub positioned: watch::Sender<()>,
    /// What those who read on share.
    pub newest: Newest,
    pub delivery: Delivery,
    pub alerts: Arc<Alerts>,
    /// Whether the server goes down.
    pub stopping: watch::Receiver<bool>,
    pub metrics: Arc<Metrics>,
    /// See [`Patience::callback`].
    pub callback_budget: Duration,
    /// How many refused callbacks this node has written.
    pub flood: Arc<Flood>,
    /// `None` once the server goes down.
    intake: RwLock<Option<Intake>>,
    /// Closed once the background roles have ended.
    roles: watch::Receiver<()>,
}

impl App {
    /// Whether a cache knows that this very fact is committed.
    pub(crate) async fn is_committed(&self, fact: &Fact) -> bool {
        self.caches.holds(fact, self.store.epoch()).await
    }

    /// Whether what runs beside the requests still does.
    pub(crate) fn has_roles(&self) -> bool {
        self.roles.has_changed().is_ok()
    }

    /// The way to the applier, if that still runs.
    pub(crate) fn intake(&self) -> Result<Intake, Shed> {
        let intake = self.intake.read().unwrap_or_else(PoisonError::into_inner).clone();
        intake.filter(Intake::is_open).ok_or(Shed::Closed)
    }
}

/// How long the server waits, and for what. Tests shorten it.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From a callback's head to its answer: what is not committed by then is answered 503.
    pub callback: Duration,
    /// How long a client may take to send a request's head.
    pub head: Duration,
    /// How long a callback waits for the shared cache before it asks the database.
    pub shared_cache: Duration,
    /// From one look for callbacks that did not open to the next.
    pub unopened: Duration,
    /// How long the database takes this node for present without hearing of it.
    pub presence: Duration,
    /// From one look for payments that do not add up, to alert people to them, to the next.
    pub incidents: Duration,
    /// How long a channel of alerts may take to answer.
    pub alert_answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            callback: CALLBACK_BUDGET,
            head: http::HEAD_PATIENCE,
            unopened: REOPEN_EVERY,
            shared_cache: SHARED_WAIT_MAX,
            presence: Lease::TTL,
            incidents: Duration::from_secs(5),
            alert_answer: Duration::from_secs(10),
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}{}", hint(source))]
    Listen {
        /// The address (`server.listen`).
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The shared cache cannot be used.
    #[error(transparent)]
    Cache(#[from] SharedError),
    /// A copy runs on the database, or has moved it.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The database does not take this node in.
    #[error("the database does not take this node in: {}", .0.with_causes())]
    Store(StoreError),
    /// An effect cannot be run.
    #[error(transparent)]
    Effect(#[from] UnfitEffect),
    /// An endpoint of the configuration cannot be defined.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    /// TLS to WeChat Pay cannot be set up.
    #[error(transparent)]
    Wechat(#[from] SetupError),
    /// The applier's thread cannot be started.
    #[error("cannot start the applier's thread")]
    Applier(#[source] std::io::Error),
}

fn hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            " (another program listens there: stop it, or set server.listen to another port)"
        }
        std::io::ErrorKind::PermissionDenied => {
            " (ports below 1024 need a privilege: choose one above and let a proxy forward)"
        }
        _ => "",
    }
}

/// A server that is not yet running.
pub struct Server {
    config: Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    owner: Owner,
    patience: Patience,
    grouping: Option<Grouping>,
    effects: Effects,
}

impl Server {
    /// A server on this store. `owner` names this process among all that ever had the database open.
    #[must_use]
    pub fn new(config: Config, store: Arc<dyn Store>, clock: Arc<dyn Clock>, owner: Owner) -> Self {
        let bound = |effects, settings: &EffectSettings| {
            with_bounded(effects, settings.on.clone(), Arc::new(settings.effect.clone()))
        };
        let effects = config.effects.iter().fold(Effects::none(), bound);
        Self { config, store, clock, owner, patience: Patience::default(), grouping: None, effects }
    }

    /// The same server with an effect in Rust: it runs for these messages, in their own transactions, after those of the
    /// configuration. All nodes should have the same ones.
    #[must_use]
    pub fn effect(self, on: Filter, effect: Arc<dyn Effect>) -> Self {
        Self { effects: with_bounded(self.effects, on, effect), ..self }
    }

    /// The same server with another patience.
    #[must_use]
    pub fn patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same server that puts facts together otherwise.
    #[must_use]
    pub fn grouping(self, grouping: Grouping) -> Self {
        Self { grouping: Some(grouping), ..self }
    }

    /// Listens and serves until [`Running::stop`].
    ///
    /// # Errors
    /// [`StartError::Listen`] if the port is taken or may not be used; else as [`mount`](Self::mount).
    pub async fn start(self) -> Result<Running, StartError> {
        let addr = self.config.server.listen;
        let listener = TcpListener::bind(addr).await.map_err(|source| StartError::Listen { addr, source })?;
        let addr = listener.local_addr().map_err(|source| StartError::Listen { addr, source })?;
        let head_patience = self.patience.head;
        let limits = http::Limits {
            connections_max: self.config.server.connections_max,
            shutdown_max: Duration::from_secs(self.config.server.shutdown_seconds_max),
        };
        let (router, mounted) = self.mount().await?;
        let stopping = mounted.going_down.subscribe();
        let serving = tokio::spawn(http::serve_patiently(head_patience, listener, router, limits, stopping));
        tracing::info!(%addr, "payonce listens");
        Ok(Running { addr, serving, mounted })
    }

    /// Begins everything but listening, for a program that has a server of its own: the routes are to be nested there, and
    /// what runs in the background stopped by [`Mounted::stop`], once nothing is served any longer. `server.listen`, the
    /// number of connections and how long a request may take to come are that server's matter.
    ///
    /// # Errors
    /// [`StartError::Absent`] while `payonce copy` is at work on the database, and once it has moved it;
    /// [`StartError::Effect`] if the database cannot execute an effect's statement; [`StartError::Endpoints`] if an endpoint
    /// of the configuration cannot be defined.
    pub async fn mount(self) -> Result<(Router, Mounted), StartError> {
        let Self { mut config, store, clock, owner, patience, grouping, effects } = self;
        check_effects(&*store, &effects).await?;
        let node = owner.0.clone();
        let presence = present(&store, owner, patience.presence).await?;
        let store: Arc<dyn Store> = Arc::new(Guarded::new(store, presence.seen()));

        let metrics = Arc::new(Metrics::new());
        let shared = shared_cache(&config, patience, &metrics)?;
        let memory_max = config.cache.memory_mib_max * 1024 * 1024;
        let caches = Arc::new(Committed::new(memory_max, shared, Arc::clone(&metrics)));
        let committed = Arc::new(Notify::new());
        let flood = Arc::new(Flood::new(config.retention.rejected_rows_max));
        let answer_max = patience.alert_answer;
        let (alerts, lines) = alerts::begin(
            mem::take(&mut config.alerts),
            &config.delivery,
            &clock,
            &metrics,
            (&node, answer_max),
        );
        let delivery = Delivery::new(&config.delivery, &clock, &metrics, &alerts);
        delivery.configure(&*store, &config.endpoints).await?;
        let applier = Applier {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            policy: policy(&config),
            grouping: grouping.unwrap_or_else(|| grouping_for(&config, &effects)),
            effects,
            flood: Arc::clone(&flood),
            caches: Arc::clone(&caches),
            metrics: Arc::clone(&metrics),
            alerts: Arc::clone(&alerts),
            answerers: Handle::current(),
            budget: patience.callback,
            committed: Arc::clone(&committed),
        };
        let (intake, applier) =
            applier.start(config.server.queue_callbacks_max).map_err(StartError::Applier)?;
        let way = Way::prepare(&config.wechat.hosts, &config.merchants)?;
        let merchants = ArcSwap::from_pointee(Merchants::of(config.merchants));
        let (at_work, roles) = watch::channel(());
        let (going_down, stopping) = watch::channel(false);
        let app = Arc::new(App {
            merchants,
            refreshing: Refreshing::default(),
            api_keys: config.api.keys,
            store,
            clock,
            caches,
            committed,
            positioned: watch::Sender::new(()),
            newest: Newest::default(),
            delivery,
            alerts,
            stopping,
            metrics,
            callback_budget: patience.callback,
            flood,
            intake: RwLock::new(Some(intake)),
            roles,
        });

        app.refreshing.begin(way, &app.merchants.load());
        let shutdown_max = Duration::from_secs(config.server.shutdown_seconds_max);
        let habits = habits(&config.retention, patience, shutdown_max);
        let roles = Roles::begin(&app, presence, habits, at_work);
        Ok((http::routes(Arc::clone(&app)), Mounted { going_down, roles, applier, lines, app }))
    }
}

/// The cache that the nodes share, if one is configured.
fn shared_cache(
    config: &Config,
    patience: Patience,
    metrics: &Arc<Metrics>,
) -> Result<Option<Arc<Shared>>, SharedError> {
    let Some(url) = &config.cache.redis_url else { return Ok(None) };
    Shared::open(url.expose(), patience.shared_cache, Arc::clone(metrics))
        .map(|shared| Some(Arc::new(shared)))
}

/// Tells the database that this node runs, where a store may block.
async fn present(store: &Arc<dyn Store>, owner: Owner, ttl: Duration) -> Result<Presence, StartError> {
    let (store, runtime) = (Arc::clone(store), Handle::current());
    let begun = spawn_blocking(move || runtime.block_on(Presence::begin(&*store, owner, ttl))).await;
    let begun = begun.map_err(|panic| StartError::Store(StoreError::Unexpected(panic.into())))?;
    Ok(begun.map_err(StartError::Store)??)
}

/// The background roles at work.
struct Roles {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Roles {
    /// Begins them, where a store may block.
    fn begin(app: &Arc<App>, presence: Presence, habits: Habits, at_work: watch::Sender<()>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let (app, runtime) = (Arc::clone(app), Handle::current());
        let work = move || {
            // Dropped at the end, also by a panic.
            let _at_work = at_work;
            runtime.block_on(roles::run(&app, presence, habits, stopping));
        };
        Self { stop, thread: spawn_blocking(work) }
    }

    async fn end(self) {
        let _ = self.stop.send(true);
        let _ = self.thread.await;
    }
}

fn habits(retention: &RetentionSettings, patience: Patience, stop_max: Duration) -> Habits {
    Habits {
        callback_days: retention.callback_days,
        attempt_days: retention.attempt_days,
        stop_max,
        rejected_rows_max: retention.rejected_rows_max,
        reopen_every: patience.unopened,
        incidents_every: patience.incidents,
    }
}

fn policy(config: &Config) -> Policy {
    Policy {
        late_payment: config.policy.late_payment,
        unknown_order: config.policy.unknown_order,
        ..Policy::default()
    }
}

/// How facts are put together where nobody says it otherwise.
fn grouping_for(config: &Config, effects: &Effects) -> Grouping {
    let usual = Grouping { lanes: config.store.transactions_max, ..Grouping::default() };
    match effects.is_empty() {
        true => usual,
        false => Grouping { batch_facts_max: BATCH_WITH_EFFECTS_MAX, ..usual },
    }
}

/// What has ended by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Callbacks are answered 503.
    #[error("the applier has ended by a fault: nothing acknowledged is lost; start payonce again")]
    Applier,
    /// Messages get no positions, old rows stay, and the database does not see this node.
    #[error("the background roles have ended by a fault: nothing acknowledged is lost; start payonce again")]
    Roles,
}

/// What runs beside the requests, until [`stop`](Self::stop).
pub struct Mounted {
    going_down: watch::Sender<bool>,
    roles: Roles,
    applier: Applying,
    lines: Lines,
    app: Arc<App>,
}

impl Mounted {
    /// Returns if the server cannot go on, and which part of it has ended, by a fault of payonce. A new process is
    /// needed then.
    pub async fn broken(&mut self) -> Broken {
        let mut roles = self.app.roles.clone();
        tokio::select! {
            _ = &mut self.applier.ended => Broken::Applier,
            _ = roles.changed() => Broken::Roles,
        }
    }

    /// Takes over the merchants of another configuration, with all their keys, between one request and the next. Those
    /// that were there before keep what was downloaded for them. Everything else needs a new start.
    ///
    /// # Errors
    /// [`SetupError`]; nothing is changed then.
    pub fn reload(&self, config: Config) -> Result<(), SetupError> {
        // Order matters: the only step that may fail comes first.
        let way = Way::prepare(&config.wechat.hosts, &config.merchants)?;
        let merchants = Arc::new(self.app.merchants.load().after(config.merchants));
        self.app.merchants.store(Arc::clone(&merchants));
        self.app.refreshing.begin(way, &merchants);
        Ok(())
    }

    /// Defines the endpoints of another configuration, where they differ from what the database has. Those that it no
    /// longer has stay, and are the API's from then on.
    ///
    /// # Errors
    /// [`EndpointsError`]. Unless it is of the database, nothing is changed; else trying again is safe.
    pub async fn configure_endpoints(&self, config: &Config) -> Result<(), EndpointsError> {
        self.app.delivery.configure(&*self.app.store, &config.endpoints).await
    }

    /// Ends the streams of messages, which else have no end: for a server that stops once its requests are answered.
    pub fn end_streams(&self) {
        let _ = self.going_down.send(true);
    }

    /// Writes everything that waits, and ends. Requests that still come are answered 503.
    pub async fn stop(mut self) {
        self.end_streams();
        // Order matters: the queue that requests feed, then what drains it, then the roles, which number the last
        // messages.
        *self.app.intake.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.applier.drain().await;
        self.roles.end().await;
        self.app.refreshing.end().await;
        self.lines.end().await;
        tracing::info!("payonce has stopped");
    }
}

/// A running server.
pub struct Running {
    addr: SocketAddr,
    serving: JoinHandle<()>,
    mounted: Mounted,
}

impl Running {
    /// The address it listens on (the port chosen by the system if the configured one is 0).
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// See [`Mounted::broken`].
    pub async fn broken(&mut self) -> Broken {
        self.mounted.broken().await
    }

    /// See [`Mounted::reload`].
    ///
    /// # Errors
    /// [`SetupError`]; nothing is changed then.
    pub fn reload(&self, config: Config) -> Result<(), SetupError> {
        self.mounted.reload(config)
    }

    /// See [`Mounted::configure_endpoints`].
    ///
    /// # Errors
    /// [`EndpointsError`].
    pub async fn configure_endpoints(&self, config: &Config) -> Result<(), EndpointsError> {
        self.mounted.configure_endpoints(config).await
    }

    /// Stops gracefully: no new connections, every callback that was taken in is answered, everything that
    /// waits is written.
    pub async fn stop(self) {
        let _ = self.mounted.going_down.send(true);
        // Order matters: requests first, then what they feed.
        let _ = self.serving.await;
        self.mounted.stop().await;
    }
}
