//! The process dies at each named fault point, once.

use std::os::unix::process::ExitStatusExt as _;

use payonce_core::fault::POINTS;
use payonce_simulator::deliver::unacknowledged;
use rand::{SeedableRng as _, rngs::StdRng};

use super::{acknowledged, recover};
use crate::{
    books::Books,
    server::{Server, payonce},
    shop::Shop,
};

const PAYMENTS: usize = 12;
const COPIES: usize = 3;
const SEED: u64 = 8;

/// The first point at which something is committed; [`POINTS`] stand in the order in which a callback passes them.
const COMMITTED: &str = "apply: after commit";

/// SIGABRT, with which a fault point ends the process; the number is the same on every Unix.
const SIGABRT: i32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_fault_point_it_loses_and_doubles_nothing() {
    let first_committed = POINTS.iter().position(|point| *point == COMMITTED).expect("it is listed");
    for (place, point) in POINTS.iter().enumerate() {
        let mut shop = Shop::open(PAYMENTS, SEED).await;
        let deliveries = shop.deliveries(0..PAYMENTS, COPIES, &mut StdRng::seed_from_u64(SEED));
        let server = Server::launch(payonce(shop.folder()).arg("serve").env("PAYONCE_FAULT", point));
        let signer = shop.signer();
        let callback = move |delivery: &_, attempt| signer.callback(delivery, attempt);
        let answers = shop.courier(&server).deliver(deliveries, callback, |_| ()).await;

        let left = unacknowledged(&answers);
        assert!(
            !left.is_empty(),
            "{point}: not reached (is the binary built with the feature fault-points?)"
        );
        assert_eq!(server.wait().signal(), Some(SIGABRT), "{point}");
        let books = Books::read(&shop).await;
        books.check(&acknowledged(&answers), point);
        // The first callback to reach a point ends it all, so what is committed tells where the process died.
        assert_eq!(acknowledged(&answers).len(), 0, "{point}: acknowledged, though the point was passed");
        assert_eq!(books.effects() > 0, place >= first_committed, "{point}: {} effects", books.effects());

        recover(&shop, left, point).await;
    }
}
