//! What the books say of a day.

use rand::rngs::StdRng;
use wechatpay::UnixSeconds;
use wechatpay::bill::{Bill, Entry, FundFlow, Trade};

use super::super::tests::{DAY, NOW, OWN, PROVIDER, SHOP, STRANGER, SUB, books, key, later, partner, terms};
use super::*;
use crate::books::{
    Books, OrderKey, OrderNumber, Protocol, RefundKey, RefundStatus, RefundTerms, Refusal, Terms,
};

const TEN: i64 = 10 * 3600;

/// An order over 59.90 yuan, and 20 yuan of it back, in the books from midnight on.
fn traded() -> (Books, StdRng) {
    let (mut books, mut rng) = books();
    let attach = Some("cart,7\n".to_owned());
    books.prepay(Terms { amount_fen: 5990, attach, ..terms() }, NOW, &mut rng).unwrap();
    books.pay(&key(), None, NOW, &mut rng).unwrap();
    refund(&mut books, "R1", 2000, later(60), &mut rng);
    (books, rng)
}

fn refund(books: &mut Books, number: &str, refund_fen: i64, at: UnixSeconds, rng: &mut StdRng) {
    let terms = RefundTerms {
        out_refund_no: number.to_owned(),
        refund_fen,
        total_fen: 5990,
        notify_url: None,
        funds_account: None,
        from: Vec::new(),
        protocol: Protocol::V3,
        parameters: serde_json::Value::Null,
    };
    books.refund(OWN, OrderNumber::OutTradeNo("ORDER1"), terms, at, rng).unwrap();
}

fn trade(mchid: &str, rows: TradeRows, sub_mchid: Option<&str>) -> BillRequest {
    let kind = BillKind::Trade { rows, sub_mchid: sub_mchid.map(str::to_owned) };
    BillRequest { mchid: mchid.to_owned(), day: NOW, kind }
}

fn fund_flow(mchid: &str) -> BillRequest {
    BillRequest { mchid: mchid.to_owned(), day: NOW, kind: BillKind::FundFlow }
}

/// When the bill of the first day is there.
fn ready() -> UnixSeconds {
    later(DAY + TEN)
}

#[test]
fn a_trade_bill_is_read_back_and_its_sums_fit() {
    let (books, _) = traded();
    for (rows, expected) in [
        (TradeRows::All, &["5990", "R1 2000"][..]),
        (TradeRows::Payments, &["5990"]),
        (TradeRows::Refunds, &["R1 2000"]),
    ] {
        let text = books.bill(&trade(SHOP, rows, None), ready()).unwrap();
        let (mut bill, mut found) = (Bill::<Trade>::new(), Vec::new());
        bill.push(text.as_bytes());
        while let Some(row) = bill.next_row().unwrap() {
            assert_eq!((row.out_trade_no, row.attach.as_ref()), ("ORDER1", "cart,7\n"));
            match &row.entry {
                Entry::Payment => found.push(row.total.get().to_string()),
                Entry::Refund(refund) => {
                    found.push(format!("{} {}", refund.out_refund_no, refund.total.get()));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(found, expected);
        assert_eq!(bill.finish().unwrap().rows, expected.len() as u64);
    }
}

#[test]
fn a_fund_flow_bill_is_read_back_and_closed_refunds_return() {
    let (mut books, mut rng) = traded();
    refund(&mut books, "R2", 3990, later(120), &mut rng);
    books.end_refund(&RefundKey::new(SHOP, "R2"), RefundStatus::Closed, later(121), &mut rng).unwrap();
    let text = books.bill(&fund_flow(SHOP), ready()).unwrap();
    let (mut bill, mut moved) = (Bill::<FundFlow>::new(), Vec::new());
    bill.push(text.as_bytes());
    while let Some(row) = bill.next_row().unwrap() {
        moved.push((row.business_type.to_string(), row.signed_fen().unwrap(), row.balance.get()));
    }
    let moved: Vec<_> = moved.iter().map(|(name, fen, balance)| (name.as_str(), *fen, *balance)).collect();
    assert_eq!(
        moved,
        [
            ("交易", 5990, 5990),
            ("扣除交易手续费", -36, 5954),
            ("退款", -1988, 3966),
            ("退款", -3966, 0),
            ("退款关闭", 3966, 3966),
        ]
    );
    bill.finish().unwrap();
}

#[test]
fn table_of_when_and_for_whom_there_is_a_bill() {
    let (mut books, mut rng) = traded();
    let seller = partner("wxsp", PROVIDER, None, SUB);
    books.prepay(Terms { seller, payer: None, ..terms() }, NOW, &mut rng).unwrap();
    books.pay(&OrderKey::new(PROVIDER, "ORDER1"), None, NOW, &mut rng).unwrap();
    let all = |mchid, sub_mchid| trade(mchid, TradeRows::All, sub_mchid);
    let next_day = BillRequest { day: later(DAY), ..all(SHOP, None) };
    let nothing = BillRequest { kind: BillKind::Nothing, ..all(SHOP, None) };
    for (request, now, expected) in [
        (all(SHOP, None), later(DAY - 1), Err(Refusal::BillDayNotOver)),
        (all(SHOP, None), later(DAY + TEN - 1), Err(Refusal::StatementCreating)),
        (all(SHOP, None), ready(), Ok(())),
        (all(SHOP, None), later(91 * DAY), Ok(())), // 2024-04-01
        (all(SHOP, None), later(92 * DAY), Err(Refusal::BillTooOld)),
        (next_day, later(3 * DAY), Err(Refusal::NoStatement)),
        (nothing, ready(), Err(Refusal::NoStatement)),
        (all(STRANGER, None), ready(), Err(Refusal::NoStatement)),
        (all(SHOP, Some(SUB)), ready(), Err(Refusal::NotAccepted)),
        (all(PROVIDER, Some(SUB)), ready(), Ok(())),
        (all(PROVIDER, None), ready(), Ok(())),
        (all(PROVIDER, Some(STRANGER)), ready(), Err(Refusal::NotAccepted)),
        (fund_flow(PROVIDER), ready(), Err(Refusal::NoStatement)),
        (fund_flow(SUB), ready(), Ok(())),
    ] {
        assert_eq!(books.bill(&request, now).map(|_| ()), expected, "{request:?}");
    }
}

#[test]
fn a_token_is_good_for_five_minutes_and_one_merchant() {
    let (mut books, mut rng) = traded();
    let now = ready();
    let (text, token) = books.issue_bill(trade(SHOP, TradeRows::All, None), true, now, &mut rng).unwrap();
    let after = |seconds| UnixSeconds(now.0 + seconds);
    assert_eq!(books.bill_file(SHOP, &token, after(299)), Ok((text, true)));
    assert_eq!(books.bill_file(STRANGER, &token, now), Err(Refusal::BillOfAnother));
    assert_eq!(books.bill_file(SHOP, &token, after(300)), Err(Refusal::BillTokenUnknown));
    assert_eq!(books.bill_file(SHOP, "guess", now), Err(Refusal::BillTokenUnknown));
    let read: Books = serde_json::from_str(&serde_json::to_string(&books).unwrap()).unwrap();
    assert!(read.bill_file(SHOP, &token, now).is_ok());
}
