//! What became of a callback, in one word.

/// What became of a callback. The names of [`code`](Self::code) are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// It verifies and opens: a server takes it.
    Accepted,
    /// Its signature headers (of APIv2: its XML or its sign) are missing or malformed.
    Malformed,
    /// Its signature fits, but was made 300 s or more before or after it was received.
    Stale,
    /// No valid key goes by its serial.
    UnknownSerial,
    /// WeChat Pay's own test whether signatures are verified. Refusing it is right.
    Probe,
    /// Signed or encrypted by algorithms that this build does not have.
    Unsupported,
    /// WeChat Pay signed it, and it was changed on its way: undoing that, it verifies.
    Changed,
    /// Its signature does not fit, and no known change explains that: changed otherwise, or forged.
    Unverified,
    /// It is another merchant's.
    WrongMerchant,
    /// The key that is configured as WeChat Pay's is not WeChat Pay's.
    WrongPlatformKey,
    /// The merchant's APIv3 key (of APIv2: its APIv2 key) does not open it.
    DoesNotOpen,
    /// Not a notification as it is documented, whoever signed it.
    Unreadable,
    /// A notice of APIv2, for which no key is configured.
    ApiV2,
}

impl Class {
    /// A stable name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::UnknownSerial => "unknown_serial",
            Self::Probe => "probe",
            Self::Unsupported => "unsupported",
            Self::Changed => "changed",
            Self::Unverified => "unverified",
            Self::WrongMerchant => "wrong_merchant",
            Self::WrongPlatformKey => "wrong_platform_key",
            Self::DoesNotOpen => "does_not_open",
            Self::Unreadable => "unreadable",
            Self::ApiV2 => "apiv2",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Accepted => "it verifies and opens",
            Self::Malformed => {
                "its signature headers (of APIv2: its XML or its sign) are missing or malformed"
            }
            Self::Stale => "its signature fits, but is too old or too new",
            Self::UnknownSerial => "no valid key goes by its serial",
            Self::Probe => "it is WeChat Pay's signature probe, to be refused",
            Self::Unsupported => "it uses algorithms that this build does not have",
            Self::Changed => "WeChat Pay signed it, and it was changed on its way",
            Self::Unverified => "its signature does not fit: changed on its way, or forged",
            Self::WrongMerchant => "it is another merchant's",
            Self::WrongPlatformKey => "what is configured as WeChat Pay's key is not WeChat Pay's",
            Self::DoesNotOpen => "the merchant's key does not open it",
            Self::Unreadable => "it is no notification as documented",
            Self::ApiV2 => "it is a notice of APIv2, for which no key is configured",
        }
    }
}
