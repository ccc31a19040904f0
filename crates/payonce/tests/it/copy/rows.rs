//! Rows of every table, of the kind that gets lost on the way: quotes, empty texts, the greatest and the smallest
//! numbers, all bytes, megabytes, and enough of them for several pages.

use std::iter::once;

use payonce_core::store::archive::{Archive, Row, TABLES, Table, Value};
use rusqlite::{Connection, params_from_iter, types::Value as Sqlite};

use crate::place::Place;

/// Rows read at a time here: not what a copy reads.
const PAGE: usize = 7;

/// The greatest whole number that a float tells from its neighbours, plus one.
const BEYOND_FLOATS: i64 = (1 << 53) + 1;

const NONE: Option<i64> = None;
const MERCHANT: &str = "1900000001";

/// Free texts.
const TEXTS: [&str; 14] = [
    "",
    " ",
    "\0",
    "a\0b",
    "\u{fffd}",
    "NULL",
    "'; DROP TABLE orders; --",
    r#"{"quoted":"\"\\\u0000"}"#,
    "%_$1?:x@p{}",
    "line\r\nline\tend\n",
    "\u{feff}\u{1}\u{7f}\u{85}\u{2028}",
    "e\u{301} é 订单 \u{10ffff}",
    "😀👩‍👩‍👧",
    "trailing  ",
];

