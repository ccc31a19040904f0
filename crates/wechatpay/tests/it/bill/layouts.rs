//! The layouts that bills come in: by kind, by age, by system.

use wechatpay::bill::{Any, Bill, BillError, Entry, Fee, FundFlow, FundFlowRow, Row, Trade, TradeRow};
use wechatpay::{Fen, UnixSeconds};

use super::{FUNDS, TRADES, any, cells, funds, gzip, read, read_in_pieces, trades};

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

const SUCCESS: &str = "\
交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注
`2026-03-02 09:15:07,`wx1,`1900000001,`0,`,`42001,`A1,`oUSER,`JSAPI,`SUCCESS,`CFT,`CNY,`0.90,`0.10,`茶,`,`0.00600,`0.60%,`1.00,`
";

const REFUND: &str = "\
交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注
`2026-03-01 09:15:07,`wx1,`1900000001,`0,`,`42001,`A1,`oUSER,`JSAPI,`REFUND,`CFT,`CNY,`0.00,`0.00,`2026-03-02 09:15:07,`2026-03-02 09:15:10,`50301,`R1,`0.90,`0.00,`ORIGINAL,`SUCCESS,`茶,`,`-0.00600,`0.60%,`0.00,`1.00,`
`2026-03-01 09:15:07,`wx1,`1900000001,`0,`,`42001,`A1,`oUSER,`JSAPI,`REFUND,`CFT,`CNY,`0.00,`0.00,`2026-03-02 09:15:08,`,`50302,`R2,`0.50,`0.00,`BALANCE,`PROCESSING,`茶,`,`0.00000,`0.60%,`0.00,`0.50,`
总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额
`2,`0.00,`1.40,`0.00,`-0.00600,`0.00,`1.50
";

/// Merchants without the switch for coupons in settlements; the coupons' columns have several names.
const OLDER: &str = "\
交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率
`2014-11-10 16：33：45,`wx1,`10000100,`10000109,`1000,`10011,`A1,`oUSER,`MICROPAY,`SUCCESS,`OTHERS,`CNY,`1.0,`0.25,`0,`0,`0,`0,`,`,`茶,`,`0,`0.60%
`2014-11-10 16：46：14,`wx1,`10000100,`10000109,`1000,`10012,`A2,`oUSER,`MICROPAY,`REFUND,`OTHERS,`CNY,`0,`0.0,`20011,`R1,`0.5,`0.1,`ORIGINAL,`SUCCESS,`茶,`,`0,`0.60%
总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额
`2,`1.0,`0.5,`0.1,`0";

