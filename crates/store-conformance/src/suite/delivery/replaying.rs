//! Replays: what was exhausted or delivered is sent once more, and asking twice is asking once.

use payonce_core::{
    delivery::{EndpointId, Next},
    store::{
        Position,
        delivery::{Replay, Switch},
    },
};

use super::{tell, tell_of_orders};
use crate::{
    Fixture,
    desk::Desk,
    post::{LATER, Post, endpoint, positions},
};

async fn replay(post: &Post<'_>, endpoint: EndpointId, what: Replay) -> u64 {
    post.deliveries.replay(endpoint, what).await.expect("the store replays")
}

/// One message: exhausted, delivered, waiting, or not even wanted; its attempts begin anew. Not one that is under way.
pub async fn one_message_is_replayed_whatever_became_of_it(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["wechat.*"], false).await;
    tell(&desk, 0..4).await;
    tell_of_orders(&desk, &["A"]).await;
    assert_eq!(replay(&post, id, Replay::One(Position(1))).await, 0, "it comes anyway");
    post.fan_out().await;
    let due = post.take("a", id, 4).await;
    post.settle("a", &due[..1], Next::Delivered).await;
    post.settle("a", &due[1..2], LATER).await;
    post.settle("a", &due[2..3], Next::Exhausted).await;

    for _ in 0..2 {
        for (position, replayed) in [(1, 1), (2, 1), (3, 1), (4, 0), (5, 1), (8, 0), (0, 0), (-1, 0)] {
            let what = Replay::One(Position(position));
            assert_eq!(replay(&post, id, what).await, replayed, "{position}");
        }
        assert_eq!(post.pending(id).await, [1, 2, 3, 4, 5]);
    }
    let messages = desk.messages().await;
    let again = post.take("b", id, 9).await;
    assert_eq!(positions(&again), [1, 2, 3, 5]);
    for due in &again {
        assert_eq!(due.attempts, 0);
        assert_eq!(due.message, messages[due.taken.position.0 as usize - 1], "the same message");
    }
    assert_eq!(again[3].order.map(|(_, number)| number), Some(1));
    assert_eq!(post.settle("a", &due[3..], Next::Delivered).await, [0_i64; 0], "it was left alone");
    assert_eq!(post.settle("b", &again, Next::Delivered).await, [0_i64; 0]);
    assert_eq!(post.pending(id).await, [0_i64; 0]);
}

/// What is exhausted, all of it, a bounded number at a time.
pub async fn exhausted_messages_are_replayed_in_portions(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    let other = post.endpoint("b", &["*"], false).await;
    tell(&desk, 0..7).await;
    post.fan_out().await;
    for id in [id, other] {
        let due = post.take("a", id, 5).await;
        post.settle("a", &due, Next::Exhausted).await;
    }
    for replayed in [2, 2, 1, 0] {
        assert_eq!(replay(&post, id, Replay::Exhausted { rows_max: 2 }).await, replayed);
    }
    assert_eq!((post.exhausted(id).await, post.exhausted(other).await), (vec![], vec![1, 2, 3, 4, 5]));
    let mut all = post.deliver("a", id).await;
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7]);
}

/// Everything after a position: the filter of now chooses, and what is due already comes once.
pub async fn everything_since_is_replayed_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..5).await;
    tell_of_orders(&desk, &["A"]).await;
    post.fan_out().await;
    let due = post.take("a", id, 6).await;
    post.settle("a", &due[..3], Next::Delivered).await;
    post.settle("a", &due[3..4], Next::Exhausted).await;
    post.settle("a", &due[4..5], LATER).await;

    assert_eq!(replay(&post, id, Replay::After(Position(2))).await, 6);
    assert_eq!(replay(&post, id, Replay::After(Position(2))).await, 0, "asked twice, it is done once");
    assert_eq!(replay(&post, id, Replay::After(Position(4))).await, 0, "it never goes forward");
    post.put("a", &endpoint(&["wechat.*"], false), payonce_core::store::delivery::Start::Now).await;
    post.fan_out().await;
    // 3 was delivered, 4 exhausted, 5 waits, 6 is under way, 7 and 8 were never tried.
    assert_eq!((post.pending(id).await, post.exhausted(id).await), (vec![3, 4, 5, 6, 7, 8], vec![]));
    let again = post.take("b", id, 9).await;
    assert_eq!(positions(&again), [3, 4, 7, 8]);
    assert!(again.iter().all(|due| due.attempts == 0));
    assert_eq!(post.settle("a", &due[5..], Next::Delivered).await, [0_i64; 0]);
    assert_eq!(replay(&post, id, Replay::After(Position(-3))).await, 8, "from the first message on");
}

/// A disabled endpoint's replays are held like all else; of one that is removed there is nothing to replay.
pub async fn replays_of_a_disabled_endpoint_are_held(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..3).await;
    post.fan_out().await;
    assert_eq!(post.deliver("a", id).await, [1, 2, 3]);
    let deliveries = store.deliveries();
    assert!(deliveries.switch_endpoint(id, Switch::Disable).await.expect("the store switches"));
    assert_eq!(replay(&post, id, Replay::One(Position(2))).await, 1);
    assert_eq!(replay(&post, id, Replay::After(Position(2))).await, 1);
    assert_eq!(post.take("a", id, 9).await, []);
    assert!(deliveries.switch_endpoint(id, Switch::Enable).await.expect("the store switches"));
    post.fan_out().await;
    assert_eq!(post.deliver("a", id).await, [2, 3]);
    assert!(deliveries.remove_endpoint(id).await.expect("the store removes"));
    for what in [Replay::One(Position(1)), Replay::After(Position(0)), Replay::Exhausted { rows_max: 9 }] {
        assert_eq!(replay(&post, id, what).await, 0, "{what:?}");
    }
}
