//! The order of an order's messages.

use std::time::Duration;

use payonce_core::{Fact, store::delivery::DeliveryState};
use payonce_store_conformance::facts::{paid, paid_amount, registered};

use crate::post_office::{DOWN, OK, PostOffice, schedule};

/// Three messages of each order, first the first ones.
async fn tell(office: &PostOffice, orders: &[&str]) {
    for order in orders {
        office.tell([registered(order), Fact::Paid(paid(order, &format!("{order}-1")))]).await;
    }
    for order in orders {
        office.tell([Fact::Paid(paid(order, &format!("{order}-2")))]).await;
        office.tell([Fact::Paid(paid_amount(order, &format!("{order}-3"), 7))]).await;
    }
}

fn id(order: &str, sequence: u32) -> String {
    format!("order:1900000001:{order}:{sequence}")
}

fn of(ids: &[String], order: &str) -> Vec<String> {
    ids.iter().filter(|id| id.contains(order)).cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn a_failing_message_holds_its_order_alone_where_order_is_asked_for() {
    let office = PostOffice::open();
    let endpoint = office.put("ordered", |e| e.ordered = true).await;
    let receiver = office.receiver("ordered");
    receiver.does_to(&id("ORDERA", 1), DOWN);
    tell(&office, &["ORDERA", "ORDERB", "ORDERC"]).await;
    let node = office.node("a");
    office.pass(Duration::from_secs(4)).await;
    let ids = receiver.ids();
    for other in ["ORDERB", "ORDERC"] {
        assert_eq!(of(&ids, other), [id(other, 1), id(other, 2), id(other, 3)]);
    }
    assert!(of(&ids, "ORDERA").iter().all(|sent| *sent == id("ORDERA", 1)), "{ids:?}");

    receiver.does_to(&id("ORDERA", 1), OK);
    office.is_done(endpoint, 9).await;
    let ids = of(&receiver.ids(), "ORDERA");
    let (first, last) = ids.split_at(ids.len() - 2);
    assert!(first.len() >= 2 && first.iter().all(|sent| *sent == id("ORDERA", 1)), "{ids:?}");
    assert_eq!(last, [id("ORDERA", 2), id("ORDERA", 3)]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn it_holds_nothing_where_no_order_is_asked_for() {
    let office = PostOffice::open();
    office.put("any", |_| {}).await;
    office.receiver("any").does_to(&id("ORDERA", 1), DOWN);
    tell(&office, &["ORDERA"]).await;
    let node = office.node("a");
    office.pass(Duration::from_secs(1)).await;
    assert_eq!(office.receiver("any").ids(), [id("ORDERA", 1), id("ORDERA", 2), id("ORDERA", 3)]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_exhausted_holds_its_order_no_longer() {
    let office = PostOffice::open();
    let endpoint = office
        .put("ordered", |e| {
            e.ordered = true;
            e.settings.schedule = schedule(&[60, 60]);
        })
        .await;
    office.receiver("ordered").does_to(&id("ORDERA", 1), DOWN);
    tell(&office, &["ORDERA"]).await;
    let node = office.node("a");
    office.is_done(endpoint, 3).await;
    let ids = office.receiver("ordered").ids();
    assert_eq!(ids[..3], [id("ORDERA", 1), id("ORDERA", 1), id("ORDERA", 1)]);
    assert_eq!(ids[3..], [id("ORDERA", 2), id("ORDERA", 3)]);
    assert_eq!(office.rows(endpoint, DeliveryState::Exhausted).await, [1]);
    node.stop().await;
}
