//! The words of alerts, in Chinese and English.
//!
//! Pure. What to do is one command or page, the nearest that helps.

use super::{
    alert::{Alert, Disabled, Incident, KeyOf},
    notice::foreign,
};
use payonce_core::{MerchantId, delivery::Answer, message::rfc3339};

/// The language in which a channel is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文
    Chinese,
    /// English
    English,
}

use Language::{Chinese, English};

/// What happened, and where.
pub(super) fn title(alert: &Alert, language: Language) -> String {
    match (alert, language) {
        (Alert::EndpointFailing { endpoint }, Chinese) => {
            format!("端点 {endpoint} 连续失败：最近五次调用均未成功，消息等待中")
        }
        (Alert::EndpointFailing { endpoint }, English) => {
            format!("endpoint {endpoint} fails: no call of five in a row succeeded, its messages wait")
        }
        (Alert::EndpointRecovered { endpoint }, Chinese) => format!("端点 {endpoint} 已恢复接收消息"),
        (Alert::EndpointRecovered { endpoint }, English) => {
            format!("endpoint {endpoint} takes messages again")
        }
        (Alert::EndpointDisabled { endpoint, because: Disabled::Failing }, Chinese) => {
            format!("端点 {endpoint} 失败时间过长，已停用，消息保留")
        }
        (Alert::EndpointDisabled { endpoint, because: Disabled::Failing }, English) => {
            format!("endpoint {endpoint} failed for too long and is disabled: its messages are held")
        }
        (Alert::EndpointDisabled { endpoint, because: Disabled::Gone }, Chinese) => {
            format!("端点 {endpoint} 应答 410，已停用，消息保留")
        }
        (Alert::EndpointDisabled { endpoint, because: Disabled::Gone }, English) => {
            format!("endpoint {endpoint} answered 410 and is disabled: its messages are held")
        }
        (Alert::EndpointUnusable { endpoint, .. }, Chinese) => {
            format!("端点 {endpoint} 无法调用，消息等待中")
        }
        (Alert::EndpointUnusable { endpoint, .. }, English) => {
            format!("there is no way to endpoint {endpoint}: its messages wait")
        }
        (Alert::Exhausted { endpoint, .. }, Chinese) => {
            format!("端点 {endpoint}：消息多次重试仍未送达，已停止重试")
        }
        (Alert::Exhausted { endpoint, .. }, English) => {
            format!("endpoint {endpoint}: messages did not arrive, and no further attempt is made")
        }
        (Alert::Incident(incident), language) => incident_title(incident, language),
        (Alert::EffectFailed { effect, .. }, Chinese) => {
            format!("业务语句 {effect} 执行失败，对应的支付未入账（微信会重发）")
        }
        (Alert::EffectFailed { effect, .. }, English) => {
            format!("effect {effect} failed: its payment is not applied, and WeChat Pay sends it again")
        }
        (Alert::CallbacksRefused { merchant, verdict, count, minutes }, Chinese) => {
            format!(
                "商户 {} 的回调在 {minutes} 分钟内被拒绝 {count} 次：{verdict}",
                named(merchant.as_ref(), "（路径中未配置的商户）")
            )
        }
        (Alert::CallbacksRefused { merchant, verdict, count, minutes }, English) => {
            let merchant = named(merchant.as_ref(), "(none that is configured)");
            format!(
                "{count} callbacks of merchant {merchant} were refused within {minutes} minutes: {verdict}"
            )
        }
        (Alert::KeyExpiring { merchant, of, days, .. }, language) => {
            expiry_title(merchant, *of, *days, language)
        }
        (Alert::Test, Chinese) => "测试告警：能看到这条消息，说明告警已接通".to_owned(),
        (Alert::Test, English) => "a test: whoever reads this is reached by alerts".to_owned(),
    }
}

fn named<'a>(merchant: Option<&'a MerchantId>, nobody: &'a str) -> &'a str {
    merchant.map_or(nobody, MerchantId::as_str)
}

