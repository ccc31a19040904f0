//! What a copy takes along, held against what there is: a table or a column that somebody adds is either copied or
//! named here.

use std::collections::BTreeSet;

use payonce_core::store::archive::TABLES;

use crate::place::Place;

/// Tables of one database and one time.
const NOT_COPIED: [&str; 3] = ["copy_progress", "database", "lease"];

/// A server numbers messages by the batch: what a copy reads as a position.
const NOT_COPIED_OF_SERVERS: [&str; 2] = ["message_batch", "sequencer"];

/// Who takes up a callback or a delivery at present, and until when.
const COLUMNS_NOT_COPIED: [&str; 4] =
    ["delivery.taken_by", "delivery.token", "unopened.taken_by", "unopened.taken_until"];

const POSITION: &str = "message.position";
const POSITION_OF_SERVERS: [&str; 2] = ["message.batch", "message.place"];

/// Made by the database itself, of other columns.
const GENERATED_BY_MARIADB: [&str; 2] = ["message.succeeded", "payment.settles"];

/// Every column of every table, `table.column`.
fn columns(place: &Place) -> BTreeSet<String> {
    place.words(match place.name() {
        "SQLite" => {
            "SELECT t.name || '.' || c.name FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table'"
        }
        "PostgreSQL" => {
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'payonce'"
        }
        _ => {
            "SELECT CONCAT(SUBSTRING(table_name, 1 + LENGTH('payonce_')), '.', column_name) \
             FROM information_schema.columns WHERE table_schema = DATABASE()"
        }
    })
}

/// What there has to be.
fn expected(place: &Place) -> BTreeSet<String> {
    let copied = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(|(name, _)| format!("{}.{name}", table.name)));
    let mut columns: BTreeSet<String> = copied.collect();
    columns.extend(COLUMNS_NOT_COPIED.map(str::to_owned));
    if !place.is_file() {
        columns.remove(POSITION);
        columns.extend(POSITION_OF_SERVERS.map(str::to_owned));
    }
    if place.name() == "MariaDB" {
        columns.extend(GENERATED_BY_MARIADB.map(str::to_owned));
    }
    columns
}

#[tokio::test]
async fn every_table_and_column_is_copied_or_named_as_not() {
    for place in Place::each() {
        drop(place.open().await);
        let mut found = columns(&place);
        let mut left_out = BTreeSet::new();
        found.retain(|column| {
            let table = column.split('.').next().unwrap();
            let kept =
                !NOT_COPIED.contains(&table) && (place.is_file() || !NOT_COPIED_OF_SERVERS.contains(&table));
            if !kept {
                left_out.insert(table.to_owned());
            }
            kept
        });
        assert_eq!(found, expected(&place), "{}", place.name());
        let named = NOT_COPIED.len() + if place.is_file() { 0 } else { NOT_COPIED_OF_SERVERS.len() };
        assert_eq!(left_out.len(), named, "{}: {left_out:?}", place.name());
    }
}
