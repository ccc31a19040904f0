//! Everything that can happen to a call of WeChat's API, as a scenario names it.

use serde::{Deserialize, Serialize};

/// What happens to one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CallTrouble {
    /// Nothing is done, and that is how it is answered.
    Fails(Failure),
    /// All is done that was asked for, and the caller does not get to know.
    LosesAnswer(Failure),
    /// The answer comes later.
    Slow {
        /// In real time.
        millis: u32,
    },
    /// The answer is another on its way back.
    Answer(AnswerChange),
    /// The user pays in the very moment in which the order is closed: the call succeeds, and the payment too.
    PaidMeanwhile,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Failure {
    /// With this HTTP status, and the error that WeChat gives with it.
    Status(u16),
    /// The connection breaks before the answer.
    Broken,
    /// No answer ever comes.
    Silent,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerChange {
    /// `Wechatpay-Signature` begins with `WECHATPAY/SIGNTEST/`.
    SignatureProbe,
    /// One character of `Wechatpay-Signature` is another.
    SignatureChanged,
    /// The four headers of the signature are not there.
    Unsigned,
    /// `Wechatpay-Serial` names a key that nobody has.
    SerialUnknown,
    /// A blank stands before the body.
    BodyChanged,
}
