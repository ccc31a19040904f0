//! Whatever the bytes, and however they are cut: no panic, and one result.

use proptest::prelude::*;
use wechatpay::bill::{Any, BillError, FundFlow, Trade};

use super::{FUNDS, TRADES, cells, gzip, read_in_pieces};

/// Everything that reading a file as each kind of bill gives.
fn everything(file: &[u8], sizes: &[usize]) -> [(Vec<String>, Result<String, BillError>); 3] {
    let mut rows = Vec::new();
    let end = read_in_pieces::<Trade>(file, sizes, |row| {
        rows.push(format!("{row:?} {:?} {:?}", cells(row.row), row.attach));
    });
    let trades = (rows, end.map(|summary| format!("{summary:?}")));
    let mut rows = Vec::new();
    let end =
        read_in_pieces::<FundFlow>(file, sizes, |row| rows.push(format!("{row:?} {:?}", cells(row.row))));
    let funds = (rows, end.map(|summary| format!("{summary:?}")));
    let mut rows = Vec::new();
    let end = read_in_pieces::<Any>(file, sizes, |row| rows.push(format!("{:?}", cells(row))));
    [trades, funds, (rows, end.map(|summary| format!("{summary:?}")))]
}

fn is_one_result(file: &[u8], sizes: &[usize]) -> Result<(), TestCaseError> {
    let whole = everything(file, &[usize::MAX]);
    prop_assert_eq!(&everything(file, sizes), &whole);
    prop_assert_eq!(&everything(file, &[1]), &whole);
    // Compressed, it says the same, unless it was compressed before.
    if !file.starts_with(&[0x1f, 0x8b]) {
        prop_assert_eq!(&everything(&gzip(file), sizes), &whole);
    }
    Ok(())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1usize..200, 1..8)
}

fn good() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(TRADES), Just(FUNDS)]
}

/// What a bill is made of, in no order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&str> = TRADES.lines().chain(FUNDS.lines()).collect();
    let piece = prop_oneof![
        4 => prop::sample::select(lines).prop_map(|line| format!("{line}\n")),
        2 => prop::sample::select(vec!["`", ",", ",`", "\n", "\r\n", "\\", "\\ ", "\u{feff}", "0", "-", ".", "：", "总交易单数"])
            .prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat().into_bytes())
}

fn changed(mut file: Vec<u8>, changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (place, kind, byte) in changes {
        let at = place.index(file.len().max(1)).min(file.len());
        match kind {
            _ if file.is_empty() => file.push(*byte),
            0 => file[at] = *byte,
            1 => file.insert(at, *byte),
            2 => drop(file.remove(at)),
            _ => file.truncate(at),
        }
    }
    file
}

proptest! {
    #[test]
    fn arbitrary_bytes(file: Vec<u8>, sizes in sizes()) {
        is_one_result(&file, &sizes)?;
    }

    #[test]
    fn arbitrary_gzip(rest: Vec<u8>, sizes in sizes()) {
        is_one_result(&[&[0x1f, 0x8b, 8, 0][..], &rest].concat(), &sizes)?;
    }

    #[test]
    fn arbitrary_pieces_of_bills(file in pieces(), sizes in sizes()) {
        is_one_result(&file, &sizes)?;
    }

    #[test]
    fn changed_bills(
        file in good(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..4),
        sizes in sizes(),
    ) {
        is_one_result(&changed(file.as_bytes().to_vec(), &changes), &sizes)?;
    }

    #[test]
    fn changed_compressed_bills(
        file in good(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..3),
        sizes in sizes(),
    ) {
        is_one_result(&changed(gzip(file.as_bytes()), &changes), &sizes)?;
    }

    /// What the rows say is not lost between the file and the types: any merchant's text comes back as it went in.
    #[test]
    fn texts_of_merchants_come_back(text in "[^\u{feff}]{0,40}") {
        let mut written = String::new();
        for c in text.chars() {
            match c {
                ',' => written.push_str("\\ "),
                '\n' => written.push_str("\\n"),
                '\r' => written.push_str("\\r"),
                '"' => written.push_str("\\\""),
                '\\' => written.push_str("\\\\"),
                other => written.push(other),
            }
        }
        let file = TRADES.replacen("`cart=7", &format!("`{written}"), 1);
        let mut first = None;
        read_in_pieces::<Trade>(file.as_bytes(), &[usize::MAX], |row| {
            first.get_or_insert_with(|| row.attach.into_owned());
        }).unwrap();
        prop_assert_eq!(first, Some(text));
    }
}
