//! What the control API shows of orders and notices. Times are business time in RFC 3339, +08:00.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wechatpay::UnixSeconds;

use crate::books::{
    Books, Entry, Heard, Notice, Order, OrderKey, OrderPayer, Progress, Refund, RefundStatus, Standing,
    TradeState, TradeType,
};
use crate::calendar;

/// Which orders or notices are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    mchid: Option<String>,
    out_trade_no: Option<String>,
}

#[derive(Serialize)]
pub(super) struct OrderView<'a> {
    mchid: &'a str,
    out_trade_no: &'a str,
    trade_state: TradeState,
    trade_type: TradeType,
    description: &'a str,
    amount_fen: i64,
    attach: Option<&'a str>,
    notify_url: &'a str,
    /// Under which openid the order names its payer.
    payer: Option<&'a str>,
    /// `prepay_id`, `code_url` or `h5_url`.
    ticket: Option<&'a str>,
    placed_at: String,
    payable_until: String,
    closed_at: Option<String>,
    /// When the user left the cashier without paying.
    cancelled_at: Vec<String>,
    paid_at: Option<String>,
    transaction_id: Option<&'a str>,
    openid: Option<&'a str>,
    /// The number of the combined order of which it is a part.
    combined: Option<&'a str>,
    refunds: Vec<RefundView<'a>>,
    #[serde(skip)]
    pub(super) place: usize,
}

#[derive(Serialize)]
pub(super) struct RefundView<'a> {
    mchid: &'a str,
    out_trade_no: &'a str,
    out_refund_no: &'a str,
    refund_id: &'a str,
    status: RefundStatus,
    refund_fen: i64,
    total_fen: i64,
    notify_url: Option<&'a str>,
    created_at: String,
    /// When it ended, or will by itself.
    ends_at: String,
}

#[derive(Serialize)]
pub(super) struct NoticeView<'a> {
    number: u64,
    id: &'a str,
    mchid: &'a str,
    out_trade_no: Option<&'a str>,
    event_type: Option<&'a str>,
    url: &'a str,
    created_at: String,
    /// `due`, `sending`, `acknowledged` or `given_up`.
    progress: &'static str,
    /// When the next attempt comes.
    due_at: Option<String>,
    /// What is sealed inside.
    plaintext: Value,
    attempts: Vec<AttemptView<'a>>,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    sent_at: String,
    #[serde(flatten)]
    heard: &'a Heard,
}

impl Chosen {
    pub(super) fn takes(&self, key: &OrderKey) -> bool {
        self.mchid.as_ref().is_none_or(|mchid| *mchid == key.mchid)
            && self.out_trade_no.as_ref().is_none_or(|number| *number == key.out_trade_no)
    }

    pub(super) fn takes_notice(&self, books: &Books, notice: &Notice) -> bool {
        let orders = books.told_of(notice);
        if orders.is_empty() {
            return self.out_trade_no.is_none()
                && self.mchid.as_ref().is_none_or(|mchid| *mchid == notice.mchid);
        }
        orders.into_iter().any(|key| self.takes(key))
    }
}

impl<'a> OrderView<'a> {
    pub(super) fn of(books: &'a Books, key: &'a OrderKey, order: &'a Order, now: UnixSeconds) -> Self {
        let (terms, payment) = (&order.terms, order.payment());
        let closed_at = match order.standing {
            Standing::Closed { at } => Some(calendar::rfc3339(at)),
            _ => None,
        };
        Self {
            mchid: &key.mchid,
            out_trade_no: &key.out_trade_no,
            trade_state: order.state(now),
            trade_type: terms.trade_type,
            description: &terms.description,
            amount_fen: terms.amount_fen,
            attach: terms.attach.as_deref(),
            notify_url: &terms.notify_url,
            payer: terms.payer.as_ref().map(|payer| match payer {
                OrderPayer::Openid(openid) | OrderPayer::SubOpenid(openid) => openid.as_str(),
            }),
            ticket: order.ticket.as_deref(),
            placed_at: calendar::rfc3339(order.placed_at),
            payable_until: calendar::rfc3339(order.payable_until()),
            closed_at,
            cancelled_at: books.cancellations(key).iter().map(|at| calendar::rfc3339(*at)).collect(),
            paid_at: payment.map(|payment| calendar::rfc3339(payment.success_time)),
            transaction_id: payment.map(|payment| payment.transaction_id.as_str()),
            openid: payment.map(|payment| payment.openid.as_str()),
            combined: order.combined.as_ref().map(|whole| whole.out_trade_no.as_str()),
            refunds: books.refunds_of(key).map(|refund| RefundView::of(refund, now)).collect(),
            place: order.place,
        }
    }
}

impl<'a> RefundView<'a> {
    pub(super) fn of(refund: &'a Refund, now: UnixSeconds) -> Self {
        Self {
            mchid: &refund.order.mchid,
            out_trade_no: &refund.order.out_trade_no,
            out_refund_no: &refund.terms.out_refund_no,
            refund_id: &refund.refund_id,
            status: refund.status(now),
            refund_fen: refund.terms.refund_fen,
            total_fen: refund.terms.total_fen,
            notify_url: refund.terms.notify_url.as_deref(),
            created_at: calendar::rfc3339(refund.created_at),
            ends_at: calendar::rfc3339(refund.ending.at),
        }
    }
}

/// An order, or a combined one with its parts; nothing where there is neither.
pub(super) fn shown(books: &Books, key: &OrderKey, now: UnixSeconds) -> Option<Value> {
    if let Some(order) = books.order(key) {
        return Some(json!(OrderView::of(books, key, order, now)));
    }
    let combined = books.find_combined(key).ok()?;
    let parts = combined.parts.iter().filter_map(|key| Some((key, books.order(key)?)));
    let parts: Vec<_> = parts.map(|(key, order)| OrderView::of(books, key, order, now)).collect();
    Some(json!({
        "mchid": key.mchid,
        "combine_out_trade_no": key.out_trade_no,
        "transaction_id": combined.transaction_id,
        "sub_orders": parts,
    }))
}

impl<'a> NoticeView<'a> {
    pub(super) fn of(books: &'a Books, number: u64, entry: &'a Entry) -> Self {
        let Entry { notice, attempts, .. } = entry;
        let (progress, due_at) = match entry.progress {
            Progress::Due { at } => ("due", Some(calendar::rfc3339(at))),
            Progress::Sending { .. } => ("sending", None),
            Progress::Acknowledged => ("acknowledged", None),
            Progress::GivenUp => ("given_up", None),
        };
        let attempts = attempts.iter().map(|attempt| AttemptView {
            sent_at: calendar::rfc3339(attempt.sent_at),
            heard: &attempt.heard,
        });
        Self {
            number,
            id: &notice.id,
            mchid: &notice.mchid,
            out_trade_no: books.told_of(notice).first().map(|key| key.out_trade_no.as_str()),
            event_type: notice.event_type(),
            url: &notice.url,
            created_at: calendar::rfc3339(notice.created_at),
            progress,
            due_at,
            plaintext: notice.plaintext(),
            attempts: attempts.collect(),
        }
    }
}
