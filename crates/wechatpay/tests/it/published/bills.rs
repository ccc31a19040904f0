//! Bills as SDKs and the documentation publish them. Several were shortened by hand, so that their summary speaks of
//! rows that are gone: their rows must be read all the same, and the summary must be told.

use std::io::Read as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use wechatpay::bill::{AmountError, Any, BillError, FundFlow, Mismatch, Trade};

use super::{entries, load, text};
use crate::bill::{read, read_in_pieces};

/// Whose summary fits; the number of rows.
const FITTING: [(&str, u64); 4] = [("bill-01", 45), ("bill-03", 2), ("bill-06", 3), ("bill-08", 3)];

/// Whose rows were taken out or changed: each column of the summary that differs, and what the rows come to.
const SHORTENED: [(&str, &[(&str, &str)]); 6] = [
    (
        "bill-02",
        &[
            ("总交易单数", "1"),
            ("订单总金额", "6.00"),
            ("应结订单总金额", "6.00"),
            ("申请退款总金额", "0.00"),
            ("退款总金额", "0.00"),
            ("手续费总金额", "0.04000"),
        ],
    ),
    (
        "bill-04",
        &[
            ("总交易单数", "1"),
            ("订单总金额", "0.01"),
            ("应结订单总金额", "0.01"),
            ("手续费总金额", "0.00000"),
        ],
    ),
    (
        "bill-05",
        &[
            ("总交易单数", "1"),
            ("申请退款总金额", "0.01"),
            ("退款总金额", "0.01"),
            ("手续费总金额", "0.00000"),
        ],
    ),
    ("bill-07", &[("资金流水总笔数", "2"), ("收入笔数", "0"), ("收入金额", "0.00")]),
    ("bill-09", &[("资金流水总笔数", "2"), ("收入笔数", "0"), ("收入金额", "0.00")]),
    (
        "bill-10",
        &[
            ("资金流水总笔数", "1"),
            ("收入笔数", "0"),
            ("收入金额", "0.00"),
            ("支出笔数", "1"),
            ("支出金额", "0.02"),
        ],
    ),
];

#[test]
fn every_entry() {
    let Some(file) = load("bills.json") else { return };
    for entry in entries(&file, 10, 4) {
        let id = text(entry, "id");
        if entry["case"] == "negative" {
            refused(id, text(entry, "text"));
            continue;
        }
        let bytes = match entry["gzip_base64"].as_str() {
            Some(gzip) => STANDARD.decode(gzip).unwrap(),
            None => text(entry, "text").as_bytes().to_vec(),
        };
        let plain = plain(entry, &bytes);
        is_fitting_or_shortened(id, &bytes);
        for size in [1, 100, usize::MAX] {
            rows(entry, &bytes, &plain, size);
        }
    }
}

#[test]
fn the_whole_file_of_a_day() {
    let Some(file) = load("bills.json") else { return };
    let first = &file["vectors"][0];
    let bytes = super::bytes("bill.ALL.csv").unwrap();
    assert_eq!(text(first, "text").as_bytes(), bytes);
    let summary = read_in_pieces::<Trade>(&bytes, &[1000], |_| ()).unwrap();
    assert_eq!((summary.rows, summary.fee.unwrap().get()), (45, 8000));
    assert_eq!((summary.total.unwrap().get(), summary.refund_total.unwrap().get()), (47, 14));
}

/// The uncompressed file, by the library itself, whose hash is the published one.
fn plain(entry: &Value, bytes: &[u8]) -> String {
    let (mut plain, expected) = (String::new(), &entry["expected"]);
    if entry["gzip_base64"].is_string() {
        MultiGzDecoder::new(bytes).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text(expected, "text"), "{}", entry["id"]);
    } else {
        text(entry, "text").clone_into(&mut plain);
    }
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, plain.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let published = entry["utf8_sha1_hex"].as_str().or(expected["sha1_of_uncompressed_hex"].as_str());
    assert_eq!(Some(hash.as_str()), published, "{}", entry["id"]);
    plain
}

