//! Target `bills`: an arbitrary file as a bill of each kind, compressed or not.
//!
//! Held: rows, summary and errors are the same however the file is cut into pieces; an amount is the decimal that stands
//! in its cell, exactly; the sums of the summary are the rows'; a row that is taken out, put in twice or never taken, and
//! an end that is cut off, are told; no error and no row shows whose it is.

use wechatpay::bill::{
    Any, Bill, BillError, Direction, Entry, FundFlow, FundFlowRow, FundFlowSummary, Kind, Row, Summary,
    Trade, TradeRow, TradeSummary,
};

use crate::input::canary::{self, assert_hidden};
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "bills",
    run,
    stages: &[
        "empty",
        "not a bill",
        "tabs",
        "missing column",
        "ambiguous column",
        "not a row",
        "cell count",
        "not UTF-8",
        "amount",
        "count",
        "time",
        "empty cell",
        "after the summary",
        "truncated",
        "gzip",
        "mismatch",
        "trades",
        "funds",
        "any",
    ],
};

/// Bytes up to which a file is also read one byte at a time.
const BYTEWISE_MAX: usize = 4096;

const GZIP: &[u8] = &[0x1f, 0x8b];

fn run(file: &[u8]) -> Stage {
    let (trades, funds, any) = (whole::<Trade>(file), whole::<FundFlow>(file), whole::<Any>(file));
    let error = match (trades, funds) {
        (Ok(_), _) => return "trades",
        (_, Ok(_)) => return "funds",
        // Of which kind it is, is said by the columns that it has.
        (Err(BillError::MissingColumn { .. }), Err(error)) | (Err(error), Err(_)) => error,
    };
    if matches!(error, BillError::MissingColumn { .. }) && any.is_ok() { "any" } else { stage(&error) }
}

