//! `/v3/combine-transactions`: placing a combined order, asking for it by either number, closing it.
//!
//! Invariants: who asks is the merchant that combined; what reaches the books broke no rule for a single field.
//! Deliberately absent: refunds, which are the parts' own; what fields do that no look-alike can play: they are checked,
//! kept, and compared when the order is placed again.

use std::collections::BTreeSet;

use serde_json::Value;
use wechatpay::UnixSeconds;

use super::door::Ask;
use super::error::{Error, FieldRule};
use super::fields::{Object, parse};
use super::prepay::{self, AMOUNT_FEN_MAX};
use super::reply::Reply;
use crate::books::{
    CombineStatement, CombineTerms, OrderKey, OrderPayer, Protocol, Seller, Terms, TradeType,
};
use crate::simulator::Desk;

/// Parts of an order, where a provider sells among the sellers; else [`PARTS`].
const PARTS_OF_PROVIDERS: (usize, usize) = (1, 50);
const PARTS: (usize, usize) = (2, 10);

/// What a number may hold beside letters and digits.
const MARKS: &[u8] = b"_-|*@";

const KNOWN: [&str; 10] = [
    "combine_appid",
    "combine_mchid",
    "combine_out_trade_no",
    "scene_info",
    "sub_orders",
    "combine_payer_info",
    "time_start",
    "time_expire",
    "notify_url",
    "limit_pay",
];

const KNOWN_OF_PART: [&str; 10] = [
    "mchid",
    "attach",
    "amount",
    "out_trade_no",
    "sub_mchid",
    "sub_appid",
    "detail",
    "goods_tag",
    "description",
    "settle_info",
];

pub(super) fn place(desk: &mut Desk<'_>, ask: &Ask, trade_type: TradeType) -> Result<Reply, Error> {
    let parameters = parse(&ask.body)?;
    let body = Object::whole(&parameters, &KNOWN)?;
    let whole = whole(&body, ask, trade_type)?;
    if whole.combine_mchid != ask.caller.mchid {
        return Err(Error::OtherMchid);
    }
    body.optional_time("time_start", "交易起始时间")?;
    let time_expire = prepay::time_expire(&body, desk.now)?;
    body.words("limit_pay", "指定支付方式", &["no_balance", "no_credit", "no_debit", "balance_only"])?;
    let parts = parts(&body, &whole, time_expire)?;
    let prepaid = desk.books.combine(CombineTerms { parameters, ..whole }, parts, desk.now, desk.rng)?;
    Ok(prepay::ticket(trade_type, &prepaid))
}

pub(super) fn query_by_number(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let key = OrderKey::new(&ask.caller.mchid, ask.path("combine_out_trade_no"));
    let combined = desk.books.find_combined(&key)?;
    Ok(Reply::Json(CombineStatement::of(desk.books, combined, desk.now).to_json()))
}

pub(super) fn query_by_id(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let id = ask.path("combine_transaction_id");
    let combined = desk.books.find_combined_paid(&ask.caller.mchid, id)?;
    Ok(Reply::Json(CombineStatement::of(desk.books, combined, desk.now).to_json()))
}

pub(super) fn close(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let body = parse(&ask.body)?;
    let body = Object::whole(&body, &["combine_appid", "sub_orders"])?;
    let appid = body.text("combine_appid", "合单商户appid", 1..=32)?;
    let mut named = BTreeSet::new();
    for part in
        body.objects("sub_orders", "子单信息", &["mchid", "out_trade_no", "sub_mchid", "sub_appid"])?
    {
        let mchid = part.text("mchid", "子单商户号", 1..=32)?;
        let number = part.text("out_trade_no", "子单商户订单号", 1..=32)?;
        part.optional_text("sub_mchid", "二级商户号", 32)?;
        part.optional_text("sub_appid", "子商户应用ID", 32)?;
        named.insert(OrderKey::new(&mchid, &number));
    }
    if named.is_empty() {
        return Err(body.breaks("sub_orders", "子单信息", FieldRule::Missing).into());
    }
    let key = OrderKey::new(&ask.caller.mchid, ask.path("combine_out_trade_no"));
    desk.books.close_combined(&key, &appid, &named, desk.now)?;
    Ok(Reply::Nothing)
}

