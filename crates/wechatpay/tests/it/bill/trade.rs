//! Every field of a trade bill.

use wechatpay::bill::{Entry, Fee, RefundStatus, Trade};
use wechatpay::{Fen, UnixSeconds};

use super::{TRADES, read, trades};

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

#[test]
fn a_payment_has_every_field() {
    let mut seen = 0;
    read::<Trade>(TRADES, |row| {
        seen += 1;
        match row.out_trade_no {
            "ORDER20260302A" if row.entry == Entry::Payment => {
                assert_eq!(row.time, UnixSeconds(1_772_414_107));
                assert_eq!(row.appid, "wx0123456789abcdef");
                assert_eq!((row.mchid, row.sub_mchid), ("1900000001", None));
                assert_eq!(row.transaction_id, "4200000000202603020000000001");
                assert_eq!(row.openid, Some("oTESTopenid0000000000000001"));
                assert_eq!((row.trade_type, row.bank_type, row.currency), ("JSAPI", Some("OTHERS"), "CNY"));
                assert_eq!(
                    (row.total, row.settlement_total, row.coupon),
                    (fen(5990), Some(fen(5990)), Some(fen(0)))
                );
                assert_eq!((&*row.description, &*row.attach, &*row.device_info), ("红茶,两盒", "cart=7", ""));
                assert_eq!((row.fee.get(), row.rate, &*row.rate_remark), (36_000, Some("0.60%"), ""));
                assert_eq!(row.row.line(), 2);
            }
            "ORDER20260302B" => {
                assert_eq!(row.entry, Entry::Payment);
                assert_eq!(row.sub_mchid, Some("1900000109"));
                // A bare comma where an escape was promised, and escapes.
                assert_eq!((&*row.device_info, &*row.attach), ("till, 3", r#"{"cart":8}"#));
                assert_eq!(
                    (row.total, row.settlement_total, row.coupon),
                    (fen(12_800), Some(fen(11_800)), Some(fen(1000)))
                );
                assert_eq!(&*row.rate_remark, "优惠费率");
            }
            _ => {}
        }
    })
    .unwrap();
    assert_eq!(seen, 4);
}

#[test]
fn refunds_and_reversals_are_told_apart_from_payments() {
    let mut seen = Vec::new();
    read::<Trade>(TRADES, |row| match row.entry {
        Entry::Refund(refund) => {
            seen.push("refund");
            assert_eq!(refund.refund_id, "50300000002026030200000000001");
            assert_eq!(refund.out_refund_no, "REFUND20260302A");
            assert_eq!((refund.total, refund.settlement_total), (fen(2000), Some(fen(2000))));
            assert_eq!((refund.coupon, refund.channel), (Some(fen(0)), Some("ORIGINAL")));
            assert_eq!((refund.status, refund.accepted_at), (RefundStatus::Processing, None));
            assert_eq!((row.total, row.settlement_total, row.fee), (fen(0), Some(fen(0)), Fee::new(-12_000)));
        }
        Entry::Reversed(reversal) => {
            seen.push("reversal");
            assert_eq!(reversal.refund_id, Some("50300000002026030200000000002"));
            assert_eq!((reversal.out_refund_no, reversal.total), (None, fen(600)));
        }
        _ => seen.push("payment"),
    })
    .unwrap();
    assert_eq!(seen, ["payment", "payment", "refund", "reversal"]);
}

#[test]
fn the_summary_has_every_field() {
    let summary = trades(TRADES).unwrap();
    assert_eq!(summary.rows, 4);
    assert_eq!((summary.total, summary.settlement_total), (Some(fen(18_790)), Some(fen(17_790))));
    assert_eq!((summary.refund_total, summary.refund_settlement_total), (Some(fen(2600)), Some(fen(2500))));
    assert_eq!((summary.refund_coupon_total, summary.fee), (Some(fen(100)), Some(Fee::new(95_000))));
    assert_eq!(summary.written.get("总交易单数"), Some("4.0"));
}

#[test]
fn states_that_are_not_known_are_kept() {
    let file = TRADES.replace("`REVOKED", "`FROZEN").replace("`PROCESSING", "`WAITING");
    let (mut entries, mut statuses) = (Vec::new(), Vec::new());
    let summary = read::<Trade>(&file, |row| match row.entry {
        Entry::Other(state) => entries.push(state.to_owned()),
        Entry::Refund(refund) => statuses.push(format!("{:?}", refund.status)),
        _ => {}
    });
    assert_eq!((entries, statuses), (vec!["FROZEN".to_owned()], vec![r#"Other("WAITING")"#.to_owned()]));
    assert_eq!(summary.unwrap().rows, 4);
    for (word, status) in [
        ("SUCCESS", RefundStatus::Success),
        ("FAIL", RefundStatus::Failed),
        ("CHANGE", RefundStatus::Abnormal),
    ] {
        let file = TRADES.replace("`PROCESSING", &format!("`{word}"));
        let mut found = None;
        read::<Trade>(&file, |row| {
            if let Entry::Refund(refund) = row.entry {
                found = Some(refund.status == status);
            }
        })
        .unwrap();
        assert_eq!(found, Some(true), "{word}");
    }
}

/// An openid in a log is a user in a log.
#[test]
fn debug_shows_no_payer_and_no_text_of_the_merchant() {
    let mut shown = String::new();
    read::<Trade>(TRADES, |row| shown.push_str(&format!("{row:?} {:?}", row.row))).unwrap();
    assert!(shown.contains("ORDER20260302A") && shown.contains("REFUND20260302A"), "{shown}");
    for hidden in ["openid", "红茶", "cart"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    let mut bill = wechatpay::bill::Bill::<Trade>::new();
    bill.push(TRADES.as_bytes());
    bill.next_row().unwrap();
    assert_eq!(format!("{bill:?}"), "Bill { rows: 1, failed: None, .. }");
}
