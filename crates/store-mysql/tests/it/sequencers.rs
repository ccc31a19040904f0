//! Positions under several who give them at once, and under writers that commit late.

use std::{sync::Arc, time::Duration};

use payonce_core::{
    Store,
    message::{MessageId, MessageKind},
    store::{Changes, Lease, Leases, MessageView, NewMessage, Owner, Position, Role, Subject},
};
use payonce_store_mysql::MySqlStore;
use tokio::task::JoinSet;

use crate::fixture::{NOW, apply_all, database, open, outcomes, passed};

pub(crate) async fn lease(store: &MySqlStore) -> Lease {
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

/// Writers, two that give positions under one lease, as one process may for a moment, and a reader, on these nodes.
pub(crate) async fn positions_have_no_gap_on(nodes: [&Arc<MySqlStore>; 2]) {
    const WRITERS: usize = 4;
    const EACH: usize = 15;
    const ALL: u64 = (2 * WRITERS * EACH) as u64;
    let lease = lease(nodes[0]).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(nodes[writer % 2]);
        writers.spawn(async move {
            for i in 0..EACH {
                let facts = [passed(&format!("N{writer}-{i}-a")), passed(&format!("N{writer}-{i}-b"))];
                outcomes(apply_all(&*store, &facts).await);
            }
        });
    }
    let mut sequencers = JoinSet::new();
    for store in nodes {
        let (store, lease) = (Arc::clone(store), lease.clone());
        sequencers.spawn(async move {
            while store.counts().await.expect("it counts").messages < ALL {
                store.sequence(&lease, 3).await.expect("it holds the lease");
            }
        });
    }
    let mut read = Vec::new();
    while !sequencers.is_empty() {
        while sequencers.try_join_next().is_some() {}
        follow(&**nodes[1], &mut read).await;
    }
    writers.join_all().await;
    while nodes[0].sequence(&lease, 3).await.expect("it holds the lease") > 0 {}
    while (read.len() as u64) < ALL {
        follow(&**nodes[1], &mut read).await;
    }
    let ids: std::collections::BTreeSet<_> = read.iter().map(|message| &message.id).collect();
    assert_eq!(ids.len(), read.len(), "no message twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_have_no_gap_and_no_reader_skips_one() {
    let Some(database) = database() else { return };
    let nodes = [Arc::new(open(&database.url()).await), Arc::new(open(&database.url()).await)];
    positions_have_no_gap_on([&nodes[0], &nodes[1]]).await;
}

#[tokio::test]
async fn a_transaction_that_commits_late_gets_later_positions() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    let lease = lease(&store).await;
    let message = NewMessage {
        id: MessageId("early".to_owned()),
        kind: MessageKind::OrderClosed,
        order: None,
        subject: Subject::Order,
        cause: 0,
        body: "{}".to_owned(),
        created_at: NOW,
    };
    // It has its row number, and does not commit yet.
    let mut early = store.begin().await.expect("it begins");
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
