//! Target `v2_answer`: the answer to a call of APIv2. The first line names the call, and whether the rest is taken as it
//! came (`raw orderquery`) or signed anew (`orderquery`); `bill` is the file of a bill, or the failure in its place.
//!
//! Held: of raw answers only those are read that WeChat Pay signed; a success says what its fields say; a failure is
//! told as one; what cannot be read leaves the outcome open, so that nothing is sent again before it was asked for.

use wechatpay::Fen;
use wechatpay::v2::{
    AnswerError, Call, Caller, CloseOrder, Fields, OrderNumber, OrderOptions, OrderQuery, Refund,
    RefundNumber, RefundQuery, Retry, Trade, UnifiedOrder, is_bill_failure, parse_xml, read_answer,
    read_bill_failure, sign_message,
};

use super::{GENUINE, has_unknown_type, signed_message};
use crate::fixture::KEYS;
use crate::input::canary::assert_hidden;
use crate::input::lines;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "v2_answer",
    run,
    stages: &[
        "no XML",
        "not signed",
        "refused",
        "no outcome",
        "about another",
        "failed",
        "malformed",
        "unwritable",
        "placed",
        "paid order",
        "unpaid order",
        "closed",
        "refund accepted",
        "refunds",
        "bill",
        "no bill",
    ],
};

const NUMBER: &str = "payonce-0001";

/// Who calls; answers to others are no answers.
const MCH_ID: &str = "1900000001";

fn run(input: &[u8]) -> Stage {
    let (call, body) = lines::first_text(input);
    let (call, is_raw) = call.strip_prefix("raw ").map_or((call.as_str(), false), |call| (call, true));
    let number = || OrderNumber::OutTradeNo(NUMBER.to_owned());
    let answer = Answer { body, is_raw };
    match call {
        "unifiedorder" => answer.read(&unified_order(), |prepaid| {
            is_field(&prepaid.fields, "prepay_id", &prepaid.prepay_id);
            "placed"
        }),
        "orderquery" => answer.read(&OrderQuery(number()), |order| {
            is_field(&order.fields, "trade_state", &order.trade_state);
            let is_paid = matches!(order.trade_state.as_str(), "SUCCESS" | "REFUND");
            assert_eq!(order.transaction.is_some(), is_paid);
            let Some(paid) = order.transaction else { return "unpaid order" };
            is_amount(&order.fields, "total_fee", paid.total_fee);
            "paid order"
        }),
        "closeorder" => answer.read(&CloseOrder { out_trade_no: NUMBER.to_owned() }, |()| "closed"),
        "refund" => answer.read(&refund(number()), |refund| {
            is_amount(&refund.fields, "refund_fee", refund.refund_fee);
            is_field(&refund.fields, "out_refund_no", &refund.out_refund_no);
            "refund accepted"
        }),
        "refundquery" => answer.read(&refund_query(), |found| {
            for (n, refund) in found.refunds.iter().enumerate() {
                is_amount(&found.fields, &format!("refund_fee_{n}"), refund.refund_fee);
                is_field(&found.fields, &format!("out_refund_no_{n}"), &refund.out_refund_no);
                let _ = refund.refunded_at();
            }
            let count = found.fields.get("refund_count").and_then(|count| count.parse().ok());
            assert_eq!(count, Some(found.refunds.len()));
            "refunds"
        }),
        _ => bill(answer.body),
    }
}

fn unified_order() -> UnifiedOrder {
    UnifiedOrder {
        body: "咖啡".to_owned(),
        out_trade_no: NUMBER.to_owned(),
        total_fee: Fen::default(),
        spbill_create_ip: "127.0.0.1".to_owned(),
        notify_url: "https://pay.example.com/notify/v2/1900000001".to_owned(),
        trade: Trade::App,
        options: OrderOptions::default(),
    }
}

fn refund(order: OrderNumber) -> Refund {
    Refund {
        order,
        out_refund_no: "r1".to_owned(),
        total_fee: Fen::default(),
        refund_fee: Fen::default(),
        refund_desc: None,
        refund_account: None,
        notify_url: None,
    }
}

fn refund_query() -> RefundQuery {
    RefundQuery { of: RefundNumber::OutRefundNo("r1".to_owned()), offset: None }
}

