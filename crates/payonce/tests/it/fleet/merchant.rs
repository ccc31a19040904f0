//! The merchant's own system: registers orders through whichever node answers, while their payments come.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{interval, timeout};

use super::{LOOK_EVERY, caller, node::Fleet, proof::PATIENCE};

/// Registers every order that is told to `tell`, through two nodes at the same time.
pub(super) struct Merchant {
    pub(super) tell: UnboundedSender<(usize, Value)>,
    work: JoinHandle<()>,
}

impl Merchant {
    pub(super) fn at_work(fleet: &Arc<Fleet>) -> Self {
        let (tell, mut told) = unbounded_channel::<(usize, Value)>();
        let fleet = Arc::clone(fleet);
        let work = tokio::spawn(async move {
            let mut registering = JoinSet::new();
            while let Some((number, order)) = told.recv().await {
                for node in [number, number + 1] {
                    registering.spawn(register(Arc::clone(&fleet), node, order.clone()));
                }
            }
            registering.join_all().await;
        });
        Self { tell, work }
    }

    /// Waits until all is registered that was told.
    pub(super) async fn finish(self) {
        drop(self.tell);
        self.work.await.unwrap();
    }
}

/// Asks one node after the other until one has registered it.
async fn register(fleet: Arc<Fleet>, first: usize, order: Value) {
    let mut every = interval(LOOK_EVERY);
    let registered = async {
        for node in first.. {
            every.tick().await;
            match caller::post(fleet.addr(node), "/v1/orders", &order).await {
                Some((200 | 201, _)) => return,
                None | Some((500 | 503, _)) => {}
                Some((status, body)) => panic!("{status} {}", String::from_utf8_lossy(&body)),
            }
        }
    };
    timeout(PATIENCE, registered).await.expect("an order is registered in time");
}
