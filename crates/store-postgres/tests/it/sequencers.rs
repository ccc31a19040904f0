//! Positions under several who give them at once, and under writers that commit late.

use std::{sync::Arc, time::Duration};

use payonce_core::{
    Store,
    message::{MessageId, MessageKind},
    store::{Changes, Lease, Leases, MessageView, NewMessage, Owner, Position, Role, Subject},
};
use payonce_store_postgres::PostgresStore;
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;

use crate::fixture::{NOW, apply_all, database, open, outcomes, passed, someone_waits};

async fn lease(store: &PostgresStore) -> Lease {
    let owner = Owner("node".to_owned());
    let lease = store.lease(&Role::SEQUENCER, &owner, Duration::from_secs(3600)).await;
    lease.expect("it leases").expect("it is free")
}

/// Everything after a position, asserting that positions have no gap.
async fn follow(store: &dyn Store, read: &mut Vec<MessageView>) {
    let after = read.last().map_or(Position(0), |message| message.position);
    let page = store.messages_after(after, 7).await.expect("it reads");
    for message in page {
        assert_eq!(message.position.0, read.len() as i64 + 1, "positions are consecutive");
        read.push(message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_have_no_gap_and_no_reader_skips_one() {
    const WRITERS: usize = 3;
    const EACH: usize = 20;
    let Some(database) = database() else { return };
    let store = Arc::new(open(&database.url()).await);
    let lease = lease(&store).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for i in 0..EACH {
                let facts = [passed(&format!("N{writer}-{i}-a")), passed(&format!("N{writer}-{i}-b"))];
                outcomes(apply_all(&*store, &facts).await);
            }
        });
    }
    // Two that believe in the same lease, as one process may for a moment.
    let mut sequencers = JoinSet::new();
    for _ in 0..2 {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        sequencers.spawn(async move {
            let mut given = 0;
            while store.counts().await.expect("it counts").messages < (2 * WRITERS * EACH) as u64 {
                given += store.sequence(&lease, 3).await.expect("it holds the lease");
            }
            given
        });
    }
    let mut read = Vec::new();
    while !sequencers.is_empty() {
        while sequencers.try_join_next().is_some() {}
        follow(&*store, &mut read).await;
    }
    writers.join_all().await;
    while store.sequence(&lease, 3).await.expect("it holds the lease") > 0 {}
    while read.len() < 2 * WRITERS * EACH {
        follow(&*store, &mut read).await;
    }
}

#[tokio::test]
async fn a_transaction_that_commits_late_gets_later_positions() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    let lease = lease(&store).await;
    // The early one has its row number, and does not commit yet.
    let mut early = store.begin().await.expect("it begins");
    let message = NewMessage {
        id: MessageId("early".to_owned()),
        kind: MessageKind::OrderClosed,
        order: None,
        subject: Subject::Order,
        cause: 0,
        body: "{}".to_owned(),
        created_at: NOW,
    };
    let changes = Changes { messages: vec![message], ..Changes::default() };
    early.save(&changes).await.expect("it saves");
    outcomes(apply_all(&store, &[passed("N1")]).await);
    assert_eq!(store.sequence(&lease, 9).await.expect("it holds the lease"), 1);
    early.commit().await.expect("it commits");
    assert_eq!(store.sequence(&lease, 9).await.expect("it holds the lease"), 1);
    let mut read = Vec::new();
    follow(&store, &mut read).await;
    let ids: Vec<_> = read.iter().map(|message| message.id.0.as_str()).collect();
    assert_eq!(ids, ["event:1900000001:N1", "early"]);
}

#[tokio::test]
async fn whoever_gives_positions_waits_for_the_one_who_does() {
    let Some(database) = database() else { return };
    let store = Arc::new(open(&database.url()).await);
    let lease = lease(&store).await;
    outcomes(apply_all(&*store, &[passed("N1"), passed("N2")]).await);
    // Another node, in the middle of its round.
    let mut other = PgConnection::connect(&database.url()).await.expect("it connects");
    let round = "BEGIN; UPDATE payonce.sequencer SET next_position = 3; \
                 UPDATE payonce.message_batch SET first_position = 1;";
    other.execute(round).await.expect("it gives positions");
    outcomes(apply_all(&*store, &[passed("N3")]).await);
    let giving = tokio::spawn({
        let (store, lease) = (Arc::clone(&store), lease.clone());
        async move { store.sequence(&lease, 9).await }
    });
    let mut watcher = PgConnection::connect(&database.url()).await.expect("it connects");
    someone_waits(&mut watcher, &giving).await;
    assert!(!giving.is_finished(), "it waits");
    other.execute("COMMIT").await.expect("it commits");
    assert_eq!(giving.await.expect("it ran").expect("it holds the lease"), 1);
    let mut read = Vec::new();
    follow(&*store, &mut read).await;
    assert_eq!(read.len(), 3);
}
