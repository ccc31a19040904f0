//! Taking: one taker a message, for a time; and the same message each time.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use payonce_core::{
    Store,
    delivery::Next,
    store::delivery::{Due, Taken},
};
use tokio::task::JoinSet;

use super::{tell, tell_of_orders};
use crate::{
    Fixture,
    desk::Desk,
    facts::paid,
    post::{AT_ONCE, Post, owner, positions},
};

/// What is handed out are the very bytes that were written, under the message's id.
pub async fn a_message_is_handed_out_as_it_was_written(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..3).await;
    tell_of_orders(&desk, &["A"]).await;
    let mut great = paid("B", "great");
    great.detail = crate::facts::json(format!(r#"{{"attach":"{}"}}"#, "'\\\"😀店".repeat(20_000)));
    desk.apply(payonce_core::Fact::Paid(great)).await;
    let messages = desk.messages().await;
    post.fan_out().await;
    for attempts in 0..3 {
        let due = post.take("a", id, 99).await;
        assert_eq!(due.iter().map(|due| due.message.clone()).collect::<Vec<_>>(), messages);
        assert!(due.iter().all(|due| due.attempts == attempts && due.taken.position == due.message.position));
        let numbers: Vec<_> = due.iter().map(|due| due.order.map(|(_, number)| number)).collect();
        assert_eq!(numbers, [None, None, None, Some(1), Some(2), Some(3), None]);
        assert_eq!(post.settle("a", &due, AT_ONCE).await, [0_i64; 0]);
    }
}

/// Two takers share what is due, the earliest first; nobody gets what another has.
pub async fn what_one_has_taken_no_other_gets(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    let other = post.endpoint("b", &["*"], false).await;
    tell(&desk, 0..7).await;
    post.fan_out().await;
    assert_eq!(positions(&post.take("a", id, 3).await), [1, 2, 3]);
    assert_eq!(positions(&post.take("b", id, 2).await), [4, 5]);
    assert_eq!(positions(&post.take("a", id, 9).await), [6, 7], "not even its own again");
    assert_eq!(post.take("b", id, 9).await, []);
    assert_eq!(positions(&post.take("b", other, 9).await), [1, 2, 3, 4, 5, 6, 7], "each endpoint for itself");
    assert_eq!(post.take("b", other, 0).await, []);
}

/// Whoever takes at once shares without waiting: each message goes to one.
pub async fn those_who_take_at_once_share(fixture: &dyn Fixture) {
    const TASKS: usize = 8;
    const MESSAGES: usize = 60;
    let first: Arc<dyn Store> = Arc::from(fixture.open().await);
    let second = fixture.second_handle().await.map_or_else(|| Arc::clone(&first), Arc::from);
    let post = Post::at(&*first);
    let id = post.endpoint("a", &["*"], false).await;
    tell(&Desk::at(&*first), 0..MESSAGES).await;
    post.fan_out().await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(if task % 2 == 0 { &first } else { &second });
        tasks.spawn(async move {
            let (post, mut all) = (Post::at(&*store), Vec::new());
            loop {
                let due = post.take(&format!("t{task}"), id, 3).await;
                if due.is_empty() {
                    return all;
                }
                all.extend(positions(&due));
            }
        });
    }
    // A taker passes over rows that another is just taking, and may find none although they come back free. None do here.
    let mut taken: Vec<i64> = tasks.join_all().await.concat();
    taken.extend(positions(&post.take("last", id, MESSAGES).await));
    taken.sort_unstable();
    assert_eq!(taken, (1..=MESSAGES as i64).collect::<Vec<_>>());
}

/// A crash between taking and settling: the message comes again when the time is over, under its id, to whomever.
pub async fn what_was_taken_and_never_settled_comes_again(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..2).await;
    post.fan_out().await;
    let lost = post.take_for(Duration::ZERO, "a", id, 9).await;
    let again = post.take_for(Duration::ZERO, "b", id, 9).await;
    let ids = |due: &[Due]| due.iter().map(|due| due.message.id.clone()).collect::<Vec<_>>();
    assert_eq!((positions(&lost), ids(&lost)), (positions(&again), ids(&again)));
    assert!(again.iter().all(|due| due.attempts == 0), "nobody knows of an attempt");
    // The same taker, too, has them under another token.
    let third = post.take("b", id, 9).await;
    let tokens = |due: &[Due]| due.iter().map(|due| due.taken.token).collect::<BTreeSet<_>>();
    assert!(tokens(&lost).is_disjoint(&tokens(&again)) && tokens(&again).is_disjoint(&tokens(&third)));
    assert_eq!(post.settle("b", &third, Next::Delivered).await, [0_i64; 0]);
    assert_eq!(post.pending(id).await, [0_i64; 0]);
}

/// What is given back is due at once, and was no attempt; nobody gives back what he does not have.
pub async fn what_is_given_back_is_due_at_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..3).await;
    post.fan_out().await;
    let give_back = async |by: &str, due: &[Due]| {
        let taken: Vec<Taken> = due.iter().map(|due| due.taken).collect();
        store.deliveries().give_back(&owner(by), &taken).await.expect("the store takes them back");
    };
    let due = post.take("a", id, 3).await;
    give_back("b", &due).await;
    assert_eq!(post.take("b", id, 9).await, []);
    give_back("a", &due[1..]).await;
    let again = post.take("b", id, 9).await;
    assert_eq!(positions(&again), [2, 3]);
    assert!(again.iter().all(|due| due.attempts == 0));
    give_back("a", &due).await;
    assert_eq!(positions(&post.take("c", id, 9).await), [1], "what b has is not a's to give");
    give_back("a", &[]).await;
}

/// The earliest due comes first, whatever its position.
pub async fn the_earliest_due_comes_first(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..4).await;
    post.fan_out().await;
    let due = post.take("a", id, 1).await;
    // Time has passed since the others became due: the database's clock has moved on by a millisecond at least.
    let now = post.now().await;
    while post.now().await <= now {}
    post.settle("a", &due, AT_ONCE).await;
    assert_eq!(positions(&post.take("a", id, 3).await), [2, 3, 4]);
    assert_eq!(positions(&post.take("a", id, 3).await), [1]);
}
