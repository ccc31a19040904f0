//! Target `calls`: the verified answer to a call of APIv3. The first line names the call; the rest is the body.
//!
//! Held: an answer about something else than was asked for is refused; what is read says what the JSON says; an amount
//! is a whole number of fen, 0 or more; a bill is fetched from WeChat Pay's hosts alone; no error shows a value.

use serde_json::Value;
use wechatpay::answer::AnswerError;
use wechatpay::api::{
    AbnormalRefund, Account, Call, Code2Session, Echo, FundFlowBill, H5, H5Type, InvalidField,
    ListCertificates, LoginError, Merchant, NewOrder, Order, OrderNumber, QueryCombine, QueryOrder,
    QueryRefund, Refund, RequestRefund, Scene, Statement, TradeBill,
};
use wechatpay::{Fen, Resource};

use crate::fixture::MCHID;
use crate::input::canary::assert_hidden;
use crate::input::lines;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "calls",
    run,
    stages: &[
        "malformed",
        "about another",
        "prepay jsapi",
        "prepay native",
        "prepay h5",
        "query order",
        "query by id",
        "query partner order",
        "refund",
        "query refund",
        "abnormal refund",
        "query combine",
        "trade bill",
        "fund flow bill",
        "certificates",
        "echo",
        "login",
        "login refused",
    ],
};

const APPID: &str = "wx0123456789abcdef";
const SUB_MCHID: &str = "1900000109";
const NUMBER: &str = "payonce-0001";
const TRANSACTION_ID: &str = "4200000000202506150000000001";
const REFUND_NUMBER: &str = "r1";
const NOTIFY_URL: &str = "https://pay.example.com/notify/v3/1900000001";

const GOOD: &str = "BUG: these are good fields of a call";

fn run(input: &[u8]) -> Stage {
    let (name, body) = lines::first_text(input);
    let stage = TARGET.stages.iter().copied().find(|stage| *stage == name).unwrap_or("echo");
    calls(stage, body).expect(GOOD)
}

fn calls(name: Stage, body: &[u8]) -> Result<Stage, InvalidField> {
    let ordinary = || Merchant::ordinary(MCHID);
    let order = || NewOrder::new(&Account::ordinary(APPID, MCHID)?, NUMBER, "咖啡", fen(100)?, NOTIFY_URL);
    let number = || OrderNumber::out_trade_no(NUMBER);
    let said = serde_json::from_slice::<Value>(body).unwrap_or_default();
    Ok(match name {
        "prepay jsapi" => read(&order()?.jsapi("oTest")?, body, name, |id| {
            assert_eq!(said["prepay_id"], id.prepay_id.as_str())
        }),
        "prepay native" => {
            read(&order()?.native(), body, name, |code| assert_eq!(said["code_url"], code.code_url.as_str()))
        }
        "prepay h5" => {
            let scene = Scene::new().payer_client_ip("14.23.150.211".parse().expect(GOOD))?;
            let call = order()?.scene(scene).h5(H5::new(H5Type::Wap))?;
            read(&call, body, name, |url| assert_eq!(said["h5_url"], url.h5_url.as_str()))
        }
        "query order" => read(&QueryOrder::new(ordinary()?, number()?), body, name, |found| {
            assert_eq!((said["mchid"].as_str(), said["out_trade_no"].as_str()), (Some(MCHID), Some(NUMBER)));
            is_order(&found, &said);
        }),
        "query by id" => {
            let call = QueryOrder::new(ordinary()?, OrderNumber::transaction_id(TRANSACTION_ID)?);
            read(&call, body, name, |found| {
                assert_eq!(said["transaction_id"], TRANSACTION_ID);
                is_order(&found, &said);
            })
        }
        "query partner order" => {
            let call = QueryOrder::new(Merchant::partner(MCHID, SUB_MCHID)?, number()?);
            read(&call, body, name, |found| {
                assert_eq!((&said["sp_mchid"], &said["sub_mchid"]), (&MCHID.into(), &SUB_MCHID.into()));
                is_order(&found, &said);
            })
        }
        "refund" => {
            let call = RequestRefund::new(ordinary()?, number()?, REFUND_NUMBER, fen(40)?, fen(100)?)?;
            read(&call, body, name, |refund| is_refund(&refund, &said))
        }
        "query refund" => {
            let call = QueryRefund::new(ordinary()?, REFUND_NUMBER)?;
            read(&call, body, name, |refund| is_refund(&refund, &said))
        }
        "abnormal refund" => {
            let call = AbnormalRefund::to_merchant(ordinary()?, "50000000000001", REFUND_NUMBER)?;
            read(&call, body, name, |refund| is_refund(&refund, &said))
        }
        "query combine" => read(&QueryCombine::new(NUMBER)?, body, name, |whole| {
            assert_eq!(said["combine_out_trade_no"], NUMBER);
            let orders = said["sub_orders"].as_array().map(Vec::as_slice).unwrap_or_default();
            assert_eq!(orders.len(), whole.sub_orders.len());
            for (said, order) in orders.iter().zip(&whole.sub_orders) {
                let total = order.amount.as_ref().map(|amount| amount.total_amount);
                is_amount(total, &said["amount"]["total_amount"]);
            }
        }),
        "trade bill" => read(&TradeBill::new("2025-06-15")?, body, name, |statement| is_fetched(&statement)),
        "fund flow bill" => read(&FundFlowBill::new("2025-06-15")?, body, name, |found| is_fetched(&found)),
        "certificates" => read(&ListCertificates::new(), body, name, |list| {
            assert_eq!(said["data"].as_array().map(Vec::len), Some(list.data.len()));
        }),
        "login" | "login refused" => login(body)?,
        _ => read(&Echo::new("hello"), body, "echo", |_| assert_eq!(said["echo_message"], "hello")),
    })
}

