//! The database: what `payonce serve` would refuse is a failure, what it mends itself a warning.

use std::fs;
use std::time::Duration;

use payonce_core::store::{Lease, Owner, Role};
use payonce_simulator::keys::Mode;

use super::{Clinic, Findings};
use crate::place::Place;

const HOUR: Duration = Duration::from_secs(3600);

/// What is found of the database alone, with this in `[store]`.
async fn found(store: &str) -> Findings {
    let clinic = Clinic::open(Mode::PublicKey).await;
    clinic.change("[server]", &format!("[store]\n{store}\n[server]"));
    clinic.look(&["--offline"]).await
}

async fn found_at(url: &str) -> Findings {
    found(&format!("url = \"{url}\"")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_named_and_the_rest_is_looked_at() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
    clinic
        .write("payonce.toml", &format!("[store]\nurl = \"postgres://payonce@127.0.0.1:1/payonce\"\n{toml}"));
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.complaints(), ["database"]);
    assert_eq!(findings.outcome("signed_call"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_needs_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/nowhere/payonce.db", folder.path().display());
    let findings = found_at(&url).await;
    assert_eq!(findings.outcome("database"), "failed");
    assert!(findings.detail("database").contains("no folder"), "{:?}", findings.checks);

    fs::create_dir(folder.path().join("nowhere")).unwrap();
    let findings = found_at(&url).await;
    assert_eq!(findings.outcome("database"), "warning", "the server makes the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_moved_is_not_well() {
    for place in Place::each() {
        let database = place.open().await;
        let owner = Owner("5f3a".to_owned());
        assert_eq!(found_at(&place.url()).await.outcome("database"), "ok", "{}", place.name());

        let copy = database.lease(&Role::COPY, &owner, HOUR).await.unwrap().unwrap();
        let findings = found_at(&place.url()).await;
        assert_eq!(findings.outcome("database"), "warning", "{}", place.name());
        assert!(findings.detail("database").contains("payonce copy"), "{:?}", findings.checks);
        database.release(&copy).await.unwrap();

        let mark = database.lease(&Role::MOVED, &owner, Lease::FOR_EVER).await.unwrap().unwrap();
        let findings = found_at(&place.url()).await;
        assert_eq!(findings.outcome("database"), "failed", "{}", place.name());
        assert!(findings.detail("database").starts_with("PAY0011: "), "{:?}", findings.checks);
        assert!(findings.remedy("database").contains("`payonce take-back 5f3a`"), "{:?}", findings.checks);
        database.release(&mark).await.unwrap();
        assert_eq!(found_at(&place.url()).await.outcome("database"), "ok", "{}", place.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_behind_fails_where_the_server_does_not_mend_it() {
    for place in [Place::postgres(), Place::mariadb()].into_iter().flatten() {
        for (migrate, outcome) in [("auto", "warning"), ("manual", "failed")] {
            let store = format!("url = \"{}\"\nmigrate = \"{migrate}\"", place.url());
            let findings = found(&store).await;
            assert_eq!(findings.outcome("database"), outcome, "{} {:?}", place.name(), findings.checks);
            assert!(findings.detail("database").contains("0001_initial"), "{:?}", findings.checks);
            assert!(findings.remedy("database").contains("payonce migrate apply"), "{:?}", findings.checks);
        }
    }
}

/// The server would not start with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_the_database_cannot_execute_is_named_with_its_place() {
    const EFFECT: &str = r#"[[effects]]
name = "shop-paid"
on = ["payment.succeeded"]
statements = [{ sql = "UPDATE shop_orders SET paid = 1 WHERE no = :out_trade_no" }]
"#;
    for place in Place::each() {
        drop(place.open().await);
        let look = async || {
            let clinic = Clinic::open(Mode::PublicKey).await;
            clinic.change("[server]", &format!("{EFFECT}[store]\nurl = \"{}\"\n[server]", place.url()));
            clinic.look(&["--offline"]).await
        };
        let findings = look().await;
        assert_eq!(findings.complaints(), ["effects"], "{}", place.name());
        let detail = findings.detail("effects");
        for said in ["payonce.toml:", "effects[0].statements[0].sql", "shop-paid", "shop_orders"] {
            assert!(detail.contains(said), "{}: {detail}", place.name());
        }
        place.execute("CREATE TABLE shop_orders (no VARCHAR(32) PRIMARY KEY, paid INT)");
        assert_eq!(look().await.outcome("effects"), "ok", "{}", place.name());
    }
}
