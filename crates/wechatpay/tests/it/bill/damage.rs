//! What is wrong with a file is told by a type, and nothing of it counts.

use wechatpay::bill::{AmountError, Any, Bill, BillError, Entry, FundFlow, Trade};

use super::{FUNDS, TRADES, any, funds, gzip, read_in_pieces, trades};

fn error(file: &str) -> BillError {
    trades(file).unwrap_err()
}

/// One change to the good file, made once.
fn changed(from: &str, to: &str) -> String {
    assert!(TRADES.contains(from), "{from}");
    TRADES.replacen(from, to, 1)
}

#[test]
fn table_of_cells() {
    let amount = |line, column: &str, reason| BillError::Amount { line, column: column.to_owned(), reason };
    let empty = |line, column: &str| BillError::EmptyCell { line, column: column.to_owned() };
    let time = |column: &str| BillError::Time { line: 2, column: column.to_owned() };
    for (from, to, expected) in [
        ("`0.60%,`59.90", "`0.60%,`59.9x", amount(2, "订单金额", AmountError::NotANumber)),
        ("`0.60%,`59.90", "`0.60%,`59.901", amount(2, "订单金额", AmountError::TooFine)),
        ("`0.60%,`59.90", "`0.60%,`-59.90", amount(2, "订单金额", AmountError::Negative)),
        ("`0.60%,`59.90", "`0.60%,`", amount(2, "订单金额", AmountError::NotANumber)),
        ("`0.60%,`59.90", "`0.60%,`99999999999999999999", amount(2, "订单金额", AmountError::TooLarge)),
        ("`118.00", "`4.00123E+27", amount(3, "应结订单金额", AmountError::NotANumber)),
        ("`0.71000", "`0.710001", amount(3, "手续费", AmountError::TooFine)),
        ("`0.71000", "`", amount(3, "手续费", AmountError::NotANumber)),
        ("`20.00,`0.00", "`20,00,`0.00", amount(4, "退款金额", AmountError::NotANumber)),
        ("`2026-03-02 09:15:07", "`2026-02-29 09:15:07", time("交易时间")),
        ("`2026-03-02 09:15:07", "`2016/5/4 2:18", time("交易时间")),
        ("`2026-03-02 09:15:07", "`", time("交易时间")),
        ("`4200000000202603020000000001", "`", empty(2, "微信订单号")),
        ("`ORDER20260302A", "`0", empty(2, "商户订单号")),
        ("`SUCCESS", "`", empty(2, "交易状态")),
        ("`50300000002026030200000000001", "`0", empty(4, "微信退款单号")),
        ("`REFUND20260302A", "`", empty(4, "商户退款单号")),
        ("`0.00,`20.00", "`0.00,`", empty(4, "申请退款金额")),
    ] {
        assert_eq!(error(&changed(from, to)), expected, "{from} → {to}");
    }
    let file = FUNDS.replacen("`收入", "`", 1);
    assert_eq!(funds(&file).unwrap_err(), empty(2, "收支类型"));
    let file = FUNDS.replacen("`159.90", "`159.901", 1);
    assert_eq!(funds(&file).unwrap_err(), amount(2, "账户结余(元)", AmountError::TooFine));
}

