//! The trade bill: a row for each payment, and one for each refund at the time when it was accepted.
//!
//! Invariant: headings and cells have one order, and the summary is the sum of the rows.

use wechatpay::UnixSeconds;

use super::csv::{Csv, escaped, fee, yuan};
use super::{BillRequest, TradeRows};
use crate::books::refunds::{RefundStatement, fee_fen};
use crate::books::{Books, Order, Payment, Refund};
use crate::calendar;

const BEFORE_REFUND: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额";
const REFUND_TIMES: &str = "退款申请时间,退款成功时间";
const OF_REFUND: &str = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态";
const SUMMARY: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// A payment or a refund.
struct Row<'a> {
    at: UnixSeconds,
    order: &'a Order,
    payment: &'a Payment,
    refund: Option<&'a Refund>,
}

/// What the rows come to, in fen.
#[derive(Default)]
struct Totals {
    total: i64,
    refund: i64,
    fee: i64,
}

impl Books {
    /// None where nothing was traded.
    pub(super) fn trade_bill(
        &self,
        request: &BillRequest,
        which: TradeRows,
        sub_mchid: Option<&str>,
    ) -> Option<String> {
        let is_asked = |order: &&Order| {
            let seller = &order.terms.seller;
            seller.signer() == request.mchid && (sub_mchid.is_none() || seller.sub_mchid() == sub_mchid)
        };
        let orders = self.orders.values().filter(is_asked);
        let mut rows: Vec<_> = orders.flat_map(|order| self.rows_of(order)).collect();
        rows.retain(|row| request.covers(row.at) && which.have(row));
        rows.sort_by_key(|row| (row.at, row.payment.transaction_id.as_str(), row.refund.is_some()));
        (!rows.is_empty()).then(|| written(&rows, which))
    }

    fn rows_of<'a>(&'a self, order: &'a Order) -> Vec<Row<'a>> {
        let Some(payment) = order.payment() else { return Vec::new() };
        let paid = Row { at: payment.success_time, order, payment, refund: None };
        let mut rows = vec![paid];
        let numbers = order.refunds.iter();
        let refunds = numbers.filter_map(|number| self.refund_numbered(order, number));
        rows.extend(refunds.map(|refund| Row {
            at: refund.created_at,
            order,
            payment,
            refund: Some(refund),
        }));
        rows
    }
}

impl TradeRows {
    fn have(self, row: &Row<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Payments => row.refund.is_none(),
            Self::Refunds => row.refund.is_some(),
        }
    }

    fn headings(self) -> String {
        match self {
            Self::All => format!(
                "{BEFORE_REFUND},{OF_REFUND},商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
            ),
            Self::Payments => {
                format!("{BEFORE_REFUND},商品名称,商户数据包,手续费,费率,订单金额,费率备注")
            }
            Self::Refunds => format!(
                "{BEFORE_REFUND},{REFUND_TIMES},{OF_REFUND},商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
            ),
        }
    }
}

fn written(rows: &[Row<'_>], which: TradeRows) -> String {
    let mut csv = Csv::new(&which.headings());
    let mut totals = Totals::default();
    for row in rows {
        let cells = row.cells(which, &mut totals);
        csv.row(cells.iter().map(String::as_str));
    }
    let summary = [
        rows.len().to_string(),
        yuan(totals.total),
        yuan(totals.refund),
        yuan(0),
        fee(totals.fee),
        yuan(totals.total),
        yuan(totals.refund),
    ];
    csv.finish(SUMMARY, summary.iter().map(String::as_str))
}

impl Row<'_> {
    fn cells(&self, which: TradeRows, totals: &mut Totals) -> Vec<String> {
        let Self { order, payment, refund, .. } = self;
        let (total, refunded, fee_of_row) = match refund {
            None => (payment.amount_fen, 0, fee_fen(payment.amount_fen)),
            Some(refund) => {
                let back = RefundStatement::of(refund, self.at).fee_back_fen();
                (0, refund.terms.refund_fen, -back)
            }
        };
        totals.total += total;
        totals.refund += refunded;
        totals.fee += fee_of_row;
        let mut cells = self.beginning(total);
        if which == TradeRows::Refunds {
            cells.extend([calendar::bill_time(self.at), String::new()]);
        }
        if which != TradeRows::Payments {
            cells.extend(self.of_refund(refunded));
        }
        cells.extend([
            escaped(&order.terms.description),
            escaped(payment.attach.as_deref().unwrap_or_default()),
            fee(fee_of_row),
            "0.60%".to_owned(),
            yuan(total),
        ]);
        if which != TradeRows::Payments {
            cells.push(yuan(refunded));
        }
        cells.push(String::new());
        cells
    }

    fn beginning(&self, total: i64) -> Vec<String> {
        let payment = self.payment;
        let seller = &payment.seller;
        vec![
            calendar::bill_time(self.at),
            seller.appid().to_owned(),
            seller.signer().to_owned(),
            seller.sub_mchid().unwrap_or("0").to_owned(),
            escaped(payment.device_id.as_deref().unwrap_or_default()),
            payment.transaction_id.clone(),
            payment.out_trade_no.clone(),
            payment.openid.clone(),
            payment.trade_type.as_str().to_owned(),
            if self.refund.is_some() { "REFUND" } else { "SUCCESS" }.to_owned(),
            payment.bank_type.clone(),
            "CNY".to_owned(),
            yuan(total),
            yuan(0),
        ]
    }

    fn of_refund(&self, refunded: i64) -> [String; 6] {
        let none = || "0".to_owned();
        let [id, number, channel, status] = match self.refund {
            None => [none(), none(), String::new(), String::new()],
            Some(refund) => [
                refund.refund_id.clone(),
                refund.terms.out_refund_no.clone(),
                "ORIGINAL".to_owned(),
                "PROCESSING".to_owned(),
            ],
        };
        [id, number, yuan(refunded), yuan(0), channel, status]
    }
}
