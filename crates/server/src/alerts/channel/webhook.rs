//! Anything that takes JSON: the shape of payonce's own messages, signed like them by the Standard Webhooks scheme.

use payonce_core::message::rfc3339;
use serde_json::{Value, json};

use crate::alerts::{
    alert::{Alert, Disabled, KeyOf},
    notice::Notice,
    words::{self, Language},
};

/// As much as a mail holds.
const TEXT_BYTES_MAX: usize = 8192;

pub(super) fn body(notice: &Notice, language: Language) -> String {
    let alerts: Vec<Value> = notice.shown.iter().map(data).collect();
    let body = json!({
        "type": format!("alert.{}", notice.kind().as_str()),
        "timestamp": rfc3339(notice.at),
        "data": {
            "kind": notice.kind().as_str(),
            "node": notice.node,
            "count": notice.count,
            "title": notice.title(language),
            "what_to_do": words::remedy(notice.first(), language),
            "text": notice.text(language, TEXT_BYTES_MAX),
            "alerts": alerts,
        },
    });
    body.to_string()
}

fn data(alert: &Alert) -> Value {
    match alert {
        Alert::EndpointFailing { endpoint } | Alert::EndpointRecovered { endpoint } => {
            json!({"endpoint": endpoint.as_str()})
        }
        Alert::EndpointDisabled { endpoint, because } => {
            let because = match because {
                Disabled::Failing => "failing",
                Disabled::Gone => "gone",
            };
            json!({"endpoint": endpoint.as_str(), "because": because})
        }
        Alert::EndpointUnusable { endpoint, why } => json!({"endpoint": endpoint.as_str(), "why": why}),
        Alert::Exhausted { endpoint, message, .. } => {
            json!({"endpoint": endpoint.as_str(), "message": message.0})
        }
        Alert::Incident(incident) => json!({
            "incident": incident.kind,
            "mchid": incident.mchid,
            "out_trade_no": incident.out_trade_no,
            "transaction_id": incident.transaction_id,
            "amount": incident.amount,
            "currency": incident.currency,
            "expected_amount": incident.expected,
        }),
        Alert::EffectFailed { effect, subject, reason } => {
            json!({"effect": effect, "subject": subject, "reason": reason})
        }
        Alert::CallbacksRefused { merchant, verdict, count, minutes } => json!({
            "mchid": merchant.as_ref().map(|merchant| merchant.as_str()),
            "verdict": verdict,
            "callbacks": count,
            "minutes": minutes,
        }),
        Alert::KeyExpiring { merchant, of, serial, ends, days } => {
            let of = match of {
                KeyOf::Platform => "platform_certificate",
                KeyOf::Merchant => "api_certificate",
            };
            json!({"mchid": merchant.as_str(), "key": of, "serial": serial, "ends": rfc3339(*ends), "days": days})
        }
        Alert::Test => json!({}),
    }
}