fn incident_title(incident: &Incident, language: Language) -> String {
    let what = match (incident.kind.as_str(), language) {
        ("amount_mismatch", Chinese) => "支付金额与订单不符",
        ("currency_mismatch", Chinese) => "支付币种与订单不符",
        ("appid_mismatch", Chinese) => "支付的 appid 与订单不符",
        ("sub_mchid_mismatch", Chinese) => "支付的子商户与订单不符",
        ("contradiction", Chinese) => "同一微信支付单号出现两种内容",
        ("paid_twice", Chinese) => "同一订单被支付两次",
        ("paid_after_close", Chinese) => "订单关闭后到账",
        ("unknown_order", Chinese) => "收到未登记订单的支付",
        ("amount_mismatch", English) => "a payment differs from its order in the amount",
        ("currency_mismatch", English) => "a payment differs from its order in the currency",
        ("appid_mismatch", English) => "a payment differs from its order in the appid",
        ("sub_mchid_mismatch", English) => "a payment differs from its order in the sub-merchant",
        ("contradiction", English) => "WeChat Pay said two things about one payment",
        ("paid_twice", English) => "an order was paid twice",
        ("paid_after_close", English) => "an order was paid after it had been closed",
        ("unknown_order", English) => "a payment came for an order that nobody registered",
        (_, Chinese) => "资金异常",
        (_, English) => "money does not add up",
    };
    match language {
        Chinese => format!("商户 {}：{what}（{}）", incident.mchid, incident.kind),
        English => format!("merchant {}: {what} ({})", incident.mchid, incident.kind),
    }
}

fn expiry_title(merchant: &MerchantId, of: KeyOf, days: i64, language: Language) -> String {
    let what = match (of, language) {
        (KeyOf::Platform, Chinese) => "微信支付平台证书",
        (KeyOf::Merchant, Chinese) => "商户 API 证书",
        (KeyOf::Platform, English) => "platform certificate",
        (KeyOf::Merchant, English) => "API certificate",
    };
    match (days, language) {
        (..0, Chinese) => format!("商户 {merchant} 的{what}已过期"),
        (_, Chinese) => format!("商户 {merchant} 的{what}将在 {days} 天后过期"),
        (..0, English) => format!("the {what} of merchant {merchant} has expired"),
        (_, English) => format!("the {what} of merchant {merchant} expires in {days} days"),
    }
}

/// One alert among several; empty if the title says it all.
pub(super) fn item(alert: &Alert, language: Language) -> String {
    match (alert, language) {
        (Alert::EndpointUnusable { why, .. }, _) => foreign(why),
        (Alert::Exhausted { message, answer, .. }, Chinese) => match answer {
            Answer::Status(status) => format!("{}（应答 {status}）", foreign(&message.0)),
            Answer::Confirmed => foreign(&message.0),
            Answer::Fault(fault) => format!("{}（无应答：{}）", foreign(&message.0), fault.as_str()),
        },
        (Alert::Exhausted { message, answer, .. }, English) => match answer {
            Answer::Status(status) => format!("{} (answered {status})", foreign(&message.0)),
            Answer::Confirmed => foreign(&message.0),
            Answer::Fault(fault) => format!("{} (no answer: {})", foreign(&message.0), fault.as_str()),
        },
        (Alert::Incident(incident), language) => incident_item(incident, language),
        (Alert::EffectFailed { subject, reason, .. }, Chinese) => {
            format!("{}：{}", foreign(subject), foreign(reason))
        }
        (Alert::EffectFailed { subject, reason, .. }, English) => {
            format!("{}: {}", foreign(subject), foreign(reason))
        }
        (Alert::KeyExpiring { serial, ends, .. }, Chinese) => {
            format!("序列号 {serial}，到期 {}", rfc3339(*ends))
        }
        (Alert::KeyExpiring { serial, ends, .. }, English) => {
            format!("serial {serial}, ends {}", rfc3339(*ends))
        }
        (
            Alert::EndpointFailing { .. }
            | Alert::EndpointRecovered { .. }
            | Alert::EndpointDisabled { .. }
            | Alert::CallbacksRefused { .. }
            | Alert::Test,
            _,
        ) => String::new(),
    }
}

fn incident_item(incident: &Incident, language: Language) -> String {
    let Incident { out_trade_no, transaction_id, amount, currency, expected, .. } = incident;
    let (order, payment) = (foreign(out_trade_no), foreign(transaction_id));
    let (paid, currency) = (money(*amount), foreign(currency));
    match (language, expected.filter(|expected| expected != amount).map(money)) {
        (Chinese, None) => format!("订单 {order}，支付单 {payment}，金额 {paid} {currency}"),
        (Chinese, Some(due)) => {
            format!("订单 {order}，支付单 {payment}，金额 {paid} {currency}，应付 {due}")
        }
        (English, None) => format!("order {order}, payment {payment}, {paid} {currency}"),
        (English, Some(due)) => {
            format!("order {order}, payment {payment}, {paid} {currency} in place of {due}")
        }
    }
}

