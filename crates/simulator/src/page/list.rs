//! The first page: orders, the clock, trouble, and who is on file.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use wechatpay::UnixSeconds;

use super::frame::{encoded, page, time, yuan};
use super::lang::{Asked, Lang};
use super::presets::PRESETS;
use super::timeline::{mark, state_name};
use crate::books::{Books, Order, OrderKey};
use crate::clock::Pace;
use crate::simulator::Shared;

/// Orders that are shown, the newest first.
const SHOWN: usize = 200;

/// What the clock is moved on by.
const STEPS: [(u64, &str, &str); 5] = [
    (15, "+15 秒", "+15 s"),
    (60, "+1 分钟", "+1 min"),
    (600, "+10 分钟", "+10 min"),
    (3600, "+1 小时", "+1 h"),
    (86400, "+1 天", "+1 day"),
];

pub(super) async fn show(State(shared): State<Arc<Shared>>, asked: Asked) -> Response {
    let lang = asked.lang;
    let content = html! {
        (clock(&shared, lang))
        (shared.read(|books, now| orders(books, now, lang)))
        (trouble(&shared, lang))
        (merchants(&shared, lang))
    };
    let title = lang.say("微信支付模拟器", "WeChat Pay simulator");
    page(&asked, "/", title, StatusCode::OK, &content)
}

fn clock(shared: &Shared, lang: Lang) -> Markup {
    let pace = shared.clock.pace();
    let by_hand = pace == Pace::ByHand;
    html! {
        section {
            h2 { (lang.say("时钟", "Clock")) }
            p {
                span #now { (time(shared.clock.now())) } " "
                span .dim {
                    @match pace {
                        Pace::ByHand => { (lang.say("已冻结", "frozen")) }
                        Pace::Times(times) => { "×" (times) }
                    }
                }
            }
            @for (seconds, chinese, english) in STEPS {
                form method="post" action="/cashier/clock" {
                    button name="seconds" value=(seconds) { (lang.say(chinese, english)) }
                }
            }
            form method="post" action="/cashier/pace" {
                @if !by_hand { button name="times" value="0" { (lang.say("冻结", "Freeze")) } }
                @for times in [1, 60, 3600] {
                    button name="times" value=(times) { "×" (times) }
                }
            }
        }
    }
}

fn orders(books: &Books, now: UnixSeconds, lang: Lang) -> Markup {
    let mut orders: Vec<_> = books.orders().collect();
    orders.sort_by_key(|(_, order)| std::cmp::Reverse(order.place));
    html! {
        section {
            h2 { (lang.say("订单", "Orders")) }
            @if orders.is_empty() {
                p .dim #no-orders {
                    (lang.say("还没有订单。商户下单后会出现在这里。", "No orders yet. They appear here when a merchant places them."))
                }
            } @else {
                table #orders {
                    tr {
                        th { (lang.say("商户订单号", "Order")) } th { (lang.say("商户", "Merchant")) }
                        th { (lang.say("商品", "What for")) } th { (lang.say("金额", "Amount")) }
                        th { (lang.say("状态", "State")) } th { (lang.say("通知", "Told")) } th {}
                    }
                    @for (key, order) in orders.iter().take(SHOWN) { (row(books, key, order, now, lang)) }
                }
                @if orders.len() > SHOWN {
                    p .dim { (lang.say("仅显示最新的 200 笔。", "Only the newest 200 are shown.")) }
                }
            }
        }
    }
}

fn row(books: &Books, key: &OrderKey, order: &Order, now: UnixSeconds, lang: Lang) -> Markup {
    let place = place(key);
    let notices = books.notices_of(key);
    html! {
        tr {
            td { a href=(place) { (key.out_trade_no) } }
            td { (key.mchid) }
            td { (order.terms.description) }
            td { (yuan(order.terms.amount_fen)) }
            td .state { (state_name(order.state(now), lang)) }
            td { @for (_, entry) in notices { (mark(entry, lang)) " " } }
            td { (buttons(key, order, now, "/", lang)) }
        }
    }
}

/// What a user can do with an order.
pub(super) fn buttons(key: &OrderKey, order: &Order, now: UnixSeconds, back: &str, lang: Lang) -> Markup {
    let is_open = order.payment().is_none() && order.state(now) == crate::books::TradeState::NotPay;
    html! {
        @if is_open && now < order.payable_until() {
            form method="post" action="/cashier/pay" {
                (hidden(key, back)) button .pay { (lang.say("支付", "Pay")) }
            }
        }
        @if is_open {
            form method="post" action="/cashier/cancel" {
                (hidden(key, back)) button .cancel { (lang.say("取消支付", "Cancel")) }
            }
        }
    }
}

/// Which order, and where to go afterwards.
pub(super) fn hidden(key: &OrderKey, back: &str) -> Markup {
    html! {
        input type="hidden" name="mchid" value=(key.mchid);
        input type="hidden" name="out_trade_no" value=(key.out_trade_no);
        input type="hidden" name="back" value=(back);
    }
}

/// The path of an order's page.
pub(super) fn place(key: &OrderKey) -> String {
    format!("/cashier/order/{}/{}", encoded(&key.mchid), encoded(&key.out_trade_no))
}

fn trouble(shared: &Shared, lang: Lang) -> Markup {
    let rules: Vec<_> = shared.with_troubles(|troubles| {
        let notices = troubles.notices.iter().map(|rule| (rule.name.clone(), rule.hits));
        let calls = troubles.calls.iter().map(|rule| (rule.name.clone(), rule.hits));
        notices.chain(calls).collect()
    });
    html! {
        section {
            h2 { (lang.say("故障", "Trouble")) }
            table #rules {
                @for (name, hits) in &rules {
                    tr {
                        td { (name) }
                        td { (lang.say("命中", "hits")) ": " (hits) }
                        td {
                            form method="post" action="/cashier/trouble/off" {
                                button name="name" value=(name) { (lang.say("关闭", "Switch off")) }
                            }
                        }
                    }
                }
            }
            form #trouble method="post" action="/cashier/trouble" {
                select name="preset" aria-label=(lang.say("故障", "Trouble")) {
                    @for preset in PRESETS {
                        option value=(preset.name) { (lang.say(preset.chinese, preset.english)) }
                    }
                }
                input name="order" placeholder=(lang.say("订单号，如 A*（可空）", "order, as A* (may be empty)"));
                label { input type="checkbox" name="once" value="yes" checked; (lang.say("仅一次", "once")) }
                button { (lang.say("开启", "Switch on")) }
            }
        }
    }
}

fn merchants(shared: &Shared, lang: Lang) -> Markup {
    html! {
        section {
            h2 { (lang.say("商户", "Merchants")) }
            ul {
                @for mchid in shared.rings.mchids() {
                    li {
                        (mchid)
                        @if let Some(folder) = &shared.folder { " " code { (folder.of_merchant(&mchid).display()) } }
                    }
                }
            }
            p .dim { (lang.say("控制接口：", "Control API: ")) a href="/_sim" { "/_sim" } }
        }
    }
}
