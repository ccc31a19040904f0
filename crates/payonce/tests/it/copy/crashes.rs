//! The process dies at each point of a copy, and once amid a statement. The target is not served by half, and the next
//! copy goes on.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use payonce_core::fault::COPY_POINTS;
use payonce_core::store::archive::{Row, TABLES};

use super::{copies, refusal, rows};
use crate::place::Place;
use crate::server::payonce;
use crate::shop::Shop;

const SEED: u64 = 43;

/// SIGABRT, with which a fault point ends the process, and SIGKILL; the numbers are the same on every Unix.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// Pages of [`rows::every_table`]: each is a portion at least.
const PAGES_MIN: usize = 15;

/// A copy that begins again and again.
struct Trial {
    from: Place,
    to: Place,
    rows: Vec<Vec<Row>>,
    /// A shop on the target.
    shop: Shop,
    /// And one on the source.
    at_source: Shop,
}

impl Trial {
    async fn begin(to: Place) -> Self {
        let (from, rows) = (Place::sqlite(), rows::every_table());
        rows::fill(&from, &rows).await;
        let (shop, at_source) = (Shop::on(&to.url(), 0, SEED), Shop::on(&from.url(), 0, SEED));
        Self { from, to, rows, shop, at_source }
    }

    /// Whether the copy died at the point; else it is finished.
    fn dies(&self, point: &str) -> bool {
        let mut copy = self.from.copy_to(&self.to);
        let ended = copy.env("PAYONCE_FAULT", point).stdout(Stdio::null()).status().unwrap();
        let died = ended.signal() == Some(SIGABRT);
        assert!(died || ended.success(), "{point}: {ended}");
        died
    }

    /// What is left by one who died ends after a while: now.
    fn rest(&self) {
        self.from.end_leases();
        self.to.end_leases();
    }

    fn is_not_served(&self, when: &str) {
        let said = refusal(payonce(self.shop.folder()).arg("serve"));
        let remedy = "a copy into this database is not finished: run `payonce copy` again, which goes on where it stopped";
        assert!(said.starts_with("payonce: store.url: ") && said.ends_with(remedy), "{when}: {said}");
    }

    /// The merchant may go back as long as the copy is not whole.
    fn may_be_served_at_its_source(&self) {
        let said = refusal(payonce(self.at_source.folder()).args(["take-back", "5f3a"]));
        assert!(said.ends_with("this database was not moved, there is nothing to take back"), "{said}");
    }

    /// The end of it: the next copy ends well.
    async fn finish(&self) {
        copies(&mut self.from.copy_to(&self.to));
        rows::check(&self.to, &self.rows).await;
        assert_eq!(self.to.open().await.progress().await.unwrap(), []);
    }
}

async fn dies_at_every_point(to: Place) {
    let trial = Trial::begin(to).await;
    let [begun, portion, copied, compared, marked] = COPY_POINTS else {
        panic!("another point: {COPY_POINTS:?}")
    };
    assert!(trial.dies(begun));
    trial.is_not_served(begun);

    let said = refusal(&mut trial.from.copy_to(&trial.to));
    assert!(said.starts_with("payonce: --from: a copy is at work ("), "{said}");
    assert!(said.contains("): let it end; if it died, wait 1") && said.ends_with(" s"), "{said}");

    let mut portions = 0;
    let store = trial.to.open().await;
    // One portion a life, until no table has one left.
    while store.progress().await.unwrap().iter().filter(|table| table.done).count() < TABLES.len() {
        trial.rest();
        assert!(trial.dies(portion));
        portions += 1;
    }
    println!("{}: died {portions} times", trial.to.name());
    assert!(portions >= PAGES_MIN, "{portions}");
    trial.is_not_served(portion);
    for point in [copied, compared] {
        trial.rest();
        assert!(trial.dies(point));
        trial.is_not_served(point);
    }
    trial.may_be_served_at_its_source();
    trial.rest();
    assert!(trial.dies(marked));
    trial.rest();
    trial.is_not_served(marked);
    let said = refusal(payonce(trial.at_source.folder()).arg("serve"));
    assert!(said.starts_with("payonce: PAY0011: this database was moved to another one ("), "{said}");
    trial.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_point_into_a_file_it_goes_on() {
    dies_at_every_point(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_point_into_postgresql_it_goes_on() {
    let Some(to) = Place::postgres() else { return };
    dies_at_every_point(to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_point_into_mariadb_it_goes_on() {
    let Some(to) = Place::mariadb() else { return };
    dies_at_every_point(to).await;
}

/// Spawns a copy and kills it once so many tables are under way: it is in the middle of something.
async fn killed_amid(trial: &Trial, tables: usize) -> bool {
    let store = trial.to.open().await;
    let mut copy: Command = trial.from.copy_to(&trial.to);
    let mut copy = copy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while store.progress().await.unwrap().len() < tables && copy.try_wait().unwrap().is_none() {}
    copy.kill().unwrap();
    copy.wait().unwrap().signal() == Some(SIGKILL)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_amid_a_table_it_goes_on() {
    for to in Place::each() {
        let trial = Trial::begin(to).await;
        for tables in [1, 2, 4, 7] {
            let killed = killed_amid(&trial, tables).await;
            println!("{}: killed at table {tables}: {killed}", trial.to.name());
            assert!(killed, "{}: it ended before table {tables} was seen", trial.to.name());
            trial.is_not_served("killed");
            trial.rest();
        }
        trial.finish().await;
    }
}
