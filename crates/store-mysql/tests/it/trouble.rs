//! Servers and URLs that will not do: the right reason, soon.

use std::time::{Duration, Instant};

use payonce_core::{Fact, Outcome, Store, StoreError, store::Unavailability};
use payonce_store_mysql::MySqlStore;

use crate::fixture::{
    SHOP, apply_all, database, impatient, key, open, options, outcomes, own_server, paid, passed, reason,
    registered,
};

#[tokio::test]
async fn what_the_url_gets_wrong_is_told() {
    let Some(database) = database() else { return };
    let (user, url) = (database.name(), database.url());
    database.execute(&format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'right';")).unwrap();
    let as_user = |password: &str| url.replace("root@", &format!("{user}:{password}@"));
    let port = url.rsplit([':', '/']).nth(1).expect("a port");
    for (url, expected) in [
        (as_user("wrong"), Unavailability::AccessDenied),
        (as_user("right"), Unavailability::AccessDenied),
        (format!("{url}_missing"), Unavailability::NoDatabase),
        (url.replace(port, "1"), Unavailability::Unreachable),
        (url.replace("127.0.0.1", "nowhere.invalid"), Unavailability::Unreachable),
        (format!("{url}?ssl-mode=REQUIRED"), Unavailability::AccessDenied),
    ] {
        let error = MySqlStore::open(&options(&url)).await.expect_err("it should be refused");
        assert!(!error.with_causes().contains("wrong"), "{error:?}");
        assert_eq!(reason(Err::<(), _>(error)), expected, "{url}");
    }
    drop(open(&url.replace('@', "@127.0.0.1:1,")).await);
    database.execute(&format!("DROP USER {user}@'127.0.0.1';")).unwrap();
}

#[tokio::test]
async fn a_server_that_only_reads_is_refused_and_let_go() {
    let Some(server) = own_server(&[]) else { return };
    server
        .execute(SHOP, "CREATE USER node@'127.0.0.1'; GRANT ALL ON shop.* TO node@'127.0.0.1';")
        .expect("it makes a user without privileges of the server");
    let url = server.url(SHOP).replace("root@", "node@");
    let store = open(&url).await;
    outcomes(apply_all(&store, &[registered("A")]).await);
    server.execute(SHOP, "SET GLOBAL read_only = ON;").unwrap();
    assert_eq!(reason(MySqlStore::open(&options(&url)).await), Unavailability::NotReady);
    assert_eq!(reason(apply_all(&store, &[registered("B")]).await.remove(0)), Unavailability::NotReady);
    server.execute(SHOP, "SET GLOBAL read_only = OFF;").unwrap();
    assert_eq!(outcomes(apply_all(&store, &[registered("B")]).await), [Outcome::Applied]);
}

#[tokio::test]
async fn a_login_that_the_driver_does_not_know_is_told() {
    let Some(server) = own_server(&[("plugin-load-add", "auth_ed25519")]) else { return };
    let user = "CREATE USER node@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('right');";
    server.execute(SHOP, user).expect("the plugin comes with the server");
    let url = server.url(SHOP).replace("root@", "node:right@");
    assert_eq!(reason(MySqlStore::open(&options(&url)).await), Unavailability::NotUnderstood);
}

#[tokio::test]
async fn a_full_pool_says_so() {
    let Some(database) = database() else { return };
    let mut options = impatient(&database.url());
    options.connections_max = 2;
    let store = MySqlStore::open(&options).await.expect("it opens");
    let held = store.begin().await.expect("one is free");
    assert_eq!(reason(store.begin().await), Unavailability::TooManyConnections);
    store.ping().await.expect("reads have connections of their own");
    drop(held);
    drop(store.begin().await.expect("it is free again"));
}

#[tokio::test]
async fn a_full_server_says_so() {
    let Some(database) = database() else { return };
    let user = database.name();
    database
        .execute(&format!(
            "CREATE USER {user}@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1; GRANT ALL ON {user}.* TO {user}@'127.0.0.1';"
        ))
        .unwrap();
    drop(open(&database.url()).await);
    let store = open(&database.url().replace("root@", &format!("{user}@"))).await;
    // The server counts the connection of the opening until it has noticed its end.
    let held = loop {
        match store.begin().await {
            Ok(held) => break held,
            error => assert_eq!(reason(error), Unavailability::TooManyConnections),
        }
    };
    assert_eq!(reason(store.ping().await), Unavailability::TooManyConnections);
    drop(held);
    drop(store);
    database.execute(&format!("DROP USER {user}@'127.0.0.1';")).unwrap();
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
    let store = MySqlStore::open(&impatient(&database.url())).await.expect("it opens");
    let slow = "CREATE TRIGGER slow BEFORE INSERT ON payonce_notification_passed FOR EACH ROW DO SLEEP(60);";
    database.execute(slow).unwrap();
    let begun = Instant::now();
    let result = apply_all(&store, &[passed("N1")]).await.remove(0);
    assert_eq!(reason(result), Unavailability::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(outcomes(apply_all(&store, &[registered("A")]).await), [Outcome::Applied]);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_taken_up_again() {
    let Some(server) = own_server(&[]) else { return };
    let store = MySqlStore::open(&impatient(&server.url(SHOP))).await.expect("it opens");
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
