//! Settling: what an attempt leaves behind, and who may say so.

use std::time::Duration;

use payonce_core::{
    UnixMillis,
    delivery::{Answer, Attempt, EndpointState, Fault, Next},
    store::{
        Position,
        delivery::{Settled, Switch},
    },
};

use super::tell;
use crate::{
    Fixture,
    desk::Desk,
    post::{AT_ONCE, HOUR, LATER, Post, owner, positions, settled},
};

const SUCCESS: Answer = Answer::Status(204);
const TIMED_OUT: Answer = Answer::Fault(Fault::TimedOut);

/// A delivered message is due no longer; its attempt is kept.
pub async fn what_is_delivered_goes_and_its_attempt_stays(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..3).await;
    post.fan_out().await;
    let due = post.take("a", id, 2).await;
    assert_eq!(post.settle("a", &due, Next::Delivered).await, [0_i64; 0]);
    assert_eq!((post.pending(id).await, post.exhausted(id).await), (vec![3], vec![]));
    assert_eq!(post.attempts(id, 1).await, [(1, SUCCESS)]);
    assert_eq!(post.attempts(id, 3).await, []);
    assert_eq!(store.deliveries().settle(&owner("a"), &[]).await.expect("the store settles"), []);
}

/// A message that failed comes again when it is due, with one attempt more, until the last one leaves it exhausted.
pub async fn what_fails_comes_again_until_it_is_exhausted(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..2).await;
    post.fan_out().await;
    for attempts in 0..3 {
        let due = post.take("a", id, 9).await;
        assert_eq!(positions(&due), [1, 2]);
        assert!(due.iter().all(|due| due.attempts == attempts));
        post.settle("a", &due, AT_ONCE).await;
    }
    let due = post.take("a", id, 9).await;
    post.settle("a", &due[..1], LATER).await;
    post.settle("a", &due[1..], Next::Exhausted).await;
    assert_eq!(post.take("a", id, 9).await, [], "one is due in an hour, the other never");
    assert_eq!((post.pending(id).await, post.exhausted(id).await), (vec![1], vec![2]));
    let expected = [(4, TIMED_OUT), (3, TIMED_OUT), (2, TIMED_OUT), (1, TIMED_OUT)];
    assert_eq!(post.attempts(id, 2).await, expected);
    let listed = store.deliveries().undelivered(
        id,
        payonce_core::store::delivery::DeliveryState::Pending,
        Position(0),
        9,
    );
    let listed = listed.await.expect("the store reads");
    let message = &desk.messages().await[0];
    assert_eq!((&listed[0].id, &listed[0].kind, listed[0].attempts), (&message.id, &message.kind, 4));
    let left = listed[0].due_at.0 - post.now().await.0;
    assert!((1..=3_600_000).contains(&left), "{left} ms");
}

/// A mixed batch is settled as each of it says.
pub async fn a_batch_is_settled_one_by_one(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let one = post.endpoint("one", &["*"], false).await;
    let two = post.endpoint("two", &["*"], false).await;
    tell(&desk, 0..40).await;
    post.fan_out().await;
    let mut batch = Vec::new();
    for (id, shift) in [(two, 1), (one, 0)] {
        for due in post.take("a", id, 40).await {
            let next = [Next::Delivered, AT_ONCE, LATER, Next::Exhausted];
            batch.push(settled(due.taken, next[(due.taken.position.0 as usize + shift) % 4]));
        }
    }
    assert_eq!(store.deliveries().settle(&owner("a"), &batch).await.expect("the store settles"), []);
    let each_fourth = |rest: i64| (1..=40).filter(|position| position % 4 == rest).collect::<Vec<_>>();
    for (id, shift) in [(one, 0), (two, 1)] {
        let with = |place: i64| each_fourth((place - shift).rem_euclid(4));
        assert_eq!(post.exhausted(id).await, with(3));
        assert_eq!(positions(&post.take("b", id, 40).await), with(1));
        let mut pending = [with(1), with(2)].concat();
        pending.sort_unstable();
        assert_eq!(post.pending(id).await, pending);
        for position in 1..=40 {
            assert_eq!(post.attempts(id, position).await.len(), 1);
        }
    }
}

