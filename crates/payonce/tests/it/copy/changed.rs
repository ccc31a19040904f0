//! What changes between the cut and the end of a copy is found: a row of either side, a row that went, a row that came.

use payonce_core::fault::COPY_POINTS;
use payonce_core::store::archive::TABLES;
use payonce_simulator::Delivery;
use rand::{SeedableRng as _, rngs::StdRng};

use super::{copies, refusal, rows};
use crate::books;
use crate::place::Place;
use crate::server::{Server, payonce, run};
use crate::shop::Shop;

const SEED: u64 = 47;

/// A change of one value in each table.
const CHANGES: [(&str, &str); 13] = [
    ("orders", "amount = amount + 1 WHERE id = 2"),
    ("payment", "standing = 2 WHERE id = 4"),
    ("notification_passed", "notification_id = 'b' WHERE mchid = '1' AND notification_id = 'a'"),
    ("message", "body = '{ }' WHERE body = '{}' AND order_id = 2"),
    ("incident", "resolved_at = NULL WHERE id = 1"),
    ("receipt", "outcome = 0 WHERE id = 99"),
    ("rejected", "path_merchant = 'null' WHERE path_merchant = 'NULL'"),
    ("unopened", "body = (SELECT other.body FROM TABLE other WHERE other.id = 8) WHERE id = 7"),
    ("endpoint", "fanned_out = fanned_out + 1 WHERE id = 2"),
    ("delivery", "state = 0 WHERE endpoint_id = 2 AND position = 9"),
    ("attempt", "fault = 'cut_off' WHERE id = 2"),
    ("effect_failure", "times = times + 1 WHERE id = 1"),
    ("consumer", "position = position - 1 WHERE name = '-'"),
];

/// Makes a change of [`CHANGES`].
fn change(place: &Place, table: &str, change: &str) {
    let table = place.table(table);
    place.execute(&format!("UPDATE {table} SET {}", change.replace("TABLE", &table)));
}

/// Leaves a copy in which everything is there and nothing is compared.
fn cut(from: &Place, to: &Place) {
    let said = run(from.copy_to(to).env("PAYONCE_FAULT", COPY_POINTS[2]));
    assert_eq!(said.code, None, "it dies there: {}", said.err);
    from.end_leases();
    to.end_leases();
}

/// Goes on with it, and must find the difference.
fn differs(from: &Place, to: &Place, table: &str) {
    let said = refusal(&mut from.copy_to(to));
    assert!(said.starts_with(&format!("payonce: table {table}: --from has ")), "{table}: {said}");
    assert!(said.ends_with("--to will not be served: empty it and copy again"), "{said}");
}

async fn finds_every_change(to: Place) {
    let from = Place::sqlite();
    rows::fill(&from, &rows::every_table()).await;
    cut(&from, &to);
    for (copied, (table, value)) in TABLES.iter().zip(CHANGES) {
        assert_eq!(copied.name, table);
        change(&to, table, value);
        differs(&from, &to, table);
        // Both are equal again, and the next table is looked at.
        change(&from, table, value);
    }
    copies(&mut from.copy_to(&to));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_was_changed_in_a_file_is_found() {
    finds_every_change(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_was_changed_in_postgresql_is_found() {
    let Some(to) = Place::postgres() else { return };
    finds_every_change(to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_was_changed_in_mariadb_is_found() {
    let Some(to) = Place::mariadb() else { return };
    finds_every_change(to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_went_or_came_is_found() {
    for to in Place::each() {
        let from = Place::sqlite();
        rows::fill(&from, &rows::every_table()).await;
        cut(&from, &to);
        to.execute(&format!("DELETE FROM {} WHERE id = 2", to.table("incident")));
        differs(&from, &to, "incident");
        from.execute("DELETE FROM incident WHERE id = 2");
        to.execute(&format!(
            "INSERT INTO {} (id, mchid, notification_id, event_type, received_at, outcome) VALUES (7, '1', 'N', 'E', 0, 0)",
            to.table("receipt")
        ));
        differs(&from, &to, "receipt");
    }
}

/// The merchant goes back to the old database after a copy that was cut short, and copies again later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_was_served_meanwhile_is_found() {
    for to in Place::each() {
        let from = Place::sqlite();
        let mut shop = Shop::on(&from.url(), 4, SEED);
        shop.register(&*books::open(&from.url()).await, 0..4).await;
        cut(&from, &to);

        let server = Server::start(&shop);
        let signer = shop.signer();
        let deliveries = shop.deliveries(0..1, 1, &mut StdRng::seed_from_u64(SEED));
        let callback = move |delivery: &Delivery, attempt| signer.callback(delivery, attempt);
        let answers = shop.courier(&server).deliver(deliveries, callback, |_| ()).await;
        assert_eq!(answers[0].status, Some(204));
        server.terminate();
        assert_eq!(server.wait().code(), Some(0));

        differs(&from, &to, "orders");
        let on_target = Shop::on(&to.url(), 0, SEED);
        let said = refusal(payonce(on_target.folder()).arg("serve"));
        assert!(said.contains("a copy into this database is not finished"), "{said}");
    }
}
