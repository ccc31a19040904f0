//! The outbox as it is read: in order, without gaps for the reader, and never changing.

use std::sync::Arc;

use payonce_core::{
    Fact, Store,
    store::{MessageView, Position},
};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    desk::Desk,
    facts::{closed, paid, paid_amount, passed, registered},
};

/// Pages of any size, put together, are all messages in the order of their positions.
pub async fn pages_skip_and_repeat_nothing(fixture: &dyn Fixture) {
    const MESSAGES: usize = 20;
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let facts: Vec<Fact> = (0..MESSAGES).map(|i| Fact::Other(passed(&format!("N{i}")))).collect();
    for batch in facts.chunks(3) {
        desk.apply_all(batch).await;
    }
    desk.sequence().await;
    let all = store.messages_after(Position(0), usize::MAX).await.expect("the store reads");
    let ids: Vec<_> = all.iter().map(|message| message.id.0.clone()).collect();
    let expected: Vec<_> = (0..MESSAGES).map(|i| format!("event:1900000001:N{i}")).collect();
    assert_eq!(ids, expected);
    assert!(all[0].position > Position(0));
    assert!(all.is_sorted_by(|one, next| one.position < next.position));

    for size in [1, 2, MESSAGES - 1, MESSAGES, MESSAGES + 1] {
        let mut read: Vec<MessageView> = Vec::new();
        while read.len() < MESSAGES {
            let after = read.last().map_or(Position(0), |message| message.position);
            let page = store.messages_after(after, size).await.expect("the store reads");
            assert_eq!(page.len(), size.min(MESSAGES - read.len()), "pages of {size}");
            read.extend(page);
        }
        assert_eq!(read, all, "pages of {size}");
    }
    let end = all[MESSAGES - 1].position;
    assert_eq!(store.messages_after(end, 5).await.expect("the store reads"), []);
    assert_eq!(store.messages_after(Position(0), 0).await.expect("the store reads"), []);
}

/// A reader that asks for what came after its last message, while others write, misses none.
pub async fn a_reader_that_follows_skips_nothing(fixture: &dyn Fixture) {
    const WRITERS: usize = 4;
    const EACH: usize = 6;
    let store: Arc<dyn Store> = Arc::from(fixture.open().await);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for i in 0..EACH {
                Desk::at(&*store).apply(Fact::Other(passed(&format!("N{writer}-{i}")))).await;
            }
        });
    }
    let mut read: Vec<MessageView> = Vec::new();
    loop {
        // Asked before the read: once all writers are done, one more page that is empty is the end.
        while writers.try_join_next().is_some() {}
        let all_written = writers.is_empty();
        Desk::at(&*store).sequence().await;
        let after = read.last().map_or(Position(0), |message| message.position);
        let page = store.messages_after(after, 3).await.expect("the store reads");
        if page.is_empty() && all_written {
            break;
        }
        read.extend(page);
        tokio::task::yield_now().await;
    }
    assert_eq!(read.len(), WRITERS * EACH);
    assert_eq!(read, store.messages_after(Position(0), usize::MAX).await.expect("the store reads"));
}

/// An order numbers its messages from 1, in the order in which they were written.
pub async fn an_orders_messages_are_numbered_from_one(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let facts = [
        registered("A"),
        closed("A"),
        registered("B"),
        Fact::Paid(paid("A", "P1")),
        Fact::Paid(paid("B", "P2")),
        Fact::Paid(paid("A", "P3")),
        Fact::Paid(paid_amount("A", "P4", 4)),
    ];
    desk.apply_all(&facts[..4]).await;
    desk.apply_each(&facts[4..]).await;
    let messages = desk.messages().await;
    let numbered: Vec<_> =
        messages.iter().map(|message| (message.id.0.as_str(), message.kind.as_str())).collect();
    let expected = [
        ("order:1900000001:A:1", "order.closed"),
        ("order:1900000001:A:2", "payment.succeeded"),
        ("order:1900000001:B:1", "payment.succeeded"),
        ("order:1900000001:A:3", "payment.duplicated"),
        ("order:1900000001:A:4", "payment.mismatched"),
    ];
    assert_eq!(numbered, expected);
    assert_eq!(desk.order("A").await.order.messages, 4);
}

/// What was written stays as it is, whatever comes to be known later.
pub async fn a_message_never_changes(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_each(&[Fact::Paid(paid("A", "P1")), registered("B"), closed("B")]).await;
    let early = desk.messages().await;
    let facts = [registered("A"), Fact::Paid(paid("B", "P2")), Fact::Paid(paid_amount("A", "P1", 1))];
    desk.apply_each(&facts).await;
    let all = desk.messages().await;
    assert_eq!(all[..early.len()], early);
    assert_eq!(all.len(), early.len() + 3);
}
