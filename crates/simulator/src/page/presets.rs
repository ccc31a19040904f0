//! Troubles that the page offers by name. The control API and scenario files have all of them, with every number.

use std::num::{NonZeroU8, NonZeroU32};

use crate::trouble::{
    AnswerChange, CallRule, CallSelector, CallTrouble, Failure, NoticeRule, NoticeSelector, NoticeTrouble,
    Scenario,
};

/// One that can be chosen.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) chinese: &'static str,
    pub(super) english: &'static str,
    trouble: fn() -> Trouble,
}

enum Trouble {
    Notice(NoticeTrouble),
    Call(CallTrouble),
}

use NoticeTrouble as N;
use Trouble::{Call, Notice};

const ONE: NonZeroU8 = NonZeroU8::MIN;
const FIVE: NonZeroU8 = ONE.saturating_add(4);

#[rustfmt::skip]
pub(super) const PRESETS: &[Preset] = &[
    Preset { name: "duplicate", chinese: "重复通知", english: "Told twice", trouble: || Notice(N::Duplicate { copies: ONE, apart_seconds: 0 }) },
    Preset { name: "concurrent", chinese: "五份并发通知", english: "Five copies at once", trouble: || Notice(N::Concurrent { copies: FIVE }) },
    Preset { name: "late", chinese: "通知晚到一分钟", english: "Told a minute late", trouble: || Notice(N::Late { seconds: 60 }) },
    Preset { name: "behind", chinese: "通知乱序", english: "Overtaken by the next", trouble: || Notice(N::Behind { notices: NonZeroU32::MIN, seconds_max: 60 }) },
    Preset { name: "never", chinese: "通知未发出", english: "Attempt never sent", trouble: || Notice(N::Never) },
    Preset { name: "slow", chinese: "请求体缓慢（3 秒）", english: "Body comes slowly (3 s)", trouble: || Notice(N::Slow { millis: 3000 }) },
    Preset { name: "broken", chinese: "连接中断", english: "Connection breaks", trouble: || Notice(N::Broken) },
    Preset { name: "hang_up", chinese: "不等应答就断开", english: "Hangs up before the answer", trouble: || Notice(N::HangUp { millis: 100 }) },
    Preset { name: "body_bit", chinese: "报文被改一位", english: "One bit of the body flipped", trouble: || Notice(N::BodyBit) },
    Preset { name: "body_reserialised", chinese: "报文被重新序列化", english: "Body written anew", trouble: || Notice(N::BodyReserialised) },
    Preset { name: "signature_probe", chinese: "签名探测 SIGNTEST", english: "Signature probe (SIGNTEST)", trouble: || Notice(N::SignatureProbe) },
    Preset { name: "serial_unknown", chinese: "未知的序列号", english: "Unknown serial", trouble: || Notice(N::SerialUnknown) },
    Preset { name: "replayed", chinese: "过期的时间戳", english: "Stale timestamp", trouble: || Notice(N::Replayed) },
    Preset { name: "other_amount", chinese: "金额多一分", english: "One fen more", trouble: || Notice(N::OtherAmount { by_fen: 1 }) },
    Preset { name: "other_merchant", chinese: "别的商户号", english: "Another merchant", trouble: || Notice(N::OtherMerchant { mchid: "1900000000".to_owned() }) },
    Preset { name: "profit_sharing", chinese: "分账动账（TRANSACTION.SUCCESS）", english: "Profit sharing as TRANSACTION.SUCCESS", trouble: || Notice(N::ProfitSharing) },
    Preset { name: "new_certificate", chinese: "平台证书更换", english: "New platform certificate", trouble: || Notice(N::NewCertificate) },
    Preset { name: "call_fails", chinese: "接口返回 500", english: "Call answered with 500", trouble: || Call(CallTrouble::Fails(Failure::Status(500))) },
    Preset { name: "call_loses_answer", chinese: "接口已执行但应答丢失", english: "Call done, answer lost", trouble: || Call(CallTrouble::LosesAnswer(Failure::Broken)) },
    Preset { name: "call_probe", chinese: "接口应答签名探测", english: "Answer with a probe signature", trouble: || Call(CallTrouble::Answer(AnswerChange::SignatureProbe)) },
];

/// The rule that a preset makes; none where there is no such preset.
pub(super) fn scenario(name: &str, order: &str, is_once: bool) -> Option<Scenario> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    let name = Some(preset.name.to_owned());
    let order = Some(order.trim().to_owned()).filter(|order| !order.is_empty());
    let times = is_once.then_some(NonZeroU32::MIN);
    Some(match (preset.trouble)() {
        Notice(trouble) => {
            let when = NoticeSelector { order, times, ..NoticeSelector::default() };
            Scenario { notices: vec![NoticeRule { name, when, trouble }], ..Scenario::default() }
        }
        Call(trouble) => {
            let when = CallSelector { order, times, ..CallSelector::default() };
            Scenario { calls: vec![CallRule { name, when, trouble }], ..Scenario::default() }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_rule_by_its_name() {
        for preset in PRESETS {
            let scenario = scenario(preset.name, " A* ", true).unwrap();
            scenario.check().unwrap();
            assert_eq!(scenario.notices.len() + scenario.calls.len(), 1);
        }
        assert_eq!(scenario("explode", "", false), None);
    }
}
