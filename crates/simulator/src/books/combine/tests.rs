//! What the books do with combined orders.

use rand::rngs::StdRng;
use serde_json::json;

use super::super::tests::{NOW, PROVIDER, SHOP, STRANGER, SUB, books, later, ordinary, partner, terms};
use super::*;
use crate::books::{
    Account, Books, OrderKey, OrderPayer, Payment, Refusal, Subject, Terms, TradeState, TradeType, Whose,
};

/// Books in which another merchant sells in the shop's app as well.
fn together() -> (Books, StdRng) {
    let (mut books, mut rng) = books();
    books.enrol(Account::ordinary(STRANGER, "wx1"), &mut rng);
    (books, rng)
}

fn whole() -> CombineTerms {
    CombineTerms {
        combine_appid: "wx1".to_owned(),
        combine_mchid: SHOP.to_owned(),
        combine_out_trade_no: "WHOLE1".to_owned(),
        trade_type: TradeType::Jsapi,
        notify_url: "http://127.0.0.1/whole".to_owned(),
        payer: None,
        device_id: None,
        parameters: json!({ "sub_orders": [{ "settle_info": { "profit_sharing": false }, "amount": 1 }] }),
    }
}

fn part(mchid: &str, out_trade_no: &str) -> Terms {
    Terms { seller: ordinary("wx1", mchid), out_trade_no: out_trade_no.to_owned(), payer: None, ..terms() }
}

fn parts() -> Vec<Terms> {
    vec![part(SHOP, "PART1"), part(STRANGER, "PART2")]
}

fn key() -> OrderKey {
    whole().key()
}

fn states(books: &Books) -> Vec<TradeState> {
    books.parts(books.find_combined(&key()).unwrap()).map(|order| order.state(NOW)).collect()
}

#[test]
fn all_parts_are_paid_at_once_and_told_at_once() {
    // Paid as a whole, or by one of its parts: it is the same.
    for by in [key(), OrderKey::new(STRANGER, "PART2")] {
        let (mut books, mut rng) = together();
        let prepaid = books.combine(whole(), parts(), NOW, &mut rng).unwrap();
        assert!(prepaid.ticket.starts_with("up_wx20240101"), "{prepaid:?}");
        assert_eq!(books.led_to(&prepaid.ticket, NOW), Some(&key()));
        books.pay(&by, Some("alice"), NOW, &mut rng).unwrap();
        assert_eq!(states(&books), [TradeState::Success; 2]);
        assert_eq!(books.pay(&by, None, NOW, &mut rng), Err(Refusal::PaidAlready));

        let entries: Vec<_> = books.notices.entries().map(|(_, entry)| &entry.notice).collect();
        let [notice] = entries[..] else { panic!("{entries:?}") };
        assert_eq!((&notice.subject, notice.mchid.as_str()), (&Subject::Combined(key()), SHOP));
        let combined = books.find_combined(&key()).unwrap();
        let id = combined.transaction_id.as_deref().unwrap();
        assert_eq!(books.find_combined_paid(SHOP, id), Ok(combined));
        assert_eq!(books.find_combined_paid(STRANGER, id), Err(Refusal::OrderNotExist));
        let payments: Vec<&Payment> = books.parts(combined).filter_map(|order| order.payment()).collect();
        assert_ne!(payments[0].transaction_id, payments[1].transaction_id);
        assert_eq!(payments[0].bank_type, payments[1].bank_type);
        assert_eq!(payments[0].openid, payments[1].openid, "one user under one app");
    }
}

#[test]
fn parts_are_hidden_from_ordinary_calls() {
    let (mut books, mut rng) = together();
    books.combine(whole(), parts(), NOW, &mut rng).unwrap();
    let own = Whose { mchid: SHOP, sub_mchid: None };
    assert_eq!(books.find(own, "PART1").map(|_| ()), Err(Refusal::OrderNotExist));
    assert_eq!(books.find(own, "WHOLE1").map(|_| ()), Err(Refusal::OrderNotExist));
    assert_eq!(books.close(own, "PART1", NOW), Err(Refusal::OrderNotExist));
    for number in ["PART1", "WHOLE1"] {
        let placed = books.prepay(part(SHOP, number), NOW, &mut rng);
        assert_eq!(placed, Err(Refusal::OutTradeNoUsed), "{number}");
    }
    let paid = books.pay(&key(), None, NOW, &mut rng).unwrap();
    assert_eq!(books.find_paid(own, &paid.transaction_id).map(|_| ()), Err(Refusal::OrderNotExist));
}

