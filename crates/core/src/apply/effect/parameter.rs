//! What a statement of the configuration may name of a message.

use super::{Argument, EffectMessage};

/// A named value of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The message's id, text: the same on every attempt, different for every message.
    MessageId,
    /// Its `type`, text.
    Kind,
    /// The merchant number, text.
    Mchid,
    /// The order's number, text.
    OutTradeNo,
    /// WeChat's number of the payment, text.
    TransactionId,
    /// What was paid in fen, a whole number.
    Amount,
    /// In which currency, text.
    Currency,
    /// In which app, text.
    Appid,
    /// In partner mode the sub-merchant, text.
    SubMchid,
    /// When the customer paid, a time.
    PaidAt,
    /// Whether the order had been closed, a truth value; of `payment.succeeded` alone.
    Late,
    /// The message's number among its order's, from 1, a whole number.
    Sequence,
    /// The whole message, JSON as text.
    Body,
}

impl Parameter {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::MessageId,
        Self::Kind,
        Self::Mchid,
        Self::OutTradeNo,
        Self::TransactionId,
        Self::Amount,
        Self::Currency,
        Self::Appid,
        Self::SubMchid,
        Self::PaidAt,
        Self::Late,
        Self::Sequence,
        Self::Body,
    ];

    /// As it stands in a statement, without the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MessageId => "message_id",
            Self::Kind => "kind",
            Self::Mchid => "mchid",
            Self::OutTradeNo => "out_trade_no",
            Self::TransactionId => "transaction_id",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Appid => "appid",
            Self::SubMchid => "sub_mchid",
            Self::PaidAt => "paid_at",
            Self::Late => "late",
            Self::Sequence => "sequence",
            Self::Body => "body",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.name() == name)
    }

    /// Its value in a message; NULL where the message has none.
    #[must_use]
    pub fn of<'a>(self, message: &'a EffectMessage<'_>) -> Argument<'a> {
        let content = message.payment.map(|paid| paid.content);
        match self {
            Self::MessageId => Argument::Text(Some(&message.id.0)),
            Self::Kind => Argument::Text(Some(&message.kind)),
            Self::Mchid => Argument::Text(Some(message.merchant.as_str())),
            Self::OutTradeNo => Argument::Text(message.order.map(|key| key.out_trade_no.as_str())),
            Self::TransactionId => Argument::Text(content.map(|content| content.payment.as_str())),
            Self::Amount => Argument::Int(content.map(|content| content.amount.get())),
            Self::Currency => Argument::Text(content.map(|content| content.currency.as_str())),
            Self::Appid => Argument::Text(content.map(|content| content.appid.as_str())),
            Self::SubMchid => Argument::Text(
                content.and_then(|content| content.sub_merchant.as_ref()).map(|id| id.as_str()),
            ),
            Self::PaidAt => Argument::Time(message.payment.and_then(|paid| paid.paid_at)),
            Self::Late => Argument::Bool(message.late),
            Self::Sequence => Argument::Int(message.sequence.map(i64::from)),
            Self::Body => Argument::Text(Some(message.body)),
        }
    }

    /// No value, of its type.
    #[must_use]
    pub fn none(self) -> Argument<'static> {
        match self {
            Self::Amount | Self::Sequence => Argument::Int(None),
            Self::PaidAt => Argument::Time(None),
            Self::Late => Argument::Bool(None),
            Self::MessageId
            | Self::Kind
            | Self::Mchid
            | Self::OutTradeNo
            | Self::TransactionId
            | Self::Currency
            | Self::Appid
            | Self::SubMchid
            | Self::Body => Argument::Text(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name() {
        for parameter in Parameter::ALL {
            assert_eq!(Parameter::named(parameter.name()), Some(parameter));
        }
        assert_eq!(Parameter::named("Amount"), None);
    }
}
