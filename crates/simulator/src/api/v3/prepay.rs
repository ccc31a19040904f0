//! `POST /v3/pay/transactions/{jsapi|app|h5|native}`, and the same under `/v3/pay/partner`: placing an order.
//!
//! Invariant: what reaches the books broke no rule for a single field. Deliberately absent: what the fields do that no
//! look-alike can play (promotions, e-invoices, real-name checks): they are checked, kept, and compared when the order is
//! placed again.

use serde_json::{Value, json};
use wechatpay::UnixSeconds;

use super::door::Ask;
use super::error::{Error, FieldRule};
use super::fields::{Object, parse};
use super::orders::Mode;
use super::reply::Reply;
use crate::books::{OrderPayer, Prepaid, Protocol, Seller, Terms, TradeType};
use crate::simulator::Desk;

/// The dearest order, in fen: what the field's own pages leave open, its type does not.
pub(super) const AMOUNT_FEN_MAX: i64 = 1_000_000_000;

/// `time_expire` lies this far ahead at most: of the limits that WeChat's pages name, the widest.
const EXPIRE_SECONDS_MAX: i64 = 90 * 24 * 3600;

/// What an order's number may hold beside letters and digits.
pub(super) const ORDER_MARKS: &[u8] = b"_-|*";

/// Bytes of `detail`.
const DETAIL_BYTES_MAX: usize = 6144;

const ACCOUNT: [&str; 6] = ["appid", "mchid", "sp_appid", "sp_mchid", "sub_appid", "sub_mchid"];

const REST: [&str; 14] = [
    "description",
    "out_trade_no",
    "time_expire",
    "attach",
    "notify_url",
    "goods_tag",
    "limit_pay",
    "support_fapiao",
    "amount",
    "payer",
    "detail",
    "scene_info",
    "settle_info",
    "subsidy_info",
];

pub(super) fn place(
    desk: &mut Desk<'_>,
    ask: &Ask,
    mode: Mode,
    trade_type: TradeType,
) -> Result<Reply, Error> {
    let parameters = parse(&ask.body)?;
    let account = if mode == Mode::Ordinary { &ACCOUNT[..2] } else { &ACCOUNT[2..] };
    let body = Object::whole(&parameters, &[account, &REST].concat())?;
    let seller = seller(&body, mode)?;
    if seller.signer() != ask.caller.mchid {
        return Err(Error::OtherMchid);
    }
    let time_expire = time_expire(&body, desk.now)?;
    let amount = body.object("amount", "订单金额", &["total", "currency"])?;
    let terms = Terms {
        out_trade_no: body.number("out_trade_no", "商户订单号", 6..=32, ORDER_MARKS)?,
        trade_type,
        description: body.text("description", "商品描述", 1..=127)?,
        amount_fen: amount.integer("total", "总金额", 1..=AMOUNT_FEN_MAX)?,
        notify_url: body.url("notify_url", "通知地址", 255)?,
        attach: body.optional_text("attach", "附加数据", 128)?,
        time_expire,
        payer: payer(&body, mode, trade_type, ask)?,
        device_id: scene(&body, trade_type)?,
        protocol: Protocol::V3,
        seller,
        parameters: Value::Null,
    };
    currency(&amount)?;
    further(&body)?;
    let prepaid = desk.books.prepay(Terms { parameters, ..terms }, desk.now, desk.rng)?;
    Ok(ticket(trade_type, &prepaid))
}

/// What leads the user to the cashier, by its name.
pub(super) fn ticket(trade_type: TradeType, prepaid: &Prepaid) -> Reply {
    let name = match trade_type {
        TradeType::Jsapi | TradeType::App => "prepay_id",
        TradeType::Native => "code_url",
        TradeType::Mweb => "h5_url",
    };
    Reply::json(&json!({ name: prepaid.ticket }))
}

pub(super) fn time_expire(body: &Object<'_>, now: UnixSeconds) -> Result<Option<UnixSeconds>, Error> {
    let time_expire = body.optional_time("time_expire", "交易结束时间")?;
    if time_expire.is_some_and(|time| time.0 - now.0 > EXPIRE_SECONDS_MAX) {
        let rule = FieldRule::TooLarge { max: now.0 + EXPIRE_SECONDS_MAX };
        return Err(body.breaks("time_expire", "交易结束时间", rule).into());
    }
    Ok(time_expire)
}

fn seller(body: &Object<'_>, mode: Mode) -> Result<Seller, Error> {
    Ok(match mode {
        Mode::Ordinary => Seller::Ordinary {
            appid: body.text("appid", "公众号ID", 1..=32)?,
            mchid: body.text("mchid", "直连商户号", 1..=32)?,
        },
        Mode::Partner => Seller::Partner {
            sp_appid: body.text("sp_appid", "服务商应用ID", 1..=32)?,
            sp_mchid: body.text("sp_mchid", "服务商户号", 1..=32)?,
            sub_appid: body.optional_text("sub_appid", "子商户应用ID", 32)?,
            sub_mchid: body.text("sub_mchid", "子商户号", 1..=32)?,
        },
    })
}

fn currency(amount: &Object<'_>) -> Result<(), Error> {
    match amount.optional_text("currency", "货币类型", 16)?.as_deref() {
        None | Some("CNY") => Ok(()),
        Some(_) => Err(amount.breaks("currency", "货币类型", FieldRule::NotOneOf).into()),
    }
}

