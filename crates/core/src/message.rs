//! Messages to the merchant's system: their kinds, ids and bytes.
//!
//! Invariants: a message's id and bytes are made once, in the transaction of its cause, and never again. The
//! id is the name of its cause, so one cause cannot have two ids.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    decide::IncidentKind,
    fact::{Content, Passed},
    ids::{EventType, MerchantId, WechatPaymentId},
    json::Json,
    order::{OrderKey, Terms},
    time::UnixMillis,
};

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// The order is paid. Once per paid order.
    PaymentSucceeded,
    /// A payment disagrees with its order, which it does not pay.
    PaymentMismatched,
    /// WeChat said two things under one payment number.
    PaymentConflicted,
    /// A second payment for a paid order.
    PaymentDuplicated,
    /// A payment for an order that is not registered.
    PaymentUnmatched,
    /// The order can no longer be paid.
    OrderClosed,
    /// A notification of WeChat's that is handed on.
    Passed(EventType),
}

impl MessageKind {
    /// Those that payonce itself decides on; the others are named by WeChat Pay.
    pub const OWN: [Self; 6] = [
        Self::PaymentSucceeded,
        Self::PaymentMismatched,
        Self::PaymentConflicted,
        Self::PaymentDuplicated,
        Self::PaymentUnmatched,
        Self::OrderClosed,
    ];

    /// The `type` of the message: `payment.succeeded`, `wechat.REFUND.SUCCESS` …
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::PaymentSucceeded => "payment.succeeded".to_owned(),
            Self::PaymentMismatched => "payment.mismatched".to_owned(),
            Self::PaymentConflicted => "payment.conflicted".to_owned(),
            Self::PaymentDuplicated => "payment.duplicated".to_owned(),
            Self::PaymentUnmatched => "payment.unmatched".to_owned(),
            Self::OrderClosed => "order.closed".to_owned(),
            Self::Passed(event_type) => format!("wechat.{event_type}"),
        }
    }
}

/// A message's id: the same at every attempt, different for every message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub String);

impl MessageId {
    /// The `sequence`th message of an order (from 1).
    #[must_use]
    pub fn of_order(key: &OrderKey, sequence: u32) -> Self {
        Self(format!("order:{}:{}:{sequence}", key.merchant, key.out_trade_no))
    }

    /// The message of a payment without an order; `rival` counts the contents under one payment number.
    #[must_use]
    pub fn of_payment(content: &Content, rival: u32) -> Self {
        Self(format!("payment:{}:{}:{rival}", content.key.merchant, content.payment))
    }

    /// The message that hands a notification on.
    #[must_use]
    pub fn of_notification(passed: &Passed) -> Self {
        Self(format!("event:{}:{}", passed.merchant, passed.notification))
    }
}

/// The body: what a message says, when, and the data. The shape follows Standard Webhooks' payloads.
#[derive(Serialize)]
struct Body<'a, D> {
    r#type: &'a str,
    timestamp: String,
    data: D,
}

/// The data of the `payment.*` messages.
#[derive(Serialize)]
pub(crate) struct PaymentData<'a> {
    pub mchid: &'a str,
    pub out_trade_no: &'a str,
    pub transaction_id: &'a str,
    /// In fen.
    pub amount: i64,
    pub currency: &'a str,
    pub appid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<String>,
    pub source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_by: Option<&'a str>,
    pub detail: &'a Json,
}

/// What the order asked for, where the payment differs.
#[derive(Serialize)]
pub(crate) struct ExpectedData<'a> {
    /// In fen.
    amount: i64,
    currency: &'a str,
    appid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
}

/// What a `payment.*` message is about.
pub(crate) struct PaymentStory<'a> {
    pub content: &'a Content,
    pub paid_at: Option<UnixMillis>,
    pub source: &'a str,
    pub detail: &'a Json,
    pub sequence: Option<u32>,
    pub late: Option<bool>,
    pub incident: Option<IncidentKind>,
    pub terms: Option<&'a Terms>,
    pub paid_by: Option<&'a WechatPaymentId>,
}

pub(crate) fn payment_body(kind: &MessageKind, now: UnixMillis, story: &PaymentStory<'_>) -> String {
    let content = story.content;
    render(
        kind,
        now,
        PaymentData {
            mchid: content.key.merchant.as_str(),
            out_trade_no: content.key.out_trade_no.as_str(),
            transaction_id: content.payment.as_str(),
            amount: content.amount.get(),
            currency: content.currency.as_str(),
            appid: content.appid.as_str(),
            sub_mchid: content.sub_merchant.as_ref().map(MerchantId::as_str),
            paid_at: story.paid_at.map(rfc3339),
            source: story.source,
            sequence: story.sequence,
            late: story.late,
            incident: story.incident.map(IncidentKind::as_str),
            expected: story.terms.map(|terms| ExpectedData {
                amount: terms.amount.get(),
                currency: terms.currency.as_str(),
                appid: terms.appid.as_str(),
                sub_mchid: terms.sub_merchant.as_ref().map(MerchantId::as_str),
            }),
            paid_by: story.paid_by.map(WechatPaymentId::as_str),
            detail: story.detail,
        },
    )
}

pub(crate) fn closed_body(now: UnixMillis, key: &OrderKey, sequence: u32) -> String {
    #[derive(Serialize)]
    struct ClosedData<'a> {
        mchid: &'a str,
        out_trade_no: &'a str,
        sequence: u32,
    }
    let data = ClosedData { mchid: key.merchant.as_str(), out_trade_no: key.out_trade_no.as_str(), sequence };
    render(&MessageKind::OrderClosed, now, data)
}

pub(crate) fn passed_body(now: UnixMillis, passed: &Passed) -> String {
    #[derive(Serialize)]
    struct PassedData<'a> {
        mchid: &'a str,
        notification_id: &'a str,
        event_type: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        resource: Option<&'a RawValue>,
        /// The plaintext where it is not JSON.
        #[serde(skip_serializing_if = "Option::is_none")]
        resource_text: Option<&'a str>,
    }
    let resource: Option<&RawValue> = serde_json::from_str(&passed.plaintext).ok();
    let data = PassedData {
        mchid: passed.merchant.as_str(),
        notification_id: passed.notification.as_str(),
        event_type: passed.event_type.as_str(),
        resource,
        resource_text: resource.is_none().then_some(&passed.plaintext),
    };
    render(&MessageKind::Passed(passed.event_type.clone()), now, data)
}

fn render(kind: &MessageKind, now: UnixMillis, data: impl Serialize) -> String {
    serde_json::to_string(&Body { r#type: &kind.name(), timestamp: rfc3339(now), data })
        .expect("BUG: strings, integers and raw JSON always serialise")
}

/// UTC, milliseconds, for example `2026-03-02T01:15:07.000Z`.
#[must_use]
pub fn rfc3339(at: UnixMillis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX);
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc3339_in_utc() {
        assert_eq!(rfc3339(UnixMillis(1_772_414_107_250)), "2026-03-02T01:15:07.250Z");
        assert_eq!(rfc3339(UnixMillis(i64::MAX)), rfc3339(UnixMillis(i64::MAX - 1)));
    }
}
