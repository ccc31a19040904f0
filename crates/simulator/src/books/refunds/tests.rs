//! What the books do with refunds, as tables.

use serde_json::json;

use super::super::tests::{DAY, NOW, OWN, PROVIDER, STRANGER, SUB, books, key, later, partner, terms};
use super::*;
use crate::books::{Books, OrderKey, Progress, Refusal, Subject, Terms, TradeState, Whose};
use rand::rngs::StdRng;

const URL: &str = "http://127.0.0.1/refunds";

fn asked(out_refund_no: &str, refund_fen: i64) -> RefundTerms {
    RefundTerms {
        out_refund_no: out_refund_no.to_owned(),
        refund_fen,
        total_fen: 100,
        notify_url: Some(URL.to_owned()),
        funds_account: None,
        from: Vec::new(),
        protocol: crate::books::Protocol::V3,
        parameters: json!({ "reason": "cold" }),
    }
}

const ORDER: OrderNumber<'_> = OrderNumber::OutTradeNo("ORDER1");

/// ORDER1 over 100 fen, paid.
fn paid() -> (Books, StdRng) {
    let (mut books, mut rng) = books();
    books.prepay(terms(), NOW, &mut rng).unwrap();
    books.pay(&key(), None, NOW, &mut rng).unwrap();
    (books, rng)
}

fn refund_key(number: &str) -> RefundKey {
    RefundKey::new(OWN.mchid, number)
}

