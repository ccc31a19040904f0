//! An order's time-line: every notice, every attempt at it, and what was answered.

use maud::{Markup, html};
use wechatpay::UnixSeconds;

use super::frame::time;
use super::lang::Lang;
use super::list::hidden;
use crate::books::{Attempt, Books, Entry, Heard, OrderKey, Progress, TradeState};

/// Characters of an answer's body that are shown.
const BODY_CHARS: usize = 200;

/// A state in a word.
pub(super) fn state_name(state: TradeState, lang: Lang) -> &'static str {
    match (lang, state) {
        (Lang::Chinese, state) => state.description(),
        (Lang::English, TradeState::NotPay) => "not paid",
        (Lang::English, TradeState::Success) => "paid",
        (Lang::English, TradeState::Refund) => "refunded",
        (Lang::English, TradeState::Closed) => "closed",
    }
}

/// How far a notice has come, in a sign.
pub(super) fn mark(entry: &Entry, lang: Lang) -> Markup {
    let (class, sign, chinese, english) = match entry.progress {
        Progress::Acknowledged => ("good", "✓", "已确认", "acknowledged"),
        Progress::GivenUp => ("bad", "✗", "已放弃", "given up"),
        Progress::Sending { .. } => ("dim", "…", "发送中", "on its way"),
        Progress::Due { .. } if entry.attempts.is_empty() => ("dim", "…", "待发送", "waiting"),
        Progress::Due { .. } => ("bad", "↻", "将重发", "to be sent again"),
    };
    html! { span class=(class) title=(lang.say(chinese, english)) { (sign) } }
}

/// All that was told of an order.
pub(super) fn timeline(books: &Books, key: &OrderKey, back: &str, lang: Lang) -> Markup {
    let notices = books.notices_of(key);
    html! {
        @for (number, entry) in notices {
            section .notice {
                h2 { (lang.say("通知", "Notice")) " " (number) ": " (entry.notice.event_type().unwrap_or("APIv2")) " " (mark(entry, lang)) }
                p { code { (entry.notice.url) } }
                table .attempts {
                    tr {
                        th { "#" } th { (lang.say("时间", "When")) } th { (lang.say("应答", "Answer")) }
                        th { (lang.say("耗时", "Took")) } th { (lang.say("故障", "Trouble")) }
                    }
                    @for (place, attempt) in entry.attempts.iter().enumerate() { (row(place + 1, attempt, lang)) }
                }
                @if let Progress::Due { at } = entry.progress {
                    p .dim { (lang.say("下次发送：", "Next attempt: ")) (time(at)) }
                }
                @if !matches!(entry.progress, Progress::Sending { .. }) {
                    form method="post" action="/cashier/resend" {
                        (hidden(key, back))
                        button .resend name="number" value=(number) { (lang.say("立即重发", "Send again now")) }
                    }
                }
                details { summary { (lang.say("明文", "What it says")) } pre { code { (format!("{:#}", entry.notice.plaintext())) } } }
            }
        }
    }
}

fn row(number: usize, attempt: &Attempt, lang: Lang) -> Markup {
    let heard = &attempt.heard;
    html! {
        tr {
            td { (number) }
            td { (time(attempt.sent_at)) }
            td {
                (answer(heard))
                @for copy in &heard.copies { br; (answer(copy)) }
            }
            td { (heard.elapsed_millis) " ms" }
            td {
                (heard.trouble.join(", "))
                @if !heard.copies.is_empty() { " " (lang.say("并发", "at once")) ": " (heard.copies.len() + 1) }
            }
        }
    }
}

fn answer(heard: &Heard) -> Markup {
    let body: String = heard.body.chars().take(BODY_CHARS).collect();
    html! {
        @match (heard.status, &heard.failure) {
            (Some(status @ (200 | 204)), _) => { span .good { (status) } }
            (Some(status), _) => { span .bad { (status) } }
            (None, failure) => { span .bad { (failure.as_deref().unwrap_or_default()) } }
        }
        " " code { (body) }
    }
}

/// When users left the cashier.
pub(super) fn cancellations(books: &Books, key: &OrderKey, lang: Lang) -> Markup {
    let times: Vec<UnixSeconds> = books.cancellations(key).to_vec();
    html! {
        @for at in times {
            p .cancelled { (time(at)) " " (lang.say("用户取消支付", "the user left without paying")) }
        }
    }
}
