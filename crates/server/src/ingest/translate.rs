//! WeChat's notification becomes our fact. The one file that knows both.

use jiff::Timestamp;
use payonce_core::{
    AppId, Currency, EventType, Fact, Fen, Json, MerchantId, NotificationId, OrderKey, OutTradeNo, Paid,
    UnixMillis, WechatPaymentId,
    fact::{Content, Passed, Source},
    store::Receipt,
};
use serde_json::Value;
use wechatpay::{
    Notification, Payment, Resource,
    v2::{self, Notice, OpenedRefund},
};

use super::{refusal::Refusal, statement::Statement};

/// The state of a payment that was made; payment notifications exist for no other.
const SUCCESS: &str = "SUCCESS";

/// What a notification of APIv3 says, for the merchant whose path it came by.
pub(super) fn v3(
    notification: Notification,
    merchant: &MerchantId,
    received_at: UnixMillis,
) -> Result<Statement, Refusal> {
    if let Some(named) = addressee(&notification.resource) {
        expect(merchant, named)?;
    }
    let receipt = receipt(&notification.id, &notification.event_type, merchant, received_at)?;
    let mut payments = notification.resource.payments().enumerate().map(|(place, payment)| {
        let detail = match &notification.resource {
            Resource::CombineTransaction(_) => detail_of_sub_order(&notification.plaintext, place)?,
            _ => notification.plaintext.clone(),
        };
        paid(&payment, detail)
    });
    // All or none: what is not passed on has a fact for each of its orders.
    let statement = match (payments.next(), payments.collect::<Option<Vec<Fact>>>()) {
        (Some(Some(first)), Some(further)) => Some((first, further)),
        _ => None,
    };
    let (first, further) =
        statement.unwrap_or_else(|| (passed(&receipt, notification.plaintext), Vec::new()));
    Ok(Statement { first, further, receipt })
}

/// Whose keys WeChat Pay made it with, where it says so: in partner mode the provider, of a combine order who combined.
/// A notice of profit sharing goes to a receiver and names who shares, so it says nothing of that.
fn addressee(resource: &Resource) -> Option<&str> {
    match resource {
        Resource::Transaction(transaction) => Some(&transaction.mchid),
        Resource::PartnerTransaction(transaction) => Some(&transaction.sp_mchid),
        Resource::CombineTransaction(transaction) => Some(&transaction.combine_mchid),
        Resource::Refund(refund) => refund.merchant(),
        _ => None,
    }
}

/// A combine order's own fields, with the one sub-order at this place instead of all: what each order needs to know.
fn detail_of_sub_order(plaintext: &str, place: usize) -> Option<String> {
    let mut whole: serde_json::Map<String, Value> = serde_json::from_str(plaintext).ok()?;
    let Some(Value::Array(mut sub_orders)) = whole.remove("sub_orders") else { return None };
    if place >= sub_orders.len() {
        return None;
    }
    whole.insert("sub_order".to_owned(), sub_orders.swap_remove(place));
    serde_json::to_string(&whole).ok()
}

/// A payment, if it is one that an order can have. Of a combine order each belongs to the merchant that it names.
fn paid(payment: &Payment<'_>, detail: String) -> Option<Fact> {
    if payment.state != SUCCESS {
        return None;
    }
    let content = Content {
        key: OrderKey {
            merchant: MerchantId::parse(payment.mchid).ok()?,
            out_trade_no: OutTradeNo::parse(payment.out_trade_no).ok()?,
        },
        payment: WechatPaymentId::parse(payment.transaction_id).ok()?,
        amount: Fen::new(payment.total.get()).ok()?,
        currency: Currency::parse(payment.currency).ok()?,
        appid: AppId::parse(payment.appid).ok()?,
        sub_merchant: payment.sub_mchid.map(MerchantId::parse).transpose().ok()?,
    };
    let paid_at = payment.success_time.and_then(|text| text.parse::<Timestamp>().ok());
    Some(Fact::Paid(Paid {
        content,
        paid_at: paid_at.map(|at| UnixMillis(at.as_millisecond())),
        source: Source::Callback,
        detail: Json::parse(detail).ok()?,
    }))
}

