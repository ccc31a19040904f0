//! What befalls one attempt at a notice: all rules that hit it, sorted by where the sender comes upon them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NoticeTrouble;
use super::bytes::Change;
use super::twist::Twist;
use crate::Tampering;
use crate::deliver::Carriage;

/// The fate of one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fate {
    /// The rules that hit it, by name.
    pub(crate) rules: Vec<String>,
    /// It is not sent.
    pub(crate) is_skipped: bool,
    /// It is not sent yet.
    pub(crate) hold: Option<Hold>,
    /// What is sent again although it was acknowledged.
    pub(crate) echo: Option<Echo>,
    /// Copies beside it, at the same moment.
    pub(crate) copies: u8,
    /// What becomes of the merchant's keys first.
    pub(crate) keys: Vec<KeyChange>,
    /// What WeChat says otherwise.
    pub(super) twists: Vec<Twist>,
    /// It is sealed or signed with another key of the merchant's than the merchant has.
    pub(crate) has_other_key: bool,
    /// A newline was signed that is not sent.
    pub(crate) drops_newline: bool,
    /// It was signed long ago.
    pub(crate) is_replayed: bool,
    /// What somebody does to the signed callback.
    pub(crate) tampering: Vec<Tampering>,
    /// What somebody does to the request.
    pub(super) changes: Vec<Change>,
    /// How it is carried.
    pub(crate) carriage: Carriage,
}

/// Until when an attempt is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hold {
    /// So many seconds.
    Late(u32),
    /// After so many others, or so many seconds.
    Behind(u32, u32),
}

/// Sending what was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Echo {
    pub(crate) left: u8,
    pub(crate) apart_seconds: u32,
}

/// What becomes of a merchant's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyChange {
    NewCertificate,
    NewPublicKey,
    Grey(Option<u16>, Option<u16>),
}

impl Fate {
    /// Adds what a rule does.
    pub(super) fn suffer(&mut self, rule: &str, trouble: &NoticeTrouble) {
        use NoticeTrouble as T;
        self.rules.push(rule.to_owned());
        let millis = |millis: u32| Some(Duration::from_millis(millis.into()));
        match trouble {
            T::Never => self.is_skipped = true,
            T::Late { seconds } => self.hold = Some(Hold::Late(*seconds)),
            T::Behind { notices, seconds_max } => {
                self.hold = Some(Hold::Behind(notices.get(), *seconds_max));
            }
            T::Duplicate { copies, apart_seconds } => {
                self.echo = Some(Echo { left: copies.get(), apart_seconds: *apart_seconds });
            }
            T::Concurrent { copies } => self.copies = copies.get() - 1,
            T::Slow { millis: over } => self.carriage.over = millis(*over),
            T::Broken => self.carriage.breaks = true,
            T::HangUp { millis: patience } => self.carriage.patience = millis(*patience),
            T::HeadersSmall => self.carriage.small_letters = true,
            T::BodyBit => self.tampering.push(Tampering::BodyByte),
            T::SignatureChanged => self.tampering.push(Tampering::SignatureByte),
            T::NonceChanged => self.tampering.push(Tampering::NonceByte),
            T::TimestampChanged => self.tampering.push(Tampering::TimestampByte),
            T::SerialUnknown => self.tampering.push(Tampering::UnknownSerial),
            T::SignatureProbe => self.tampering.push(Tampering::SignatureProbe),
            T::Replayed => self.is_replayed = true,
            T::BodyNewlineDropped => self.drops_newline = true,
            T::BodyReserialised => self.changes.push(Change::Reserialised),
            T::BodyKeysSorted => self.changes.push(Change::KeysSorted),
            T::BodyCharset => self.changes.push(Change::Charset),
            T::BodyTruncated => self.changes.push(Change::Truncated),
            T::HeaderMissing { header } => self.changes.push(Change::HeaderMissing(header.clone())),
            T::HeaderDoubled { header } => self.changes.push(Change::HeaderDoubled(header.clone())),
            T::HeaderSpaced { header } => self.changes.push(Change::HeaderSpaced(header.clone())),
            T::OtherKey => self.has_other_key = true,
            T::OtherAmount { .. }
            | T::OtherMerchant { .. }
            | T::OtherField { .. }
            | T::ProfitSharing
            | T::OtherEvent { .. }
            | T::AssociatedDataEmpty
            | T::AssociatedDataMissing
            | T::ResourceNonce { .. } => self.twists.extend(Twist::of(trouble)),
            T::NewCertificate => self.keys.push(KeyChange::NewCertificate),
            T::NewPublicKey => self.keys.push(KeyChange::NewPublicKey),
            T::Grey { public_key_permille, new_certificate_permille } => {
                self.keys.push(KeyChange::Grey(*public_key_permille, *new_certificate_permille));
            }
        }
    }
}
