//! Bills: each layout, each kind of damage, arbitrary bytes in arbitrary pieces.

mod arbitrary;
mod damage;
mod fund_flow;
mod layouts;
mod trade;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use wechatpay::bill::{Any, Bill, BillError, FundFlow, FundFlowSummary, Kind, Row, Trade, TradeSummary};

/// A day with two payments, a refund and a reversal: byte order mark, CRLF, escapes, a bare comma, a rounded fee.
pub(crate) const TRADES: &str = include_str!("../../vectors/bill.csv");

pub(crate) const FUNDS: &str = "\
记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号
`2026-03-02 09:15:08,`4200000000202603020000000001,`4200000000202603029000000001,`交易,`交易,`收入,`59.90,`159.90,`system,`结算总金额 59.90 元;含手续费 0.36 元,`ORDER20260302A
`2026-03-02 09:15:08,`4200000000202603020000000001,`4200000000202603029000000002,`交易,`扣除交易手续费,`支出,`0.36,`159.54,`system,`,`ORDER20260302A
`2026-03-02 18:40:31,`50300000002026030200000000001,`4200000000202603029000000003,`退款,`退款,`支出,`19.88,`139.66,`1900000001API,`退款总金额20.00元;含手续费0.12元,`REFUND20260302A
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额
`3.0,`1.0,`59.90,`2.0,`20.24
";

/// Reads a file in pieces of these sizes, again and again, and shows each row.
pub(crate) fn read_in_pieces<K: Kind>(
    file: &[u8],
    sizes: &[usize],
    mut show: impl FnMut(K::Row<'_>),
) -> Result<K::Summary, BillError> {
    let mut bill = Bill::<K>::new();
    let mut rest = file;
    for size in sizes.iter().cycle() {
        let (piece, more) = rest.split_at(rest.len().min(*size));
        bill.push(piece);
        while let Some(row) = bill.next_row()? {
            show(row);
        }
        rest = more;
        if rest.is_empty() {
            break;
        }
    }
    bill.finish()
}

pub(crate) fn read<K: Kind>(file: &str, show: impl FnMut(K::Row<'_>)) -> Result<K::Summary, BillError> {
    read_in_pieces::<K>(file.as_bytes(), &[usize::MAX], show)
}

fn trades(file: &str) -> Result<TradeSummary, BillError> {
    read::<Trade>(file, |_| ())
}

fn funds(file: &str) -> Result<FundFlowSummary, BillError> {
    read::<FundFlow>(file, |_| ())
}

fn any(file: &str) -> Result<Vec<Vec<String>>, BillError> {
    let mut rows = Vec::new();
    read::<Any>(file, |row| rows.push(cells(row)))?;
    Ok(rows)
}

fn cells(row: Row<'_>) -> Vec<String> {
    row.iter().map(|(_, cell)| cell.to_owned()).collect()
}

fn gzip(file: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(file).unwrap();
    encoder.finish().unwrap()
}