/// What a notice of APIv2 says.
pub(super) fn v2_notice(
    notice: Notice,
    merchant: &MerchantId,
    received_at: UnixMillis,
) -> Result<Statement, Refusal> {
    let fields = notice.fields();
    expect(merchant, fields.required("mch_id")?)?;
    let event_type = match &notice {
        Notice::Paid(_) => "V2.PAYMENT.SUCCESS",
        Notice::NotPaid { .. } => "V2.PAYMENT.FAIL",
        _ => "V2.NOTICE",
    };
    let receipt = receipt(&notice.dedupe_id(), event_type, merchant, received_at)?;
    let detail = fields.to_json();
    let paid = match &notice {
        Notice::Paid(transaction) => paid_v2(transaction, merchant, &detail),
        _ => None,
    };
    let first = paid.unwrap_or_else(|| passed(&receipt, detail));
    Ok(Statement { first, further: Vec::new(), receipt })
}

/// What a refund notice of APIv2 says. It is opened, not verified: it is passed on and moves nothing here.
pub(super) fn v2_refund(
    refund: &OpenedRefund,
    merchant: &MerchantId,
    received_at: UnixMillis,
) -> Result<Statement, Refusal> {
    if let Some(named) = &refund.unverified_mch_id {
        expect(merchant, named)?;
    }
    let event_type = format!("V2.REFUND.{}", refund.refund_status);
    let receipt = receipt(&refund.dedupe_id(), &event_type, merchant, received_at)?;
    Ok(Statement { first: passed(&receipt, refund.fields.to_json()), further: Vec::new(), receipt })
}

fn paid_v2(transaction: &v2::Transaction, merchant: &MerchantId, detail: &str) -> Option<Fact> {
    Some(Fact::Paid(Paid {
        content: Content {
            key: OrderKey {
                merchant: merchant.clone(),
                out_trade_no: OutTradeNo::parse(&transaction.out_trade_no).ok()?,
            },
            payment: WechatPaymentId::parse(&transaction.transaction_id).ok()?,
            amount: Fen::new(transaction.total_fee.get()).ok()?,
            currency: Currency::parse(&transaction.fee_type).ok()?,
            appid: AppId::parse(&transaction.appid).ok()?,
            sub_merchant: transaction.sub_mch_id.as_deref().map(MerchantId::parse).transpose().ok()?,
        },
        paid_at: transaction.paid_at().map(|at| UnixMillis(at.0 * 1000)),
        source: Source::Callback,
        detail: Json::parse(detail.to_owned()).ok()?,
    }))
}

fn expect(merchant: &MerchantId, named: &str) -> Result<(), Refusal> {
    if named == merchant.as_str() {
        return Ok(());
    }
    Err(Refusal::OtherMerchant { path: merchant.to_string(), named: named.to_owned() })
}

fn receipt(
    id: &str,
    event_type: &str,
    merchant: &MerchantId,
    received_at: UnixMillis,
) -> Result<Receipt, Refusal> {
    let (id, event_type) = (NotificationId::parse(id)?, EventType::parse(event_type)?);
    Ok(Receipt::new(merchant.clone(), id, event_type, received_at))
}

