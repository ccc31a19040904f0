//! The fund-flow bill: how the money on a merchant's basic account moved.
//!
//! Invariants: each movement has a number of its own, and the balance after it follows from all before. A payment is
//! booked whole, its fee apart; a refund less the fee that comes back; a closed refund comes back whole.

use wechatpay::UnixSeconds;

use super::BillRequest;
use super::csv::{Csv, yuan};
use crate::books::refunds::{RefundStatement, RefundStatus, fee_fen};
use crate::books::{Books, Payment, Refund};
use crate::calendar;

const HEADINGS: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
const SUMMARY: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// One movement.
struct Movement<'a> {
    at: UnixSeconds,
    business_no: &'a str,
    /// 业务名称 and 业务类型.
    names: (&'static str, &'static str),
    /// Negative for an expense.
    signed_fen: i64,
    applicant: String,
    remark: String,
    voucher_no: &'a str,
}

impl Books {
    /// None where no money moved.
    pub(super) fn fund_flow_bill(&self, request: &BillRequest) -> Option<String> {
        let movements = self.movements_of(&request.mchid);
        let (mut csv, mut balance) = (Csv::new(HEADINGS), 0);
        let (mut incomes, mut expenses) = ((0_u64, 0), (0_u64, 0));
        for (place, movement) in movements.iter().enumerate() {
            balance += movement.signed_fen;
            if !request.covers(movement.at) {
                continue;
            }
            let sums = if movement.signed_fen < 0 { &mut expenses } else { &mut incomes };
            *sums = (sums.0 + 1, sums.1 + movement.signed_fen.abs());
            let cells = movement.cells(place, balance);
            csv.row(cells.iter().map(String::as_str));
        }
        let count = incomes.0 + expenses.0;
        let summary = [
            count.to_string(),
            incomes.0.to_string(),
            yuan(incomes.1),
            expenses.0.to_string(),
            yuan(expenses.1),
        ];
        (count > 0).then(|| csv.finish(SUMMARY, summary.iter().map(String::as_str)))
    }

    /// All movements on an account, the oldest first.
    fn movements_of(&self, mchid: &str) -> Vec<Movement<'_>> {
        let mut movements = Vec::new();
        for order in self.orders.values().filter(|order| order.terms.seller.receiver() == mchid) {
            let Some(payment) = order.payment() else { continue };
            movements.extend(Movement::of_payment(payment));
            let numbers = order.refunds.iter();
            let refunds = numbers.filter_map(|number| self.refund_numbered(order, number));
            movements.extend(refunds.flat_map(Movement::of_refund));
        }
        movements.sort_by_key(|movement| (movement.at, movement.business_no));
        movements
    }
}

impl<'a> Movement<'a> {
    fn of_payment(payment: &'a Payment) -> impl Iterator<Item = Self> {
        let (fee, at) = (fee_fen(payment.amount_fen), payment.success_time);
        let movement = |kind, signed_fen, remark| Self {
            at,
            business_no: &payment.transaction_id,
            names: ("交易", kind),
            signed_fen,
            applicant: "system".to_owned(),
            remark,
            voucher_no: &payment.out_trade_no,
        };
        let remark = format!("结算总金额 {} 元;含手续费 {} 元", yuan(payment.amount_fen), yuan(fee));
        let whole = movement("交易", payment.amount_fen, remark);
        let fee = (fee > 0).then(|| movement("扣除交易手续费", -fee, String::new()));
        std::iter::once(whole).chain(fee)
    }

    fn of_refund(refund: &'a Refund) -> impl Iterator<Item = Self> {
        let back = RefundStatement::of(refund, refund.created_at).fee_back_fen();
        let net = refund.terms.refund_fen - back;
        let movement = |at, kind, signed_fen, remark| Self {
            at,
            business_no: &refund.refund_id,
            names: ("退款", kind),
            signed_fen,
            applicant: format!("{}API", refund.order.mchid),
            remark,
            voucher_no: &refund.terms.out_refund_no,
        };
        let remark = format!("退款总金额{}元;含手续费{}元", yuan(refund.terms.refund_fen), yuan(back));
        let sent = movement(refund.created_at, "退款", -net, remark);
        let is_closed = refund.ending.status == RefundStatus::Closed;
        let closed = is_closed.then(|| movement(refund.ending.at, "退款关闭", net, String::new()));
        std::iter::once(sent).chain(closed)
    }

    fn cells(&self, place: usize, balance: i64) -> [String; 11] {
        let direction = if self.signed_fen < 0 { "支出" } else { "收入" };
        [
            calendar::bill_time(self.at),
            self.business_no.to_owned(),
            format!("4200000000{}{place:010}", calendar::date_digits(self.at)),
            self.names.0.to_owned(),
            self.names.1.to_owned(),
            direction.to_owned(),
            yuan(self.signed_fen.abs()),
            yuan(balance),
            self.applicant.clone(),
            self.remark.clone(),
            self.voucher_no.to_owned(),
        ]
    }
}
