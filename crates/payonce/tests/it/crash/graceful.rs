//! SIGTERM in the middle of a burst: what the server has taken in is answered, then it ends well.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use payonce_simulator::Delivery;
use payonce_simulator::deliver::unacknowledged;
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::net::TcpStream;

use super::{acknowledged, recover};
use crate::{books::Books, server::Server, shop::Shop, wire::Wire};

/// Payments of the burst.
const BURST: usize = 120;
const COPIES: usize = 3;

/// Callbacks of which the server has the head, and waits for the body, as SIGTERM comes.
const TAKEN_IN: usize = 12;

const SEED: u64 = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_answers_what_it_took_in_and_exits_well() {
    let mut shop = Shop::open(BURST + TAKEN_IN, SEED).await;
    let server = Arc::new(Server::start(&shop));
    let deliveries = shop.deliveries(0..BURST, COPIES, &mut StdRng::seed_from_u64(SEED));
    let amid = deliveries.len() / 3;

    let signer = shop.signer();
    let mut taken_in = Vec::new();
    for notification in BURST..BURST + TAKEN_IN {
        let callback = signer.callback(&Delivery::genuine(deliveries.len() + notification, notification), 1);
        let mut wire = Wire::connect(server.addr()).await;
        wire.send_head(&shop.notify_path(), &callback, "expect: 100-continue\r\n").await;
        assert_eq!(wire.status().await, 100, "the server waits for the body");
        taken_in.push((wire, callback));
    }

    let (sender, sent, asked) = (Arc::clone(&server), AtomicUsize::new(0), Once::new());
    let callback = move |delivery: &_, attempt| {
        if sent.fetch_add(1, Ordering::Relaxed) >= amid {
            // Whoever comes second waits here for the first: the rest of the burst follows the signal.
            asked.call_once(|| sender.terminate());
        }
        signer.callback(delivery, attempt)
    };
    let answers = shop.courier(&server).deliver(deliveries, callback, |_| ()).await;
    // The signal has come through once nobody listens any more.
    while TcpStream::connect(server.addr()).await.is_ok() {}
    assert!(server.is_alive(), "it waits for the bodies");

    for (wire, callback) in &mut taken_in {
        wire.send(callback.body()).await;
        assert_eq!(wire.status().await, 204);
    }
    assert_eq!(server.wait().code(), Some(0));
    let left = unacknowledged(&answers);
    assert!(
        !left.is_empty() && left.len() < answers.len(),
        "SIGTERM came amid the burst: {} left",
        left.len()
    );
    let refused: Vec<_> =
        answers.iter().filter(|answer| !matches!(answer.status, None | Some(204))).collect();
    assert!(refused.is_empty(), "what was heard was acknowledged: {refused:?}");
    let mut known = acknowledged(&answers);
    known.extend(BURST..BURST + TAKEN_IN);
    Books::read(&shop).await.check(&known, "after SIGTERM");
    recover(&shop, left, "after SIGTERM").await;
}