/// Visible ASCII, as WeChat writes identifiers, at most 32 of them.
const IDENTIFIERS: [&str; 6] = ["!", "A", "a", r#"'"\`%_;--"#, "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", "0"];

trait Cell {
    fn value(self) -> Value;
}

impl Cell for i64 {
    fn value(self) -> Value {
        Value::Int(self)
    }
}

impl Cell for Option<i64> {
    fn value(self) -> Value {
        self.map_or(Value::Null, Value::Int)
    }
}

impl Cell for &str {
    fn value(self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl Cell for String {
    fn value(self) -> Value {
        Value::Text(self)
    }
}

impl Cell for Vec<u8> {
    fn value(self) -> Value {
        Value::Bytes(self)
    }
}

macro_rules! row {
    ($($cell:expr),+ $(,)?) => { vec![$(Cell::value($cell)),+] };
}

/// Whole numbers from `first` on, for rows that are many.
fn numbered<T>(first: i64, rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = (i64, T)> {
    (first..).zip(rows)
}

/// The rows of each of [`TABLES`], in the order of their keys.
pub(super) fn every_table() -> Vec<Vec<Row>> {
    let made = [
        orders(),
        payments(),
        notifications_passed(),
        messages(),
        incidents(),
        receipts(),
        rejected(),
        unopened(),
        endpoints(),
        deliveries(),
        attempts(),
        effect_failures(),
        consumers(),
    ];
    for (table, rows) in TABLES.iter().zip(&made) {
        assert!(rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.name);
        assert!(rows.is_sorted_by_key(|row| &row[..table.key]), "{}", table.name);
    }
    made.into()
}

/// One of each state, numbers that differ in case alone, and more than a page.
fn orders() -> Vec<Row> {
    let (long, appid) = ("9".repeat(32), "wx_-0123456789abcdefABCDEF012345");
    let few = vec![
        row![1, MERCHANT, "ORDER-1", 0, "CNY", "wx1", NONE, NONE, 0, 0, 0, 0],
        row![2, MERCHANT, "order-1", 1990, "CNY", "wx1", MERCHANT, i64::MAX, 1, 1, 1, i64::MAX],
        row![
            3,
            MERCHANT,
            "_-|*@",
            i64::MAX,
            "USD",
            appid,
            long.as_str(),
            i64::MIN,
            2,
            0,
            i64::from(i32::MAX),
            i64::MIN
        ],
        row![5, long.as_str(), long.as_str(), 1, "CNY", "wx1", NONE, -1, 3, 1, 2, 1],
        row![8, MERCHANT, "awaited", NONE, NONE, NONE, NONE, NONE, 4, 1, 0, NONE],
        row![9, long.as_str(), "awaited", NONE, NONE, NONE, NONE, NONE, 4, 0, 0, NONE],
    ];
    let order = |id| row![id, MERCHANT, format!("O{id}"), id, "CNY", "wx1", NONE, NONE, 0, 0, 0, id];
    few.into_iter().chain((100..1_110).map(order)).chain(once(order(BEYOND_FLOATS))).collect()
}

/// One of each standing and each source, contradicting ones, and one that is greater than a transaction may be.
fn payments() -> Vec<Row> {
    let most = i64::from(i32::MAX);
    let few = vec![
        row![
            1,
            MERCHANT,
            "4200001",
            0,
            0,
            "order-1",
            1990,
            "CNY",
            "wx1",
            NONE,
            0,
            2,
            i64::MAX,
            0,
            i64::MIN,
            NONE
        ],
        row![
            2,
            MERCHANT,
            "4200001",
            1,
            -1,
            "order-1",
            1,
            "CNY",
            "wx1",
            MERCHANT,
            2,
            2,
            i64::MIN,
            1,
            i64::MAX,
            NONE
        ],
        row![
            4,
            MERCHANT,
            "4200001",
            most,
            most,
            "order-1",
            i64::MIN,
            "USD",
            "wx2",
            NONE,
            1,
            2,
            NONE,
            2,
            0,
            NONE
        ],
        row![5, MERCHANT, "4200002", 0, 0, "_-|*@", i64::MAX, "CNY", "wx1", "1", 0, 3, -1, 3, 0, NONE],
    ];
    let waiting = |id, number: String, detail: String| {
        row![id, MERCHANT, number, 0, 0, "awaited", 0, "CNY", "wx1", NONE, 3, 8, NONE, 0, 0, detail]
    };
    let named = numbered(10, IDENTIFIERS).map(|(id, number)| waiting(id, number.to_owned(), "{}".to_owned()));
    let told = numbered(20, TEXTS).map(|(id, text)| waiting(id, format!("T{id}"), text.to_owned()));
    let great = waiting(40, "T40".to_owned(), "'\"\\😀".repeat(5 << 17));
    let last = waiting(BEYOND_FLOATS, "T41".to_owned(), "[]".to_owned());
    few.into_iter().chain(named).chain(told).chain([great, last]).collect()
}

/// Keys that sort differently as numbers, or without regard to case. Exactly a page.
fn notifications_passed() -> Vec<Row> {
    let hostile = ["1", "10", "2"].into_iter().flat_map(|mchid| IDENTIFIERS.map(|id| row![mchid, id]));
    let long = row!["9".repeat(32), "|".repeat(64)];
    let mut rows: Vec<Row> = hostile.chain(once(long)).collect();
    rows.extend((rows.len()..TABLES[2].page).map(|number| row!["3", format!("N{number}")]));
    rows.sort();
    rows
}

/// Positions with gaps, messages of orders and of none, more than a page.
fn messages() -> Vec<Row> {
    let most = i64::from(i32::MAX);
    let few = vec![
        row![1, "order:1900000001:order-1:1", "payment.succeeded", 2, 1, "{}", i64::MAX],
        row![2, "order:1900000001:_-|*@:9", "payment.succeeded", 3, most, "{}", i64::MIN],
        row![3, "i".repeat(128), "k".repeat(80), 3, 1, "{}", 0],
    ];
    let passed = |position, body: String| {
        row![position, format!("event:1900000001:N{position}"), "wechat.REFUND.SUCCESS", NONE, NONE, body, 1]
    };
    let told = numbered(4, TEXTS).map(|(position, text)| passed(position, text.to_owned()));
    let many =
        (100..400).filter(|position| position % 50 != 0).map(|position| passed(position, "x".repeat(300)));
    few.into_iter().chain(told).chain(many).chain(once(passed(BEYOND_FLOATS, "[]".to_owned()))).collect()
}

fn incidents() -> Vec<Row> {
    vec![
        row![1, 2, "amount_mismatch", 0, i64::MIN, i64::MAX],
        row![2, 4, "contradiction", 1, 0, NONE],
        row![BEYOND_FLOATS, BEYOND_FLOATS, "unknown_order", 0, -1, 0],
    ]
}

fn receipts() -> Vec<Row> {
    let receipt = |(id, number): (i64, &str)| row![id, MERCHANT, number, "REFUND.SUCCESS", -id, id % 5];
    let long = row![99, "9".repeat(32), "|".repeat(64), "~".repeat(64), i64::MAX, 4];
    numbered(1, IDENTIFIERS).map(receipt).chain(once(long)).collect()
}

/// Each text in each column, all bytes, more than a page.
fn rejected() -> Vec<Row> {
    let bytes: Vec<u8> = (0..=255).collect();
    let told =
        numbered(1, TEXTS).map(|(id, text)| row![id, i64::MIN, text, 401, text, text, text, bytes.clone()]);
    let body = |id: i64| vec![0xff_u8; usize::try_from(id).unwrap() % 3 * 8192];
    let many =
        (1_000..1_205).map(|id| row![id, id, MERCHANT, 500, "verdict", "reason", "a: b\nc: d", body(id)]);
    told.chain(many).collect()
}

/// Exactly two pages, the first of which takes more than a transaction.
fn unopened() -> Vec<Row> {
    let body = |id: i64| -> Vec<u8> {
        match id {
            1..=6 => (0..=255).cycle().take(1 << 20).collect(),
            7 => Vec::new(),
            _ => vec![0; 3],
        }
    };
    let pages = 2 * TABLES[7].page;
    numbered(1, TEXTS.into_iter().cycle().take(pages))
        .map(|(id, text)| row![id, MERCHANT, format!("N{id}"), id, text, body(id)])
        .collect()
}

/// One of each state, one that is removed, and all bytes.
fn endpoints() -> Vec<Row> {
    let bytes: Vec<u8> = (0..=255).collect();
    let (url, most) = (format!("https://h/{}", "~".repeat(2038)), i64::MAX);
    vec![
        row![1, "shop", "https://h/", "[\"*\"]", 0, "{}", bytes.clone(), 0, i64::MIN, NONE, 0],
        row![
            2,
            "n".repeat(64),
            url,
            r#"["'\"\\%_*"]"#,
            1,
            r#"{"店": "😀"}"#,
            Vec::new(),
            1,
            0,
            most,
            BEYOND_FLOATS
        ],
        row![4, NONE, "", "[]", 0, "{}", Vec::new(), 4, most, 0, 9],
        row![5, "gone", "http://h", "[]", 1, "{}", vec![0_u8; 1 << 20], 2, 1, 1, 1],
        row![BEYOND_FLOATS, "failing", "http://h", "[]", 1, "{}", bytes, 3, 1, 1, 1],
    ]
}

/// Of orders and of none, pending and exhausted, more than a page.
fn deliveries() -> Vec<Row> {
    let most = i64::from(i32::MAX);
    let few = vec![
        row![1, 3, 3, 1, 0, i64::MIN, 0],
        row![1, BEYOND_FLOATS, BEYOND_FLOATS, most, most, i64::MAX, 1],
        row![2, 1, NONE, NONE, 3, BEYOND_FLOATS, 0],
        row![2, 9, 2, 2, 11, -1, 1],
    ];
    let many = (10..1_200).map(|position| row![2, position, NONE, NONE, 0, position, 0]);
    few.into_iter().chain(many).collect()
}

/// Each fault and some statuses, each text, all bytes, more than a page.
fn attempts() -> Vec<Row> {
    let body =
        |id: i64| -> Vec<u8> { (0..=255).cycle().take(usize::try_from(id).unwrap() % 5 * 1024).collect() };
    let few = vec![
        row![1, 2, 9, 1, i64::MIN, i64::MAX, 100, NONE, "", Vec::new()],
        row![2, 2, 9, i64::from(i32::MAX), i64::MAX, 0, NONE, "timed_out", "", Vec::new()],
    ];
    let told = numbered(10, TEXTS).map(|(id, text)| row![id, 1, 3, id, id, id, 999, NONE, text, body(id)]);
    let many = (100..700).map(|id| row![id, 1, id, 1, id, 20, 204, NONE, "a: b\nc: d", body(id)]);
    few.into_iter().chain(told).chain(many).collect()
}

/// Each kind of subject, each text, more than a page.
fn effect_failures() -> Vec<Row> {
    let few = vec![
        row![
            1,
            "a",
            "payment:1:P",
            "payment.succeeded",
            MERCHANT,
            "A",
            "P",
            i64::MAX,
            NONE,
            "",
            i64::MIN,
            i64::MAX,
            1
        ],
        row![
            2,
            "a",
            "event:1:N",
            "wechat.REFUND.SUCCESS",
            MERCHANT,
            NONE,
            NONE,
            NONE,
            "N",
            "why",
            0,
            0,
            i64::MAX
        ],
        row![4, "b", "payment:1:P", "order.closed", MERCHANT, "A", NONE, 0, NONE, "why", 1, 2, 3],
    ];
    let told = numbered(10, TEXTS).map(|(id, text)| {
        row![
            id,
            "told",
            format!("order:{id}"),
            "order.closed",
            MERCHANT,
            "A",
            NONE,
            NONE,
            NONE,
            text,
            id,
            id,
            id
        ]
    });
    let many = (100..1300).map(|id| {
        row![
            id,
            "many",
            format!("order:{id}"),
            "order.closed",
            MERCHANT,
            "A",
            NONE,
            NONE,
            NONE,
            "why",
            id,
            id,
            id
        ]
    });
    few.into_iter().chain(told).chain(many).collect()
}

/// The shortest and the longest name, the ends of numbers, more than a page.
fn consumers() -> Vec<Row> {
    let few = vec![row!["-", i64::MAX, i64::MIN], row!["0", 0, 0], row!["_", 7, i64::MAX]];
    let many = (1000..2100).map(|number| row![format!("a.{number}"), number, number]);
    let longest = row!["z".repeat(64), 1, 1];
    few.into_iter().chain(many).chain([longest]).collect()
}

/// Writes them into a fresh file, by SQL of this test alone.
pub(super) async fn fill(place: &Place, tables: &[Vec<Row>]) {
    drop(place.open().await);
    let mut file = Connection::open(place.file()).unwrap();
    let tx = file.transaction().unwrap();
    for (table, rows) in TABLES.iter().zip(tables) {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", table.name, names.join(", "));
        let mut insert = tx.prepare(&sql).unwrap();
        for row in rows {
            insert.execute(params_from_iter(row.iter().map(sqlite))).unwrap();
        }
    }
    tx.commit().unwrap();
}

fn sqlite(value: &Value) -> Sqlite {
    match value.clone() {
        Value::Null => Sqlite::Null,
        Value::Int(number) => Sqlite::Integer(number),
        Value::Text(text) => Sqlite::Text(text),
        Value::Bytes(bytes) => Sqlite::Blob(bytes),
    }
}

/// All rows of a table, in a few at a time.
pub(super) async fn read(archive: &dyn Archive, table: &Table) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    loop {
        let after = all.last().map_or(&[][..], |last| &last[..table.key]);
        let page = archive.rows_after(table, after, PAGE).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Checks that a database holds these rows and no others.
pub(super) async fn check(place: &Place, tables: &[Vec<Row>]) {
    let archive = place.open().await;
    for (table, rows) in TABLES.iter().zip(tables) {
        let found = read(&*archive, table).await;
        let differ = rows.iter().zip(&found).position(|(row, found)| storable(row) != storable(found));
        let differ = differ.map(|at| (shown(&rows[at]), shown(&found[at])));
        assert_eq!(differ, None, "{}, {}", place.name(), table.name);
        assert_eq!(found.len(), rows.len(), "{}, {}", place.name(), table.name);
    }
}

/// As PostgreSQL can hold it, and whoever has it from there.
fn storable(row: &Row) -> Row {
    let storable = |value: &Value| match value {
        Value::Text(text) => Value::Text(text.replace('\0', "\u{fffd}")),
        other => other.clone(),
    };
    row.iter().map(storable).collect()
}

/// Short enough to be read.
fn shown(row: &Row) -> String {
    format!("{row:?}").chars().take(500).collect()
}