#[test]
fn table_of_shapes() {
    let heading = |heading: &str| BillError::MissingColumn { heading: heading.to_owned() };
    let cell_count = |line, cells| BillError::CellCount { line, cells, headings: 27 };
    for (from, to, expected) in [
        ("交易时间", "时间", heading("交易时间")),
        ("手续费,费率,订单金额", "手续费,费率,金额", heading("订单金额")),
        ("手续费,费率", "手续费,手续费", BillError::AmbiguousColumn { heading: "手续费".to_owned() }),
        ("`wx0123456789abcdef,", "", cell_count(2, 26)),
        ("`wx0123456789abcdef,", "`wx0123456789abcdef,`,", cell_count(2, 28)),
        ("\r\n`", "\r\n", BillError::NotARow { line: 2 }),
        ("总交易单数", "交易数", BillError::NotARow { line: 6 }),
        ("`187.90", "`187.90,`", BillError::CellCount { line: 7, cells: 8, headings: 7 }),
        ("`4.0", "`4.5", BillError::Count { line: 7, column: "总交易单数".to_owned() }),
    ] {
        assert_eq!(error(&changed(from, to)), expected, "{from} → {to}");
    }
    assert_eq!(error(FUNDS), heading("交易时间"));
    assert_eq!(funds(TRADES).unwrap_err(), heading("记账时间"));
    assert_eq!(error(&format!("{TRADES}{TRADES}")), BillError::AfterSummary { line: 8 });
    assert_eq!(error(&format!("{TRADES}x")), BillError::AfterSummary { line: 8 });
    assert_eq!(error(&TRADES.replace(',', "\t")), BillError::TabSeparated);
    for empty in ["", "\n", " \r\n\r\n", "\u{feff}", "\u{feff} "] {
        assert_eq!(error(empty), BillError::Empty, "{empty:?}");
    }
    for answer in
        ["<xml><return_code><![CDATA[FAIL]]></return_code></xml>", "{\"code\":\"NO_STATEMENT_EXIST\"}\n"]
    {
        assert_eq!(error(answer), BillError::NotABill, "{answer}");
    }
}

#[test]
fn a_summary_that_says_something_else_is_told_with_both() {
    for (from, to, heading, found) in [
        ("`4.0", "`5.0", "总交易单数", "4"),
        ("`177.90", "`177.91", "应结订单总金额", "177.90"),
        ("`25.00", "`0", "退款总金额", "25.00"),
        ("`4.0,`177.90,`25.00,`1.00", "`4.0,`177.90,`25.00,`1.01", "充值券退款总金额", "1.00"),
        ("`0.95", "`0.96", "手续费总金额", "0.95000"),
        ("`187.90", "`187.91", "订单总金额", "187.90"),
        ("`187.90,`26.00", "`187.90,`25.99", "申请退款总金额", "26.00"),
    ] {
        let BillError::Mismatch(mismatch) = error(&changed(from, to)) else { panic!("{to}") };
        let [difference] = &mismatch.differences[..] else { panic!("{mismatch}") };
        assert_eq!((difference.heading, difference.found.as_str()), (heading, found), "{to}");
        assert_eq!(mismatch.summary.get(heading), Some(difference.stated.as_str()), "{to}");
    }
    for (from, to) in [
        ("`3.0", "`2.0"),
        ("`1.0", "`3.0"),
        ("`59.90,`2.0", "`59.89,`2.0"),
        ("`2.0", "`1"),
        ("`20.24", "`20.25"),
    ] {
        let BillError::Mismatch(mismatch) = funds(&FUNDS.replacen(from, to, 1)).unwrap_err() else {
            panic!("{to}")
        };
        assert_eq!(mismatch.differences.len(), 1, "{to}");
    }
    let file = "列\n`1\n总交易单数\n`2\n";
    assert!(matches!(any(file), Err(BillError::Mismatch(_))));
}

/// Cut anywhere, a file is not taken for whole; but for the end of the last amount, which only the hash can tell.
#[test]
fn a_cut_file_is_no_bill() {
    let whole = TRADES.trim_end();
    let last_amount = whole.rfind(',').unwrap() + 1;
    for end in 0..last_amount {
        if !whole.is_char_boundary(end) {
            let cut = &whole.as_bytes()[..end];
            assert!(read_in_pieces::<Trade>(cut, &[100], |_| ()).is_err(), "cut at {end}");
            continue;
        }
        let error = error(&whole[..end]);
        let told = match &error {
            BillError::Empty => end <= "\u{feff}".len(),
            BillError::MissingColumn { .. } => end < whole.find('\n').unwrap(),
            BillError::Truncated { rows } => *rows <= 4,
            _ => false,
        };
        assert!(told, "cut at {end}: {error}");
    }
    for end in last_amount..whole.len() {
        match trades(&whole[..end]) {
            Ok(summary) => assert_eq!(summary.refund_total.unwrap().get(), 2600),
            Err(error) => {
                assert!(matches!(error, BillError::Amount { .. } | BillError::Mismatch(_)), "{error}")
            }
        }
    }
}

