//! A trade bill as WeChat Pay would send it: 27 columns, numbers that look random, a refund in ten rows.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

const HEADINGS: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,\
    交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
    商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n";
const SUMMARY_HEADINGS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n";

const BANKS: [&str; 4] = ["OTHERS", "CFT", "CMB_CREDIT", "ICBC_DEBIT"];
const GOODS: [&str; 4] = ["红茶\\ 两盒", "毛巾", "生日蛋糕 8 寸", "order from the Mini Program"];

/// One row in this many is a refund.
const ROWS_PER_REFUND: u64 = 10;
/// The fee of a fen at 0.60 %, in 1/100000 yuan.
const FEE_PER_FEN: i64 = 6;

/// What was written.
pub(super) struct Written {
    pub(super) rows: u64,
    /// Of the plain file.
    pub(super) bytes: u64,
    /// Payments less refunds.
    pub(super) fen: i64,
}

/// Writes the same bill twice, plain and compressed.
pub(super) fn write(rows: u64, plain: &Path, gzip: &Path) -> anyhow::Result<Written> {
    let mut plain_file = BufWriter::new(File::create(plain)?);
    let mut gzip_file = GzEncoder::new(BufWriter::new(File::create(gzip)?), Compression::default());
    let mut bytes = 0;
    let mut put = |text: &str| -> anyhow::Result<()> {
        bytes += text.len() as u64;
        plain_file.write_all(text.as_bytes())?;
        Ok(gzip_file.write_all(text.as_bytes())?)
    };
    let (mut rng, mut paid, mut refunded) = (StdRng::seed_from_u64(1), 0, 0);
    put(HEADINGS)?;
    for n in 0..rows {
        let fen = rng.random_range(1..100_000);
        if n % ROWS_PER_REFUND == ROWS_PER_REFUND - 1 {
            refunded += fen;
            put(&row(n, rows, &mut rng, None, Some(fen)))?;
        } else {
            paid += fen;
            put(&row(n, rows, &mut rng, Some(fen), None))?;
        }
    }
    put(SUMMARY_HEADINGS)?;
    let (paid_yuan, refunded_yuan, fee) = (yuan(paid), yuan(refunded), fee(paid - refunded));
    put(&format!("`{rows}.0,`{paid_yuan},`{refunded_yuan},`0.00,`{fee},`{paid_yuan},`{refunded_yuan}\r\n"))?;
    plain_file.flush()?;
    gzip_file.finish()?.flush()?;
    Ok(Written { rows, bytes, fen: paid - refunded })
}

fn row(n: u64, rows: u64, rng: &mut StdRng, paid: Option<i64>, refunded: Option<i64>) -> String {
    let second = n * 86_400 / rows;
    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
    let tail: u64 = rng.random_range(0..10_000_000_000);
    let openid: String = (0..22).map(|_| char::from(rng.sample(rand::distr::Alphanumeric))).collect();
    let order: u64 = rng.random();
    let bank = BANKS[rng.random_range(0..BANKS.len())];
    let goods = GOODS[rng.random_range(0..GOODS.len())];
    let (state, refund) = match refunded {
        None => ("SUCCESS", "`0,`0,`0.00,`0.00,`,`".to_owned()),
        Some(fen) => {
            let yuan = yuan(fen);
            (
                "REFUND",
                format!("`503000000120260302{tail:010},`R{order:020},`{yuan},`0.00,`ORIGINAL,`PROCESSING"),
            )
        }
    };
    let (total, asked_for) = (yuan(paid.unwrap_or_default()), yuan(refunded.unwrap_or_default()));
    let fee = fee(paid.unwrap_or_default() - refunded.unwrap_or_default());
    format!(
        "`2026-03-02 {hours:02}:{minutes:02}:{seconds:02},`wx0123456789abcdef,`1900000001,`0,`,\
         `420000000120260302{tail:010},`{order:020},`oTEST{openid},`JSAPI,`{state},`{bank},`CNY,`{total},`0.00,{refund},\
         `{goods},`cart={order},`{fee},`0.60%,`{total},`{asked_for},`\r\n"
    )
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn fee(fen: i64) -> String {
    let fee = fen * FEE_PER_FEN;
    let sign = if fee < 0 { "-" } else { "" };
    format!("{sign}{}.{:05}", fee.abs() / 100_000, fee.abs() % 100_000)
}