#[test]
fn success_bills_with_both_summaries() {
    for summary in [
        "总交易单数,应结订单总金额,手续费总金额,订单总金额\n`1,`0.90,`0.00600,`1.00",
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n`1,`0.90,`0.00,`0.00,`0.01,`1.00,`0.00",
    ] {
        let summary = trades(&format!("{SUCCESS}{summary}")).unwrap();
        assert_eq!(
            (summary.rows, summary.total, summary.settlement_total),
            (1, Some(fen(100)), Some(fen(90)))
        );
    }
    // A refund has no place in such a bill.
    let file = SUCCESS.replace("`SUCCESS", "`REFUND") + "总交易单数\n`1";
    assert!(matches!(trades(&file), Err(BillError::MissingColumn { .. })));
}

#[test]
fn refund_bills_have_two_more_times() {
    let mut times = Vec::new();
    let summary = read::<Trade>(REFUND, |row| {
        let Entry::Refund(refund) = row.entry else { panic!("{row:?}") };
        assert_eq!(row.time, UnixSeconds(1_772_327_707));
        times.push((
            refund.accepted_at.unwrap().0 - row.time.0,
            refund.succeeded_at.map(|time| time.0 - row.time.0),
        ));
    });
    assert_eq!(times, [(86_400, Some(86_403)), (86_401, None)]);
    let summary = summary.unwrap();
    assert_eq!((summary.refund_total, summary.refund_settlement_total), (Some(fen(150)), Some(fen(140))));
    assert_eq!(summary.fee, Some(Fee::new(-600)));
}

#[test]
fn older_headings_are_understood() {
    for file in [
        OLDER.to_owned(),
        OLDER
            .replace("企业红包金额", "代金券或立减优惠金额")
            .replace("企业红包退款金额", "代金券或立减优惠退款金额"),
        OLDER.replace("公众账号ID", "服务商的APPID"),
    ] {
        let mut seen = Vec::new();
        let summary = read::<Trade>(&file, |row| {
            assert_eq!((row.appid, row.sub_mchid, &*row.device_info), ("wx1", Some("10000109"), "1000"));
            assert_eq!((row.settlement_total, row.fee), (None, Fee::default()));
            seen.push((row.time, row.total, row.coupon.unwrap()));
            if let Entry::Refund(refund) = row.entry {
                assert_eq!(
                    (refund.total, refund.settlement_total, refund.coupon),
                    (fen(50), None, Some(fen(10)))
                );
            }
        });
        assert_eq!(
            seen,
            [(UnixSeconds(1_415_608_425), fen(100), fen(25)), (UnixSeconds(1_415_609_174), fen(0), fen(0))]
        );
        let summary = summary.unwrap();
        assert_eq!(
            (summary.total, summary.refund_total, summary.refund_coupon_total),
            (Some(fen(100)), Some(fen(50)), Some(fen(10)))
        );
        assert_eq!((summary.settlement_total, summary.refund_settlement_total), (None, None));
    }
}

/// The empty bill that crashed a parser.
#[test]
fn a_day_without_trades_is_a_bill_without_rows() {
    let heading = TRADES.lines().next().unwrap();
    let summary =
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
    for zeros in [
        "`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00",
        "`0.0,`0.0,`0.0,`0.0,`0.0,`0.0,`0.0",
        "`0,`0,`0,`0,`0,`0,`0",
    ] {
        assert_eq!(trades(&format!("{heading}\r\n{summary}\r\n{zeros}\r\n")).unwrap().rows, 0);
    }
    let heading = FUNDS.lines().next().unwrap();
    assert_eq!(funds(&format!("{heading}\n资金流水总笔数,收入笔数\n`0,`0")).unwrap().rows, 0);
}

/// Columns appear over time, and anywhere.
#[test]
fn columns_are_found_by_name_and_new_ones_stay_reachable() {
    let width = TRADES.lines().next().unwrap().split(',').count();
    let turned = |line: &str, backtick: &str, new: &str| {
        let line = line.trim_start_matches(['\u{feff}', '`']);
        let between = format!(",{backtick}");
        let mut cells: Vec<_> = line.split(&between).collect();
        assert_eq!(cells.len(), width, "{line}");
        cells.reverse();
        cells.insert(3, new);
        format!("{backtick}{}\n", cells.join(&between))
    };
    let lines: Vec<_> = TRADES.lines().collect();
    let mut file = turned(lines[0], "", "新（列）");
    for line in &lines[1..5] {
        file += &turned(line, "`", "a\\ b");
    }
    file += &lines[5..].join("\n");
    let fields = |file: &str| {
        let mut fields = Vec::new();
        read::<Trade>(file, |row| fields.push(format!("{row:?} {:?} {}", row.openid, row.attach))).unwrap();
        fields
    };
    assert_eq!(fields(&file), fields(TRADES));
    read::<Trade>(&file, |row| {
        assert_eq!(
            (row.row.get("新(列)"), row.row.text("新（列）").as_deref()),
            (Some("a\\ b"), Some("a,b"))
        );
        assert_eq!(row.row.get("没有"), None);
    })
    .unwrap();
}

#[test]
fn the_ways_of_systems_to_write_a_file_make_no_difference() {
    let plain = TRADES.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let expected = any(&plain).unwrap();
    for file in [
        TRADES.to_owned(),
        TRADES.trim_end().to_owned(),
        plain.trim_end().to_owned(),
        plain.replace('\n', "\n \t"),
        plain.replace('\n', "\r\n\r\n  \r\n"),
        format!("\u{feff}\n\n{plain}\n\n \n"),
    ] {
        assert_eq!(any(&file).unwrap(), expected);
        assert_eq!(trades(&file).unwrap().rows, 4);
    }
}

#[test]
fn compressed_files_are_read_as_plain_ones() {
    let file = TRADES.as_bytes();
    let (first, second) = file.split_at(777);
    for compressed in [gzip(file), [gzip(first), gzip(second)].concat()] {
        for size in [1, 10, 1000, usize::MAX] {
            let mut rows = Vec::new();
            read_in_pieces::<Any>(&compressed, &[size], |row| rows.push(cells(row))).unwrap();
            assert_eq!(rows, any(TRADES).unwrap());
        }
    }
}

/// A file much larger than what is held of it at a time, in small and large pieces.
#[test]
fn long_files_are_read_with_any_size_of_piece() {
    const ROWS: u64 = 3000;
    let lines: Vec<_> = FUNDS.lines().collect();
    let mut file = format!("{}\n", lines[0]);
    for n in 1..=ROWS {
        file += &lines[2]
            .replace("4200000000202603029000000002", &format!("{n}"))
            .replace("`system", &format!("`{}", "x".repeat(n as usize % 300)));
        file.push('\n');
    }
    let expense = Fen::new(36 * ROWS as i64).unwrap();
    file += &format!(
        "资金流水总笔数,支出笔数,支出金额\n`{ROWS},`{ROWS},`{}.{:02}",
        expense.get() / 100,
        expense.get() % 100
    );
    let compressed = gzip(file.as_bytes());
    for (file, size) in [
        (file.as_bytes(), 700),
        (file.as_bytes(), 100_000),
        (file.as_bytes(), usize::MAX),
        (&compressed, 9),
        (&compressed, usize::MAX),
    ] {
        let mut seen = 0;
        let summary = read_in_pieces::<FundFlow>(file, &[size], |row| {
            seen += 1;
            assert_eq!((row.flow_no.parse(), row.applicant.len() as u64), (Ok(seen), seen % 300));
        });
        assert_eq!((seen, summary.unwrap().expense), (ROWS, Some(expense)), "pieces of {size}");
    }
    let mut bill = Bill::<FundFlow>::new();
    // One row for each piece, so that text heaps up; then the rest.
    for piece in file.as_bytes().chunks(1000) {
        bill.push(piece);
        bill.next_row().unwrap();
    }
    while bill.next_row().unwrap().is_some() {}
    assert_eq!((bill.rows(), bill.finish().unwrap().expense), (ROWS, Some(expense)));
}

/// A bill may be read in a task that other threads go on with.
#[test]
fn bills_and_rows_go_from_thread_to_thread() {
    fn goes<T: Send + Sync>() {}
    goes::<Bill<Any>>();
    goes::<Bill<Trade>>();
    goes::<Bill<FundFlow>>();
    goes::<(Row<'_>, TradeRow<'_>, FundFlowRow<'_>, BillError)>();
}

/// Before January 2025 some columns of profit-sharing bills had no backtick.
#[test]
fn rows_some_of_whose_cells_lack_the_backtick() {
    let file = "分账时间,微信分账单号,分账金额(元),描述\n`2024-12-02 09:15:07,`30001,1.20,`\n`2024-12-02 09:15:08,`30002,`2.30,分\n\
                总条数,总金额\n`1,`1.20\n`1,`2.30\n";
    let rows = any(file).unwrap();
    assert_eq!(
        rows,
        [["2024-12-02 09:15:07", "30001", "1.20", ""], ["2024-12-02 09:15:08", "30002", "2.30", "分"]]
    );
    let summary = read::<Any>(file, |_| ()).unwrap();
    assert_eq!(
        (summary.len(), summary.get("总金额"), summary.cell(1, "总金额")),
        (2, Some("1.20"), Some("2.30"))
    );
}
