//! An order's refunds on its page: what became of each, how it may end otherwise, and asking for one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use wechatpay::UnixSeconds;

use super::acts::{OfOrder, act};
use super::form::Form;
use super::frame::{time, yuan};
use super::lang::{Asked, Lang};
use super::list::hidden;
use crate::books::{Books, OrderKey, Refund, RefundKey, RefundStatus, Refusal};
use crate::simulator::Shared;

/// How a refund can be made to end.
const ENDS: [(RefundStatus, &str); 3] = [
    (RefundStatus::Success, "SUCCESS"),
    (RefundStatus::Abnormal, "ABNORMAL"),
    (RefundStatus::Closed, "CLOSED"),
];

pub(super) async fn refund(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Form(said): Form<OfOrder>,
) -> Response {
    act(&shared, &asked, &said, |desk, key| {
        desk.books.refund_by_hand(key, said.refund_fen, desk.now, desk.rng).map(drop)
    })
}

pub(super) async fn end(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Form(said): Form<OfOrder>,
) -> Response {
    act(&shared, &asked, &said, |desk, key| {
        let number = said.out_refund_no.as_deref().ok_or(Refusal::RefundNotExist)?;
        let status = said.status.ok_or(Refusal::RefundStateWrong)?;
        desk.books.end_refund(&RefundKey::new(&key.mchid, number), status, desk.now, desk.rng)
    })
}

pub(super) fn refunds(books: &Books, key: &OrderKey, now: UnixSeconds, back: &str, lang: Lang) -> Markup {
    let left_fen = books.refundable_fen(key, now);
    html! {
        @if books.refunds_of(key).next().is_some() {
            table #refunds {
                tr {
                    th { (lang.say("商户退款单号", "Refund")) } th { (lang.say("金额", "Amount")) }
                    th { (lang.say("状态", "State")) } th { (lang.say("时间", "When")) } th {}
                }
                @for refund in books.refunds_of(key) { (row(refund, key, now, back, lang)) }
            }
        }
        @if left_fen > 0 {
            form #refund method="post" action="/cashier/refund" {
                (hidden(key, back))
                input type="number" name="refund_fen" min="1" max=(left_fen) value=(left_fen)
                    aria-label=(lang.say("退款金额（分）", "Fen to refund"));
                button .refund { (lang.say("退款（分）", "Refund (fen)")) }
            }
        }
    }
}

fn row(refund: &Refund, key: &OrderKey, now: UnixSeconds, back: &str, lang: Lang) -> Markup {
    let status = refund.status(now);
    html! {
        tr {
            td { code { (refund.terms.out_refund_no) } }
            td { (yuan(refund.terms.refund_fen)) }
            td .state { (state_name(status, lang)) }
            td { (time(refund.created_at)) }
            td {
                @if status == RefundStatus::Processing {
                    form method="post" action="/cashier/refund/end" {
                        (hidden(key, back))
                        input type="hidden" name="out_refund_no" value=(refund.terms.out_refund_no);
                        @for (end, name) in ENDS {
                            button name="status" value=(name) { "→ " (state_name(end, lang)) }
                        }
                    }
                }
            }
        }
    }
}

fn state_name(status: RefundStatus, lang: Lang) -> &'static str {
    match status {
        RefundStatus::Processing => lang.say("退款处理中", "being refunded"),
        RefundStatus::Success => lang.say("退款成功", "paid out"),
        RefundStatus::Closed => lang.say("退款关闭", "closed"),
        RefundStatus::Abnormal => lang.say("退款异常", "abnormal"),
    }
}