fn fen(fen: i64) -> Result<Fen, InvalidField> {
    Ok(Fen::new(fen).expect(GOOD))
}

fn read<C: Call>(call: &C, body: &[u8], read: Stage, success: impl FnOnce(C::Answer)) -> Stage {
    match call.read(body) {
        Ok(answer) => {
            // A number beyond all numbers in a field that nobody reads is none for `Value`.
            if serde_json::from_slice::<Value>(body).is_ok() {
                success(answer);
            }
            read
        }
        Err(error) => {
            assert_hidden(&format!("{error} {error:?}"));
            match error {
                AnswerError::Malformed(_) => "malformed",
                AnswerError::AboutAnother { .. } => "about another",
                other => panic!("an error that is not known here: {other}"),
            }
        }
    }
}

fn is_order(order: &Order, said: &Value) {
    assert_eq!(said["trade_state"], order.trade_state.as_str());
    is_amount(order.amount.as_ref().and_then(|amount| amount.total), &said["amount"]["total"]);
    match order.transaction() {
        Ok(Some(transaction)) => {
            assert!(order.trade_state.is_paid());
            let payment = Resource::Transaction(Box::new(transaction));
            assert!(
                payment
                    .payments()
                    .all(|payment| payment.mchid == MCHID && !payment.transaction_id.is_empty())
            );
        }
        Ok(None) => {}
        Err(error) => assert_hidden(&format!("{error} {error:?}")),
    }
}

fn is_refund(refund: &Refund, said: &Value) {
    assert_eq!(
        (said["out_refund_no"].as_str(), refund.out_refund_no.as_str()),
        (Some(REFUND_NUMBER), REFUND_NUMBER)
    );
    assert_eq!(said["status"], refund.status.as_str());
    is_amount(Some(refund.amount.refund), &said["amount"]["refund"]);
    is_amount(Some(refund.amount.total), &said["amount"]["total"]);
}

/// An amount is the JSON integer that was written, and none below zero.
fn is_amount(read: Option<Fen>, said: &Value) {
    assert!(read.is_none_or(|fen| fen.get() >= 0));
    assert_eq!(read.map(Fen::get), said.as_i64());
}

fn is_fetched(statement: &Statement) {
    let Ok(file) = statement.file() else { return };
    let host = file.host();
    assert!(host.ends_with(".mch.weixin.qq.com") || host.ends_with(".wechatpay.cn"), "{host}");
    assert!(host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{host}");
    let path = file.path_and_query();
    assert!(path.starts_with('/') && statement.download_url.ends_with(&path), "{path}");
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "{path}");
}

fn login(body: &[u8]) -> Result<Stage, InvalidField> {
    let call = Code2Session::new(APPID, "oTestOpenid is the secret", "code")?;
    Ok(match call.read(body) {
        Ok(session) => {
            assert!(!session.openid.is_empty() && !session.session_key.is_empty());
            assert_hidden(&format!("{session:?} {call:?}"));
            "login"
        }
        Err(LoginError::Refused { errcode, .. }) => {
            assert_ne!(errcode, 0);
            "login refused"
        }
        Err(error) => {
            assert_hidden(&format!("{error} {error:?}"));
            "malformed"
        }
    })
}
