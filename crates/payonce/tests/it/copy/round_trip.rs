//! From file to server to server to file: every row arrives as it was.

use payonce_core::store::archive::TABLES;
use serde_json::Value;

use super::{copies, rows};
use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_comes_through_every_database() {
    let rows = rows::every_table();
    let places = [Some(Place::sqlite()), Place::postgres(), Place::mariadb(), Some(Place::sqlite())];
    let places: Vec<Place> = places.into_iter().flatten().collect();
    rows::fill(&places[0], &rows).await;
    let mut reports = Vec::new();
    for pair in places.windows(2) {
        let (from, to) = (&pair[0], &pair[1]);
        let said = copies(from.copy_to(to).arg("--json"));
        reports.push(serde_json::from_str::<Value>(&said.out).unwrap());
        rows::check(to, &rows).await;
        rows::check(from, &rows).await;
        assert_eq!(to.open().await.progress().await.unwrap(), [], "{}: it may be served", to.name());
    }
    for report in &reports {
        assert_eq!(*report, reports[0], "the same rows have the same digests everywhere");
        for (place, table) in TABLES.iter().enumerate() {
            assert_eq!(report["tables"][place]["name"], table.name);
            assert_eq!(report["tables"][place]["rows"], rows[place].len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_is_copied_as_well() {
    let empty = vec![Vec::new(); TABLES.len()];
    for to in Place::each() {
        let from = Place::sqlite();
        rows::fill(&from, &empty).await;
        let said = copies(&mut from.copy_to(&to));
        assert_eq!(said.out.lines().count(), TABLES.len() + 1, "{}", said.out);
        assert!(
            said.out.ends_with(
                "copied: name the new database in store.url, and start payonce; the old one is not served any more\n"
            ),
            "{}",
            said.out
        );
        assert_eq!(said.err, "", "no progress bar where nobody looks");
        rows::check(&to, &empty).await;
    }
}
