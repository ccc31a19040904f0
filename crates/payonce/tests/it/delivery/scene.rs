//! A shop with endpoints at a receiver, on a database of any kind; and the audit: what must have arrived, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;

use payonce_core::Store;
use payonce_core::delivery::Answer as Heard;
use payonce_core::store::Position;
use payonce_core::store::delivery::{DeliveryState, EndpointView};
use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::PATIENCE;
use super::receiver::{Call, Receiver, SECRET};
use crate::books;
use crate::crash::RETRY;
use crate::fleet::{caller, within};
use crate::place::Place;
use crate::server::Server;
use crate::shop::Shop;

/// An endpoint that gets an order's messages in their sequence.
pub(super) const ORDERED: &str = "ordered";

/// One that takes them as they come.
pub(super) const ANY: &str = "any";

/// Rows read at a time.
const PAGE: usize = 1000;

const DELIVERY: &str = r#"
[delivery]
sealing_key_file = "sealing.key"
networks = ["127.0.0.1"]
unencrypted = "allow"
"#;

pub(super) struct Scene {
    pub(super) place: Place,
    pub(super) shop: Shop,
    pub(super) receiver: Receiver,
}

/// What the database says of deliveries.
pub(super) struct Standing {
    /// The bodies of the messages, by their ids.
    pub(super) messages: BTreeMap<String, String>,
    /// Of each endpoint, the ids of what is still to be delivered to it.
    pub(super) owed: BTreeMap<String, BTreeSet<String>>,
    pub(super) exhausted: usize,
}

impl Standing {
    /// What was delivered to an endpoint, and written down as delivered.
    pub(super) fn settled(&self, endpoint: &str) -> BTreeSet<&str> {
        let owed = &self.owed[endpoint];
        self.messages.keys().map(String::as_str).filter(|id| !owed.contains(*id)).collect()
    }
}

