//! What WeChat itself says otherwise: before it seals and signs, so that only the content can give it away.

use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Fate;
use crate::books::Event;
use crate::keys::SealingKey;
use crate::{Envelope, random};

/// One thing that is said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Twist {
    Amount(i64),
    Merchant(String),
    ProfitSharing,
    Event(String),
    AssociatedDataEmpty,
    AssociatedDataMissing,
    ResourceNonce(u8),
    OtherKey,
}

/// The fields of an amount that belong together.
const AMOUNTS: [&str; 6] = ["total", "payer_total", "refund", "payer_refund", "total_amount", "payer_amount"];

/// The fields that name the merchant that signs.
const MERCHANTS: [&str; 3] = ["mchid", "sp_mchid", "combine_mchid"];

impl Fate {
    /// What is said, and under which key it is sealed where that is not the merchant's.
    pub(crate) fn twisted(
        &self,
        event: &Event,
        plaintext: &str,
        rng: &mut impl Rng,
    ) -> (Event, String, Option<SealingKey>) {
        let (mut event, mut other_key) = (event.clone(), None);
        // What was never touched stays as it was, byte for byte.
        let mut touched: Option<Value> = None;
        let mut content =
            |touch: &mut dyn FnMut(&mut Value)| touch(touched.get_or_insert_with(|| parsed(plaintext)));
        for twist in &self.twists {
            match twist {
                Twist::Amount(by_fen) => content(&mut |content| other_amount(content, *by_fen)),
                Twist::Merchant(mchid) => content(&mut |content| other_merchant(content, mchid)),
                Twist::ProfitSharing => {
                    event = profit_sharing_event();
                    let (order_id, out_order_no) = (random::digits(rng, 28), random::digits(rng, 20));
                    content(&mut |content| *content = share(content, &order_id, &out_order_no));
                }
                Twist::Event(event_type) => event.event_type = event_type.clone().into(),
                Twist::AssociatedDataEmpty | Twist::AssociatedDataMissing => {
                    event.associated_data = "".into();
                }
                Twist::OtherKey => other_key = Some(SealingKey::generate(rng)),
                Twist::ResourceNonce(_) => {}
            }
        }
        let plaintext = touched.map_or_else(|| plaintext.to_owned(), |touched| touched.to_string());
        (event, plaintext, other_key)
    }

    /// The same for what is outside of what is sealed.
    pub(crate) fn twisted_envelope(&self, envelope: Envelope) -> Envelope {
        self.twists.iter().fold(envelope, |envelope, twist| match twist {
            Twist::AssociatedDataMissing => envelope.with_body(|body| {
                if let Some(resource) = body.get_mut("resource").and_then(Value::as_object_mut) {
                    resource.remove("associated_data");
                }
            }),
            Twist::ResourceNonce(chars) => envelope.with_body(|body| {
                let nonce = body["resource"]["nonce"].as_str().unwrap_or_default().to_owned();
                let long: String = nonce.chars().cycle().take((*chars).into()).collect();
                body["resource"]["nonce"] = long.into();
            }),
            _ => envelope,
        })
    }
}

fn parsed(plaintext: &str) -> Value {
    serde_json::from_str(plaintext).unwrap_or_default()
}

fn other_amount(content: &mut Value, by_fen: i64) {
    let change = |amount: &mut Value| {
        for field in AMOUNTS {
            if let Some(fen) = amount.get(field).and_then(Value::as_i64) {
                amount[field] = fen.saturating_add(by_fen).into();
            }
        }
    };
    if let Some(amount) = content.get_mut("amount") {
        change(amount);
    }
    let sub_orders = content.get_mut("sub_orders").and_then(Value::as_array_mut);
    sub_orders.into_iter().flatten().filter_map(|order| order.get_mut("amount")).for_each(change);
}

fn other_merchant(content: &mut Value, mchid: &str) {
    for field in MERCHANTS {
        if content.get(field).is_some() {
            content[field] = mchid.into();
        }
    }
}

fn profit_sharing_event() -> Event {
    Event {
        event_type: "TRANSACTION.SUCCESS".into(),
        original_type: "profitsharing".into(),
        associated_data: "profitsharing".into(),
        summary: "分账".into(),
    }
}

/// A share of what was paid, moved to the merchant.
fn share(payment: &Value, order_id: &str, out_order_no: &str) -> Value {
    let mut share = json!({
        "transaction_id": payment["transaction_id"],
        "order_id": order_id,
        "out_order_no": out_order_no,
        "receiver": {
            "type": "MERCHANT_ID",
            "account": payment.get("sub_mchid").or(payment.get("mchid")),
            "amount": payment["amount"]["total"],
            "description": "分给商户",
        },
        "success_time": payment["success_time"],
    });
    for field in ["mchid", "sp_mchid", "sub_mchid"] {
        if let Some(mchid) = payment.get(field) {
            share[field] = mchid.clone();
        }
    }
    share
}
