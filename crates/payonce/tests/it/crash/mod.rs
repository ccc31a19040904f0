//! The crash proof: whatever ends the process and whenever, everything that it acknowledged is in the database, and
//! after a restart and WeChat's retries every payment has taken effect exactly once.

mod effects;
mod graceful;
mod moment;
mod points;
mod random;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery, Retry, Verdict};

pub(crate) use moment::Moment;

use crate::books::Books;
use crate::server::Server;
use crate::shop::Shop;

/// The notifications that were acknowledged.
pub(crate) fn acknowledged(answers: &[Answer]) -> BTreeSet<usize> {
    answers
        .iter()
        .filter(|answer| answer.verdict() == Verdict::Acknowledged)
        .map(|answer| answer.delivery.notification)
        .collect()
}

/// WeChat's schedule, a thousand times as fast.
pub(crate) const RETRY: Retry = Retry::faster(NonZeroU32::new(1000).unwrap());

/// A last life of the server, in which WeChat's retries bring what is left; then the final audit.
async fn recover(shop: &Shop, left: Vec<Delivery>, when: &str) {
    let server = Server::start(shop);
    let signer = shop.signer();
    let courier = shop.courier(&server).retrying(RETRY);
    let answers =
        courier.deliver(left, move |delivery, attempt| signer.callback(delivery, attempt), |_| ()).await;
    assert_eq!(unacknowledged(&answers), [], "{when}: never acknowledged");
    server.kill();
    server.wait();
    Books::read(shop).await.check_complete(when);
}