struct Answer<'a> {
    body: &'a [u8],
    is_raw: bool,
}

impl Answer<'_> {
    fn read<C: Call>(&self, call: &C, success: impl FnOnce(C::Answer) -> Stage) -> Stage {
        let caller = Caller::merchant("wx0123456789abcdef", MCH_ID);
        let Ok(mut fields) = parse_xml(self.body) else {
            let answer = read_answer(call, &caller, self.body, &KEYS.apiv2);
            let Err(error @ AnswerError::Xml(_)) = answer else {
                panic!("an answer that is not XML is read")
            };
            assert_eq!(error.retry(), Retry::Query);
            return "no XML";
        };
        let body = match self.is_raw {
            true => self.body.to_vec(),
            false => match signed_message(&mut fields) {
                Ok(body) => body.into_bytes(),
                Err(_) => return "unwritable",
            },
        };
        match read_answer(call, &caller, &body, &KEYS.apiv2) {
            Ok(answer) => {
                assert!(
                    fields.get("mch_id").is_none_or(|mch_id| mch_id == MCH_ID),
                    "another's answer is read"
                );
                let is_genuine = GENUINE.contains(&sign_message(&fields));
                assert!(!self.is_raw || is_genuine, "what nobody signed is read");
                assert!(read_answer(call, &caller, &body, &KEYS.other_apiv2).is_err(), "under another key");
                success(answer)
            }
            Err(error) => self.error(&error, &fields),
        }
    }

    fn error(&self, error: &AnswerError, fields: &Fields) -> Stage {
        let code = |name| fields.get(name);
        match error {
            AnswerError::Xml(error) => panic!("it was read before: {error}"),
            AnswerError::Refused { .. } => {
                assert_eq!(code("return_code"), Some("FAIL"));
                assert!(matches!(error.retry(), Retry::Same | Retry::No));
                "refused"
            }
            AnswerError::Sign(error) => {
                assert!(self.is_raw || has_unknown_type(fields), "what was signed does not verify: {error}");
                "not signed"
            }
            AnswerError::NoOutcome(_) => {
                assert!(error.leaves_outcome_open());
                "no outcome"
            }
            AnswerError::AboutAnother { field } => {
                assert!(error.leaves_outcome_open() && names(fields, field), "{field} is not there");
                "about another"
            }
            AnswerError::Failed(failure) => {
                assert_eq!(code("result_code"), Some("FAIL"));
                assert_eq!(failure.retry(), error.retry());
                "failed"
            }
            AnswerError::Malformed(_) => {
                assert_eq!(error.retry(), Retry::Query);
                assert_hidden(&format!("{error} {error:?}"));
                "malformed"
            }
            other => panic!("an error that is not known here: {other}"),
        }
    }
}

/// Whether the field is there, or as one of a list: `out_refund_no_0`.
fn names(fields: &Fields, field: &str) -> bool {
    let of_list = |name: &str| name.strip_prefix(field).is_some_and(|rest| rest.starts_with('_'));
    fields.get(field).is_some() || fields.iter().any(|(name, _)| of_list(name))
}

fn is_field(fields: &Fields, name: &str, value: &str) {
    assert!(!value.is_empty() && fields.get(name) == Some(value), "{name}");
}

fn is_amount(fields: &Fields, name: &str, amount: Fen) {
    assert!(amount.get() >= 0);
    assert_eq!(fields.get(name).and_then(|fee| fee.parse().ok()), Some(amount.get()), "{name}");
}

/// The verdict on a beginning stands whatever follows.
fn bill(body: &[u8]) -> Stage {
    let whole = is_bill_failure(body);
    for length in 0..body.len().min(8) {
        let part = is_bill_failure(&body[..length]);
        assert!(part.is_none() || part == whole, "{length} bytes say otherwise");
    }
    match (read_bill_failure(body), whole) {
        (Ok(failure), is_failure) => {
            assert_eq!(is_failure, Some(true), "XML is taken for a bill");
            assert!(matches!(failure.reason.retry(), Retry::Later | Retry::No));
            "no bill"
        }
        (Err(_), Some(true)) => "no XML",
        (Err(_), Some(false) | None) => "bill",
    }
}
