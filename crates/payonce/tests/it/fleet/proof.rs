//! The money proof: orders are registered before and while their payments come, every callback comes in a copy to each
//! node at the same time, a follower reads on, and a script says what dies when. Then everything must have happened
//! exactly once.

use std::sync::Arc;
use std::time::Duration;

use payonce_core::Store;
use payonce_core::store::{Owner, Role};
use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::follower::{Followed, follow, watch_leases};
use super::merchant::Merchant;
use super::node::{Fleet, Variables};
use super::script::Script;
use super::within;
use crate::books::{self, Books};
use crate::crash::{RETRY, acknowledged};
use crate::shop::Shop;

/// How long the fleet may take to get over what the script did to it: a role rests for 20 s when its node is killed.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A shop, its nodes, and those who use them.
pub(super) struct Proof {
    pub(super) shop: Arc<Shop>,
    pub(super) store: Arc<dyn Store>,
    pub(super) fleet: Arc<Fleet>,
    deliveries: Vec<Delivery>,
    /// Of each delivery, by its number: its place among the copies of its callback.
    places: Arc<[usize]>,
    followed: Arc<Mutex<Followed>>,
    beside: [JoinHandle<()>; 2],
}

impl Proof {
    /// Starts the nodes on an empty database and registers half of the orders. `copies` of a callback will come, of
    /// every third callback one only: no copy makes up for an acknowledged one that is lost.
    pub(super) async fn begin(url: &str, nodes: Vec<Variables>, payments: usize, copies: usize) -> Self {
        const SEED: u64 = 31;
        let mut shop = Shop::on(url, payments, SEED);
        let fleet = Fleet::start(&shop, nodes).await;
        let store = books::open(url).await;
        shop.register(&*store, 0..payments / 2).await;
        let copies = |notification: usize| if notification.is_multiple_of(3) { 1 } else { copies };
        let deliveries = shop.volleys(0..payments, copies, &mut StdRng::seed_from_u64(SEED));
        let volleys = deliveries.chunk_by(|one, next| one.notification == next.notification);
        let places = volleys.flat_map(|volley| 0..volley.len()).collect();
        let followed = Arc::default();
        let beside = [
            tokio::spawn(follow(Arc::clone(&fleet), Arc::clone(&followed))),
            tokio::spawn(watch_leases(Arc::clone(&store))),
        ];
        Self { shop: Arc::new(shop), store, fleet, deliveries, places, followed, beside }
    }

    /// How many copies will come.
    pub(super) fn callbacks(&self) -> usize {
        self.deliveries.len()
    }

    /// The node that gives positions to messages.
    pub(super) async fn sequencer(&self) -> usize {
        let holder = async || {
            let leases = self.store.leases().await.unwrap();
            let view = leases.into_iter().find(|view| view.lease.role == Role::SEQUENCER)?;
            self.fleet.node_of(process_of(&view.lease.owner)?).filter(|_| !view.left.is_zero())
        };
        within(PATIENCE, "a node gives positions", holder).await
    }

    /// Sends the first copies of some registered orders once, and returns what came back.
    pub(super) async fn attempt(&self, callbacks: usize) -> Vec<Answer> {
        let registered = self.shop.payments().count() / 2;
        let first =
            |delivery: &&Delivery| delivery.notification < registered && self.places[delivery.number] == 0;
        let deliveries: Vec<Delivery> =
            self.deliveries.iter().filter(first).take(callbacks).copied().collect();
        let signer = self.shop.signer();
        let callback = move |delivery: &Delivery, _| signer.callback(delivery, 0);
        self.fleet.courier(|_| 0).deliver(deliveries, callback, |_| ()).await
    }

