//! What becomes of each kind of resource, and of each kind of damage to it.
//!
//! The resources here are made up, one a kind, with everything in them that is documented. Deliberately absent: published
//! samples, which are in `published`.

mod dispatch;
mod looks;
mod supported;
mod transaction;
mod wrong;

use serde_json::{Value, json};
use wechatpay::{Notification, OpenError};

use crate::fixture::{envelope, open_body};

/// The event of payments, which other products share.
pub(crate) const PAID: &str = "TRANSACTION.SUCCESS";

/// What becomes of a text under these names; `original_type` may be `null`.
pub(crate) fn open(
    event_type: &str,
    original_type: &Value,
    plaintext: &str,
) -> Result<Notification, OpenError> {
    let mut envelope = envelope(plaintext.as_bytes());
    envelope["event_type"] = json!(event_type);
    envelope["resource"]["original_type"] = original_type.clone();
    open_body(envelope.to_string())
}

/// A kind of resource that has a type.
pub(crate) struct Kind {
    pub(crate) event_type: &'static str,
    pub(crate) original_type: &'static str,
    pub(crate) plaintext: Value,
    /// Pointers to what must be there: anything else is malformed.
    pub(crate) required: &'static [&'static str],
    /// Pointers to texts that may be absent, null or empty.
    pub(crate) optional: &'static [&'static str],
    /// Pointers to amounts; those that are not required may be null.
    pub(crate) amounts: &'static [&'static str],
}

impl Kind {
    pub(crate) fn open(&self, plaintext: &str) -> Result<Notification, OpenError> {
        open(self.event_type, &json!(self.original_type), plaintext)
    }

    pub(crate) fn is_malformed(&self, result: &Result<Notification, OpenError>) -> bool {
        matches!(result, Err(OpenError::ResourceMalformed { original_type, .. }) if original_type == self.original_type)
    }
}

/// Names a person or an account, in every resource below; `Debug` shows none of it.
pub(crate) const SECRET: &str = "oSECRET";

pub(crate) fn ordinary() -> Kind {
    Kind {
        event_type: PAID,
        original_type: "transaction",
        plaintext: json!({
            "appid": "wx0", "mchid": "1900000001", "out_trade_no": "o1", "transaction_id": "42", "trade_type": "JSAPI",
            "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": SECRET,
            "success_time": "2026-03-02T09:15:07+08:00", "payer": {"openid": SECRET},
            "amount": {"total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY"},
            "scene_info": {"device_id": "7"},
        }),
        required: &["/appid", "/trade_state", "/amount", "/amount/total"],
        optional: &[
            "/trade_type",
            "/trade_state_desc",
            "/bank_type",
            "/attach",
            "/success_time",
            "/payer/openid",
            "/amount/payer_currency",
        ],
        amounts: &["/amount/total", "/amount/payer_total"],
    }
}

pub(crate) fn partner() -> Kind {
    Kind {
        event_type: PAID,
        original_type: "transaction",
        plaintext: json!({
            "sp_appid": "wx1", "sp_mchid": "1900000002", "sub_appid": "wx2", "sub_mchid": "1900000003",
            "out_trade_no": "o2", "transaction_id": "43", "trade_type": "JSAPI", "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": SECRET,
            "success_time": "2026-03-02T09:15:07+08:00", "payer": {"sp_openid": SECRET, "sub_openid": SECRET},
            "amount": {"total": 200, "payer_total": 190, "currency": "CNY", "payer_currency": "CNY"},
        }),
        required: &["/sp_appid", "/sub_mchid", "/trade_state", "/amount", "/amount/total"],
        optional: &[
            "/sub_appid",
            "/trade_type",
            "/trade_state_desc",
            "/bank_type",
            "/attach",
            "/success_time",
            "/payer/sp_openid",
            "/payer/sub_openid",
            "/amount/payer_currency",
        ],
        amounts: &["/amount/total", "/amount/payer_total"],
    }
}

pub(crate) fn combine() -> Kind {
    let sub_order = |mchid: &str, number: &str, total: i64| {
        json!({
            "mchid": mchid, "sub_mchid": "1900000006", "sub_appid": "wx4", "sub_openid": SECRET,
            "trade_type": "JSAPI", "trade_state": "SUCCESS", "bank_type": "OTHERS", "attach": SECRET,
            "success_time": "2026-03-02T09:15:07+08:00", "transaction_id": format!("T{number}"), "out_trade_no": number,
            "amount": {"total_amount": total, "payer_amount": 10, "currency": "CNY", "payer_currency": "CNY",
                       "settlement_rate": 650_000_000},
        })
    };
    Kind {
        event_type: PAID,
        original_type: "transaction",
        plaintext: json!({
            "combine_appid": "wx3", "combine_mchid": "1900000004", "combine_out_trade_no": "c1",
            "combine_transaction_id": "44", "scene_info": {"device_id": "7"}, "combine_payer_info": {"openid": SECRET},
            "sub_orders": [sub_order("1900000004", "s1", 10), sub_order("1900000005", "s2", 20)],
        }),
        required: &[
            "/combine_appid",
            "/combine_mchid",
            "/combine_out_trade_no",
            "/sub_orders",
            "/sub_orders/0/mchid",
            "/sub_orders/1/out_trade_no",
            "/sub_orders/1/transaction_id",
            "/sub_orders/0/trade_state",
            "/sub_orders/1/amount",
            "/sub_orders/0/amount/total_amount",
        ],
        optional: &[
            "/combine_transaction_id",
            "/combine_payer_info/openid",
            "/sub_orders/0/sub_mchid",
            "/sub_orders/0/sub_appid",
            "/sub_orders/0/sub_openid",
            "/sub_orders/0/trade_type",
            "/sub_orders/0/bank_type",
            "/sub_orders/0/attach",
            "/sub_orders/0/success_time",
            "/sub_orders/0/amount/payer_currency",
        ],
        amounts: &["/sub_orders/0/amount/total_amount", "/sub_orders/1/amount/payer_amount"],
    }
}