/// A kind of bill, and what is held of it beyond its reader's own checks.
trait Held: Kind {
    /// What a row adds to each of the sums that a summary may state, in fen.
    fn added(row: &Self::Row<'_>) -> Vec<i128>;
    /// The line that it stands in.
    fn line(row: &Self::Row<'_>) -> u64;
    /// The number of rows that a summary states, and those sums, in the same order.
    fn stated(summary: &Self::Summary) -> (Option<u64>, Vec<Option<i64>>);
}

/// What is kept of a file that was read: the line of each row with what it adds, and the summary.
type Contents = (Vec<(u64, Vec<i128>)>, Option<u64>, Vec<Option<i64>>);

fn read<K: Held>(file: &[u8], size: usize) -> Result<Contents, BillError> {
    let (mut bill, mut rows) = (Bill::<K>::new(), Vec::new());
    for piece in file.chunks(size) {
        bill.push(piece);
        while let Some(row) = bill.next_row()? {
            rows.push((K::line(&row), K::added(&row)));
        }
    }
    assert_eq!(bill.rows(), rows.len() as u64);
    assert!(bill.next_row()?.is_none(), "a row comes from nothing");
    let (count, sums) = K::stated(&bill.finish()?);
    Ok((rows, count, sums))
}

/// Reads a file in one piece, in pieces of a size that its length decides, and byte by byte.
fn whole<K: Held>(file: &[u8]) -> Result<Contents, BillError> {
    let whole = read::<K>(file, file.len().max(1));
    let bytewise = (file.len() <= BYTEWISE_MAX).then_some(1);
    for size in [1 + file.len() % 97].into_iter().chain(bytewise) {
        assert!(read::<K>(file, size) == whole, "another result in pieces of {size}");
    }
    match &whole {
        Ok(contents) => {
            adds_up(contents);
            is_told_once_it_is_damaged::<K>(file, contents);
        }
        // What a summary says is of nobody in particular.
        Err(BillError::Mismatch(_)) => {}
        Err(error) => assert_hidden(&format!("{error} {error:?}")),
    }
    whole
}

fn adds_up((rows, count, sums): &Contents) {
    assert!(count.is_none_or(|count| count == rows.len() as u64));
    for (at, stated) in sums.iter().enumerate() {
        let sum: i128 = rows.iter().map(|(_, added)| added[at]).sum();
        assert!(
            stated.is_none_or(|stated| i128::from(stated) == sum),
            "a sum of {sum} is said to be {stated:?}"
        );
    }
}

fn is_told_once_it_is_damaged<K: Held>(file: &[u8], contents: &Contents) {
    let (rows, count, _) = contents;
    let mut untaken = Bill::<K>::new();
    untaken.push(file);
    assert!(rows.is_empty() || untaken.finish().is_err(), "rows that nobody took are missed");
    if file.starts_with(GZIP) || count.is_none() {
        return;
    }
    for part in 1..5 {
        let cut = read::<K>(&file[..file.len() * part / 5], usize::MAX);
        assert!(cut.is_err() || cut.as_ref() == Ok(contents), "a cut file says something else");
    }
    let Some((line, _)) = rows.first() else { return };
    let at = usize::try_from(*line).expect("BUG: a line of a file in memory") - 1;
    let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    let without: Vec<_> = [&lines[..at], &lines[at + 1..]].concat();
    assert!(read::<K>(&without.join(&b'\n'), usize::MAX).is_err(), "a row is missing");
    let twice: Vec<_> = [&lines[..=at], &lines[at..]].concat();
    assert!(read::<K>(&twice.join(&b'\n'), usize::MAX).is_err(), "a row is there twice");
}

impl Held for Trade {
    fn added(row: &TradeRow<'_>) -> Vec<i128> {
        let cell = |headings: &[&str]| headings.iter().find_map(|heading| row.row.get(heading));
        let total = i128::from(row.total.get());
        assert_eq!(cell(&["订单金额", "总金额"]).and_then(fen), Some(total));
        assert!(!row.transaction_id.is_empty() && !row.out_trade_no.is_empty());
        let settlement = row.settlement_total.map_or(0, |total| i128::from(total.get()));
        assert_eq!(cell(&["应结订单金额"]).and_then(fen).unwrap_or(0), settlement);
        if let Entry::Refund(refund) = &row.entry {
            assert!(!refund.refund_id.is_empty() && !refund.out_refund_no.is_empty());
            let asked_for = cell(&["申请退款金额", "退款金额"]).and_then(fen);
            assert_eq!(asked_for, Some(i128::from(refund.total.get())));
        }
        shows_nobody(&row.row, row.openid, &format!("{row:?}"));
        vec![total, settlement]
    }

    fn line(row: &TradeRow<'_>) -> u64 {
        row.row.line()
    }

    fn stated(summary: &TradeSummary) -> (Option<u64>, Vec<Option<i64>>) {
        let sums = [summary.total, summary.settlement_total];
        (Some(summary.rows), sums.iter().map(|sum| sum.map(wechatpay::Fen::get)).collect())
    }
}

impl Held for FundFlow {
    fn added(row: &FundFlowRow<'_>) -> Vec<i128> {
        let amount = i128::from(row.amount.get());
        assert_eq!(row.row.get("收支金额(元)").and_then(fen), Some(amount));
        assert_eq!(row.row.get("账户结余(元)").and_then(fen), Some(i128::from(row.balance.get())));
        assert!(!row.flow_no.is_empty());
        let (income, expense) = match row.direction {
            Direction::Income => (amount, 0),
            Direction::Expense => (0, amount),
            _ => (0, 0),
        };
        assert_eq!(row.signed_fen().map_or(0, i128::from), income - expense);
        vec![income, expense]
    }

    fn line(row: &FundFlowRow<'_>) -> u64 {
        row.row.line()
    }

    fn stated(summary: &FundFlowSummary) -> (Option<u64>, Vec<Option<i64>>) {
        let sums = [summary.income, summary.expense];
        (Some(summary.rows), sums.iter().map(|sum| sum.map(wechatpay::Fen::get)).collect())
    }
}

impl Held for Any {
    fn added(row: &Row<'_>) -> Vec<i128> {
        assert_eq!(row.iter().count(), row.headings().len());
        assert_hidden(&format!("{row:?}"));
        Vec::new()
    }

    fn line(row: &Row<'_>) -> u64 {
        row.line()
    }

    /// How many rows there are, it need not say.
    fn stated(_: &Summary) -> (Option<u64>, Vec<Option<i64>>) {
        (None, Vec::new())
    }
}

/// A payer's id, where it stands in its own cell alone, is not shown.
fn shows_nobody(row: &Row<'_>, openid: Option<&str>, shown: &str) {
    let is_beside = |(_, cell): (&str, &str)| Some(cell) != openid && canary::is_in(cell.as_bytes());
    if !row.iter().any(is_beside) {
        assert_hidden(shown);
    }
}

/// Yuan as fen, where they are exact in fen; by whole numbers of the digits, without the code under test.
fn fen(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = Some(fraction).filter(|fraction| are_digits(fraction))?.trim_end_matches('0');
    if !are_digits(whole) || fraction.len() > 2 {
        return None;
    }
    // Zeros before it make no number larger.
    let whole = whole.trim_start_matches('0');
    let fen: i128 = format!("0{whole}{fraction:0<2}").parse().ok()?;
    Some(sign * fen)
}

fn stage(error: &BillError) -> Stage {
    match error {
        BillError::Empty => "empty",
        BillError::NotABill => "not a bill",
        BillError::TabSeparated => "tabs",
        BillError::MissingColumn { .. } => "missing column",
        BillError::AmbiguousColumn { .. } => "ambiguous column",
        BillError::NotARow { .. } => "not a row",
        BillError::CellCount { .. } => "cell count",
        BillError::NotUtf8 { .. } => "not UTF-8",
        BillError::LineTooLong { .. } => "line too long",
        BillError::Amount { .. } => "amount",
        BillError::Count { .. } => "count",
        BillError::Time { .. } => "time",
        BillError::EmptyCell { .. } => "empty cell",
        BillError::AfterSummary { .. } => "after the summary",
        BillError::Truncated { .. } => "truncated",
        BillError::Unread { .. } => panic!("every row was taken"),
        BillError::Gzip | BillError::GzipTruncated | BillError::GzipTrailing => "gzip",
        BillError::Mismatch(_) => "mismatch",
        other => panic!("an error that is not known here: {other}"),
    }
}
