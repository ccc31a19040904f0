//! What WeChat itself says otherwise: before it seals and signs, so that only the content can give it away.

use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fate, NoticeTrouble};
use crate::books::{Content, Event};
use crate::{Envelope, random};

/// One thing that is said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Twist {
    Amount(i64),
    Merchant(String),
    Field(String, Value),
    ProfitSharing,
    Event(String),
    AssociatedDataEmpty,
    AssociatedDataMissing,
    ResourceNonce(u8),
}

/// The fields of an amount that belong together.
const AMOUNTS: [&str; 6] = ["total", "payer_total", "refund", "payer_refund", "total_amount", "payer_amount"];

/// The same of APIv2, of a payment and of a refund.
const FEES: [&str; 6] = [
    "total_fee",
    "settlement_total_fee",
    "cash_fee",
    "refund_fee",
    "settlement_refund_fee",
    "cash_refund_fee",
];

/// The fields that name the merchant that signs.
const MERCHANTS: [&str; 3] = ["mchid", "sp_mchid", "combine_mchid"];

/// Fields of APIv2.
type Fields = Vec<(String, String)>;

impl Twist {
    /// What a trouble says otherwise; none where it does something else.
    pub(super) fn of(trouble: &NoticeTrouble) -> Option<Self> {
        use NoticeTrouble as T;
        Some(match trouble {
            T::OtherAmount { by_fen } => Self::Amount(*by_fen),
            T::OtherMerchant { mchid } => Self::Merchant(mchid.clone()),
            T::OtherField { path, value } => Self::Field(path.clone(), value.clone()),
            T::ProfitSharing => Self::ProfitSharing,
            T::OtherEvent { event_type } => Self::Event(event_type.clone()),
            T::AssociatedDataEmpty => Self::AssociatedDataEmpty,
            T::AssociatedDataMissing => Self::AssociatedDataMissing,
            T::ResourceNonce { chars } => Self::ResourceNonce(*chars),
            _ => return None,
        })
    }

    /// What is said instead. Where it means nothing to the content, that stays as it is.
    pub(super) fn said(&self, content: &Content, rng: &mut impl Rng) -> Content {
        let mut said = content.clone();
        match &mut said {
            Content::V3 { event, plaintext } => self.in_json(event, plaintext, rng),
            Content::V2 { told, sealed, .. } => self.in_fields(told, sealed.as_mut()),
        }
        said
    }

    fn in_json(&self, event: &mut Event, plaintext: &mut String, rng: &mut impl Rng) {
        let old: Value = serde_json::from_str(plaintext).unwrap_or_default();
        let mut new = old.clone();
        match self {
            Self::Amount(by_fen) => other_amount(&mut new, *by_fen),
            Self::Merchant(mchid) => other_merchant(&mut new, mchid),
            Self::Field(path, value) => set(&mut new, path, value),
            // What tells of one payment, and not of several or of a refund.
            Self::ProfitSharing
                if *event == Event::TRANSACTION_SUCCESS && old.get("transaction_id").is_some() =>
            {
                *event = profit_sharing_event();
                new = share(&old, &random::digits(rng, 28), &random::digits(rng, 20));
            }
            Self::Event(event_type) => event.event_type = event_type.clone().into(),
            Self::AssociatedDataEmpty | Self::AssociatedDataMissing => event.associated_data = "".into(),
            // That is outside of what is sealed.
            Self::ResourceNonce(_) | Self::ProfitSharing => {}
        }
        // What was never touched stays as it was, byte for byte.
        if new != old {
            *plaintext = new.to_string();
        }
    }

    fn in_fields(&self, told: &mut Fields, sealed: Option<&mut Fields>) {
        match self {
            Self::Amount(by_fen) => {
                let fields = sealed.unwrap_or(told).iter_mut();
                for (_, value) in fields.filter(|(name, _)| FEES.contains(&name.as_str())) {
                    if let Ok(fen) = value.parse::<i64>() {
                        *value = fen.saturating_add(*by_fen).to_string();
                    }
                }
            }
            Self::Merchant(mchid) => {
                let fields = told.iter_mut().filter(|(name, _)| name == "mch_id");
                fields.for_each(|(_, value)| mchid.clone_into(value));
            }
            Self::Field(path, value) => {
                let name = path.trim_start_matches('/');
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let is_open = told.iter().any(|(known, _)| known == name);
                let fields = if is_open { told } else { sealed.unwrap_or(told) };
                match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, old)) => *old = value,
                    None => fields.push((name.to_owned(), value)),
                }
            }
            Self::ProfitSharing
            | Self::Event(_)
            | Self::AssociatedDataEmpty
            | Self::AssociatedDataMissing
            | Self::ResourceNonce(_) => {}
        }
    }
}

impl Fate {
    /// What is said.
    pub(crate) fn twisted(&self, content: &Content, rng: &mut impl Rng) -> Content {
        self.twists.iter().fold(content.clone(), |content, twist| twist.said(&content, rng))
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

/// Puts a value where a JSON pointer leads, also where nothing is there yet; nothing where that is in nothing.
fn set(content: &mut Value, path: &str, value: &Value) {
    if let Some(place) = content.pointer_mut(path) {
        *place = value.clone();
    } else if let Some((parent, name)) = path.rsplit_once('/')
        && let Some(Value::Object(parent)) = content.pointer_mut(parent)
    {
        parent.insert(name.replace("~1", "/").replace("~0", "~"), value.clone());
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