fn whole(body: &Object<'_>, ask: &Ask, trade_type: TradeType) -> Result<CombineTerms, Error> {
    Ok(CombineTerms {
        combine_appid: body.text("combine_appid", "合单商户appid", 1..=32)?,
        combine_mchid: body.text("combine_mchid", "合单商户号", 1..=32)?,
        combine_out_trade_no: body.number("combine_out_trade_no", "合单商户订单号", 2..=32, MARKS)?,
        trade_type,
        notify_url: body.url("notify_url", "通知地址", 256)?,
        payer: payer(body, ask, trade_type)?,
        device_id: scene(body, trade_type)?,
        parameters: Value::Null,
    })
}

fn payer(body: &Object<'_>, ask: &Ask, trade_type: TradeType) -> Result<Option<OrderPayer>, Error> {
    let known = ["openid", "sub_openid", "identity"];
    let payer = body.optional_object("combine_payer_info", "支付者信息", &known)?;
    prepay::who_pays(payer, ask, trade_type, "openid", Some("sub_openid"))
}

fn scene(body: &Object<'_>, trade_type: TradeType) -> Result<Option<String>, Error> {
    let known = ["device_id", "payer_client_ip", "h5_info"];
    let is_h5 = trade_type == TradeType::Mweb;
    let scene = if is_h5 {
        Some(body.object("scene_info", "场景信息", &known)?)
    } else {
        body.optional_object("scene_info", "场景信息", &known)?
    };
    let Some(scene) = scene else { return Ok(None) };
    scene.text("payer_client_ip", "用户终端IP", 1..=45)?;
    if is_h5 {
        prepay::h5_info(&scene)?;
    }
    Ok(scene.optional_text("device_id", "商户端设备号", 16)?)
}

fn parts(
    body: &Object<'_>,
    whole: &CombineTerms,
    time_expire: Option<UnixSeconds>,
) -> Result<Vec<Terms>, Error> {
    let parts = body.objects("sub_orders", "子单信息", &KNOWN_OF_PART)?;
    let parts: Vec<_> =
        parts.iter().map(|entry| part(entry, whole, time_expire)).collect::<Result<_, _>>()?;
    let is_providers = parts.iter().any(|part| part.seller.sub_mchid().is_some());
    let (min, max) = if is_providers { PARTS_OF_PROVIDERS } else { PARTS };
    match parts.len() {
        0 => Err(body.breaks("sub_orders", "子单信息", FieldRule::Missing).into()),
        count if count < min => Err(body.breaks("sub_orders", "子单信息", FieldRule::TooFew { min }).into()),
        count if count > max => Err(body.breaks("sub_orders", "子单信息", FieldRule::TooMany { max }).into()),
        _ => Ok(parts),
    }
}

fn part(entry: &Object<'_>, whole: &CombineTerms, time_expire: Option<UnixSeconds>) -> Result<Terms, Error> {
    let amount = entry.object("amount", "订单金额", &["total_amount", "currency"])?;
    amount.one_of("currency", "标价币种", &["CNY"])?;
    entry.optional_text("detail", "商品详情", 6000)?;
    entry.optional_text("goods_tag", "订单优惠标记", 32)?;
    prepay::settle_info(entry)?;
    let seller = seller(entry, whole)?;
    let payer = match &whole.payer {
        // Under an app that this seller does not have, the payer cannot be named.
        Some(OrderPayer::SubOpenid(_)) if seller.sub_appid().is_none() => None,
        payer => payer.clone(),
    };
    Ok(Terms {
        out_trade_no: entry.number("out_trade_no", "子单商户订单号", 1..=32, MARKS)?,
        trade_type: whole.trade_type,
        description: entry.text("description", "商品描述", 1..=127)?,
        amount_fen: amount.integer("total_amount", "标价金额", 1..=AMOUNT_FEN_MAX)?,
        notify_url: whole.notify_url.clone(),
        attach: Some(entry.text("attach", "附加数据", 1..=128)?),
        time_expire,
        payer,
        device_id: whole.device_id.clone(),
        protocol: Protocol::V3,
        seller,
        parameters: Value::Null,
    })
}

fn seller(entry: &Object<'_>, whole: &CombineTerms) -> Result<Seller, Error> {
    let mchid = entry.text("mchid", "子单商户号", 1..=32)?;
    let sub_mchid = entry.optional_text("sub_mchid", "二级商户号", 32)?;
    let sub_appid = entry.optional_text("sub_appid", "子商户应用ID", 32)?;
    let appid = whole.combine_appid.clone();
    Ok(match sub_mchid {
        None => Seller::Ordinary { appid, mchid },
        Some(sub_mchid) => Seller::Partner { sp_appid: appid, sp_mchid: mchid, sub_appid, sub_mchid },
    })
}
