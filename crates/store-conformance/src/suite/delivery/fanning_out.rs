//! Fanning out: each message becomes due to each endpoint that wants it, once.

use payonce_core::{
    delivery::EndpointState,
    store::{
        Position,
        delivery::{FanOut, Switch},
    },
};

use super::{tell, tell_of_orders};
use crate::{
    Fixture,
    desk::Desk,
    post::{HOUR, LATER, Post, endpoint},
};

/// Envelopes are the messages, page by page, with their order and number.
pub async fn envelopes_are_the_messages_without_their_bodies(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    tell(&desk, 0..3).await;
    tell_of_orders(&desk, &["A", "B"]).await;
    let messages = desk.messages().await;
    let deliveries = store.deliveries();
    for size in [1, 2, 4, 9, 20] {
        let mut read = Vec::new();
        loop {
            let after = read
                .last()
                .map_or(Position(0), |envelope: &payonce_core::store::delivery::Envelope| envelope.position);
            let page = deliveries.envelopes_after(after, size).await.expect("the store reads");
            assert_eq!(page.after, after);
            if page.envelopes.is_empty() {
                break;
            }
            assert!(page.envelopes.len() <= size, "pages of {size}");
            read.extend(page.envelopes);
        }
        let kinds = |position: Position, kind: &str| (position, kind.to_owned());
        let told: Vec<_> = messages.iter().map(|message| kinds(message.position, &message.kind)).collect();
        let seen: Vec<_> = read.iter().map(|envelope| kinds(envelope.position, &envelope.kind)).collect();
        assert_eq!(seen, told, "pages of {size}");
        let numbers: Vec<_> = read.iter().map(|envelope| envelope.order.map(|(_, number)| number)).collect();
        assert_eq!(numbers[..3], [None; 3]);
        assert_eq!(numbers[3..], [Some(1), Some(1), Some(2), Some(2), Some(3), Some(3)]);
        let order = |at: usize| read[at].order.map(|(id, _)| id);
        assert!(order(3) == order(5) && order(5) == order(7) && order(3) != order(4), "{read:?}");
    }
}

/// Each endpoint gets what it wants, and no message twice.
pub async fn each_endpoint_gets_what_it_wants(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let all = post.endpoint("all", &["*"], false).await;
    let payments = post.endpoint("payments", &["payment.*"], false).await;
    let nothing = post.endpoint("nothing", &["nothing.of.the.kind"], false).await;
    tell(&desk, 0..4).await;
    tell_of_orders(&desk, &["A"]).await;
    for _ in 0..2 {
        post.fan_out().await;
        assert_eq!(post.pending(all).await, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(post.pending(payments).await, [5, 6, 7]);
        assert_eq!(post.pending(nothing).await, [0_i64; 0]);
        assert_eq!(post.view(nothing).await.fanned_out, Position(7), "it moves on all the same");
    }
    assert_eq!(post.deliver("a", all).await, [1, 2, 3, 4, 5, 6, 7]);
    post.fan_out().await;
    assert_eq!(post.pending(all).await, [0_i64; 0], "what is delivered does not come back");
}

/// A step counts only where the cursor stands: whoever comes second, with whatever plan, adds nothing.
pub async fn a_step_counts_where_the_cursor_stands(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let deliveries = store.deliveries();
    let one = post.endpoint("one", &["*"], false).await;
    let two = post.endpoint("two", &["*"], false).await;
    tell(&desk, 0..6).await;
    let steps = post.steps().await;
    assert_eq!(steps.len(), 2);
    let fan_out = async |steps: &[FanOut]| deliveries.fan_out(steps).await.expect("the store fans out");
    assert_eq!(fan_out(&steps[..1]).await, [one]);
    assert_eq!(post.deliver("a", one).await, [1, 2, 3]);
    assert_eq!(fan_out(&steps).await, [two], "of the two, one was faster");
    assert_eq!(fan_out(&steps).await, []);
    let gap = FanOut { from: Position(4), ..steps[0].clone() };
    assert_eq!(fan_out(&[gap]).await, [], "nobody leaps over a message");
    assert_eq!((post.pending(one).await, post.pending(two).await), (vec![], vec![1, 2, 3]));
    post.fan_out().await;
    assert_eq!(
        (post.deliver("a", one).await, post.deliver("a", two).await),
        (vec![4, 5, 6], vec![1, 2, 3, 4, 5, 6])
    );
    assert_eq!(fan_out(&[]).await, []);
}

/// What is disabled takes nothing and loses nothing: its cursor stands still, and what was due to it waits.
pub async fn a_disabled_endpoint_holds_its_messages(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let deliveries = store.deliveries();
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..2).await;
    post.fan_out().await;
    tell(&desk, 2..4).await;
    let steps = post.steps().await;
    assert!(deliveries.switch_endpoint(id, Switch::Disable).await.expect("the store switches"));
    assert_eq!(deliveries.fan_out(&steps).await.expect("the store fans out"), []);
    post.fan_out().await;
    assert_eq!(post.take("a", id, 9).await, []);
    assert_eq!(post.backlog(id).await, None);
    let view = post.view(id).await;
    assert_eq!((view.state, view.fanned_out), (EndpointState::Disabled, Position(2)));
    assert_eq!(post.pending(id).await, [1, 2]);

    assert!(deliveries.switch_endpoint(id, Switch::Enable).await.expect("the store switches"));
    post.fan_out().await;
    assert_eq!(post.deliver("a", id).await, [1, 2, 3, 4]);
}

/// What is due is counted, and not what waits for its next attempt; it is said when that is.
pub async fn what_is_due_is_counted(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    post.put("other", &endpoint(&["*"], false), payonce_core::store::delivery::Start::Now).await;
    let seen = async || {
        let backlog = post.backlog(id).await.expect("it is enabled");
        (backlog.fanned_out.0, backlog.due, backlog.next_due.map(|next| next > HOUR / 2))
    };
    assert_eq!(seen().await, (0, 0, None));
    tell(&desk, 0..5).await;
    assert_eq!(seen().await, (0, 0, None), "what was not fanned out costs nothing");
    post.fan_out().await;
    assert_eq!(seen().await, (5, 5, Some(false)));
    let due = post.take("a", id, 4).await;
    assert_eq!(seen().await, (5, 1, Some(false)));
    post.settle("a", &due[..2], LATER).await;
    assert_eq!(post.deliver("a", id).await, [5]);
    assert_eq!(seen().await, (5, 0, Some(true)));
    post.settle("a", &due[2..], payonce_core::delivery::Next::Exhausted).await;
    assert_eq!(seen().await, (5, 0, Some(true)), "what is exhausted is not due");
}
