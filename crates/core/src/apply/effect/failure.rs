//! What is kept of an effect that failed.
//!
//! Invariant: of the message's body, which names the payer, nothing gets into the text.

use std::collections::HashSet;

use serde_json::Value;

use super::{EffectError, EffectMessage};
use crate::{
    ids::{MerchantId, NotificationId, OutTradeNo, WechatPaymentId},
    money::Fen,
    time::UnixMillis,
};

/// How much is kept of the reason.
const REASON_BYTES_MAX: usize = 1000;

/// Shorter words tell nothing of anybody, and many of them are ordinary ones.
const WORD_BYTES_MIN: usize = 6;

/// An effect that failed, so that its fact was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("effect {effect} failed for {kind} ({subject}): {reason}")]
pub struct EffectFailure {
    /// The effect's name.
    pub effect: String,
    /// The kind of the message that it ran for.
    pub kind: String,
    /// What the message is about, see [`EffectMessage::subject`].
    pub subject: String,
    /// The merchant.
    pub merchant: MerchantId,
    /// The order, if it is about one.
    pub out_trade_no: Option<OutTradeNo>,
    /// The payment, if it is about one.
    pub transaction_id: Option<WechatPaymentId>,
    /// What was paid, if it is about a payment.
    pub amount: Option<Fen>,
    /// The notification, if it hands one on.
    pub notification: Option<NotificationId>,
    /// Why, without what came in the message.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

/// The row of a kept failure; what failed later for the first time has a greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailureRow(pub i64);

/// What is kept of the failures of one effect for one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureView {
    /// Its row.
    pub row: FailureRow,
    /// The last one.
    pub last: EffectFailure,
    /// When it failed first.
    pub first_at: UnixMillis,
    /// How often it did.
    pub count: u64,
    /// Whether its fact was applied after all.
    pub resolved: bool,
}

impl EffectFailure {
    pub(super) fn of(effect: &str, message: &EffectMessage<'_>, error: &EffectError, at: UnixMillis) -> Self {
        Self {
            effect: effect.to_owned(),
            kind: message.kind.clone(),
            subject: message.subject(),
            merchant: message.merchant.clone(),
            out_trade_no: message.order.map(|key| key.out_trade_no.clone()),
            transaction_id: message.payment.map(|paid| paid.content.payment.clone()),
            amount: message.payment.map(|paid| paid.content.amount),
            notification: message.notification.cloned(),
            reason: without_data(&error.to_string(), message),
            at,
        }
    }
}

/// The text without words that stand in the message's data: databases quote what they refuse. What is kept beside it
/// anyway may be said.
fn without_data(text: &str, message: &EffectMessage<'_>) -> String {
    let mut private = HashSet::new();
    if let Ok(body) = serde_json::from_str::<Value>(message.body) {
        collect(&body, &mut private);
    }
    let (kind, subject) = (message.kind.as_str(), message.subject());
    let order = message.order.map(|key| key.out_trade_no.as_str()).unwrap_or_default();
    for known in words(kind).chain(words(&subject)).chain(words(order)) {
        private.remove(known);
    }
    let mut shown = String::with_capacity(text.len().min(REASON_BYTES_MAX));
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (part, after) = rest.split_at(length);
        // A NUL is what no text column of PostgreSQL takes.
        let part = if private.contains(part) || first == '\0' { "…" } else { part };
        if shown.len() + part.len() > REASON_BYTES_MAX {
            break;
        }
        shown.push_str(part);
        rest = after;
    }
    shown
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| word.len() >= WORD_BYTES_MIN)
}

/// The words of all texts in it, names of fields excepted.
fn collect(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::String(text) => found.extend(words(text).map(str::to_owned)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        Value::Number(number) => found.extend(words(&number.to_string()).map(str::to_owned)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OutTradeNo, message::MessageId, order::OrderKey};

    #[test]
    fn what_came_in_the_message_is_not_kept() {
        let id = MessageId("m".to_owned());
        let key = OrderKey {
            merchant: MerchantId::parse("1900000001").expect("digits"),
            out_trade_no: OutTradeNo::parse("ORDER-100001").expect("a number"),
        };
        let message = EffectMessage {
            id: &id,
            kind: "payment.succeeded".to_owned(),
            merchant: &key.merchant,
            order: Some(&key),
            sequence: Some(1),
            payment: None,
            notification: None,
            late: None,
            body: r#"{"data":{"out_trade_no":"ORDER-100001","detail":{"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
                     "attach":"王小明的地址 hidden-word","n":13800138000,"list":["abcdef"]}}}"#,
            created_at: UnixMillis(0),
        };
        let said = "duplicate \"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o\" of ORDER-100001 (王小明的地址, hidden-word, 13800138000, abcdef) \
                    in column openid\0";
        let expected = "duplicate \"…\" of ORDER-100001 (…, …, …, …) in column openid…";
        let error = EffectError::Refused { said: said.to_owned() };
        let failure = EffectFailure::of("ship", &message, &error, UnixMillis(1));
        assert_eq!(failure.reason, expected);
        assert_eq!(failure.subject, "order:1900000001:ORDER-100001");

        let long = EffectError::failed("é".repeat(REASON_BYTES_MAX));
        assert!(EffectFailure::of("ship", &message, &long, UnixMillis(1)).reason.len() <= REASON_BYTES_MAX);
        let long = EffectError::failed("é ".repeat(REASON_BYTES_MAX));
        let reason = EffectFailure::of("ship", &message, &long, UnixMillis(1)).reason;
        assert!((REASON_BYTES_MAX - 2..=REASON_BYTES_MAX).contains(&reason.len()), "{}", reason.len());
    }
}
