//! `payonce migrate` on every kind of database: it says what is lacking without touching anything, does it once, and
//! says so.

use std::process::Command;

use crate::place::Place;
use crate::server::{Said, Server, payonce, run};
use crate::shop::Shop;

const SEED: u64 = 61;
const PLAN: &str = "0001_initial\n0002_delivery\n0003_effects_and_consumers\n";
const APPLIED: &str = "applied 0001_initial\napplied 0002_delivery\napplied 0003_effects_and_consumers\n";
const UP_TO_DATE: &str = "the schema is up to date\n";

fn shop(place: &Place) -> Shop {
    Shop::on(&place.url(), 0, SEED)
}

/// A command of a shop whose schema is brought up to date by hand.
fn command(shop: &Shop, arguments: &[&str]) -> Command {
    let mut command = payonce(shop.folder());
    command.args(arguments).env("PAYONCE_STORE_MIGRATE", "manual");
    command
}

fn migrate(shop: &Shop, what: &str) -> Said {
    run(&mut command(shop, &["migrate", what]))
}

/// Checks what it says where all is well.
#[track_caller]
fn says(shop: &Shop, what: &str, expected: &str) {
    let said = migrate(shop, what);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), expected, ""), "{what}");
}

#[test]
fn it_is_planned_then_applied_then_up_to_date() {
    for place in Place::each() {
        let shop = shop(&place);
        says(&shop, "plan", PLAN);
        let lacking = migrate(&shop, "status");
        let expected = "the schema lacks 3 migration(s): run `payonce migrate apply`\n";
        assert_eq!((lacking.code, lacking.out.as_str()), (Some(1), expected), "{}", lacking.err);
        if place.is_file() {
            assert!(!place.file().exists(), "looking makes nothing");
        } else {
            // A file is always brought up to date.
            let refused = run(&mut command(&shop, &["serve"]));
            let behind = "payonce: store.url: the database has schema version 0, this payonce needs 3: run `payonce \
                          migrate apply`, or set store.migrate to \"auto\"\n";
            assert!(refused.err.ends_with(behind), "{}", refused.err);
            assert_eq!(refused.code, Some(1));
            says(&shop, "plan", PLAN);
        }

        says(&shop, "apply", APPLIED);
        for what in ["status", "plan", "apply", "status"] {
            says(&shop, what, UP_TO_DATE);
        }
        let node = Server::launch(&mut command(&shop, &["serve"]));
        says(&shop, "status", UP_TO_DATE);
        node.terminate();
        assert_eq!(node.wait().code(), Some(0));
    }
}

#[test]
fn several_at_once_do_it_once() {
    // Files are quick, and the moments at which processes meet in one are many.
    const FILES: usize = 10;
    for place in Place::each().into_iter().chain((0..FILES).map(|_| Place::sqlite())) {
        let shop = shop(&place);
        let all: Vec<_> = (0..4).map(|_| command(&shop, &["migrate", "apply"]).spawn().unwrap()).collect();
        for mut one in all {
            assert_eq!(one.wait().unwrap().code(), Some(0), "{}", place.name());
        }
        says(&shop, "status", UP_TO_DATE);
        let identities =
            place.words(&format!("SELECT CAST(COUNT(*) AS CHAR(9)) FROM {}", place.table("database")));
        assert_eq!(identities.into_iter().collect::<String>().trim(), "1");
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    for place in Place::each() {
        let shop = shop(&place);
        says(&shop, "apply", APPLIED);
        if place.is_file() {
            place.execute("PRAGMA user_version = 99");
        } else {
            place.execute(&format!("UPDATE {} SET schema_version = 99", place.table("database")));
        }
        for what in ["plan", "status", "apply"] {
            let refused = migrate(&shop, what);
            assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{what}");
            assert!(refused.err.starts_with("payonce: store.url: "), "{}", refused.err);
            let ends = "the database has schema version 99, this payonce knows up to 3: run the payonce that wrote it, or \
                        a newer one\n";
            assert!(refused.err.ends_with(ends), "{}", refused.err);
        }
    }
}

#[test]
fn tables_of_somebody_else_are_refused_and_left_alone() {
    let foreign = "the database has tables under payonce's names, but not payonce's schema: choose another database, or \
                   restore it whole\n";
    for place in Place::each() {
        let shop = shop(&place);
        let schema = if place.name() == "PostgreSQL" { "CREATE SCHEMA payonce; " } else { "" };
        place.execute(&format!("{schema}CREATE TABLE {} (theirs INTEGER);", place.table("orders")));
        for what in ["plan", "status", "apply"] {
            let refused = migrate(&shop, what);
            assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{what}");
            let of_another = "another program (application id 0x0): choose another file\n";
            let ends = if place.is_file() { of_another } else { foreign };
            assert!(refused.err.ends_with(ends), "{}", refused.err);
        }
        place.execute(&format!("INSERT INTO {} (theirs) VALUES (1)", place.table("orders")));
    }
}

#[test]
fn a_server_that_is_away_is_named_with_the_remedy() {
    for scheme in ["postgres", "mysql"] {
        let shop = shop(&Place::sqlite());
        for what in ["plan", "status", "apply"] {
            let url = format!("{scheme}://shop:rSx7-of-the-shop@127.0.0.1:1/payonce");
            let refused = run(command(&shop, &["migrate", what]).env("PAYONCE_STORE_URL", url));
            assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{what}");
            let begins = "payonce: store.url: the database is unavailable (no server answers: check host, port and network";
            assert!(refused.err.starts_with(begins), "{}", refused.err);
            assert!(!refused.err.contains("rSx7"), "{}", refused.err);
        }
    }
}
