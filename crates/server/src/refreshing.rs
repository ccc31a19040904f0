//! The refresher of all merchants' keys, and how it is replaced when the merchants change.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use tokio::{sync::watch, task::JoinHandle};
use wechatpay_client::{
    Account, Client, History, Hosts, Patience, RefreshStatus, Refresher, SetupError, SystemEnvironment,
    Transport, Waker,
};

use crate::{config::Merchant, merchants::Merchants};

/// How a merchant's refreshing goes.
pub(crate) type Status = BTreeMap<String, Arc<Mutex<RefreshStatus>>>;

/// The refresher at work, if any merchant has what it takes to ask WeChat Pay.
#[derive(Default)]
pub(crate) struct Refreshing {
    waker: ArcSwapOption<Waker>,
    status: Mutex<Status>,
    history: Mutex<History>,
    task: Mutex<Option<Task>>,
}

/// The way to WeChat Pay, if any merchant has what it takes to ask.
pub(crate) struct Way(Option<Transport>);

impl Way {
    /// # Errors
    /// [`SetupError::Tls`].
    pub(crate) fn prepare(hosts: &Hosts, merchants: &[Merchant]) -> Result<Self, SetupError> {
        if merchants.iter().all(|merchant| merchant.certificate.is_none()) {
            return Ok(Self(None));
        }
        let environment = Arc::new(SystemEnvironment::new());
        Transport::with(hosts.clone(), Patience::default(), environment)
            .map(|transport| Self(Some(transport)))
    }
}

struct Task {
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Refreshing {
    /// Goes on with these merchants. What was under way for those before is dropped; how it went for those that stay,
    /// and when they were asked for last, is not.
    pub(crate) fn begin(&self, way: Way, merchants: &Merchants) {
        if let Some(before) = self.task().take() {
            let _ = before.stop.send(true);
        }
        let Some(transport) = way.0 else {
            self.waker.store(None);
            self.status().clear();
            return;
        };
        let accounts = merchants.iter().filter_map(|merchant| account(merchant));
        let clients = accounts.map(|account| Client::new(transport.clone(), account));
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let refresher = Refresher::after(&history, clients);
        *history = refresher.history();
        self.waker.store(Some(Arc::new(refresher.waker())));
        *self.status() = refresher.status();
        let (stop, stopping) = watch::channel(false);
        *self.task() = Some(Task { stop, running: tokio::spawn(refresher.run(stopping)) });
    }

    /// A callback names a serial that nobody knows: perhaps there is a new certificate.
    pub(crate) fn wake(&self, mchid: &str) {
        if let Some(waker) = &*self.waker.load() {
            waker.wake(mchid);
        }
    }

    /// How it goes for a merchant; `None` for one that has no key to ask with.
    pub(crate) fn status_of(&self, mchid: &str) -> Option<RefreshStatus> {
        let status = self.status().get(mchid).map(Arc::clone)?;
        let status = status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(status)
    }

    pub(crate) async fn end(&self) {
        let task = self.task().take();
        if let Some(Task { stop, running }) = task {
            let _ = stop.send(true);
            let _ = running.await;
        }
    }

    fn status(&self) -> std::sync::MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn task(&self) -> std::sync::MutexGuard<'_, Option<Task>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What asks for a merchant, if it has a key to ask with.
fn account(merchant: &Merchant) -> Option<Account> {
    let pair = merchant.certificate.as_ref()?;
    let (key, keys) = (Arc::clone(&pair.key), Arc::clone(&merchant.keys));
    let account = Account::new(merchant.mchid.as_str(), key, merchant.apiv3_key.clone(), keys);
    Some(account.expect("BUG: a MerchantId is 1 to 32 digits, and an account asks for nothing else"))
}
