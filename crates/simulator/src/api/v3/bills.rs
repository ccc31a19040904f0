//! `/v3/bill/tradebill`, `/v3/bill/fundflowbill`, and the download of what they name.
//!
//! Invariants: the hash is over the file as it is before it is compressed; the download is signed by who asked, its answer
//! by nobody. Deliberately absent: encrypted bills of sub-merchants' accounts.

use std::io::Write as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use wechatpay::UnixSeconds;

use super::door::Ask;
use super::error::{Error, FieldRule};
use super::fields::{optional_parameter, parameter, parameter_breaks};
use super::reply::Reply;
use crate::books::{BillKind, BillRequest, TradeRows};
use crate::calendar;
use crate::simulator::Desk;

pub(super) fn trade(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let rows = match optional_parameter(&ask.query, "bill_type") {
        None | Some("ALL" | "ALL_SPECIAL") => Some(TradeRows::All),
        Some("SUCCESS" | "SUC_SPECIAL") => Some(TradeRows::Payments),
        Some("REFUND" | "REF_SPECIAL") => Some(TradeRows::Refunds),
        Some("RECHARGE_REFUND") => None,
        Some(other) => {
            return Err(parameter_breaks("bill_type", "账单类型", other, FieldRule::NotOneOf).into());
        }
    };
    let sub_mchid = optional_parameter(&ask.query, "sub_mchid").map(str::to_owned);
    state(desk, ask, rows.map_or(BillKind::Nothing, |rows| BillKind::Trade { rows, sub_mchid }))
}

pub(super) fn fund_flow(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let kind = match optional_parameter(&ask.query, "account_type") {
        None | Some("BASIC") => BillKind::FundFlow,
        Some("OPERATION" | "FEES") => BillKind::Nothing,
        Some(other) => {
            return Err(parameter_breaks("account_type", "资金账户类型", other, FieldRule::NotOneOf).into());
        }
    };
    state(desk, ask, kind)
}

pub(super) fn download(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let token = parameter(&ask.query, "token", "下载凭证")?;
    let (text, gzip) = desk.books.bill_file(&ask.caller.mchid, token, desk.now)?;
    Ok(Reply::File(if gzip { gzipped(&text) } else { text.into_bytes() }))
}

/// Where the file is, and how to know it.
fn state(desk: &mut Desk<'_>, ask: &Ask, kind: BillKind) -> Result<Reply, Error> {
    let gzip = match optional_parameter(&ask.query, "tar_type") {
        None => false,
        Some("GZIP") => true,
        Some(other) => {
            return Err(parameter_breaks("tar_type", "压缩类型", other, FieldRule::NotOneOf).into());
        }
    };
    let request = BillRequest { mchid: ask.caller.mchid.clone(), day: day(ask)?, kind };
    let (text, token) = desk.books.issue_bill(request, gzip, desk.now, desk.rng)?;
    let suffix = if gzip { "&tartype=gzip" } else { "" };
    Ok(Reply::json(&json!({
        "hash_type": "SHA1",
        "hash_value": sha1(&text),
        "download_url": format!("{}/v3/billdownload/file?token={token}{suffix}", ask.base_url),
    })))
}

fn day(ask: &Ask) -> Result<UnixSeconds, Error> {
    let text = parameter(&ask.query, "bill_date", "账单日期")?;
    let wrong = || parameter_breaks("bill_date", "账单日期", text, FieldRule::NotA("日期，格式yyyy-MM-dd"));
    calendar::day(text, "%Y-%m-%d").ok_or_else(|| wrong().into())
}

fn sha1(text: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file as it goes compressed.
pub(in crate::api) fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.expect("BUG: a vector takes every byte")
}
