//! How far consumers have read: kept, compared when it moves, and theirs alone.

use std::sync::Arc;

use payonce_core::{
    Store,
    store::{ConsumerName, ConsumerView, Moved, Position},
};
use tokio::task::JoinSet;

use super::tell;
use crate::{Fixture, desk::Desk, post::Post};

fn name(text: &str) -> ConsumerName {
    ConsumerName::parse(text).expect("a name")
}

async fn moved(store: &dyn Store, text: &str, from: Option<i64>, to: i64) -> Moved {
    let moved = store.consumers().move_consumer(&name(text), from.map(Position), Position(to)).await;
    moved.expect("the store moves it")
}

async fn stands_at(store: &dyn Store, text: &str) -> Option<i64> {
    let found = store.consumers().consumer(&name(text)).await.expect("the store reads");
    found.map(|view| view.position.0)
}

fn elsewhere(stands_at: Option<i64>) -> Moved {
    Moved::Elsewhere { stands_at: stands_at.map(Position) }
}

/// Each has its own, also after the handles went; what is removed is gone; the time is the database's.
pub async fn an_offset_stands_where_it_was_moved_to(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.consumers().all_consumers().await.expect("the store reads"), []);
    assert_eq!(stands_at(&*store, "b").await, None);
    let long = "n".repeat(ConsumerName::BYTES_MAX);
    let before = Post::at(&*store).now().await;
    for (text, to) in [("b", 7), ("a", 0), (long.as_str(), i64::MAX), ("b", 3), ("payonce.alerts", 1)] {
        assert_eq!(moved(&*store, text, None, to).await, Moved::There);
        assert_eq!(stands_at(&*store, text).await, Some(to));
    }
    let after = Post::at(&*store).now().await;
    drop(store);
    let Some(store) = fixture.reopen().await else { return };
    let all = store.consumers().all_consumers().await.expect("the store reads");
    let stand: Vec<_> = all.iter().map(|view| (view.name.as_str(), view.position.0)).collect();
    assert_eq!(stand, [("a", 0), ("b", 3), (long.as_str(), i64::MAX), ("payonce.alerts", 1)]);
    assert!(all.iter().all(|view| (before..=after).contains(&view.changed_at)), "{all:?}");
    let one: Option<ConsumerView> = store.consumers().consumer(&name("b")).await.expect("the store reads");
    assert_eq!(one.as_ref(), Some(&all[1]));

    for there in [true, false] {
        assert_eq!(store.consumers().remove_consumer(&name("b")).await.expect("the store removes"), there);
        assert_eq!(stands_at(&*store, "b").await, None);
    }
    assert_eq!(stands_at(&*store, "a").await, Some(0));
}

/// Who says from where he moves it does so only from there; who is not there yet has read nothing.
pub async fn an_offset_moves_only_from_where_it_stands(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    assert_eq!(moved(&*store, "a", Some(1), 5).await, elsewhere(None));
    assert_eq!(stands_at(&*store, "a").await, None);
    for (from, to, outcome) in [
        (Some(0), 5, Moved::There),
        (Some(0), 9, elsewhere(Some(5))),
        (Some(4), 9, elsewhere(Some(5))),
        (Some(6), 9, elsewhere(Some(5))),
        (Some(5), 5, Moved::There),
        (Some(5), 9, Moved::There),
        (Some(9), 2, Moved::There),
        (None, 0, Moved::There),
        (Some(0), 0, Moved::There),
        (Some(0), 1, Moved::There),
    ] {
        let before = stands_at(&*store, "a").await.unwrap_or_default();
        assert_eq!(moved(&*store, "a", from, to).await, outcome, "{from:?} to {to}");
        let expected = if outcome == Moved::There { to } else { before };
        assert_eq!(stands_at(&*store, "a").await, Some(expected), "{from:?} to {to}");
    }
    assert_eq!(moved(&*store, "b", Some(1), 2).await, elsewhere(None), "another's is another's");
}

/// Whether it is there already or not: one moves it, the others are told where it stands.
pub async fn of_many_who_move_an_offset_at_once_one_does(fixture: &dyn Fixture) {
    const INSTANCES: i64 = 4;
    let store: Arc<dyn Store> = Arc::from(fixture.open().await);
    for from in [0, 100, 200] {
        let mut instances = JoinSet::new();
        for instance in 1..=INSTANCES {
            let store = Arc::clone(&store);
            let to = from + 10 * instance;
            instances.spawn(async move { (to, moved(&*store, "a", Some(from), to).await) });
        }
        let outcomes = instances.join_all().await;
        let winners: Vec<i64> =
            outcomes.iter().filter(|(_, moved)| *moved == Moved::There).map(|(to, _)| *to).collect();
        let [winner] = winners[..] else { panic!("one of them moves it: {outcomes:?}") };
        for (to, outcome) in outcomes.iter().filter(|(to, _)| *to != winner) {
            assert_eq!(*outcome, elsewhere(Some(winner)), "to {to}");
        }
        assert_eq!(stands_at(&*store, "a").await, Some(winner));
        assert_eq!(moved(&*store, "a", Some(winner), from + 100).await, Moved::There);
    }
}

/// 0 while there is none, and then the last message's.
pub async fn the_newest_position_is_the_last_that_can_be_read(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let newest = async || store.consumers().newest_position().await.expect("the store reads");
    assert_eq!(newest().await, Position(0));
    for messages in [0..1, 1..4] {
        tell(&desk, messages).await;
        let all = store.messages_after(Position(0), usize::MAX).await.expect("the store reads");
        assert_eq!(all.last().map(|message| message.position), Some(newest().await));
    }
}
