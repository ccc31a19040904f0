//! Every field of a fund-flow bill.

use wechatpay::bill::{Balance, Direction, FundFlow};
use wechatpay::{Fen, UnixSeconds};

use super::{FUNDS, funds, read};

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

#[test]
fn a_movement_has_every_field() {
    let mut signed = Vec::new();
    read::<FundFlow>(FUNDS, |row| {
        signed.push(row.signed_fen());
        if signed.len() == 3 {
            assert_eq!(row.time, UnixSeconds(1_772_448_031));
            assert_eq!(row.business_no, Some("50300000002026030200000000001"));
            assert_eq!(row.flow_no, "4200000000202603029000000003");
            assert_eq!((&*row.business_name, &*row.business_type), ("退款", "退款"));
            assert_eq!(
                (row.direction, row.amount, row.balance),
                (Direction::Expense, fen(1988), Balance::new(13_966))
            );
            assert_eq!(&*row.applicant, "1900000001API");
            assert_eq!(&*row.remark, "退款总金额20.00元;含手续费0.12元");
            assert_eq!(row.voucher_no, Some("REFUND20260302A"));
        }
    })
    .unwrap();
    assert_eq!(signed, [Some(5990), Some(-36), Some(-1988)]);
}

#[test]
fn the_summary_has_every_field() {
    let summary = funds(FUNDS).unwrap();
    assert_eq!((summary.rows, summary.incomes, summary.expenses), (3, Some(1), Some(2)));
    assert_eq!((summary.income, summary.expense), (Some(fen(5990)), Some(fen(2024))));
    assert_eq!(summary.written.get("支出金额"), Some("20.24"));
}

#[test]
fn full_width_brackets_negative_balances_and_new_directions() {
    let file =
        FUNDS.replace("(元)", "（元）").replace("`139.66", "`-139.66").replace("`支出,`0.36", "`冻结,`0.36");
    let file = file.replace("`2.0,`20.24", "`1.0,`19.88");
    let mut seen = Vec::new();
    let summary = read::<FundFlow>(&file, |row| {
        seen.push((row.balance.get(), row.signed_fen()));
    });
    assert_eq!(seen, [(15_990, Some(5990)), (15_954, None), (-13_966, Some(-1988))]);
    assert_eq!(summary.unwrap().rows, 3);
}

#[test]
fn debug_shows_no_remark_and_no_operator() {
    let mut shown = String::new();
    read::<FundFlow>(FUNDS, |row| shown.push_str(&format!("{row:?}"))).unwrap();
    assert!(shown.contains("4200000000202603029000000003"), "{shown}");
    for hidden in ["1900000001API", "含手续费"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
}