/// 410 disables the endpoint and holds the message: it comes again once somebody has enabled the endpoint.
pub async fn an_endpoint_that_is_gone_is_disabled_and_its_message_held(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    let other = post.endpoint("b", &["*"], false).await;
    tell(&desk, 0..3).await;
    post.fan_out().await;
    let under_way = post.take("b", id, 1).await;
    let due = post.take("a", id, 1).await;
    assert_eq!(post.settle("a", &due, Next::Gone).await, [0_i64; 0]);
    assert_eq!(post.view(id).await.state, EndpointState::Gone);
    assert_eq!(post.view(other).await.state, EndpointState::Enabled);
    assert_eq!(post.take("a", id, 9).await, []);
    assert_eq!(post.pending(id).await, [1, 2, 3]);
    // What somebody else was just doing ends as it ends.
    assert_eq!(post.settle("b", &under_way, Next::Delivered).await, [0_i64; 0]);
    assert_eq!(post.view(id).await.state, EndpointState::Gone, "a success does not enable it");

    assert!(store.deliveries().switch_endpoint(id, Switch::Enable).await.expect("the store switches"));
    let due = post.take("a", id, 9).await;
    assert_eq!(positions(&due), [2, 3]);
    assert_eq!(due.iter().map(|due| due.attempts).collect::<Vec<_>>(), [1, 0]);

    // Whoever disabled it meanwhile is not contradicted.
    assert!(store.deliveries().switch_endpoint(id, Switch::Disable).await.expect("the store switches"));
    post.settle("a", &due, Next::Gone).await;
    assert_eq!(post.view(id).await.state, EndpointState::Disabled);
}

/// A node that was paused until another took its messages settles nothing, whatever it says.
pub async fn who_lost_a_delivery_settles_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..3).await;
    post.fan_out().await;
    let paused = post.take_for(Duration::ZERO, "a", id, 3).await;
    let others = post.take("b", id, 2).await;
    assert_eq!(positions(&others), [1, 2]);
    for next in [Next::Delivered, AT_ONCE, Next::Exhausted] {
        assert_eq!(post.settle("a", &paused[..2], next).await, [1, 2]);
        // Not even by the other's name, or under the other's token.
        assert_eq!(post.settle("b", &paused[..2], next).await, [1, 2]);
        assert_eq!(post.settle("a", &others, next).await, [1, 2]);
    }
    assert_eq!((post.pending(id).await, post.attempts(id, 1).await), (vec![1, 2, 3], vec![]));
    // What nobody else has taken since is the paused one's to settle, among what it lost.
    assert_eq!(post.settle("a", &paused, Next::Delivered).await, [1, 2]);
    assert_eq!(post.settle("b", &others, Next::Delivered).await, [0_i64; 0]);
    assert_eq!(post.pending(id).await, [0_i64; 0]);
    assert_eq!(post.attempts(id, 1).await, [(1, SUCCESS)]);
}

/// To settle twice, as after a commit of which nobody knows, is to ask: the second time nothing is changed.
pub async fn nothing_is_settled_twice(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..4).await;
    post.fan_out().await;
    let due = post.take("a", id, 4).await;
    let all = [Next::Delivered, AT_ONCE, LATER, Next::Exhausted];
    let batch: Vec<Settled> = due.iter().zip(all).map(|(due, next)| settled(due.taken, next)).collect();
    let settle = async |batch: &[Settled]| {
        let lost = store.deliveries().settle(&owner("a"), batch).await.expect("the store settles");
        lost.iter().map(|taken| taken.position.0).collect::<Vec<_>>()
    };
    assert_eq!(settle(&batch).await, [0_i64; 0]);
    assert_eq!(settle(&batch).await, [1, 2, 3, 4]);
    for position in 1..=4 {
        assert_eq!(post.attempts(id, position).await.len(), 1);
    }
    let again = post.take("a", id, 9).await;
    assert_eq!((positions(&again), again[0].attempts), (vec![2], 1));
}

