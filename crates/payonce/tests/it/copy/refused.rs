//! What a copy refuses: databases in use, half filled, full, one and the same, not there. Each in one line that says
//! what to do, without a password, and nothing is changed.

use std::process::{Command, Stdio};
use std::time::Duration;

use payonce_core::store::{
    Owner, Role,
    archive::{Progress, Row, TABLES},
};

use super::{copies, refusal, rows};
use crate::books;
use crate::place::Place;
use crate::server::{Server, payonce, signal};
use crate::shop::Shop;

const SEED: u64 = 59;
const PASSWORD: &str = "rSx7-of-the-shop";
const HOUR: Duration = Duration::from_secs(3600);

/// A file with an order in it.
async fn source() -> Place {
    let place = Place::sqlite();
    let shop = Shop::on(&place.url(), 1, SEED);
    shop.register(&*books::open(&place.url()).await, 0..1).await;
    place
}

/// `payonce copy` with these arguments, in the place's folder.
fn copy(place: &Place, from: &str, to: &str) -> Command {
    let mut copy = payonce(place.folder());
    copy.args(["copy", "--from", from, "--to", to]);
    copy
}

/// Checks a refusal that begins and ends with these words, between which there are names and times.
#[track_caller]
fn check(said: &str, begins: &str, ends: &str) {
    assert!(said.starts_with(begins) && said.ends_with(ends), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_node_uses_either_database() {
    for to in Place::each() {
        let from = source().await;
        for (argument, place) in [("--from", &from), ("--to", &to)] {
            let node = Server::start(&Shop::on(&place.url(), 0, SEED));
            let said = refusal(&mut from.copy_to(&to));
            let begins = format!("payonce: {argument}: a node uses this database (");
            check(&said, &begins, " s");
            assert!(said.contains("): stop it; if it died, wait 1"), "{said}");
            node.kill();
            node.wait();
            check(&refusal(&mut from.copy_to(&to)), &begins, " s");
            place.end_leases();
        }
        copies(&mut from.copy_to(&to));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_do_not_start_while_a_copy_is_at_work() {
    for place in Place::each() {
        let (store, shop) = (place.open().await, Shop::on(&place.url(), 0, SEED));
        let copying = store.lease(&Role::COPY, &Owner("a copy".to_owned()), HOUR).await.unwrap().unwrap();
        let said = refusal(payonce(shop.folder()).arg("serve"));
        check(
            &said,
            "payonce: PAY0011: `payonce copy` is at work on this database: wait until it has ended",
            ")",
        );
        store.release(&copying).await.unwrap();
        let node = Server::start(&shop);
        node.terminate();
        assert_eq!(node.wait().code(), Some(0));
    }
}

/// A copy that is held up for so long that its databases are no longer reserved: it sees the node that started then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_started_while_the_copy_was_held_up() {
    for to in Place::each() {
        let from = Place::sqlite();
        let mut rows = rows::every_table();
        // What a node prunes at its start: the copy sees the node itself, not what it changed.
        rows[5..7].iter_mut().for_each(Vec::clear);
        rows::fill(&from, &rows).await;
        let store = to.open().await;
        let mut copy = from.copy_to(&to);
        let mut copy = copy.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while store.progress().await.unwrap().is_empty() && copy.try_wait().unwrap().is_none() {}
        signal(copy.id(), "STOP");
        from.end_leases();
        let node = Server::start(&Shop::on(&from.url(), 0, SEED));
        signal(copy.id(), "CONT");
        let ended = copy.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.starts_with("payonce: --from: a node uses this database ("), "{}: {said}", to.name());
        assert_eq!(ended.status.code(), Some(1));
        node.terminate();
        assert_eq!(node.wait().code(), Some(0));
        copies(&mut from.copy_to(&to));
    }
}

/// The node may be gone again: what it wrote may stand in tables that were compared before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_came_and_went_while_the_copy_was_held_up() {
    for to in Place::each() {
        let from = Place::sqlite();
        rows::fill(&from, &rows::every_table()).await;
        let store = to.open().await;
        let mut copy = from.copy_to(&to);
        let mut copy = copy.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while store.progress().await.unwrap().is_empty() && copy.try_wait().unwrap().is_none() {}
        signal(copy.id(), "STOP");
        from.end_leases();
        let node = Server::start(&Shop::on(&from.url(), 0, SEED));
        node.terminate();
        assert_eq!(node.wait().code(), Some(0));
        signal(copy.id(), "CONT");
        let ended = copy.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(
            said.starts_with("payonce: --from: this process was held up for too long"),
            "{}: {said}",
            to.name()
        );
        assert_eq!(ended.status.code(), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_copy_is_at_work() {
    for to in Place::each() {
        let from = source().await;
        for (argument, place) in [("--from", &from), ("--to", &to)] {
            let store = place.open().await;
            let other = store.lease(&Role::COPY, &Owner("another".to_owned()), HOUR).await.unwrap().unwrap();
            check(
                &refusal(&mut from.copy_to(&to)),
                &format!("payonce: {argument}: a copy is at work (another): let it end; if it died, wait "),
                " s",
            );
            store.release(&other).await.unwrap();
        }
        copies(&mut from.copy_to(&to));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_not_empty() {
    let from = source().await;
    for to in Place::each() {
        let shop = Shop::on(&to.url(), 1, SEED);
        shop.register(&*books::open(&to.url()).await, 0..1).await;
        let said = refusal(&mut from.copy_to(&to));
        assert_eq!(said, "payonce: --to is not empty (table orders): take an empty database");
        let node = Server::start(&shop);
        node.terminate();
        assert_eq!(node.wait().code(), Some(0), "it is served as before");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_not_finished_at_either_end() {
    let from = source().await;
    let other = Place::sqlite();
    for to in Place::each() {
        let begun = Progress {
            table: "orders".to_owned(),
            source: "00ff".to_owned(),
            after: Row::new(),
            rows: 0,
            done: false,
        };
        to.open().await.add_rows(&TABLES[0], &[], &begun).await.unwrap();
        assert_eq!(
            refusal(&mut from.copy_to(&to)),
            "payonce: --to holds an unfinished copy of another database (00ff): finish that one, or take an empty \
             database"
        );
        let said = refusal(&mut to.copy_to(&other));
        let ends = "a copy into this database is not finished: run `payonce copy` again, which goes on where it stopped";
        check(&said, "payonce: --from: ", ends);
        assert!(!other.file().exists(), "nothing is made for it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_database_under_two_names() {
    for place in Place::each() {
        drop(place.open().await);
        let said = refusal(&mut place.copy_to(&place));
        assert_eq!(said, "payonce: --from and --to are one and the same database: name two");
    }
    let file = source().await;
    let said = refusal(&mut copy(&file, "sqlite://place.db", &file.url()));
    assert_eq!(said, "payonce: --from and --to are one and the same database: name two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_missing_empty_or_something_else() {
    let to = Place::sqlite();
    let said = refusal(&mut copy(&to, "sqlite://nowhere.db", &to.url()));
    assert_eq!(said, "payonce: --from: there is no file nowhere.db: mend its name");

    let empty = "payonce: --from: it is empty or of an older payonce (it lacks 0001_initial, 0002_delivery, 0003_effects_and_consumers): mend the URL, or start \
                 this payonce on it once";
    for from in Place::each() {
        if from.is_file() {
            std::fs::write(from.file(), "").unwrap();
        }
        assert_eq!(refusal(&mut from.copy_to(&to)), empty, "{}", from.name());
        assert_eq!(refusal(&mut from.copy_to(&to)), empty, "{}: nothing was made in it", from.name());
    }
    let letter = Place::sqlite();
    std::fs::write(letter.file(), "a letter, long enough to be looked at. ".repeat(200)).unwrap();
    check(
        &refusal(&mut letter.copy_to(&to)),
        "payonce: --from: the database ",
        "not a SQLite database: choose another file",
    );
    assert!(!to.file().exists(), "nothing is made for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_that_name_nothing_to_copy() {
    let from = source().await;
    let refused = |to: &str| refusal(&mut copy(&from, "sqlite://place.db", to));
    check(&refused("mongodb://u:rSx7-of-the-shop@h/d"), "payonce: --to: ", "mongodb://…");
    check(&refused("payonce.db"), "payonce: --to: ", "a value without ://");
    check(
        &refused("postgres://u:rSx7-of-the-shop@h"),
        "payonce: --to: ",
        "postgres://… without a host or a database",
    );
    check(
        &refused("sqlite://missing/payonce.db"),
        "payonce: --to: the database missing/payonce.db: ",
        "unable to open database file",
    );
    let said = refusal(
        copy(&from, "sqlite://place.db", "sqlite://new.db").env("PAYONCE_COPY_TO_PASSWORD", PASSWORD),
    );
    assert_eq!(said, "payonce: PAYONCE_COPY_TO_PASSWORD is set, but --to is a file: unset it");
}

/// The scheme, the port and the name of a server's database.
fn parts(url: &str) -> (&str, &str, &str) {
    let (server, database) = url.rsplit_once('/').unwrap();
    (server.split_once("://").unwrap().0, server.rsplit_once(':').unwrap().1, database)
}

/// SQL that makes an account, named like the database, and SQL that removes it.
fn account(place: &Place, name: &str) -> [String; 2] {
    if place.name() == "PostgreSQL" {
        let make = format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON DATABASE {name} TO {name};"
        );
        [make, format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name};")]
    } else {
        let make = format!("CREATE USER {name} IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON {name}.* TO {name};");
        [make, format!("DROP USER {name};")]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_do_not_let_it_in() {
    for to in [Place::postgres(), Place::mariadb()].into_iter().flatten() {
        let (from, url) = (source().await, to.url());
        let (scheme, port, database) = parts(&url);
        let unavailable = |copy: &mut Command, reason: &str| {
            let said = refusal(copy);
            check(&said, &format!("payonce: --to: the database is unavailable ({reason}"), "");
            assert!(!said.contains(PASSWORD), "{said}");
        };
        let nowhere = url.replace(database, "nothing");
        unavailable(
            &mut copy(&from, &from.url(), &nowhere),
            "no such database: create it, or mend its name in the URL)",
        );
        let away = format!("{scheme}://shop:{PASSWORD}@127.0.0.1:1/{database}");
        unavailable(&mut copy(&from, &from.url(), &away), "no server answers: check host, port and network");

        let [make, remove] = account(&to, database);
        to.execute(&make);
        let wrong = format!("{scheme}://{database}:{PASSWORD}-not@127.0.0.1:{port}/{database}");
        unavailable(
            &mut copy(&from, &from.url(), &wrong),
            "access denied: check user, password, TLS and rights",
        );
        copies(copy(&from, &from.url(), &wrong).env("PAYONCE_COPY_TO_PASSWORD", PASSWORD));
        let back = Place::sqlite();
        copies(copy(&back, &wrong, &back.url()).env("PAYONCE_COPY_FROM_PASSWORD", PASSWORD));
        to.execute(&remove);
    }
}
