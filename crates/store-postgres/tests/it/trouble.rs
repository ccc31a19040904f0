//! Servers and URLs that will not do: the right reason, soon.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use payonce_core::{
    Fact, Outcome, Store, StoreError,
    store::{Lease, Leases as _, Owner, Role, Unavailability},
};
use payonce_store_postgres::PostgresStore;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use crate::fixture::{
    apply_all, database, impatient, key, open, options, outcomes, own_server, paid, passed, reason,
    registered, someone_waits,
};

#[tokio::test]
async fn what_the_url_gets_wrong_is_told() {
    let Some(database) = database() else { return };
    let (role, url) = (database.name(), database.url());
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right' CONNECTION LIMIT 0;")).unwrap();
    let as_role = |password: &str| url.replace("postgres@", &format!("{role}:{password}@"));
    let port_of_nobody = url.replace(url.rsplit([':', '/']).nth(1).expect("a port"), "1");
    for (url, expected) in [
        (as_role("wrong"), Unavailability::AccessDenied),
        (as_role("right"), Unavailability::TooManyConnections),
        (format!("{url}_missing"), Unavailability::NoDatabase),
        (port_of_nobody.clone(), Unavailability::Unreachable),
        (url.replace("127.0.0.1", "nowhere.invalid"), Unavailability::Unreachable),
        (format!("{url}?sslmode=require"), Unavailability::AccessDenied),
    ] {
        let error = PostgresStore::open(&options(&url)).await.expect_err("it should be refused");
        assert!(!error.with_causes().contains("wrong"), "{error:?}");
        assert_eq!(reason(Err::<(), _>(error)), expected, "{url}");
    }
    let second = url.replace("@", "@127.0.0.1:1,");
    drop(open(&second).await);
    database.execute(&format!("DROP ROLE {role};")).unwrap();
}

#[tokio::test]
async fn a_server_that_only_reads_is_passed_over() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    let name = database.name();
    let read_only = |on| format!("ALTER DATABASE {name} SET default_transaction_read_only = {on};");
    database.execute(&read_only("on")).unwrap();
    assert_eq!(reason(PostgresStore::open(&options(&database.url())).await), Unavailability::NotReady);
    database.execute(&format!("SET default_transaction_read_only = off; {}", read_only("off"))).unwrap();
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
}

#[tokio::test]
async fn a_server_that_turns_read_only_is_let_go() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url("postgres")).await;
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
    let read_only = |on: &str| {
        let set = format!(
            "SET default_transaction_read_only = off; ALTER SYSTEM SET default_transaction_read_only = {on}; \
             SELECT pg_reload_conf();"
        );
        server.execute("postgres", &set).expect("it reloads");
    };
    read_only("on");
    // It reaches the open connections a moment later.
    let mut number = 0;
    let refused = loop {
        number += 1;
        let outcome = apply_all(&store, &[registered(&format!("B{number}"))]).await.remove(0);
        if outcome.is_err() {
            break outcome;
        }
    };
    assert_eq!(reason(refused), Unavailability::NotReady);
    read_only("off");
    let connects = async || PostgresStore::open(&options(&server.url("postgres"))).await;
    while connects().await.is_err() {}
    assert_eq!(outcomes(apply_all(&store, &[registered("C")]).await), [Outcome::Applied]);
}

#[tokio::test]
async fn what_is_no_such_server_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let foreign = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("it accepts");
            // Whoever is gone already has no answer to read.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let url = format!("postgres://postgres@127.0.0.1:{port}/shop");
    assert_eq!(reason(PostgresStore::open(&options(&url)).await), Unavailability::NotUnderstood);
    foreign.abort();
}

#[tokio::test]
async fn a_full_pool_says_so() {
    let Some(database) = database() else { return };
    let mut options = impatient(&database.url());
    options.connections_max = 3;
    let store = PostgresStore::open(&options).await.expect("it opens");
    let held = store.begin().await.expect("one is free");
    assert_eq!(reason(store.begin().await), Unavailability::TooManyConnections);
    store.ping().await.expect("reads have connections of their own");
    drop(held);
    drop(store.begin().await.expect("it is free again"));
}