/// An endpoint is failing from its first failure on until a call succeeds.
pub async fn an_endpoint_is_failing_until_it_succeeds(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    let other = post.endpoint("b", &["*"], false).await;
    tell(&desk, 0..6).await;
    post.fan_out().await;
    let since = async || post.view(id).await.failing_since;
    let due = post.take("a", id, 6).await;
    assert_eq!(since().await, None);
    let before = post.now().await;
    post.settle("a", &due[..1], LATER).await;
    let failing = since().await.expect("it failed");
    assert!(before <= failing && failing <= post.now().await, "{failing:?}");
    while post.now().await <= failing {}
    post.settle("a", &due[1..2], Next::Exhausted).await;
    assert_eq!(since().await, Some(failing), "it stays as it was");
    let mixed = [settled(due[2].taken, LATER), settled(due[3].taken, Next::Delivered)];
    store.deliveries().settle(&owner("a"), &mixed).await.expect("the store settles");
    assert_eq!(since().await, None);
    post.settle("a", &due[4..], LATER).await;
    assert!(since().await.is_some_and(|again| again > failing));
    assert_eq!(post.view(other).await.failing_since, None);
}

/// Attempts are kept as they were, whatever an endpoint answers.
pub async fn attempts_are_kept_as_they_were(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..1).await;
    post.fan_out().await;
    let every_byte: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let faults = Fault::ALL.map(|fault| (Answer::Fault(fault), "", Vec::new()));
    let answers = [
        (Answer::Status(100), "a: b\nc: d", b"<html>".to_vec()),
        (Answer::Status(999), "x: '\"\\%_ 😀 店", every_byte),
        (Answer::Status(500), "", b"\0".to_vec()),
        (Answer::Confirmed, "", Vec::new()),
    ];
    let answers: Vec<_> = answers.into_iter().chain(faults).collect();
    let mut expected = Vec::new();
    for (at, (answer, headers, body)) in answers.into_iter().enumerate() {
        let due = post.take("a", id, 1).await;
        let (ago, took) = (Duration::from_secs(60), Duration::from_millis(at as u64 * 7));
        let attempt = Attempt { ago, took, answer, headers: headers.to_owned(), body };
        let settled = Settled { taken: due[0].taken, attempt: attempt.clone(), next: AT_ONCE };
        let before = post.now().await;
        assert_eq!(store.deliveries().settle(&owner("a"), &[settled]).await.expect("it settles"), []);
        expected.push((before, attempt, post.now().await));
    }
    let made = store.deliveries().attempts(id, Position(1), 99).await.expect("the store reads");
    assert_eq!(made.len(), expected.len());
    for (made, (number, (before, attempt, after))) in made.iter().rev().zip((1..).zip(&expected)) {
        let Attempt { took, answer, headers, body, .. } = attempt;
        assert_eq!((made.number, &made.took, &made.answer), (number, took, answer));
        assert_eq!((&made.headers, &made.body), (headers, body));
        let begun = |at: &UnixMillis| at.0 - 60_000;
        assert!((begun(before)..=begun(after)).contains(&made.begun_at.0), "{made:?}");
    }
    let latest = store.deliveries().attempts(id, Position(1), 2).await.expect("the store reads");
    assert_eq!(latest, made[..2]);
}

/// Attempts are forgotten by age, a bounded number at a time; what is due is not touched.
pub async fn old_attempts_are_pruned(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (desk, post) = (Desk::at(&*store), Post::at(&*store));
    let id = post.endpoint("a", &["*"], false).await;
    tell(&desk, 0..9).await;
    post.fan_out().await;
    let due = post.take("a", id, 9).await;
    let hours = [3, 3, 1, 3, 3, 3, 1, 1, 3];
    let batch = due.iter().zip(hours).map(|(due, hours)| {
        let mut settled = settled(due.taken, LATER);
        settled.attempt.ago = HOUR * hours;
        settled
    });
    let batch: Vec<Settled> = batch.collect();
    store.deliveries().settle(&owner("a"), &batch).await.expect("the store settles");
    let mut gone = 0;
    for _ in 0..12 {
        let pruned = store.deliveries().prune_deliveries(HOUR * 2, 2).await.expect("the store prunes");
        assert!(pruned <= 2, "{pruned} at once");
        gone += pruned;
    }
    assert_eq!(gone, 6);
    for (position, hours) in (1..).zip(hours) {
        assert_eq!(post.attempts(id, position).await.len(), usize::from(hours == 1), "{position}");
    }
    assert_eq!(post.pending(id).await, (1..=9).collect::<Vec<_>>());
}
