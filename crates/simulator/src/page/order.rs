//! The page of one order: what it is, what can be done with it, and its time-line.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use wechatpay::UnixSeconds;

use super::frame::{page, problem, time, yuan};
use super::lang::{Asked, Lang};
use super::list::{buttons, hidden, place};
use super::refunds::refunds;
use super::timeline::{cancellations, state_name, timeline};
use crate::books::{Books, OrderKey, Standing};
use crate::simulator::Shared;

pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Path((mchid, out_trade_no)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let key = OrderKey::new(&mchid, &out_trade_no);
    match shared.read(|books, now| content(books, &key, now, asked.lang)) {
        Some(content) => page(&asked, &place(&key), &out_trade_no, StatusCode::OK, &content),
        None => {
            problem(&asked, StatusCode::NOT_FOUND, asked.lang.say("没有这个订单", "there is no such order"))
        }
    }
}

fn content(books: &Books, key: &OrderKey, now: UnixSeconds, lang: Lang) -> Option<Markup> {
    let order = books.order(key)?;
    let (terms, here) = (&order.terms, place(key));
    Some(html! {
        h2 { (key.out_trade_no) " " span .state { (state_name(order.state(now), lang)) } }
        table {
            tr { th { (lang.say("商户", "Merchant")) } td { (key.mchid) } }
            tr { th { (lang.say("商品", "What for")) } td { (terms.description) } }
            tr { th { (lang.say("金额", "Amount")) } td { (yuan(terms.amount_fen)) } }
            @if let Some(attach) = &terms.attach {
                tr { th { (lang.say("附加数据", "Attached")) } td { (attach) } }
            }
            tr { th { (lang.say("下单时间", "Placed")) } td { (time(order.placed_at)) } }
            tr { th { (lang.say("支付截止", "To be paid until")) } td { (time(order.payable_until())) } }
            @if let Some(ticket) = &order.ticket {
                tr { th { "prepay_id / code_url / h5_url" } td { code { (ticket) } } }
            }
            @if let Some(payment) = order.payment() {
                tr { th { (lang.say("支付时间", "Paid")) } td { (time(payment.success_time)) } }
                tr { th { "transaction_id" } td { code #transaction { (payment.transaction_id) } } }
            }
        }
        p {
            (buttons(key, order, now, &here, lang))
            @if matches!(order.standing, Standing::Open) {
                form method="post" action="/cashier/close" {
                    (hidden(key, &here)) button .close { (lang.say("关闭订单", "Close")) }
                }
            }
            @if matches!(order.standing, Standing::Closed { .. }) {
                form method="post" action="/cashier/pay" {
                    (hidden(key, &here))
                    button name="despite_close" value="yes" {
                        (lang.say("关单的同时已支付", "Pay, as if in the moment of the close"))
                    }
                }
            }
        }
        @if let Some(whole) = &order.combined {
            p .dim #whole { (lang.say("合单支付：", "Paid in one act as ")) code { (whole.out_trade_no) } }
        }
        (refunds(books, key, now, &here, lang))
        (cancellations(books, key, lang))
        (timeline(books, key, &here, lang))
    })
}