pub(crate) fn refund() -> Kind {
    Kind {
        event_type: "REFUND.SUCCESS",
        original_type: "refund",
        plaintext: json!({
            "mchid": "1900000001", "out_trade_no": "o1", "transaction_id": "42", "out_refund_no": "r1",
            "refund_id": "50", "refund_status": "SUCCESS", "success_time": "2026-03-02T09:15:07+08:00",
            "user_received_account": SECRET, "refund_account": "REFUND_SOURCE_SUB_MERCHANT",
            "amount": {"total": 100, "refund": 60, "payer_total": 90, "payer_refund": 54},
        }),
        required: &[
            "/mchid",
            "/out_trade_no",
            "/transaction_id",
            "/out_refund_no",
            "/refund_id",
            "/refund_status",
            "/amount",
            "/amount/total",
            "/amount/refund",
        ],
        optional: &["/success_time", "/user_received_account", "/refund_account"],
        amounts: &["/amount/total", "/amount/refund", "/amount/payer_total", "/amount/payer_refund"],
    }
}

pub(crate) fn share() -> Kind {
    Kind {
        event_type: "PROFITSHARING.SUCCESS",
        original_type: "profitsharing",
        plaintext: json!({
            "mchid": "1900000001", "transaction_id": "42", "order_id": "60", "out_order_no": "p1",
            "receiver": {"type": "PERSONAL_OPENID", "account": SECRET, "amount": 888, "description": SECRET},
            "success_time": "2026-03-02T09:15:07+08:00",
        }),
        required: &[
            "/mchid",
            "/transaction_id",
            "/order_id",
            "/out_order_no",
            "/receiver",
            "/receiver/type",
            "/receiver/account",
            "/receiver/amount",
        ],
        optional: &["/receiver/description", "/success_time"],
        amounts: &["/receiver/amount"],
    }
}

pub(crate) fn bill() -> Kind {
    Kind {
        event_type: "MCHTRANSFER.BILL.FINISHED",
        original_type: "mch_payment",
        plaintext: json!({
            "mchid": "1900000001", "out_bill_no": "b1", "transfer_bill_no": "70", "state": "FAIL",
            "transfer_amount": 400_000, "fail_reason": "PAYEE_ACCOUNT_ABNORMAL", "openid": SECRET,
            "user_name": SECRET, "user_qq": SECRET, "transfer_remark": SECRET,
            "create_time": "2026-03-02T09:15:07+08:00", "update_time": "2026-03-02T09:15:08+08:00",
        }),
        required: &["/out_bill_no", "/transfer_bill_no", "/state", "/transfer_amount"],
        optional: &["/mchid", "/fail_reason", "/openid", "/create_time", "/update_time"],
        amounts: &["/transfer_amount"],
    }
}

pub(crate) fn batch() -> Kind {
    Kind {
        event_type: "MCHTRANSFER.BATCH.FINISHED",
        original_type: "mch_payment",
        plaintext: json!({
            "mchid": "1900000001", "out_batch_no": "B1", "batch_id": "80", "batch_status": "FINISHED",
            "total_num": 2, "total_amount": 200, "success_num": 1, "success_amount": 150, "fail_num": 1,
            "fail_amount": 50, "close_reason": "OVERDUE_CLOSE", "update_time": "2026-03-02T09:15:07+08:00",
        }),
        required: &["/out_batch_no", "/batch_id", "/batch_status", "/total_num", "/total_amount"],
        optional: &["/mchid", "/close_reason", "/update_time"],
        amounts: &[
            "/total_amount",
            "/success_amount",
            "/fail_amount",
            "/total_num",
            "/success_num",
            "/fail_num",
        ],
    }
}

pub(crate) fn authorization() -> Kind {
    Kind {
        event_type: "MCHTRANSFER.AUTHORIZATION.CLOSED",
        original_type: "mch_payment",
        plaintext: json!({
            "out_authorization_no": "a1", "appid": "wx0", "openid": SECRET, "user_display_name": SECRET,
            "authorization_id": "90", "state": "CLOSED", "authorize_time": "2026-03-02T09:15:07+08:00",
            "close_info": {"close_time": "2026-03-03T09:15:07+08:00", "close_reason": "USER_CLOSE"},
        }),
        required: &["/out_authorization_no", "/appid", "/authorization_id", "/state"],
        optional: &[
            "/openid",
            "/user_display_name",
            "/authorize_time",
            "/close_info/close_time",
            "/close_info/close_reason",
        ],
        amounts: &[],
    }
}

pub(crate) fn echo() -> Kind {
    Kind {
        event_type: "SECURITY_ECHO.SUCCESS",
        original_type: "security",
        plaintext: json!({"echo_message": SECRET, "encrypt_echo_message": SECRET}),
        required: &["/echo_message"],
        optional: &["/encrypt_echo_message"],
        amounts: &[],
    }
}

pub(crate) fn kinds() -> [Kind; 9] {
    [ordinary(), partner(), combine(), refund(), share(), bill(), batch(), authorization(), echo()]
}
