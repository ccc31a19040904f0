//! After a copy its source is not served: neither by a node that starts on it, nor by one that was held up so long that
//! the copy took it for stopped. Whoever means it takes the source back.

use std::process::Command;
use std::time::Duration;

use payonce_core::StoreError;
use payonce_core::store::archive::{Progress, Row, TABLES};
use payonce_core::store::{Lease, Leases, Owner, Role};
use payonce_simulator::Delivery;
use tokio::task::LocalSet;

use super::{copies, refusal};
use crate::books::{self, Books};
use crate::fleet::within;
use crate::place::Place;
use crate::server::{Server, payonce, run};
use crate::shop::Shop;
use crate::wire::Wire;

const SEED: u64 = 61;
const HOUR: Duration = Duration::from_secs(3600);

/// After this, what a node or its lease should come to is not coming.
const LIMIT: Duration = Duration::from_secs(60);

fn take_back(shop: &Shop, target: &str) -> Command {
    let mut command = payonce(shop.folder());
    command.args(["take-back", target]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_node_starts_on_the_source_until_it_is_taken_back() {
    for from in Place::each() {
        let (to, elsewhere) = (Place::sqlite(), Place::sqlite());
        let shop = Shop::on(&from.url(), 1, SEED);
        shop.register(&*books::open(&from.url()).await, 0..1).await;
        let said = refusal(&mut take_back(&shop, "5f3a"));
        assert_eq!(said, "payonce: store.url: this database was not moved, there is nothing to take back");

        copies(&mut from.copy_to(&to));
        let target = to.open().await.identity().await.unwrap();
        let moved = format!(
            "payonce: PAY0011: this database was moved to another one ({target}): name that one in store.url; to give \
             that one up and serve this one again, run `payonce take-back {target}`"
        );
        from.end_leases();
        for _ in 0..2 {
            assert_eq!(refusal(payonce(shop.folder()).arg("serve")), moved, "{}", from.name());
        }
        let said = refusal(&mut from.copy_to(&to));
        let expected = "payonce: --from was moved to --to already: name --to in store.url, and start payonce";
        assert_eq!(said, expected);
        for _ in 0..2 {
            let said = refusal(&mut from.copy_to(&elsewhere));
            assert_eq!(
                said,
                format!(
                    "payonce: --from was moved to another database ({target}): copy that one; to give that one up, \
                     run `payonce take-back {target}` on --from"
                )
            );
            assert!(!elsewhere.file().exists(), "nothing is made for it");
        }
        drop(elsewhere.open().await);
        let said = refusal(&mut from.copy_to(&elsewhere));
        assert!(said.starts_with("payonce: --from was moved to another database ("), "{said}");

        let said = refusal(&mut take_back(&shop, "5f3a"));
        assert_eq!(said, format!("payonce: store.url: this database was moved to {target}, not to 5f3a"));
        let store = from.open().await;
        let copy = store.lease(&Role::COPY, &Owner("a copy".to_owned()), HOUR).await.unwrap().unwrap();
        let said = refusal(&mut take_back(&shop, &target));
        assert!(said.starts_with("payonce: store.url: a copy is at work (a copy): let it end"), "{said}");
        store.release(&copy).await.unwrap();

        let said = run(&mut take_back(&shop, &target));
        let expected = format!("taken back: start payonce on it, and never again on {target}\n");
        assert_eq!((said.code, said.out), (Some(0), expected), "{}", said.err);
        let node = Server::start(&shop);
        node.terminate();
        assert_eq!(node.wait().code(), Some(0));
        copies(&mut from.copy_to(&Place::sqlite()));
    }
}

/// How long the one node of a database will be taken for present.
async fn presence(store: &dyn Leases) -> Duration {
    let leases = store.leases().await.unwrap();
    leases.iter().find(|view| view.lease.role.is_node()).map_or(Duration::ZERO, |view| view.left)
}

/// Sends the callback of this payment; its answer can be waited for.
async fn send(shop: &Shop, server: &Server, payment: usize) -> Wire {
    let callback = shop.signer().callback(&Delivery::genuine(payment, payment), 0);
    let mut wire = Wire::connect(server.addr()).await;
    wire.send_head(&shop.notify_path(), &callback, "").await;
    wire.send(callback.body()).await;
    wire
}

async fn answer(shop: &Shop, server: &Server, payment: usize) -> u16 {
    send(shop, server, payment).await.status().await
}

/// The node is stopped like a machine that hangs, the copy counts it as gone, and it comes back.
async fn is_held_up(from: Place) {
    let (to, name) = (Place::sqlite(), from.name());
    let shop = Shop::on(&from.url(), 4, SEED);
    let source = from.open().await;
    shop.register(&*source, 0..4).await;
    let node = Server::start(&shop);
    assert_eq!(answer(&shop, &node, 0).await, 204);
    // Right after a heartbeat: not amid a statement, whose locks would be in the copy's way.
    let fresh = Lease::TTL - Duration::from_secs(1);
    within(LIMIT, "a heartbeat", async || (presence(&*source).await > fresh).then_some(())).await;
    node.signal("STOP");
    within(LIMIT, "the end of its lease", async || presence(&*source).await.is_zero().then_some(())).await;
    copies(&mut from.copy_to(&to));

    // They wait for the node, so that they are the first that it sees.
    let mut first = send(&shop, &node, 1).await;
    let mut again = send(&shop, &node, 0).await;
    node.signal("CONT");
    assert_eq!(first.status().await, 503, "{name}: it has not looked");
    assert_eq!(again.status().await, 503, "{name}: not even what it remembers");
    node.says("presence::node: PAY0011: this database was moved to another one (", 1);
    assert_eq!(answer(&shop, &node, 1).await, 503, "{name}: it has looked");
    assert_eq!(presence(&*source).await, Duration::ZERO, "{name}: nor is it in anybody's way");

    let successor = Server::launch(payonce(shop.folder()).arg("serve").env("PAYONCE_STORE_URL", to.url()));
    assert_eq!(answer(&shop, &successor, 1).await, 204, "{name}");
    let target = to.open().await;
    Books::of(&*target, &shop).await.check(&[0, 1].into(), name);

    // Given up: the node that ran all the time goes on.
    successor.terminate();
    assert_eq!(successor.wait().code(), Some(0));
    let identity = target.identity().await.unwrap();
    assert_eq!(run(&mut take_back(&shop, &identity)).code, Some(0));
    node.says("the database sees this node again", 1);
    assert_eq!(answer(&shop, &node, 2).await, 204, "{name}");
    assert_eq!(answer(&shop, &node, 1).await, 204, "{name}: WeChat sends again what nobody knows here");
    // It gives the last messages their positions.
    node.terminate();
    assert_eq!(node.wait().code(), Some(0));
    Books::of(&*source, &shop).await.check(&[0, 1, 2].into(), name);
}

/// On all databases at the same time: each waits for a lease to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_held_up_while_its_database_was_moved_acknowledges_nothing() {
    let each = LocalSet::new();
    let trials: Vec<_> = Place::each().into_iter().map(|from| each.spawn_local(is_held_up(from))).collect();
    let ended = each.run_until(async {
        for trial in trials {
            trial.await.unwrap();
        }
    });
    ended.await;
}

/// Whoever was held up at the end of a copy may find the target served, or the source taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_ended_only_by_whoever_has_the_target_reserved() {
    for to in Place::each() {
        let store = to.open().await;
        let (table, nothing) = (
            &TABLES[0],
            Progress {
                table: TABLES[0].name.to_owned(),
                source: "5f3a".to_owned(),
                after: Row::new(),
                rows: 0,
                done: false,
            },
        );
        store.add_rows(table, &[], &nothing).await.unwrap();
        let owner = Owner("a copy".to_owned());
        let first = store.lease(&Role::COPY, &owner, HOUR).await.unwrap().unwrap();
        store.release(&first).await.unwrap();
        let again = store.lease(&Role::COPY, &owner, HOUR).await.unwrap().unwrap();
        let refused = store.finish_copy(&first).await;
        assert!(matches!(refused, Err(StoreError::LeaseLost)), "{}: {refused:?}", to.name());
        assert_eq!(store.progress().await.unwrap(), [nothing], "{}", to.name());
        for _ in 0..2 {
            store.finish_copy(&again).await.unwrap();
            assert_eq!(store.progress().await.unwrap(), [], "{}", to.name());
        }
    }
}