/// What is not ours to judge (another product, or a payment whose numbers no order of ours can have) is passed on.
fn passed(receipt: &Receipt, plaintext: String) -> Fact {
    Fact::Other(Passed {
        merchant: receipt.merchant.clone(),
        notification: receipt.notification.clone(),
        event_type: receipt.event_type.clone(),
        plaintext: plaintext.into_boxed_str(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const MCHID: &str = "1900000001";

    fn plaintext() -> Value {
        json!({
            "mchid": MCHID, "appid": "wx0123456789abcdef", "out_trade_no": "ORDER1",
            "transaction_id": "4200000000202603020000000001", "trade_state": "SUCCESS",
            "success_time": "2026-03-02T09:15:07+08:00", "amount": { "total": 5990 },
        })
    }

    fn notification(plaintext: &Value) -> Notification {
        Notification {
            id: "EV-1".to_owned(),
            create_time: "2026-03-02T09:15:07+08:00".to_owned(),
            event_type: "TRANSACTION.SUCCESS".to_owned(),
            summary: String::new(),
            original_type: Some("transaction".to_owned()),
            product: wechatpay::Product::Payment,
            resource: Resource::Transaction(Box::new(
                serde_json::from_value(plaintext.clone()).expect("a transaction"),
            )),
            plaintext: plaintext.to_string(),
        }
    }

    fn translated(notification: Notification) -> Result<Statement, Refusal> {
        v3(notification, &MerchantId::parse(MCHID).unwrap(), UnixMillis(7))
    }

    #[test]
    fn a_payment_keeps_its_money_its_time_and_its_words() {
        let Statement { first, receipt, .. } = translated(notification(&plaintext())).unwrap();
        let Fact::Paid(paid) = first else { panic!("{first:?}") };
        let OrderKey { merchant, out_trade_no } = &paid.content.key;
        assert_eq!((merchant.as_str(), out_trade_no.as_str()), (MCHID, "ORDER1"));
        assert_eq!(paid.content.payment.as_str(), "4200000000202603020000000001");
        assert_eq!((paid.content.amount.get(), paid.content.currency), (5990, Currency::CNY));
        assert_eq!(paid.paid_at, Some(UnixMillis(1_772_414_107_000)));
        assert_eq!(paid.detail.as_str(), plaintext().to_string());
        assert_eq!((receipt.notification.as_str(), receipt.received_at), ("EV-1", UnixMillis(7)));
    }

    /// What no order of ours can have is handed on whole, once per notification, and pays nothing.
    #[test]
    fn table_of_what_is_passed_on() {
        for (field, value) in [
            ("trade_state", "REFUND"),
            ("trade_state", ""),
            ("out_trade_no", "订单"),
            ("out_trade_no", ""),
            ("transaction_id", ""),
            ("appid", "wx 1"),
        ] {
            let mut plaintext = plaintext();
            plaintext[field] = value.into();
            assert_passed_on(notification(&plaintext));
        }
        let mut currency = plaintext();
        currency["amount"]["currency"] = "yuan".into();
        assert_passed_on(notification(&currency));
        assert_passed_on(Notification { resource: Resource::Other, ..notification(&plaintext()) });
    }

    #[track_caller]
    fn assert_passed_on(notification: Notification) {
        let whole = notification.plaintext.clone();
        let fact = translated(notification).unwrap().first;
        let Fact::Other(passed) = fact else { panic!("{fact:?}") };
        assert_eq!((passed.notification.as_str(), &*passed.plaintext), ("EV-1", &*whole));
    }

    #[test]
    fn a_time_that_is_none_is_left_out() {
        for (time, paid_at) in
            [("yesterday", None), ("2026-03-02T01:15:07Z", Some(UnixMillis(1_772_414_107_000)))]
        {
            let mut plaintext = plaintext();
            plaintext["success_time"] = time.into();
            let Fact::Paid(paid) = translated(notification(&plaintext)).unwrap().first else {
                panic!("{time}")
            };
            assert_eq!(paid.paid_at, paid_at, "{time}");
        }
    }

    fn of(resource: Resource, plaintext: &Value) -> Notification {
        Notification { resource, plaintext: plaintext.to_string(), ..notification(&self::plaintext()) }
    }

    /// One fact a sub-order, each with what its own seller needs to know.
    #[test]
    fn a_combine_notification_is_one_fact_a_sub_order() {
        let sub_order = |mchid: &str, number: u32| {
            json!({
                "mchid": mchid, "sub_mchid": "1900000109", "out_trade_no": format!("SUB{number}"),
                "transaction_id": format!("420000000020260302000000000{number}"), "trade_state": "SUCCESS",
                "attach": format!("for {number}"), "amount": { "total_amount": 100 * number, "currency": "CNY" },
            })
        };
        let mut whole = json!({
            "combine_appid": "wx0123456789abcdef", "combine_mchid": MCHID, "combine_out_trade_no": "WHOLE",
            "sub_orders": [sub_order("1900000007", 1), sub_order("1900000008", 2), sub_order(MCHID, 3)],
        });
        let combine = |whole: &Value| {
            of(Resource::CombineTransaction(serde_json::from_value(whole.clone()).unwrap()), whole)
        };
        let Statement { first, further, receipt } = translated(combine(&whole)).unwrap();
        assert_eq!(receipt.merchant.as_str(), MCHID);
        let facts: Vec<Fact> = std::iter::once(first).chain(further).collect();
        assert_eq!(facts.len(), 3);
        for (number, (fact, mchid)) in (1..).zip(facts.iter().zip(["1900000007", "1900000008", MCHID])) {
            let Fact::Paid(Paid { content, detail, .. }) = fact else { panic!("{fact:?}") };
            assert_eq!(content.key.merchant.as_str(), mchid);
            assert_eq!(content.key.out_trade_no.as_str(), format!("SUB{number}"));
            assert_eq!((content.amount.get(), content.appid.as_str()), (100 * number, "wx0123456789abcdef"));
            assert_eq!(content.sub_merchant.as_ref().map(MerchantId::as_str), Some("1900000109"));
            let detail: Value = serde_json::from_str(detail.as_str()).unwrap();
            assert_eq!(detail["sub_order"]["attach"], format!("for {number}"));
            assert_eq!(
                (&detail["combine_out_trade_no"], &detail["sub_orders"]),
                (&"WHOLE".into(), &Value::Null)
            );
        }
        // All or none: what one order cannot have is handed on whole.
        whole["sub_orders"][1]["out_trade_no"] = "订单".into();
        assert_passed_on(combine(&whole));
        whole["combine_mchid"] = "1900000009".into();
        assert!(matches!(translated(combine(&whole)), Err(Refusal::OtherMerchant { .. })));
    }

    #[test]
    fn a_partners_payment_names_both_merchants() {
        let mut partner = json!({
            "sp_mchid": MCHID, "sp_appid": "wx0123456789abcdef", "sub_mchid": "1900000109",
            "sub_appid": "wxfedcba9876543210", "out_trade_no": "ORDER1", "transaction_id": "42",
            "trade_state": "SUCCESS", "amount": { "total": 5990, "currency": "CNY" },
        });
        let notified = |partner: &Value| {
            of(Resource::PartnerTransaction(serde_json::from_value(partner.clone()).unwrap()), partner)
        };
        let Fact::Paid(paid) = translated(notified(&partner)).unwrap().first else { panic!("a payment") };
        assert_eq!(paid.content.key.merchant.as_str(), MCHID);
        assert_eq!(paid.content.appid.as_str(), "wx0123456789abcdef");
        assert_eq!(paid.content.sub_merchant.as_ref().map(MerchantId::as_str), Some("1900000109"));
        partner["sp_mchid"] = "1900000009".into();
        assert!(matches!(translated(notified(&partner)), Err(Refusal::OtherMerchant { .. })));
    }

    /// It goes to the receiver, and the merchant that it names is the one who shares.
    #[test]
    fn a_share_that_another_merchant_paid_is_the_receivers() {
        for names in [
            json!({ "mchid": "1900000009" }),
            json!({ "sp_mchid": "1900000009", "sub_mchid": "1900000109" }),
            json!({ "mchid": MCHID }),
        ] {
            let mut share = json!({
                "transaction_id": "42", "order_id": "60", "out_order_no": "p1",
                "receiver": { "type": "MERCHANT_ID", "account": MCHID, "amount": 888 },
            });
            share.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            let resource = Resource::ProfitSharing(serde_json::from_value(share.clone()).unwrap());
            assert_passed_on(of(resource, &share));
        }
    }

    #[test]
    fn another_merchants_notification_and_senseless_names_are_refused() {
        let mut other = plaintext();
        other["mchid"] = "1900000009".into();
        let refused = translated(notification(&other));
        assert!(matches!(refused, Err(Refusal::OtherMerchant { named, .. }) if named == "1900000009"));
        for (id, event_type) in [("", "A.B"), ("EV 1", "A.B"), ("EV-1", ""), ("EV-1", "付款")] {
            let (id, event_type) = (id.to_owned(), event_type.to_owned());
            let refused = translated(Notification { id, event_type, ..notification(&plaintext()) });
            assert!(matches!(refused, Err(Refusal::Senseless(_))));
        }
    }
}
