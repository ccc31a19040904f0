//! Behind a pooler: exact where each connection has a session of its own, refused with a remedy where it has not.

use payonce_core::{Outcome, Store, store::Unavailability};
use payonce_store_postgres::PostgresStore;
use payonce_test_servers::{
    postgres::pooler::{PgBouncer, PoolMode},
    require,
};

use crate::fixture::{apply_all, open, options, outcomes, own_server, paid, reason, registered};

#[tokio::test]
async fn behind_a_pooler_of_sessions_all_is_as_ever() {
    let Some(server) = own_server(&[]) else { return };
    let Some(pooler) = require(PgBouncer::in_front_of(&server, PoolMode::Session)) else { return };
    let (store, other) = (open(&pooler.url_of("postgres")).await, open(&pooler.url_of("postgres")).await);
    let facts = [registered("A"), paid("A", "P1")];
    assert_eq!(outcomes(apply_all(&store, &facts).await), [Outcome::Applied; 2]);
    assert_eq!(outcomes(apply_all(&other, &facts).await), [Outcome::Duplicate; 2]);
    assert!(other.epoch().is_some() && other.epoch() == store.epoch());
}

#[tokio::test]
async fn a_pooler_of_transactions_is_told() {
    let Some(server) = own_server(&[]) else { return };
    let Some(pooler) = require(PgBouncer::in_front_of(&server, PoolMode::Transaction)) else { return };
    let refused = async {
        let store = PostgresStore::open(&options(&pooler.url_of("postgres"))).await?;
        store.ping().await
    };
    assert_eq!(reason(refused.await), Unavailability::SharedSession);
}