/// Else a flood of reads or notes would let a node's presence lapse, and with it everything.
#[tokio::test]
async fn a_lease_is_had_on_the_path_while_all_else_is_taken() {
    let Some(database) = database() else { return };
    let mut options = impatient(&database.url());
    (options.connections_max, options.work_max) = (3, Duration::from_secs(60));
    let store = Arc::new(PostgresStore::open(&options).await.expect("it opens"));
    let mut other = PgConnection::connect(&database.url()).await.expect("it connects");
    let mut watcher = PgConnection::connect(&database.url()).await.expect("it connects");
    other.execute("BEGIN; LOCK TABLE payonce.rejected").await.expect("it locks");
    let reader = Arc::clone(&store);
    let read = tokio::spawn(async move { reader.rejected_latest(1).await });
    someone_waits(&mut watcher, &read).await;
    assert_eq!(reason(store.ping().await), Unavailability::TooManyConnections);
    let (role, owner) = (Role::KEEPER, Owner("a node".to_owned()));
    let lease = store.lease(&role, &owner, Lease::TTL).await.expect("it is asked for").expect("it is free");
    assert!(store.leases().await.expect("they are read").iter().any(|view| view.lease == lease));
    store.release(&lease).await.expect("it is given back");
    assert!(!read.is_finished(), "all else was taken until here");
    other.execute("ROLLBACK").await.expect("it lets go");
    read.await.expect("it ends").expect("it reads");
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_lock_may_begin_again() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    apply_all(&store, &[registered("A"), registered("B")]).await;
    let keys = [key("A"), key("B")];
    let mut holder = store.begin().await.expect("it begins");
    holder.orders_for_update(&keys).await.expect("it locks");
    let mut other = store.begin().await.expect("it begins");
    let waited = other.orders_for_update(&keys[1..]).await;
    assert!(matches!(waited, Err(StoreError::Conflict(_))), "{waited:?}");
    let refused = other.commit().await;
    assert!(matches!(refused, Err(StoreError::Unexpected(_))), "what failed is not committed: {refused:?}");
}

#[tokio::test]
async fn of_two_that_wait_for_each_other_one_begins_again() {
    let Some(database) = database() else { return };
    let store = open(&database.url()).await;
    apply_all(&store, &[registered("A"), registered("B")]).await;
    let (a, b) = ([key("A")], [key("B")]);
    let mut one = store.begin().await.expect("it begins");
    let mut two = store.begin().await.expect("it begins");
    one.orders_for_update(&a).await.expect("it locks");
    two.orders_for_update(&b).await.expect("it locks");
    let one = async {
        let locked = one.orders_for_update(&b).await;
        drop(one);
        locked
    };
    let two = async {
        let locked = two.orders_for_update(&a).await;
        drop(two);
        locked
    };
    let results = tokio::join!(one, two);
    let conflicts =
        [&results.0, &results.1].into_iter().filter(|r| matches!(r, Err(StoreError::Conflict(_))));
    assert_eq!(conflicts.count(), 1, "{results:?}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let Some(database) = database() else { return };
    let store = PostgresStore::open(&impatient(&database.url())).await.expect("it opens");
    database
        .execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; \
             CREATE TRIGGER slow BEFORE INSERT ON payonce.notification_passed EXECUTE FUNCTION slow();",
        )
        .unwrap();
    let begun = Instant::now();
    let result = apply_all(&store, &[passed("N1")]).await.remove(0);
    assert_eq!(reason(result), Unavailability::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_taken_up_again() {
    let Some(server) = own_server(&[]) else { return };
    let store = PostgresStore::open(&impatient(&server.url("postgres"))).await.expect("it opens");
    let facts: [Fact; 2] = [registered("A"), paid("A", "P1")];
    let mut tx = store.begin().await.expect("it begins");
    assert!(store.epoch().is_some());
    server.pause();
    let begun = Instant::now();
    assert_eq!(reason(tx.orders_for_update(&[key("A")]).await), Unavailability::TimedOut);
    assert_eq!(reason(tx.claim(&[facts[1].claim().expect("a payment")]).await), Unavailability::TimedOut);
    drop(tx);
    assert!(store.epoch().is_none(), "the server may be another one when it answers again");
    // New connections, which nobody answers.
    assert_eq!(reason(store.order(&key("A")).await), Unavailability::Unreachable);
    assert_eq!(reason(store.note(&[]).await), Unavailability::Unreachable);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    server.resume();
    assert_eq!(outcomes(apply_all(&store, &facts).await), [Outcome::Applied; 2]);
    assert!(store.epoch().is_some());
}