    /// Sends everything, with WeChat's retries, while the script plays and the merchant registers the other orders:
    /// some as their callback is sent, some when it was answered.
    pub(super) async fn play(&mut self, script: Script) -> Vec<Answer> {
        let script = Arc::new(script);
        let merchant = Merchant::at_work(&self.fleet);
        let (signer, registered) = (self.shop.signer(), self.shop.payments().count() / 2);
        let (tell, shop, sending) = (merchant.tell.clone(), Arc::clone(&self.shop), Arc::clone(&script));
        let places = Arc::clone(&self.places);
        let is_first = move |delivery: &Delivery, attempt: u32| places[delivery.number] == 0 && attempt == 1;
        let starts = is_first.clone();
        let callback = move |delivery: &Delivery, attempt: u32| {
            let number = delivery.notification;
            if number >= registered && number.is_multiple_of(2) && starts(delivery, attempt) {
                tell.send((number, shop.registration(number))).unwrap();
            }
            let callback = signer.callback(delivery, attempt);
            sending.sending();
            callback
        };
        let on_answer = |answer: &Answer| {
            let number = answer.delivery.notification;
            if number >= registered && !number.is_multiple_of(2) && is_first(&answer.delivery, answer.attempt)
            {
                merchant.tell.send((number, self.shop.registration(number))).unwrap();
            }
            if answer.status.is_some() {
                script.answered();
            }
        };
        let (deliveries, places) = (std::mem::take(&mut self.deliveries), Arc::clone(&self.places));
        let courier = self.fleet.courier(move |delivery| places[delivery.number]).retrying(RETRY);
        let answers = courier.deliver(deliveries, callback, on_answer).await;
        merchant.finish().await;
        self.fleet.settle().await;
        script.check_played();
        answers
    }

    /// The audit. `name` says which proof it is.
    pub(super) async fn end(mut self, name: &str, answers: &[Answer]) -> (Arc<Shop>, Arc<dyn Store>) {
        assert_eq!(unacknowledged(answers), [], "{name}: never acknowledged");
        let payments = self.shop.payments().count();
        assert_eq!(acknowledged(answers).len(), payments);
        // Each role is held by one node, and that one runs.
        self.sequencer().await;
        self.read_to_the_end().await;
        self.fleet.stop().await;
        for task in &mut self.beside {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled(), "{name}: it failed");
        }

        let messages = books::messages(&*self.store).await;
        let followed = self.followed.lock().await;
        let (skipped, repeated) = followed.skipped_and_repeated(&messages);
        let books = Books::of(&*self.store, &self.shop).await;
        let (lost, doubled) = books.lost_and_doubled();
        println!(
            "{name}: {payments} payments, {} attempts, {} messages; lost {lost}, doubled {doubled}, skipped {skipped}, \
             repeated {repeated}",
            answers.len(),
            messages.len()
        );
        books.check_complete(name);
        assert_eq!((lost, doubled, skipped, repeated), (0, 0, 0, 0), "{name}");
        let counts = self.store.counts().await.unwrap();
        assert_eq!((counts.orders, counts.payments), (payments as u64, payments as u64), "{name}");
        assert_eq!(messages.len() as u64, counts.messages, "{name}");
        self.check_released().await;
        drop(followed);
        (self.shop, self.store)
    }

    /// Waits until every message has a position, and the follower has come to the last.
    async fn read_to_the_end(&self) {
        let written = self.store.counts().await.unwrap().messages;
        within(PATIENCE, "the follower comes to the last message", async || {
            let messages = books::messages(&*self.store).await;
            let last = messages.last().map_or(0, |last| last.position.0);
            let read = self.followed.lock().await.position();
            (messages.len() as u64 == written && read == last).then_some(())
        })
        .await;
    }

    /// Who stopped well holds nothing any longer. (Who was killed before does, for a while.)
    async fn check_released(&self) {
        let stopped = self.fleet.processes();
        for view in self.store.leases().await.unwrap() {
            let (role, held) = (&view.lease.role, !view.left.is_zero());
            let process = process_of(&view.lease.owner).expect("an owner names its process");
            assert!(!(held && stopped.contains(&process)), "{} is still held", role.as_str());
        }
    }
}

/// An owner is named `host-process-random`.
fn process_of(owner: &Owner) -> Option<u32> {
    owner.0.rsplit('-').nth(1)?.parse().ok()
}