/// Rows and headings are the expected ones; of gzip, those of the plain file.
fn rows(entry: &Value, bytes: &[u8], plain: &str, size: usize) {
    let (id, expected) = (text(entry, "id"), &entry["expected"]);
    let (mut rows, mut summary) = (Vec::new(), None);
    let end = read_in_pieces::<Any>(bytes, &[size], |row| {
        rows.push(
            row.iter().map(|(heading, cell)| (heading.to_owned(), cell.to_owned())).collect::<Vec<_>>(),
        );
    });
    match end {
        Ok(whole) => summary = Some(whole),
        Err(BillError::Mismatch(mismatch)) => summary = Some(mismatch.summary),
        Err(error) => assert_eq!(error.to_string(), "", "{id}"),
    }
    let summary = summary.unwrap();
    let Some(headings) = expected["header"].as_array() else {
        let mut plain_rows = 0;
        let _ = read::<Any>(plain, |row| {
            assert!(
                row.iter().map(|(_, cell)| cell).eq(rows[plain_rows].iter().map(|(_, cell)| cell)),
                "{id}"
            );
            plain_rows += 1;
        });
        assert_eq!(plain_rows, rows.len(), "{id}");
        return;
    };
    assert_eq!(rows.len() as u64, expected["row_count"], "{id}");
    let listed = expected["rows"].as_array().unwrap();
    let from_end = listed.iter().position(Value::is_string).unwrap_or(listed.len());
    for (at, wanted) in listed.iter().enumerate().filter(|(_, wanted)| wanted.is_object()) {
        let row = &rows[if at < from_end { at } else { rows.len() - (listed.len() - at) }];
        assert_eq!(row.len(), headings.len(), "{id}");
        for (heading, (found, cell)) in headings.iter().zip(row) {
            let heading = heading.as_str().unwrap();
            assert_eq!(found, &heading.replace('（', "(").replace('）', ")"), "{id}");
            assert_eq!(wanted[heading], cell.as_str(), "{id}: {heading}");
        }
    }
    for (heading, stated) in expected["summary"].as_object().unwrap() {
        assert_eq!(summary.get(heading), stated.as_str(), "{id}: {heading}");
    }
}

fn is_fitting_or_shortened(id: &str, bytes: &[u8]) {
    let read = |bytes: &[u8]| {
        let trade = read_in_pieces::<Trade>(bytes, &[usize::MAX], |_| ()).map(|summary| summary.rows);
        match trade {
            Err(BillError::MissingColumn { .. }) => {
                read_in_pieces::<FundFlow>(bytes, &[usize::MAX], |_| ()).map(|summary| summary.rows)
            }
            trade => trade,
        }
    };
    match read(bytes) {
        Ok(rows) => assert!(FITTING.contains(&(id, rows)), "{id}: {rows} rows"),
        Err(BillError::Mismatch(mismatch)) => {
            let Mismatch { differences, .. } = *mismatch;
            let differences: Vec<_> = differences
                .iter()
                .map(|difference| (difference.heading, difference.found.as_str()))
                .collect();
            let (_, expected) = SHORTENED.iter().find(|(named, _)| *named == id).unwrap();
            assert_eq!(differences, *expected, "{id}");
        }
        Err(error) => panic!("{id}: {error}"),
    }
}

fn refused(id: &str, file: &str) {
    let trade = read::<Trade>(file, |_| ()).unwrap_err();
    let funds = read::<FundFlow>(file, |_| ()).unwrap_err();
    match id {
        // Two files put together: that is told before the amount at its end is reached.
        "bill-11" => assert_eq!(funds, BillError::AfterSummary { line: 6 }),
        "bill-12" => {
            let (column, reason) = ("收支金额(元)".to_owned(), AmountError::NotANumber);
            assert_eq!(funds, BillError::Amount { line: 3, column, reason });
        }
        "bill-13" => assert_eq!((trade, funds), (BillError::Empty, BillError::Empty)),
        "bill-14" => assert_eq!((trade, funds), (BillError::TabSeparated, BillError::TabSeparated)),
        other => panic!("{other} stands in no table"),
    }
}
