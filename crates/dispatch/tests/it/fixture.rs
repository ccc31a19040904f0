//! Endpoints, messages, and names that resolve to what a test likes.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use payonce_core::{
    Clock, UnixMillis,
    delivery::{Endpoint, EndpointName, EndpointUrl, Filter, Sealed, Settings},
    message::MessageId,
    store::{MessageView, Position},
};
use payonce_dispatch::{
    Algorithm, Login, Networks, Report, Resolver, SealingKeys, Secrets, Sender, Senders, Signer, SigningKey,
    Trust,
};
use rand::{SeedableRng as _, rngs::StdRng};

/// Wed, 21 Oct 2015 07:28:00 GMT
pub(crate) const NOW: UnixMillis = UnixMillis(1_445_412_480_000);

/// A clock that stands.
pub(crate) struct Standing(pub(crate) UnixMillis);

impl Clock for Standing {
    fn now(&self) -> UnixMillis {
        self.0
    }
}

/// Answers each look-up with the next of these lists, and then with none.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub(crate) fn of(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |text: &&str| text.parse().expect("an address");
        let answers = answers.iter().rev().map(|list| list.iter().map(parse).collect()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }

    /// As many as a test may ask for, all of this machine.
    pub(crate) fn local() -> Arc<Self> {
        Self::of(&[&["127.0.0.1"][..]; 100])
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        next.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))
    }
}

/// Nobody ever answers.
pub(crate) struct Silent;

#[async_trait]
impl Resolver for Silent {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        tokio::time::pause();
        std::future::pending().await
    }
}

/// What may be called is this machine, and the public internet.
pub(crate) fn senders(resolver: Arc<dyn Resolver>) -> Senders {
    let keys = SealingKeys::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").expect("keys");
    Senders {
        clock: Arc::new(Standing(NOW)),
        keys: Arc::new(keys),
        networks: Networks::parse(["127.0.0.0/8"]).expect("networks"),
        plain: true,
        resolver,
        trust: Trust::system(),
    }
}

pub(crate) fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Hmac, &mut StdRng::seed_from_u64(seed))
}

pub(crate) fn signing() -> Secrets {
    Secrets::new(vec![Signer::lasting(key(1))], vec![], None).expect("secrets")
}

pub(crate) fn name() -> EndpointName {
    EndpointName::parse("shop").expect("a name")
}

pub(crate) fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        url: EndpointUrl::parse(url).expect("an address"),
        filter: Filter::all(),
        ordered: false,
        settings: Settings::default(),
        sealed: Sealed(vec![]),
    }
}

/// A way to a broker, with an attempt's time in milliseconds.
pub(crate) fn broker_way(
    senders: &Senders,
    url: &str,
    login: Option<(&str, &str)>,
    total_max_ms: u32,
) -> Arc<dyn Sender> {
    let login = login.map(|(user, password)| Login::parse(user, password).expect("a login"));
    let secrets = Secrets::new(vec![], vec![], login).expect("secrets");
    let settings = Settings { total_max_ms, ..Settings::default() };
    senders.with(secrets, &Endpoint { settings, ..endpoint(url) }).expect("a way")
}

/// A name that no other test uses, also not on a server that is shared.
pub(crate) fn unique(name: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

/// A way to a URL, for an endpoint whose secrets are a signing key.
pub(crate) fn way(senders: &Senders, url: &str) -> Arc<dyn Sender> {
    senders.with(signing(), &endpoint(url)).expect("a way")
}

pub(crate) fn message(number: u32) -> MessageView {
    MessageView {
        position: Position(number.into()),
        id: MessageId(format!("order:1900000001:shop-{number}:1")),
        kind: "payment.succeeded".to_owned(),
        body: format!(r#"{{"type":"payment.succeeded","店":{number}}}"#),
        created_at: NOW,
    }
}

pub(crate) const LOCAL: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The words of a report.
pub(crate) fn words(report: &Report) -> String {
    String::from_utf8_lossy(&report.body).into_owned()
}