/// Fen as a decimal number with two places: that of yuan.
fn money(fen: i64) -> String {
    let (sign, fen) = (if fen < 0 { "-" } else { "" }, fen.unsigned_abs());
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

pub(super) fn count(count: u64, language: Language) -> String {
    match language {
        Chinese => format!("共 {count} 条告警"),
        English => format!("{count} alerts"),
    }
}

pub(super) fn others(count: u64, language: Language) -> String {
    match language {
        Chinese => format!("另有 {count} 条"),
        English => format!("and {count} more"),
    }
}

pub(super) fn from(node: &str, at: &str, language: Language) -> String {
    match language {
        Chinese => format!("节点 {}，{at}", foreign(node)),
        English => format!("node {}, {at}", foreign(node)),
    }
}

/// What to do.
pub(super) fn remedy(alert: &Alert, language: Language) -> String {
    let (chinese, english) = match alert {
        Alert::EndpointFailing { endpoint } | Alert::EndpointUnusable { endpoint, .. } => (
            format!("查看 GET /v1/endpoints/{endpoint} 的 trouble 与 failing_since，修复后自动继续（见 docs/delivery.md）"),
            format!("look at trouble and failing_since of GET /v1/endpoints/{endpoint}; it goes on by itself once mended (docs/delivery.md)"),
        ),
        Alert::EndpointRecovered { endpoint } => (
            format!("无需处理；如有未送达的消息，见 GET /v1/endpoints/{endpoint}/messages?state=exhausted"),
            format!("nothing; what had been given up is listed by GET /v1/endpoints/{endpoint}/messages?state=exhausted"),
        ),
        Alert::EndpointDisabled { endpoint, .. } => (
            format!("修复接收方后执行 POST /v1/endpoints/{endpoint}/enable，保留的消息随即送出（见 docs/delivery.md）"),
            format!("mend the receiver, then POST /v1/endpoints/{endpoint}/enable: what was held flows (docs/delivery.md)"),
        ),
        Alert::Exhausted { endpoint, .. } => (
            format!("修复接收方后执行 POST /v1/endpoints/{endpoint}/replay {{\"exhausted\": {{\"kinds\": [\"*\"]}}}}（见 docs/delivery.md）"),
            format!("mend the receiver, then POST /v1/endpoints/{endpoint}/replay {{\"exhausted\": {{\"kinds\": [\"*\"]}}}} (docs/delivery.md)"),
        ),
        Alert::Incident(Incident { kind, .. }) if kind == "unknown_order" => (
            "如订单属实，执行 POST /v1/orders 登记，款项随即入账；否则在商户平台退款（见 docs/alerts.md）".to_owned(),
            "register the order with POST /v1/orders and it is paid at once; if there is none, refund at the merchant platform (docs/alerts.md)".to_owned(),
        ),
        Alert::Incident(Incident { mchid, out_trade_no, .. }) => (
            format!("查看 GET /v1/orders/{}?mchid={mchid}，核对后在商户平台退款或发货（见 docs/alerts.md）", foreign(out_trade_no)),
            format!("look at GET /v1/orders/{}?mchid={mchid}, then refund or deliver (docs/alerts.md)", foreign(out_trade_no)),
        ),
        Alert::EffectFailed { .. } => (
            "查看 GET /v1/effects/failures，修复后微信重发时自动入账（见 docs/effects.md）".to_owned(),
            "look at GET /v1/effects/failures; once mended, WeChat Pay's next copy is applied (docs/effects.md)".to_owned(),
        ),
        Alert::CallbacksRefused { .. } => (
            "执行 payonce doctor 检查密钥、时钟与代理；单个回调用 payonce explain 分析（见 docs/explain.md）".to_owned(),
            "run `payonce doctor` (keys, clock, proxy); `payonce explain` tells of a single callback (docs/explain.md)".to_owned(),
        ),
        Alert::KeyExpiring { of: KeyOf::Platform, .. } => (
            "配置微信支付公钥，或 private_key_file 以自动下载新证书，然后执行 payonce doctor（见 docs/doctor.md）".to_owned(),
            "configure WeChat Pay's public key, or private_key_file so that certificates are downloaded; then `payonce doctor` (docs/doctor.md)".to_owned(),
        ),
        Alert::KeyExpiring { of: KeyOf::Merchant, .. } => (
            "在商户平台申请新的 API 证书，更新 private_key_file 与 api_certificate_file，然后执行 payonce doctor".to_owned(),
            "apply for a new API certificate at the merchant platform, set private_key_file and api_certificate_file, then `payonce doctor`".to_owned(),
        ),
        Alert::Test => ("无需处理".to_owned(), "nothing".to_owned()),
    };
    match language {
        Chinese => format!("处理：{chinese}"),
        English => format!("What to do: {english}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (fen, shown) in
            [(0, "0.00"), (5, "0.05"), (5990, "59.90"), (-101, "-1.01"), (i64::MIN, "-92233720368547758.08")]
        {
            assert_eq!(money(fen), shown);
        }
    }
}
