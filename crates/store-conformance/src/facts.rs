//! The facts that the suite speaks of: one merchant, orders of 100 fen, payments by number.

use payonce_core::{
    AppId, Currency, EventType, Fact, Fen, Json, MerchantId, NotificationId, OrderKey, OutTradeNo, Paid,
    Terms, UnixMillis, WechatPaymentId,
    fact::{Content, Passed, Source},
    store::Receipt,
};

/// When everything in the suite happens, unless a test says otherwise.
pub(crate) const NOW: UnixMillis = UnixMillis(1_772_414_107_250);

pub(crate) fn merchant() -> MerchantId {
    MerchantId::parse("1900000001").expect("digits")
}

pub(crate) fn app(text: &str) -> AppId {
    AppId::parse(text).expect("an appid")
}

pub(crate) fn currency(text: &str) -> Currency {
    Currency::parse(text).expect("three capital letters")
}

pub(crate) fn fen(amount: i64) -> Fen {
    Fen::new(amount).expect("not negative")
}

pub(crate) fn number(text: &str) -> WechatPaymentId {
    WechatPaymentId::parse(text).expect("visible ASCII")
}

pub(crate) fn notification(text: &str) -> NotificationId {
    NotificationId::parse(text).expect("visible ASCII")
}

pub(crate) fn event(text: &str) -> EventType {
    EventType::parse(text).expect("visible ASCII")
}

pub(crate) fn key(out_trade_no: &str) -> OrderKey {
    OrderKey {
        merchant: merchant(),
        out_trade_no: OutTradeNo::parse(out_trade_no).expect("WeChat's charset"),
    }
}

/// The terms of every order here: 100 fen in CNY.
pub(crate) fn terms() -> Terms {
    Terms {
        amount: fen(100),
        currency: Currency::CNY,
        appid: app("wx8888888888888888"),
        sub_merchant: None,
        expires_at: None,
    }
}

/// An order of this number is registered.
#[must_use]
pub fn registered(order: &str) -> Fact {
    Fact::Registered { key: key(order), terms: terms() }
}

pub(crate) fn closed(order: &str) -> Fact {
    Fact::Closed { key: key(order) }
}

/// A payment of 100 fen, which is what each order here costs.
#[must_use]
pub fn paid(order: &str, payment: &str) -> Paid {
    let Terms { amount, currency, appid, .. } = terms();
    Paid {
        content: Content {
            key: key(order),
            payment: number(payment),
            amount,
            currency,
            appid,
            sub_merchant: None,
        },
        paid_at: Some(UnixMillis(NOW.0 - 5_000)),
        source: Source::Callback,
        detail: json(format!(r#"{{"attach":"{order} by {payment}"}}"#)),
    }
}

/// The same, of another amount.
#[must_use]
pub fn paid_amount(order: &str, payment: &str, amount: i64) -> Paid {
    let mut paid = paid(order, payment);
    paid.content.amount = fen(amount);
    paid
}

/// A notification that is handed on, under this number.
#[must_use]
pub fn passed(id: &str) -> Passed {
    Passed {
        merchant: merchant(),
        notification: notification(id),
        event_type: event("REFUND.SUCCESS"),
        plaintext: r#"{"out_refund_no":"R1"}"#.into(),
    }
}

/// A callback that came at `received_at`.
pub(crate) fn receipt(id: &str, received_at: UnixMillis) -> Receipt {
    Receipt::new(merchant(), notification(id), event("TRANSACTION.SUCCESS"), received_at)
}

/// JSON that is known to be JSON.
pub(crate) fn json(text: impl Into<String>) -> Json {
    Json::parse(text.into()).expect("BUG: the suite's own JSON")
}