#[test]
fn a_cut_or_damaged_compressed_file_is_told() {
    let whole = gzip(TRADES.as_bytes());
    for end in 2..whole.len() {
        let told = read_in_pieces::<Trade>(&whole[..end], &[64], |_| ()).unwrap_err();
        assert_eq!(told, BillError::GzipTruncated, "cut at {end}");
    }
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    assert_eq!(read_in_pieces::<Any>(&damaged, &[64], |_| ()).unwrap_err(), BillError::Gzip);
    let trailing = [&whole[..], b"\r\n"].concat();
    assert_eq!(read_in_pieces::<Any>(&trailing, &[64], |_| ()).unwrap_err(), BillError::GzipTrailing);
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let bytes_max = 64 * 1024;
    let heading = TRADES.lines().next().unwrap();
    let long = |bytes: usize| format!("{heading}\n`{}", "a".repeat(bytes - 1));
    let too_long = BillError::LineTooLong { line: 2, bytes_max };
    assert_eq!(error(&(long(bytes_max + 1) + "\n")), too_long);
    assert_eq!(error(&long(bytes_max + 1)), too_long);
    assert_eq!(error(&(long(bytes_max) + "\n")), BillError::CellCount { line: 2, cells: 1, headings: 27 });
    // A gigabyte of one line in a megabyte of gzip.
    let bomb = [gzip(heading.as_bytes()), gzip(b"\n`"), gzip(&vec![b'a'; 1 << 20]).repeat(1024)].concat();
    assert_eq!(read_in_pieces::<Trade>(&bomb, &[usize::MAX], |_| ()).unwrap_err(), too_long);
}

#[test]
fn text_that_is_not_utf8_is_told() {
    let (_, rest) = TRADES.split_once("毛巾").unwrap();
    let at = TRADES.len() - rest.len() - 1;
    let mut file = TRADES.as_bytes().to_vec();
    file[at] = 0xff;
    assert_eq!(
        read_in_pieces::<Trade>(&file, &[usize::MAX], |_| ()).unwrap_err(),
        BillError::NotUtf8 { line: 3 }
    );
}

#[test]
fn after_an_error_there_is_nothing_but_that_error() {
    let file = changed("`128.00", "`128.x");
    let mut bill = Bill::<Trade>::new();
    bill.push(file.as_bytes());
    assert_eq!(bill.next_row().unwrap().unwrap().entry, Entry::Payment);
    let error = bill.next_row().unwrap_err();
    assert!(matches!(error, BillError::Amount { line: 3, .. }), "{error}");
    bill.push(TRADES.as_bytes());
    assert_eq!(bill.next_row().unwrap_err(), error);
    assert_eq!(bill.finish().unwrap_err(), error);
}

/// Rows that wait behind a forgotten loop would be missing from the books.
#[test]
fn rows_that_were_not_taken_are_told() {
    let mut bill = Bill::<FundFlow>::new();
    bill.push(FUNDS.as_bytes());
    bill.next_row().unwrap();
    assert_eq!((bill.rows(), bill.headings().unwrap().len()), (1, 11));
    assert_eq!(bill.finish().unwrap_err(), BillError::Unread { line: 3 });
}

#[test]
fn errors_say_what_to_do_and_quote_no_cell() {
    let secret = "oTESTopenid0000000000000001";
    for (from, to) in [("`0.60%,`59.90", secret), ("`2026-03-02 09:15:07", secret), ("`4.0", secret)] {
        let error = error(&changed(from, &format!("`{secret},")));
        assert!(!format!("{error} {error:?}").contains(secret), "{from} → {to}: {error:?}");
    }
    let shifted = changed("`59.90,`0.00,`\r\n", &format!("`{secret},`0.00,`\r\n"));
    let error = error(&shifted);
    assert_eq!(error.to_string(), "line 2, column 订单金额: not an amount in yuan such as 59.90");
}