#[test]
fn a_refund_is_paid_out_after_a_while_and_told() {
    let (mut books, mut rng) = paid();
    let refund = books.refund(OWN, ORDER, asked("R1", 40), NOW, &mut rng).unwrap();
    let id = refund.refund_id.clone();
    assert!(id.len() == 29 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    assert_eq!((&id[..5], &id[10..18]), ("50300", "20240101"));
    assert_eq!(refund.status(later(4)), RefundStatus::Processing);
    assert_eq!(
        (refund.status(later(5)), refund.succeeded_at(later(9))),
        (RefundStatus::Success, Some(later(5)))
    );
    assert_eq!(books.order(&key()).unwrap().state(NOW), TradeState::Refund);

    let (_, entry) = books.notices.entries().next_back().unwrap();
    assert_eq!(entry.notice.subject, Subject::Refund(refund_key("R1")));
    assert_eq!((entry.progress, entry.notice.url.as_str()), (Progress::Due { at: later(5) }, URL));
    let silent = RefundTerms { notify_url: None, ..asked("R2", 40) };
    books.refund(OWN, ORDER, silent, NOW, &mut rng).unwrap();
    assert_eq!(books.notices.entries().count(), 2, "the payment's and the first refund's");
}

#[test]
fn table_of_asking() {
    let pieces = |count: usize| (0..count).map(|n| asked(&format!("P{n}"), 1)).collect::<Vec<_>>();
    for (before, asked, after_seconds, expected) in [
        (vec![], asked("R1", 100), 0, Ok(())),
        (vec![], asked("R1", 1), 365 * DAY, Ok(())),
        (vec![], asked("R1", 1), 365 * DAY + 1, Err(Refusal::TradeOverdue)),
        (vec![], asked("R1", 101), 0, Err(Refusal::RefundTooLarge)),
        (vec![], RefundTerms { total_fen: 99, ..asked("R1", 1) }, 0, Err(Refusal::TotalDiffers)),
        (vec![asked("R0", 60)], asked("R1", 40), 0, Ok(())),
        (vec![asked("R0", 60)], asked("R1", 41), 0, Err(Refusal::RefundTooLarge)),
        (vec![asked("R0", 100)], asked("R1", 1), 0, Err(Refusal::RefundedAlready)),
        (pieces(49), asked("R1", 1), 0, Ok(())),
        (pieces(50), asked("R1", 1), 0, Err(Refusal::TooManyRefunds)),
        // The same number again: what was said first counts.
        (vec![asked("R1", 60)], asked("R1", 60), 400 * DAY, Ok(())),
        (vec![asked("R1", 60)], asked("R1", 61), 0, Err(Refusal::RefundFeeMismatch)),
        (
            vec![asked("R1", 60)],
            RefundTerms { notify_url: None, ..asked("R1", 60) },
            0,
            Err(Refusal::ReentryDiffers),
        ),
        (
            vec![asked("R1", 60)],
            RefundTerms { parameters: json!({}), ..asked("R1", 60) },
            0,
            Err(Refusal::ReentryDiffers),
        ),
    ] {
        let (mut books, mut rng) = paid();
        for terms in &before {
            books.refund(OWN, ORDER, terms.clone(), NOW, &mut rng).unwrap();
        }
        let count = books.refunds().count();
        let told = books.refund(OWN, ORDER, asked.clone(), later(after_seconds), &mut rng);
        assert_eq!(told.map(|_| ()), expected, "{before:?} {asked:?}");
        let again = before.iter().any(|terms| terms.out_refund_no == asked.out_refund_no);
        assert_eq!(books.refunds().count() - count, usize::from(expected.is_ok() && !again));
    }
}

#[test]
fn a_refunds_number_is_for_one_order() {
    let (mut books, mut rng) = paid();
    let other = Terms { out_trade_no: "ORDER2".to_owned(), ..terms() };
    books.prepay(other.clone(), NOW, &mut rng).unwrap();
    books.pay(&other.key(), None, NOW, &mut rng).unwrap();
    books.refund(OWN, ORDER, asked("R1", 1), NOW, &mut rng).unwrap();
    let number = OrderNumber::OutTradeNo("ORDER2");
    let told = books.refund(OWN, number, asked("R1", 1), NOW, &mut rng);
    assert_eq!(told.map(|_| ()), Err(Refusal::ReentryDiffers));
}

#[test]
fn table_of_whose_order_is_refunded() {
    let (mut books, mut rng) = paid();
    let seller = partner("wxsp", PROVIDER, None, SUB);
    books.prepay(Terms { seller, payer: None, ..terms() }, NOW, &mut rng).unwrap();
    let theirs = books.pay(&OrderKey::new(PROVIDER, "ORDER1"), None, NOW, &mut rng).unwrap();
    let ours = books.order(&key()).unwrap().payment().unwrap().transaction_id.clone();
    let unpaid = Terms { out_trade_no: "UNPAID".to_owned(), ..terms() };
    books.prepay(unpaid, NOW, &mut rng).unwrap();
    let theirs = theirs.transaction_id;
    for (mchid, sub_mchid, order, expected) in [
        (OWN.mchid, None, ORDER, Ok(())),
        (OWN.mchid, None, OrderNumber::TransactionId(&ours), Ok(())),
        (OWN.mchid, None, OrderNumber::TransactionId("42"), Err(Refusal::NothingToRefund)),
        (OWN.mchid, None, OrderNumber::OutTradeNo("ORDER9"), Err(Refusal::NothingToRefund)),
        (OWN.mchid, None, OrderNumber::OutTradeNo("UNPAID"), Err(Refusal::NothingToRefund)),
        (OWN.mchid, Some(SUB), ORDER, Err(Refusal::NothingToRefund)),
        (STRANGER, None, OrderNumber::TransactionId(&ours), Err(Refusal::MchidNotMatchOrder)),
        (STRANGER, None, ORDER, Err(Refusal::NothingToRefund)),
        (PROVIDER, Some(SUB), OrderNumber::TransactionId(&theirs), Ok(())),
        (PROVIDER, None, ORDER, Err(Refusal::SubMchidMissing)),
        (PROVIDER, Some(STRANGER), ORDER, Err(Refusal::SubMchidNotMatchOrder)),
    ] {
        let whose = Whose { mchid, sub_mchid };
        let told = books.refund(whose, order, asked("R1", 1), NOW, &mut rng).map(|_| ());
        assert_eq!(told, expected, "{whose:?} {order:?}");
        if expected.is_ok() {
            assert!(books.find_refund(whose, "R1").is_ok());
        }
    }
    let whose = Whose { mchid: PROVIDER, sub_mchid: None };
    assert_eq!(books.find_refund(whose, "R1").map(|_| ()), Err(Refusal::SubMchidMissing));
    assert_eq!(books.find_refund(OWN, "R9").map(|_| ()), Err(Refusal::RefundNotExist));
}

#[test]
fn a_closed_refund_gives_its_money_back_to_the_order() {
    let (mut books, mut rng) = paid();
    books.refund(OWN, ORDER, asked("R1", 100), NOW, &mut rng).unwrap();
    books.end_refund(&refund_key("R1"), RefundStatus::Closed, later(1), &mut rng).unwrap();
    let again = books.end_refund(&refund_key("R1"), RefundStatus::Success, later(1), &mut rng);
    assert_eq!(again, Err(Refusal::RefundStateWrong));
    let known = books.refund(OWN, ORDER, asked("R1", 100), later(2), &mut rng).unwrap();
    assert_eq!(known.status(later(2)), RefundStatus::Closed, "the number is burnt");
    books.refund(OWN, ORDER, asked("R2", 100), later(2), &mut rng).unwrap();
    let told: Vec<_> = books.notices.entries().map(|(_, entry)| entry.notice.content.clone()).collect();
    let crate::books::Content::V3 { event, plaintext } = &told[1] else { panic!("{told:?}") };
    assert_eq!(event.event_type, "REFUND.CLOSED");
    assert!(plaintext.contains(r#""refund_status":"CLOSED""#) && !plaintext.contains("success_time"));
    assert_eq!(told.len(), 3, "the end that did not come about is not told");
}

#[test]
fn an_abnormal_refund_goes_another_way() {
    let (mut books, mut rng) = paid();
    let id = books.refund(OWN, ORDER, asked("R1", 100), NOW, &mut rng).unwrap().refund_id.clone();
    let to_us = || Destination::MerchantCard;
    let numbers = (id.as_str(), "R1");
    let early = books.redirect_refund(OWN, numbers, to_us(), NOW, &mut rng).map(|_| ());
    assert_eq!(early, Err(Refusal::RefundStateWrong));
    books.end_refund(&refund_key("R1"), RefundStatus::Abnormal, later(1), &mut rng).unwrap();
    let wrong = books.redirect_refund(OWN, ("503", "R1"), to_us(), later(2), &mut rng).map(|_| ());
    assert_eq!(wrong, Err(Refusal::RefundNotExist));
    for _ in 0..2 {
        let refund = books.redirect_refund(OWN, numbers, to_us(), later(10), &mut rng).unwrap();
        assert_eq!(refund.status(later(10)), RefundStatus::Processing);
        assert_eq!(refund.succeeded_at(later(15)), Some(later(15)));
    }
    let elsewhere = Destination::UserCard { bank_type: "CMB_DEBIT".to_owned() };
    let other = books.redirect_refund(OWN, numbers, elsewhere, later(10), &mut rng).map(|_| ());
    assert_eq!(other, Err(Refusal::RefundStateWrong));
    let due: Vec<_> = books.notices.entries().map(|(_, entry)| entry.progress).collect();
    let due_at = |seconds| Progress::Due { at: later(seconds) };
    assert_eq!(due, [due_at(0), due_at(1), due_at(15)], "paid, abnormal, success");
}

#[test]
fn a_merchant_without_money_refunds_later_under_the_same_number() {
    let (mut books, mut rng) = paid();
    books.set_short_of_funds(OWN.mchid, true);
    let told = books.refund(OWN, ORDER, asked("R1", 1), NOW, &mut rng).map(|_| ());
    assert_eq!(told, Err(Refusal::NotEnough));
    books.set_short_of_funds(OWN.mchid, false);
    books.refund(OWN, ORDER, asked("R1", 1), NOW, &mut rng).unwrap();
    let mut read: Books = serde_json::from_str(&serde_json::to_string(&books).unwrap()).unwrap();
    assert_eq!(read.refunds, books.refunds);
    read.end_refund(&refund_key("R1"), RefundStatus::Closed, NOW, &mut rng).unwrap();
}
