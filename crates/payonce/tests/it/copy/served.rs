//! After the move the same shop goes on: what was acknowledged stays so, positions and numbers go on after the old ones.

use std::collections::BTreeSet;
use std::ops::Range;

use payonce_core::fact::Passed;
use payonce_core::store::{
    MessageView,
    archive::{Archive, Row, TABLES, Value},
};
use payonce_core::{
    Attempts, Clock as _, EventType, Fact, MerchantId, NotificationId, Outcome, Policy, SystemClock, apply,
};
use payonce_simulator::Delivery;
use rand::{SeedableRng as _, rngs::StdRng};

use super::{copies, rows};
use crate::books::{self, Books};
use crate::place::Place;
use crate::server::{Server, payonce};
use crate::shop::Shop;

const SEED: u64 = 53;

/// Told of before the move; the first of them registered before, the others after.
const TOLD_BEFORE: Range<usize> = 0..14;
const REGISTERED_BEFORE: [Range<usize>; 2] = [0..12, 14..20];
const REGISTERED_AFTER: [Range<usize>; 2] = [12..14, 20..24];
const TOLD_AFTER: Range<usize> = 14..24;
const ALL: usize = 24;

/// Places of the tables in [`TABLES`], and of columns in their rows.
const ORDERS: usize = 0;
const RECEIPT: usize = 5;
const ID: usize = 0;
const STATE: usize = 8;
const OUTCOME: usize = 5;

/// A life of a node: it starts, does something, and stops well, so that every message has its position.
async fn life(shop: &Shop, place: &Place, work: impl AsyncFnOnce(&Server)) {
    let server = Server::launch(payonce(shop.folder()).arg("serve").env("PAYONCE_STORE_URL", place.url()));
    work(&server).await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

async fn acknowledges(shop: &Shop, server: &Server, deliveries: Vec<Delivery>) {
    let signer = shop.signer();
    let callback = move |delivery: &Delivery, attempt| signer.callback(delivery, attempt);
    for answer in shop.courier(server).deliver(deliveries, callback, |_| ()).await {
        assert_eq!(answer.status, Some(204));
    }
}

async fn register(shop: &Shop, store: &dyn Archive, orders: [Range<usize>; 2]) {
    for range in orders {
        shop.register(store, range).await;
    }
}

fn number(row: &Row, column: usize) -> i64 {
    if let Value::Int(number) = row[column] { number } else { panic!("{row:?}") }
}

/// What a database says of itself.
struct State {
    messages: Vec<MessageView>,
    orders: Vec<Row>,
    receipts: Vec<Row>,
}

impl State {
    async fn of(store: &dyn Archive) -> Self {
        Self {
            messages: books::messages(store).await,
            orders: rows::read(store, &TABLES[ORDERS]).await,
            receipts: rows::read(store, &TABLES[RECEIPT]).await,
        }
    }
}

async fn moves(from: Place, to: Place) {
    let mut shop = Shop::on(&from.url(), ALL, SEED);
    let rng = &mut StdRng::seed_from_u64(SEED);
    let before = shop.deliveries(TOLD_BEFORE, 2, rng);
    let source = from.open().await;
    register(&shop, &*source, REGISTERED_BEFORE).await;
    life(&shop, &from, async |server| acknowledges(&shop, server, before).await).await;
    let old = State::of(&*source).await;
    assert_eq!(old.orders.iter().filter(|row| number(row, STATE) == 4).count(), 2, "two are awaited");

    copies(&mut from.copy_to(&to));
    let target = to.open().await;
    let again = shop.deliveries(TOLD_BEFORE, 1, rng);
    life(&shop, &to, async |server| acknowledges(&shop, server, again).await).await;
    let duplicates = State::of(&*target).await;
    assert_eq!(duplicates.messages, old.messages, "a duplicate tells nobody anything");
    assert_eq!(duplicates.orders, old.orders);
    let outcomes = duplicates.receipts[old.receipts.len()..].iter().map(|row| number(row, OUTCOME));
    assert_eq!(outcomes.collect::<Vec<_>>(), vec![1; TOLD_BEFORE.len()], "each was answered as a duplicate");

    let after = shop.deliveries(TOLD_AFTER, 2, rng);
    life(&shop, &to, async |server| {
        register(&shop, &*target, REGISTERED_AFTER).await;
        acknowledges(&shop, server, after).await;
    })
    .await;
    goes_on(&old, &State::of(&*target).await);
    Books::of(&*target, &shop).await.check_complete("after the move");
    assert_eq!(State::of(&*source).await.messages, old.messages, "the source stays as it was");
}

/// Positions go on without a gap, new orders get later numbers than the old ones.
fn goes_on(old: &State, new: &State) {
    assert_eq!(new.messages[..old.messages.len()], old.messages);
    let positions: Vec<i64> = new.messages.iter().map(|message| message.position.0).collect();
    let expected: Vec<i64> = (1..).take(positions.len()).collect();
    assert_eq!(positions, expected);
    // A message for each payment, and one more for each of those that came before their order.
    assert_eq!(new.messages.len(), ALL + 2);

    let ids = |state: &State| state.orders.iter().map(|row| number(row, ID)).collect::<BTreeSet<_>>();
    let (old, new) = (ids(old), ids(new));
    assert_eq!(new.len(), ALL);
    assert!(new.is_superset(&old));
    assert!(new.difference(&old).all(|id| id > old.last().unwrap()), "{new:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_to_postgresql_and_goes_on() {
    let Some(to) = Place::postgres() else { return };
    moves(Place::sqlite(), to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_to_mariadb_and_goes_on() {
    let Some(to) = Place::mariadb() else { return };
    moves(Place::sqlite(), to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_from_one_server_to_another_and_goes_on() {
    let (Some(from), Some(to)) = (Place::mariadb(), Place::postgres()) else { return };
    moves(from, to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_back_to_a_file_and_goes_on() {
    let Some(from) = Place::postgres() else { return };
    moves(from, Place::sqlite()).await;
}

/// A node that was killed leaves messages without a position; no other came to give them one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_wait_for_their_position_get_it_first() {
    for from in [Place::postgres(), Place::mariadb()].into_iter().flatten() {
        let (source, to) = (from.open().await, Place::sqlite());
        for number in 1..=3 {
            let passed = Fact::Other(Passed {
                merchant: MerchantId::parse("1900000001").unwrap(),
                notification: NotificationId::parse(&format!("N{number}")).unwrap(),
                event_type: EventType::parse("REFUND.SUCCESS").unwrap(),
                plaintext: "{}".into(),
            });
            let outcomes =
                apply(&*source, &[passed.into()], &Policy::default(), SystemClock.now(), &Attempts(1)).await;
            assert!(matches!(outcomes[..], [Ok(Outcome::Applied)]), "{outcomes:?}");
        }
        assert_eq!(books::messages(&*source).await, [], "nobody gave them positions");
        copies(&mut from.copy_to(&to));
        let copied = books::messages(&*to.open().await).await;
        assert_eq!(copied.iter().map(|message| message.position.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(copied, books::messages(&*source).await);
    }
}