fn payer(
    body: &Object<'_>,
    mode: Mode,
    trade_type: TradeType,
    ask: &Ask,
) -> Result<Option<OrderPayer>, Error> {
    let known: &[&str] = match (trade_type, mode) {
        (TradeType::Jsapi, Mode::Ordinary) => &["openid", "identity"],
        (TradeType::Jsapi, Mode::Partner) => &["sp_openid", "sub_openid", "identity"],
        _ => &["identity"],
    };
    let payer = body.optional_object("payer", "支付者", known)?;
    match mode {
        Mode::Ordinary => who_pays(payer, ask, trade_type, "openid", None),
        Mode::Partner => who_pays(payer, ask, trade_type, "sp_openid", Some("sub_openid")),
    }
}

/// Who pays in a Mini Program, under the app's own name for the user or, where there is one, the sub-merchant's.
pub(super) fn who_pays(
    payer: Option<Object<'_>>,
    ask: &Ask,
    trade_type: TradeType,
    own: &str,
    sub: Option<&str>,
) -> Result<Option<OrderPayer>, Error> {
    if let Some(payer) = &payer {
        let identity = payer.optional_object("identity", "实名支付信息", &["type", "number", "name"])?;
        if identity.is_some() && ask.serial.is_none() {
            return Err(Error::SerialMissing);
        }
    }
    if trade_type != TradeType::Jsapi {
        return Ok(None);
    }
    let payer = payer.ok_or(Error::OpenidMissing)?;
    if let Some(openid) = payer.optional_text(own, "用户标识", 128)? {
        return Ok(Some(OrderPayer::Openid(openid)));
    }
    let sub = sub.map(|sub| payer.optional_text(sub, "用户子标识", 128)).transpose()?.flatten();
    sub.map(|openid| Some(OrderPayer::SubOpenid(openid))).ok_or(Error::OpenidMissing)
}

/// The device; H5 also needs the user's address, and from where the user comes.
fn scene(body: &Object<'_>, trade_type: TradeType) -> Result<Option<String>, Error> {
    let known = ["payer_client_ip", "device_id", "store_info", "h5_info"];
    let is_h5 = trade_type == TradeType::Mweb;
    let scene = if is_h5 {
        Some(body.object("scene_info", "场景信息", &known)?)
    } else {
        body.optional_object("scene_info", "场景信息", &known)?
    };
    let Some(scene) = scene else { return Ok(None) };
    if is_h5 {
        scene.text("payer_client_ip", "用户终端IP", 1..=45)?;
        h5_info(&scene)?;
    } else {
        scene.optional_text("payer_client_ip", "用户终端IP", 45)?;
    }
    let store =
        scene.optional_object("store_info", "商户门店信息", &["id", "name", "area_code", "address"])?;
    if let Some(store) = store {
        store.text("id", "门店编号", 1..=32)?;
        store.optional_text("name", "门店名称", 256)?;
        store.optional_text("area_code", "地区编码", 32)?;
        store.optional_text("address", "详细地址", 512)?;
    }
    Ok(scene.optional_text("device_id", "商户端设备号", 32)?)
}

/// From where the user of H5 comes.
pub(super) fn h5_info(scene: &Object<'_>) -> Result<(), Error> {
    let known = ["type", "app_name", "app_url", "bundle_id", "package_name"];
    let h5 = scene.object("h5_info", "H5场景信息", &known)?;
    h5.text("type", "场景类型", 1..=32)?;
    for (field, name, chars_max) in [
        ("app_name", "应用名称", 64),
        ("app_url", "网站URL", 128),
        ("bundle_id", "iOS平台BundleID", 128),
        ("package_name", "Android平台PackageName", 128),
    ] {
        h5.optional_text(field, name, chars_max)?;
    }
    Ok(())
}

/// What is only checked.
fn further(body: &Object<'_>) -> Result<(), Error> {
    body.optional_text("goods_tag", "订单优惠标记", 32)?;
    body.words("limit_pay", "指定支付方式", &["no_balance", "no_credit", "no_debit", "balance_only"])?;
    body.optional_bool("support_fapiao", "电子发票入口开放标识")?;
    settle_info(body)?;
    body.optional_object("subsidy_info", "贴息信息", &["subsidy_detail"])?;
    detail(body)
}

/// How the money is settled.
pub(super) fn settle_info(body: &Object<'_>) -> Result<(), Error> {
    if let Some(settle) =
        body.optional_object("settle_info", "结算信息", &["profit_sharing", "subsidy_amount"])?
    {
        settle.optional_bool("profit_sharing", "是否指定分账")?;
        settle.optional_integer("subsidy_amount", "补差金额", 0..=AMOUNT_FEN_MAX)?;
    }
    Ok(())
}

fn detail(body: &Object<'_>) -> Result<(), Error> {
    let known = ["cost_price", "invoice_id", "goods_detail"];
    let Some(detail) = body.optional_object("detail", "优惠功能", &known)? else { return Ok(()) };
    if detail.bytes() > DETAIL_BYTES_MAX {
        let rule = FieldRule::TooLong { chars: detail.bytes(), max: DETAIL_BYTES_MAX };
        return Err(body.breaks("detail", "优惠功能", rule).into());
    }
    detail.optional_integer("cost_price", "订单原价", 0..=AMOUNT_FEN_MAX)?;
    detail.optional_text("invoice_id", "商品小票ID", 32)?;
    let known = ["merchant_goods_id", "wechatpay_goods_id", "goods_name", "quantity", "unit_price"];
    for goods in detail.objects("goods_detail", "单品列表", &known)? {
        goods.text("merchant_goods_id", "商户侧商品编码", 1..=32)?;
        goods.optional_text("wechatpay_goods_id", "微信支付商品编码", 32)?;
        goods.optional_text("goods_name", "商品名称", 256)?;
        goods.integer("quantity", "商品数量", 1..=i64::from(u32::MAX))?;
        goods.integer("unit_price", "商品单价", 0..=AMOUNT_FEN_MAX)?;
    }
    Ok(())
}
