//! Copies that were held up, against others that were not: two of them on the same two files.

use payonce_core::{
    StoreError,
    store::{Lease, Owner, Role},
};
use payonce_store_sqlite::{Options, SqliteStore};

use super::*;

const TARGET: &str = "5f3a";

struct Place {
    ends: Ends,
    /// The files, until the test is over.
    _folder: tempfile::TempDir,
}

/// A source, and a target that holds an unfinished copy of it.
async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        let mut options = Options::new(folder.path().join(name));
        options.copying = true;
        Arc::new(SqliteStore::open(&options).unwrap())
    };
    let ends = Ends { from: open("from.db"), to: open("to.db") };
    begin(&ends, &ends.from.identity().await.unwrap()).await.unwrap();
    Place { ends, _folder: folder }
}

/// The copy is held up for so long that what it reserved is free.
async fn hold_up(ends: &Ends) {
    for database in [&ends.from, &ends.to] {
        let leases = database.leases().await.unwrap().into_iter();
        let copy = leases.map(|view| view.lease).find(|lease| lease.role == Role::COPY).unwrap();
        database.release(&copy).await.unwrap();
    }
}

async fn is_moved(ends: &Ends) -> bool {
    reserved::moved_to(&*ends.from).await.unwrap().is_some()
}

#[tokio::test]
async fn a_copy_that_was_held_up_leaves_the_mark_of_one_that_came_to_its_end() {
    let Place { ends, _folder } = place().await;
    let mut first = Reserved::take(&ends).await.unwrap();
    hold_up(&ends).await;
    let mut second = Reserved::take(&ends).await.unwrap();
    second.mark_moved(&ends, TARGET).await.unwrap();
    ends.to.finish_copy(second.of_target()).await.unwrap();
    second.release(&ends).await;
    first.mark_moved(&ends, TARGET).await.unwrap_err();
    assert!(is_moved(&ends).await);
}

#[tokio::test]
async fn a_copy_that_meets_a_node_takes_its_mark_away() {
    let Place { ends, _folder } = place().await;
    let mut copy = Reserved::take(&ends).await.unwrap();
    let node = Owner("a node".to_owned());
    ends.from.lease(&Role::node(&node), &node, Lease::TTL).await.unwrap();
    let said = format!("{:#}", copy.mark_moved(&ends, TARGET).await.unwrap_err());
    assert!(said.starts_with("--from: a node uses this database (a node)"), "{said}");
    assert!(!is_moved(&ends).await);
}

#[tokio::test]
async fn a_copy_that_was_held_up_at_the_very_end_ends_nothing() {
    let Place { ends, _folder } = place().await;
    let mut first = Reserved::take(&ends).await.unwrap();
    first.mark_moved(&ends, TARGET).await.unwrap();
    hold_up(&ends).await;
    let refused = ends.to.finish_copy(first.of_target()).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    assert!(!ends.to.progress().await.unwrap().is_empty(), "the target is not served");
}
