//! What people are alerted to.
//!
//! Invariant: an alert holds what tells somebody what happened and where, and nothing that must not be known: no openid, no
//! secret, nothing of what WeChat sent beside the numbers of order and payment.

use payonce_core::{
    MerchantId, UnixMillis,
    delivery::{Answer, EndpointName},
    message::MessageId,
};

/// What an alert is about; what `only` chooses by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// Calls of an endpoint fail.
    EndpointFailing,
    /// They succeed again.
    EndpointRecovered,
    /// An endpoint was disabled by payonce.
    EndpointDisabled,
    /// There is no way to an endpoint.
    EndpointUnusable,
    /// The last attempt to deliver a message failed.
    Exhausted,
    /// Money that does not add up.
    Incident,
    /// The merchant's own part of a payment's transaction failed.
    EffectFailed,
    /// Many callbacks are refused for one reason.
    CallbacksRefused,
    /// A certificate ends soon.
    KeyExpiring,
    /// Somebody wished to see that alerts arrive.
    Test,
}

impl AlertKind {
    /// Those that happen. A test comes only when somebody asks for it, and cannot be chosen.
    pub const CHOSEN: [Self; 9] = [
        Self::EndpointFailing,
        Self::EndpointRecovered,
        Self::EndpointDisabled,
        Self::EndpointUnusable,
        Self::Exhausted,
        Self::Incident,
        Self::EffectFailed,
        Self::CallbacksRefused,
        Self::KeyExpiring,
    ];

    /// Its word in the configuration and in webhooks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndpointFailing => "endpoint_failing",
            Self::EndpointRecovered => "endpoint_recovered",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::EndpointUnusable => "endpoint_unusable",
            Self::Exhausted => "exhausted",
            Self::Incident => "incident",
            Self::EffectFailed => "effect_failed",
            Self::CallbacksRefused => "callbacks_refused",
            Self::KeyExpiring => "key_expiring",
            Self::Test => "test",
        }
    }
}

/// Why payonce disabled an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disabled {
    /// It failed for too long.
    Failing,
    /// It answered 410.
    Gone,
}

/// A payment that does not add up, as its message tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    /// `amount_mismatch`, `paid_twice` …
    pub kind: String,
    pub mchid: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    /// In fen.
    pub amount: i64,
    pub currency: String,
    /// What the order asks for, in fen, where that differs.
    pub expected: Option<i64>,
}

/// Whose a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyOf {
    /// WeChat Pay's: it proves callbacks.
    Platform,
    /// The merchant's: it signs requests.
    Merchant,
}

/// Something that people should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alert {
    EndpointFailing {
        endpoint: EndpointName,
    },
    EndpointRecovered {
        endpoint: EndpointName,
    },
    EndpointDisabled {
        endpoint: EndpointName,
        because: Disabled,
    },
    EndpointUnusable {
        endpoint: EndpointName,
        why: String,
    },
    Exhausted {
        endpoint: EndpointName,
        message: MessageId,
        answer: Answer,
    },
    Incident(Incident),
    EffectFailed {
        effect: String,
        /// What the message is about: `payment:…`, `order:…`.
        subject: String,
        reason: String,
    },
    CallbacksRefused {
        /// `None`: to a path that names none of ours.
        merchant: Option<MerchantId>,
        verdict: &'static str,
        /// How many, within how long.
        count: u64,
        minutes: u64,
    },
    KeyExpiring {
        merchant: MerchantId,
        of: KeyOf,
        serial: String,
        ends: UnixMillis,
        /// Whole days until then; less than 0 once it is over.
        days: i64,
    },
    Test,
}

impl Alert {
    pub(crate) fn kind(&self) -> AlertKind {
        match self {
            Self::EndpointFailing { .. } => AlertKind::EndpointFailing,
            Self::EndpointRecovered { .. } => AlertKind::EndpointRecovered,
            Self::EndpointDisabled { .. } => AlertKind::EndpointDisabled,
            Self::EndpointUnusable { .. } => AlertKind::EndpointUnusable,
            Self::Exhausted { .. } => AlertKind::Exhausted,
            Self::Incident(_) => AlertKind::Incident,
            Self::EffectFailed { .. } => AlertKind::EffectFailed,
            Self::CallbacksRefused { .. } => AlertKind::CallbacksRefused,
            Self::KeyExpiring { .. } => AlertKind::KeyExpiring,
            Self::Test => AlertKind::Test,
        }
    }

    /// What alerts of one kind are put together by: an endpoint, a merchant, an effect. There are as many as are configured.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::EndpointFailing { endpoint }
            | Self::EndpointRecovered { endpoint }
            | Self::EndpointDisabled { endpoint, .. }
            | Self::EndpointUnusable { endpoint, .. }
            | Self::Exhausted { endpoint, .. } => endpoint.to_string(),
            Self::Incident(incident) => format!("{} {}", incident.mchid, incident.kind),
            Self::EffectFailed { effect, .. } => effect.clone(),
            Self::CallbacksRefused { merchant, verdict, .. } => {
                format!("{} {verdict}", merchant.as_ref().map_or("-", MerchantId::as_str))
            }
            Self::KeyExpiring { merchant, .. } => merchant.to_string(),
            Self::Test => String::new(),
        }
    }
}
