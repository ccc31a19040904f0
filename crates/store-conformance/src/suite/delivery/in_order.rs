//! Order: who asks for it gets an order's messages one at a time, in their sequence; and other orders do not wait.

use std::time::Duration;

use payonce_core::{
    delivery::Next,
    store::{Position, delivery::Start},
};

use super::{tell, tell_of_orders};
use crate::{
    Fixture,
    desk::Desk,
    post::{AT_ONCE, HOUR, LATER, Post, endpoint, positions},
};

/// The next message of an order comes once the one before is delivered.
pub async fn an_orders_messages_come_one_at_a_time(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], true).await;
    // Positions 1 to 3 begin the orders, 4 to 6 are their second messages, 7 to 9 their third ones; 10 and 11 are of none.
    tell_of_orders(&desk, &["A", "B", "C"]).await;
    tell(&desk, 0..2).await;
    post.fan_out().await;
    let first = post.take("a", id, 99).await;
    assert_eq!(positions(&first), [1, 2, 3, 10, 11]);
    assert_eq!(post.take("b", id, 99).await, [], "the first ones are under way");
    post.settle("a", &first[1..2], Next::Delivered).await;
    let second = post.take("b", id, 99).await;
    assert_eq!(positions(&second), [5]);
    post.settle("a", &first[..1], Next::Delivered).await;
    post.settle("a", &first[2..], Next::Delivered).await;
    assert_eq!(
        positions(&post.take("a", id, 1).await),
        [4],
        "the earliest first, and no more than asked for"
    );
    post.settle("b", &second, Next::Delivered).await;
    assert_eq!(positions(&post.take("c", id, 99).await), [6, 8]);
}

/// A message that fails holds its own order, until it is delivered; others go on.
pub async fn a_failing_message_holds_its_own_order_alone(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], true).await;
    tell_of_orders(&desk, &["A", "B"]).await;
    post.fan_out().await;
    let first = post.take("a", id, 1).await;
    assert_eq!(positions(&first), [1]);
    post.settle("a", &first, LATER).await;
    assert_eq!(post.deliver("a", id).await, [2, 4, 6]);
    let backlog = post.backlog(id).await.expect("it is enabled");
    assert_eq!(backlog.due, 0, "what stands behind it is not due either: nobody looks at it in vain");
    assert!(backlog.next_due.is_some_and(|left| left > HOUR / 2));

    let deliveries = store.deliveries();
    let replay = payonce_core::store::delivery::Replay::One(Position(1));
    assert_eq!(deliveries.replay(id, replay).await.expect("the store replays"), 1);
    assert_eq!(post.deliver("a", id).await, [1, 3, 5], "those behind it come at once, and in order");
}

/// Messages that come to an order which is held wait like the others.
pub async fn what_comes_to_a_held_order_waits_as_well(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], true).await;
    tell_of_orders(&desk, &["A"]).await;
    let steps = post.steps().await;
    assert_eq!(post.deliveries.fan_out(&steps).await.expect("the store fans out"), [id]);
    let first = post.take("a", id, 9).await;
    assert_eq!(positions(&first), [1]);
    for amount in [8, 9] {
        let payment = crate::facts::paid_amount("A", &format!("A-{amount}"), amount);
        desk.apply(payonce_core::Fact::Paid(payment)).await;
    }
    desk.sequence().await;
    post.settle("a", &first, AT_ONCE).await;
    post.fan_out().await;
    for _ in 0..3 {
        let due = post.take("a", id, 9).await;
        assert_eq!(positions(&due), [1]);
        post.settle("a", &due, AT_ONCE).await;
    }
    assert_eq!(post.deliver("a", id).await, [1, 2, 3, 4, 5]);
}

/// A crash leaves its order as it was: the message comes again, and nothing overtakes it.
pub async fn nothing_overtakes_what_a_crash_left_behind(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], true).await;
    tell_of_orders(&desk, &["A"]).await;
    post.fan_out().await;
    for by in ["a", "b", "c"] {
        assert_eq!(positions(&post.take_for(Duration::ZERO, by, id, 9).await), [1]);
    }
    assert_eq!(post.deliver("a", id).await, [1, 2, 3]);
}

/// An exhausted message lets its order go on. Replayed, it stands in front again.
pub async fn an_exhausted_message_lets_its_order_go_on(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], true).await;
    tell_of_orders(&desk, &["A"]).await;
    post.fan_out().await;
    let first = post.take("a", id, 9).await;
    post.settle("a", &first, LATER).await;
    assert_eq!(post.take("a", id, 9).await, []);
    let replay = async |what| store.deliveries().replay(id, what).await.expect("the store replays");
    assert_eq!(replay(payonce_core::store::delivery::Replay::One(Position(1))).await, 1);
    let first = post.take("a", id, 9).await;
    post.settle("a", &first, Next::Exhausted).await;
    let second = post.take("a", id, 9).await;
    assert_eq!(positions(&second), [2]);

    let all = payonce_core::store::delivery::Replay::Exhausted { rows_max: 9 };
    assert_eq!(replay(all).await, 1);
    assert_eq!(post.take("b", id, 9).await, [], "one of the order is under way");
    post.settle("a", &second, AT_ONCE).await;
    assert_eq!(post.deliver("a", id).await, [1, 2, 3]);
}

/// Who does not ask for order gets everything at once; and who no longer does, what had to wait.
pub async fn without_order_nobody_waits(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let free = post.endpoint("free", &["*"], false).await;
    let ordered = post.endpoint("ordered", &["*"], true).await;
    tell_of_orders(&desk, &["A", "B"]).await;
    post.fan_out().await;
    let due = post.take("a", free, 99).await;
    assert_eq!(positions(&due), [1, 2, 3, 4, 5, 6]);
    post.settle("a", &due[..1], LATER).await;
    post.settle("a", &due[1..], AT_ONCE).await;
    assert_eq!(post.deliver("a", free).await, [2, 3, 4, 5, 6]);

    let first = post.take("a", ordered, 1).await;
    post.settle("a", &first, LATER).await;
    assert_eq!(positions(&post.take("a", ordered, 99).await), [2]);
    post.put("ordered", &endpoint(&["*"], false), Start::Now).await;
    assert_eq!(positions(&post.take("a", ordered, 99).await), [3, 4, 5, 6]);
}