#[test]
fn table_of_placing_again() {
    let other = |parameters| CombineTerms { parameters, ..whole() };
    let settled = json!({ "sub_orders": [{ "settle_info": { "profit_sharing": true }, "amount": 1 }] });
    let dearer = json!({ "sub_orders": [{ "settle_info": { "profit_sharing": false }, "amount": 2 }] });
    for (again, after_seconds, expected) in [
        (whole(), 0, Ok(())),
        (other(settled), 0, Err(Refusal::SettlementDiffers)),
        (other(dearer), 0, Err(Refusal::ReentryDiffers)),
        (CombineTerms { trade_type: TradeType::App, ..whole() }, 0, Err(Refusal::OutTradeNoUsed)),
        (whole(), 7 * 24 * 3600, Err(Refusal::OrderClosed)),
        (
            CombineTerms { combine_out_trade_no: "WHOLE2".to_owned(), ..whole() },
            0,
            Err(Refusal::OutTradeNoUsed),
        ),
    ] {
        let (mut books, mut rng) = together();
        books.combine(whole(), parts(), NOW, &mut rng).unwrap();
        let placed = books.combine(again, parts(), later(after_seconds), &mut rng);
        assert_eq!(placed.map(|_| ()), expected);
        assert_eq!((books.orders().count(), books.combined().count()), (2, 1));
    }
}

#[test]
fn table_of_who_may_sell_together() {
    let sold_for = |sub_appid| Terms {
        seller: partner("wxsp", PROVIDER, sub_appid, SUB),
        out_trade_no: "PART1".to_owned(),
        payer: None,
        ..terms()
    };
    let provider =
        || CombineTerms { combine_appid: "wxsp".to_owned(), combine_mchid: PROVIDER.to_owned(), ..whole() };
    let sub_payer = Some(OrderPayer::SubOpenid("oSUB".to_owned()));
    for (whole, parts, expected) in [
        (whole(), parts(), Ok(())),
        (whole(), vec![part(SHOP, "PART1"), part(SHOP, "PART1")], Err(Refusal::OutTradeNoUsed)),
        (whole(), vec![part("1999999999", "PART1")], Err(Refusal::MchNotExists)),
        (
            CombineTerms { combine_appid: "wx2".to_owned(), ..whole() },
            parts(),
            Err(Refusal::AppidMchidNotMatch),
        ),
        (CombineTerms { combine_mchid: "1".to_owned(), ..whole() }, parts(), Err(Refusal::MchNotExists)),
        (provider(), vec![sold_for(None)], Ok(())),
        (provider(), vec![sold_for(Some("wx1"))], Err(Refusal::SubAppidNotMatch)),
        (
            CombineTerms { payer: sub_payer, ..provider() },
            vec![sold_for(None)],
            Err(Refusal::SubOpenidMismatch),
        ),
    ] {
        let (mut books, mut rng) = together();
        let placed = books.combine(whole.clone(), parts, NOW, &mut rng);
        assert_eq!(placed.map(|_| ()), expected, "{whole:?}");
        assert!(expected.is_ok() || books.orders().count() == 0, "a refusal changes nothing");
    }
}

#[test]
fn all_parts_are_closed_at_once_when_all_are_named() {
    let (mut books, mut rng) = together();
    books.combine(whole(), parts(), NOW, &mut rng).unwrap();
    let all = parts().iter().map(Terms::key).collect();
    let one = parts()[..1].iter().map(Terms::key).collect();
    assert_eq!(books.close_combined(&key(), "wx1", &one, NOW), Err(Refusal::PartsDiffer));
    assert_eq!(books.close_combined(&key(), "wx2", &all, NOW), Err(Refusal::PartsDiffer));
    let nowhere = OrderKey::new(SHOP, "PART1");
    assert_eq!(books.close_combined(&nowhere, "wx1", &all, NOW), Err(Refusal::OrderNotExist));
    assert_eq!(states(&books), [TradeState::NotPay; 2]);
    for _ in 0..2 {
        books.close_combined(&key(), "wx1", &all, NOW).unwrap();
    }
    assert_eq!(states(&books), [TradeState::Closed; 2]);
    assert_eq!(books.pay(&key(), None, NOW, &mut rng), Err(Refusal::OrderClosed));

    let (mut books, mut rng) = together();
    books.combine(whole(), parts(), NOW, &mut rng).unwrap();
    books.pay(&key(), None, NOW, &mut rng).unwrap();
    assert_eq!(books.close_combined(&key(), "wx1", &all, NOW), Err(Refusal::OrderPaid));
    let read: Books = serde_json::from_str(&serde_json::to_string(&books).unwrap()).unwrap();
    assert_eq!((read.orders, read.combined), (books.orders, books.combined));
}