impl Scene {
    /// A shop with `orders` orders, registered, and each paid `times` times; no callback has come yet.
    pub(super) async fn set(place: Place, orders: usize, times: usize, seed: u64) -> Self {
        let shop = Shop::paid_over_and_over(&place.url(), orders, times, seed);
        let key = shop.folder().join("sealing.key");
        std::fs::write(&key, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let config = std::fs::read_to_string(shop.config()).unwrap() + DELIVERY;
        std::fs::write(shop.config(), config).unwrap();
        shop.register(&*books::open(&place.url()).await, 0..orders * times).await;
        Self { place, shop, receiver: Receiver::open().await }
    }

    /// Defines an endpoint that gets every message from the first on.
    pub(super) async fn define(&self, server: &Server, name: &str, further: Value) {
        let mut definition = json!({"url": self.receiver.url(name), "secret": SECRET, "start": 0});
        definition.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        let answer = caller::put(server.addr(), &format!("/v1/endpoints/{name}"), &definition).await;
        assert_eq!(answer.map(|(status, _)| status), Some(201), "{name}");
    }

    /// Sends callbacks, each once: what came of them.
    pub(super) async fn send(&self, server: &Server, deliveries: Vec<Delivery>) -> Vec<Answer> {
        let signer = self.shop.signer();
        let callback = move |delivery: &Delivery, attempt| signer.callback(delivery, attempt);
        self.shop.courier(server).deliver(deliveries, callback, |_| ()).await
    }

    /// Sends callbacks until all are acknowledged.
    pub(super) async fn send_all(&self, server: &Server, deliveries: Vec<Delivery>) {
        let signer = self.shop.signer();
        let callback = move |delivery: &Delivery, attempt| signer.callback(delivery, attempt);
        let courier = self.shop.courier(server).retrying(RETRY);
        assert_eq!(unacknowledged(&courier.deliver(deliveries, callback, |_| ()).await), []);
    }

    /// One callback for each of these notifications, shuffled.
    pub(super) fn callbacks(&mut self, notifications: Range<usize>, rng: &mut StdRng) -> Vec<Delivery> {
        self.shop.deliveries(notifications, 1, rng)
    }

    /// Waits until the server has nothing left to deliver.
    pub(super) async fn rests(&self, server: &Server) {
        for endpoint in [ORDERED, ANY] {
            self.rests_but_for(server, endpoint, 0).await;
        }
    }

    /// Waits until the server has so many messages left to deliver to an endpoint, and each of them was tried.
    pub(super) async fn rests_but_for(&self, server: &Server, endpoint: &str, left: usize) {
        let path = format!("/v1/endpoints/{endpoint}/messages?state=pending");
        within(PATIENCE, "the messages are delivered", async || {
            let (_, page) = caller::get(server.addr(), &path).await?;
            let page: Value = serde_json::from_slice(&page).unwrap();
            let pending = page["messages"].as_array()?;
            let are_tried = pending.iter().all(|message| message["attempts"] != json!(0));
            (pending.len() == left && are_tried).then_some(())
        })
        .await;
    }

    /// What the attempts to deliver a message were answered, the latest first.
    pub(super) async fn attempts(&self, endpoint: &str, id: &str) -> Vec<u16> {
        let store = books::open(&self.place.url()).await;
        let views = store.deliveries().endpoints().await.unwrap();
        let view = views.iter().find(|view| view.name.as_str() == endpoint).unwrap();
        let messages = books::messages(&*store).await;
        let position = messages.iter().find(|message| message.id.0 == id).unwrap().position;
        let made = store.deliveries().attempts(view.id, position, PAGE).await.unwrap();
        made.iter()
            .map(|made| match made.answer {
                Heard::Status(status) => status,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// How it stands, by the database itself.
    pub(super) async fn standing(&self) -> Standing {
        let store = books::open(&self.place.url()).await;
        let all = books::messages(&*store).await;
        let mut owed = BTreeMap::new();
        let mut exhausted = 0;
        for view in store.deliveries().endpoints().await.unwrap() {
            let pending = rows(&*store, &view, DeliveryState::Pending).await;
            let waits = |position: Position| position > view.fanned_out || pending.contains(&position.0);
            let ids =
                all.iter().filter(|message| waits(message.position)).map(|message| message.id.0.clone());
            owed.insert(view.name.to_string(), ids.collect());
            exhausted += rows(&*store, &view, DeliveryState::Exhausted).await.len();
        }
        let messages = all.into_iter().map(|message| (message.id.0, message.body)).collect();
        Standing { messages, owed, exhausted }
    }

    /// Checks what must hold at any time of all calls so far, and returns how many came again although they were taken.
    pub(super) fn check(&self, standing: &Standing, when: &str) -> usize {
        assert_eq!(standing.exhausted, 0, "{when}");
        let calls = self.receiver.calls();
        for call in &calls {
            let written = standing.messages.get(&call.id);
            let came = String::from_utf8_lossy(&call.body);
            assert_eq!(written.map(String::as_str), Some(&*came), "{when}: {} with other bytes", call.id);
        }
        check_sequence(&calls, when);
        let taken: Vec<_> = calls.iter().filter(|call| call.status < 300).collect();
        let different: BTreeSet<_> = taken.iter().map(|call| (&call.endpoint, &call.id)).collect();
        taken.len() - different.len()
    }

    /// Checks what must hold in the end: every message is with every endpoint, and nothing is left.
    pub(super) fn check_complete(&self, standing: &Standing, messages: usize, when: &str) -> usize {
        assert_eq!(standing.messages.len(), messages, "{when}");
        let calls = self.receiver.calls();
        for (endpoint, owed) in &standing.owed {
            assert_eq!(*owed, BTreeSet::new(), "{when}: never delivered to {endpoint}, or not written down");
            let taken: BTreeSet<&str> = taken(&calls, endpoint).collect();
            assert_eq!(taken, standing.messages.keys().map(String::as_str).collect(), "{when}: {endpoint}");
        }
        self.check(standing, when)
    }
}

/// The ids of the calls that an endpoint answered well.
pub(super) fn taken<'a>(calls: &'a [Call], endpoint: &str) -> impl Iterator<Item = &'a str> {
    calls.iter().filter(move |call| call.is_of(endpoint) && call.status < 300).map(|call| call.id.as_str())
}

/// The messages of one order come one after the other where that is asked for; one may come again, none after its successor.
fn check_sequence(calls: &[Call], when: &str) {
    let mut reached = BTreeMap::new();
    for call in calls.iter().filter(|call| call.is_of(ORDERED)) {
        let (order, sequence) = call.id.rsplit_once(':').unwrap();
        let sequence: u32 = sequence.parse().unwrap();
        let reached = reached.entry(order).or_insert(0);
        assert!(sequence == *reached || sequence == *reached + 1, "{when}: {} came after {reached}", call.id);
        *reached = sequence;
    }
}

/// The positions of an endpoint's rows.
async fn rows(store: &dyn Store, view: &EndpointView, state: DeliveryState) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    loop {
        let after = Position(all.last().copied().unwrap_or(0));
        let page = store.deliveries().undelivered(view.id, state, after, PAGE).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().map(|row| row.position.0));
    }
}
