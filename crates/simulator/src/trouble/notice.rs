//! Everything that can happen to a notice on its way to a merchant, as a scenario names it.

use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happens to one attempt at a notice. What it means for which notice is said by `concerns`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NoticeTrouble {
    /// It is not sent. The next attempt follows by the official schedule.
    Never,
    /// It is sent so much later.
    Late {
        /// Of business time.
        seconds: u32,
    },
    /// It is sent after so many other notices, or when so much time has gone by.
    Behind {
        /// How many go first.
        notices: NonZeroU32,
        /// Of business time.
        #[serde(default = "a_minute")]
        seconds_max: u32,
    },
    /// It is sent again although it was acknowledged.
    Duplicate {
        /// How many times more.
        copies: NonZeroU8,
        /// Of business time between two.
        #[serde(default)]
        apart_seconds: u32,
    },
    /// So many copies are sent at the same moment.
    Concurrent {
        /// In all.
        copies: NonZeroU8,
    },
    /// The body comes in pieces.
    Slow {
        /// From the first to the last, in real time.
        millis: u32,
    },
    /// The connection breaks in the middle of the body.
    Broken,
    /// The whole request is sent, and the connection closed before an answer was waited for any longer.
    HangUp {
        /// How long it is waited for once the request was sent, in real time; WeChat's five seconds at most.
        millis: u32,
    },
    /// One bit of the body is flipped.
    BodyBit,
    /// The body is parsed and written anew, with blanks and escapes as another library writes them.
    BodyReserialised,
    /// The keys of the body come in another order.
    BodyKeysSorted,
    /// The newline at the end of the body, which was signed, is dropped.
    BodyNewlineDropped,
    /// The body is taken for Latin-1 and made UTF-8 once more.
    BodyCharset,
    /// The end of the body is missing; its length says nothing of it.
    BodyTruncated,
    /// One character of `Wechatpay-Signature` is another.
    SignatureChanged,
    /// One character of `Wechatpay-Nonce` is another.
    NonceChanged,
    /// One digit of `Wechatpay-Timestamp` is another.
    TimestampChanged,
    /// `Wechatpay-Timestamp` is older than the 300 s that it is good for, and rightly signed.
    Replayed,
    /// `Wechatpay-Serial` names a key that nobody has.
    SerialUnknown,
    /// `Wechatpay-Signature` begins with `WECHATPAY/SIGNTEST/`.
    SignatureProbe,
    /// A header is not there.
    HeaderMissing {
        /// Its name, in any case.
        header: String,
    },
    /// A header is there twice.
    HeaderDoubled {
        /// Its name, in any case.
        header: String,
    },
    /// A header has blanks before and behind its value.
    HeaderSpaced {
        /// Its name, in any case.
        header: String,
    },
    /// The names of headers are in small letters.
    HeadersSmall,
    /// WeChat says another amount, rightly signed.
    OtherAmount {
        /// How much more; negative for less.
        by_fen: i64,
    },
    /// WeChat says another merchant, rightly signed and sealed.
    OtherMerchant {
        /// Which.
        mchid: String,
    },
    /// WeChat says something else in one field, rightly signed and sealed.
    OtherField {
        /// Of what is sealed, a JSON pointer; of APIv2, `/` and the field's name.
        path: String,
        /// Which value is there instead.
        value: Value,
    },
    /// A share movement comes under `TRANSACTION.SUCCESS`.
    ProfitSharing,
    /// An `event_type` of which nobody has heard.
    OtherEvent {
        /// Which.
        event_type: String,
    },
    /// `resource.associated_data` is empty.
    AssociatedDataEmpty,
    /// `resource.associated_data` is not there.
    AssociatedDataMissing,
    /// `resource.nonce` has another length than twelve, rightly signed.
    ResourceNonce {
        /// Which.
        chars: u8,
    },
    /// Sealed under another APIv3 key than the merchant's; of APIv2, signed or sealed with another APIv2 key.
    OtherKey,
    /// The merchant gets a new platform certificate, which signs this notice and all that come.
    NewCertificate,
    /// The merchant gets a WeChat Pay public key, which signs this notice and all that come.
    NewPublicKey,
    /// The merchant's grey switches move before this notice is signed.
    Grey {
        /// To the public key, in thousandths.
        public_key_permille: Option<u16>,
        /// To the newest certificate, in thousandths.
        new_certificate_permille: Option<u16>,
    },
}

const fn a_minute() -> u32 {
    60
}
