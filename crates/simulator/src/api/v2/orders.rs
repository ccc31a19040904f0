//! `/pay/unifiedorder`, `/pay/orderquery`, `/pay/closeorder`.
//!
//! Deliberately absent: what fields do that no look-alike can play: they are kept, and compared when the order is placed
//! again.

use serde_json::Value;
use wechatpay::v2::Fields;

use super::door::{Ask, Reply};
use super::error::Error;
use super::fields::{fen, number, optional_text, optional_time, optional_word, text};
use crate::api::v3::fields::is_notify_url;
use crate::books::{Order, OrderPayer, Refusal, Role, Seller, Terms, TradeState, TradeType};
use crate::simulator::Desk;
use crate::{calendar, random};

const ORDER_MARKS: &[u8] = b"_-|*";

/// The fewest bytes of an order's number.
const NUMBER_BYTES_MIN: usize = 6;

pub(super) fn place(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let fields = &ask.fields;
    let trade_type = match text(fields, "trade_type", 16)?.as_str() {
        "JSAPI" => TradeType::Jsapi,
        "NATIVE" => TradeType::Native,
        "APP" => TradeType::App,
        "MWEB" => TradeType::Mweb,
        _ => return Err(Error::invalid("trade_type")),
    };
    let terms = terms(desk, ask, trade_type)?;
    let prepaid = desk.books.prepay(terms, desk.now, desk.rng)?;
    let mut own = Fields::default();
    own.insert("trade_type", trade_type.as_str());
    let of_page = prepaid.ticket.split_once("prepay_id=").and_then(|(_, rest)| rest.split('&').next());
    let prepay_id = match trade_type {
        TradeType::Jsapi | TradeType::App => prepaid.ticket.clone(),
        TradeType::Mweb => of_page.unwrap_or_default().to_owned(),
        TradeType::Native => {
            format!("wx{}{}", calendar::second_digits(desk.now), random::hex(desk.rng, 20))
        }
    };
    own.insert("prepay_id", prepay_id);
    match trade_type {
        TradeType::Native => own.insert("code_url", prepaid.ticket),
        TradeType::Mweb => own.insert("mweb_url", prepaid.ticket),
        TradeType::Jsapi | TradeType::App => {}
    }
    Ok(Reply::Fields(own))
}

pub(super) fn query(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let order = match (ask.fields.get("transaction_id"), ask.fields.get("out_trade_no")) {
        (Some(id), _) => desk.books.find_paid(ask.whose(), id)?,
        (None, Some(number)) => desk.books.find(ask.whose(), number)?,
        (None, None) => return Err(Error::missing("out_trade_no")),
    };
    let mut own = Fields::default();
    if let Some(payment) = order.payment() {
        payment.v2_fields().iter().for_each(|(name, value)| own.insert(name, value.as_str()));
    }
    let state = order.state(desk.now);
    own.insert("out_trade_no", order.terms.out_trade_no.as_str());
    own.insert("trade_state", state.as_str());
    own.insert("trade_state_desc", state.description());
    Ok(Reply::Fields(own))
}

pub(super) fn close(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let number = text(&ask.fields, "out_trade_no", 32)?;
    let order: &Order = desk.books.find(ask.whose(), &number)?;
    // Unlike APIv3, which takes a second closing for a first.
    if order.state(desk.now) == TradeState::Closed {
        return Err(Refusal::OrderClosed.into());
    }
    desk.books.close(ask.whose(), &number, desk.now)?;
    let mut own = Fields::default();
    own.insert("result_msg", "OK");
    Ok(Reply::Fields(own))
}

fn terms(desk: &Desk<'_>, ask: &Ask, trade_type: TradeType) -> Result<Terms, Error> {
    let fields = &ask.fields;
    let out_trade_no = number(fields, "out_trade_no", 32, ORDER_MARKS)?;
    if out_trade_no.len() < NUMBER_BYTES_MIN {
        return Err(Error::said("out_trade_no参数长度有误"));
    }
    let notify_url = text(fields, "notify_url", 256)?;
    if !is_notify_url(&notify_url) {
        return Err(Error::invalid("notify_url"));
    }
    text(fields, "spbill_create_ip", 64)?;
    optional_word(fields, "fee_type", &["CNY"])?;
    optional_time(fields, "time_start")?;
    for (name, bytes_max) in [("detail", 6000), ("goods_tag", 32), ("limit_pay", 32), ("scene_info", 256)] {
        optional_text(fields, name, bytes_max)?;
    }
    Ok(Terms {
        seller: seller(desk, ask)?,
        out_trade_no,
        trade_type,
        // Counted in bytes by WeChat's page, in characters by its service.
        description: text(fields, "body", 127 * 4)?,
        amount_fen: fen(fields, "total_fee")?,
        notify_url,
        attach: optional_text(fields, "attach", 127)?,
        time_expire: optional_time(fields, "time_expire")?,
        payer: payer(ask, trade_type)?,
        device_id: optional_text(fields, "device_info", 32)?,
        protocol: ask.protocol(),
        parameters: Value::String(fields.to_json()),
    })
}

fn seller(desk: &Desk<'_>, ask: &Ask) -> Result<Seller, Error> {
    let (appid, mchid) = (ask.appid.clone(), ask.mch_id.clone());
    let is_provider = desk.books.account(&mchid).is_some_and(|account| account.role == Role::Provider);
    Ok(match &ask.sub_mch_id {
        None if is_provider => return Err(Refusal::SubMchidMissing.into()),
        None => Seller::Ordinary { appid, mchid },
        Some(sub_mchid) => Seller::Partner {
            sp_appid: appid,
            sp_mchid: mchid,
            sub_appid: optional_text(&ask.fields, "sub_appid", 32)?,
            sub_mchid: sub_mchid.clone(),
        },
    })
}

fn payer(ask: &Ask, trade_type: TradeType) -> Result<Option<OrderPayer>, Error> {
    let fields = &ask.fields;
    match trade_type {
        TradeType::App => Ok(None),
        TradeType::Native => text(fields, "product_id", 32).map(|_| None),
        TradeType::Mweb => text(fields, "scene_info", 256).map(|_| None),
        TradeType::Jsapi => {
            let openid = optional_text(fields, "openid", 128)?.map(OrderPayer::Openid);
            let sub = optional_text(fields, "sub_openid", 128)?.map(OrderPayer::SubOpenid);
            openid.or(sub).map(Some).ok_or_else(|| Error::said("JSAPI支付必须传openid"))
        }
    }
}
