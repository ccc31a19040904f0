//! What may be wrong with one copy of a callback.

use serde::{Deserialize, Serialize};

/// What somebody (or the network, or WeChat's own probe) does to a copy without WeChat's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tampering {
    /// One bit of the body is flipped.
    BodyByte,
    /// One character of `Wechatpay-Signature` is another.
    SignatureByte,
    /// One character of `Wechatpay-Nonce` is another.
    NonceByte,
    /// One digit of `Wechatpay-Timestamp` is another.
    TimestampByte,
    /// `Wechatpay-Serial` names a key that nobody has.
    UnknownSerial,
    /// `Wechatpay-Signature` begins with `WECHATPAY/SIGNTEST/`: WeChat probes whether the merchant verifies.
    SignatureProbe,
}

/// What may be wrong with one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mischief {
    /// Something was done to a genuine copy.
    Tampered(Tampering),
    /// A genuine copy that somebody kept for longer than the 300 s that a timestamp is good for.
    Replayed,
    /// WeChat itself says another amount: a genuine signature, to be accepted and found to be wrong by its content.
    AmountChanged,
}

impl Mischief {
    /// Every kind that a receiver has to refuse.
    pub const REFUSED: [Self; 7] = [
        Self::Tampered(Tampering::BodyByte),
        Self::Tampered(Tampering::SignatureByte),
        Self::Tampered(Tampering::NonceByte),
        Self::Tampered(Tampering::TimestampByte),
        Self::Tampered(Tampering::UnknownSerial),
        Self::Tampered(Tampering::SignatureProbe),
        Self::Replayed,
    ];

    /// Whether a receiver has to refuse the copy (4xx or 5xx).
    #[must_use]
    pub fn must_be_refused(self) -> bool {
        match self {
            Self::Tampered(_) | Self::Replayed => true,
            Self::AmountChanged => false,
        }
    }
}
