//! WeChat's notification becomes our fact. The one file that knows both.

use jiff::Timestamp;
use payonce_core::{
    AppId, Currency, EventType, Fact, Fen, MerchantId, NotificationId, OrderKey, OutTradeNo, Paid,
    Submission, UnixMillis, WechatPaymentId,
    fact::{Content, Passed, Source},
    store::Receipt,
};
use wechatpay::{Notification, Resource, Transaction};

use super::refusal::Refusal;

/// The state of a payment that was made; payment notifications exist for no other.
const SUCCESS: &str = "SUCCESS";

/// What the notification says, for the merchant whose path it came by.
pub(crate) fn translate(
    notification: Notification,
    merchant: &MerchantId,
    received_at: UnixMillis,
) -> Result<Submission, Refusal> {
    let id = NotificationId::parse(&notification.id)?;
    let event_type = EventType::parse(&notification.event_type)?;
    let receipt = Receipt::new(merchant.clone(), id.clone(), event_type.clone(), received_at);
    let fact = match &notification.resource {
        Resource::Transaction(transaction) => {
            if transaction.mchid != merchant.as_str() {
                let (path, named) = (merchant.to_string(), transaction.mchid.clone());
                return Err(Refusal::OtherMerchant { path, named });
            }
            paid(transaction, merchant, &notification.plaintext)
        }
        _ => None,
    };
    let fact = fact.unwrap_or_else(|| {
        // Not ours to judge (another product, or a payment whose numbers no order of ours can have): passed on.
        let plaintext = notification.plaintext.into_boxed_str();
        Fact::Other(Passed { merchant: merchant.clone(), notification: id, event_type, plaintext })
    });
    Ok(Submission { fact, receipt: Some(receipt) })
}

/// A payment, if it is one that an order can have.
fn paid(transaction: &Transaction, merchant: &MerchantId, plaintext: &str) -> Option<Fact> {
    if transaction.trade_state != SUCCESS {
        return None;
    }
    let content = Content {
        key: OrderKey {
            merchant: merchant.clone(),
            out_trade_no: OutTradeNo::parse(&transaction.out_trade_no).ok()?,
        },
        payment: WechatPaymentId::parse(&transaction.transaction_id).ok()?,
        amount: Fen::new(transaction.amount.total).ok()?,
        currency: Currency::parse(&transaction.amount.currency).ok()?,
        appid: AppId::parse(&transaction.appid).ok()?,
    };
    let paid_at = transaction.success_time.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    Some(Fact::Paid(Paid {
        content,
        paid_at: paid_at.map(|at| UnixMillis(at.as_millisecond())),
        source: Source::Callback,
        detail: plaintext.into(),
    }))
}
