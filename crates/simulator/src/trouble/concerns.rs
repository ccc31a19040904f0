//! Which trouble means anything to which notice or call.
//!
//! Invariant: a trouble that concerns a notice changes something of what its receiver sees, so that nobody takes a test for
//! passed that tested nothing. APIv2 has no timestamp, no serial and no envelope: what is done to those concerns APIv3 alone.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::twist::Twist;
use super::{CallTrouble, NoticeTrouble};
use crate::books::Content;

impl NoticeTrouble {
    /// Whether it means anything to a notice with this content.
    pub(super) fn concerns(&self, content: &Content) -> bool {
        if let Some(twist) = Twist::of(self).filter(|_| !matches!(self, Self::ResourceNonce { .. })) {
            // What is drawn differs from what was said, whatever is drawn.
            return twist.said(content, &mut StdRng::seed_from_u64(0)) != *content;
        }
        let Content::V2 { told, sealed, .. } = content else { return true };
        match self {
            // A refund is sealed, and not signed.
            Self::SignatureChanged | Self::NonceChanged => sealed.is_none(),
            // What is sealed is in base64.
            Self::BodyCharset => told.iter().any(|(_, value)| !value.is_ascii()),
            Self::HeaderMissing { header }
            | Self::HeaderDoubled { header }
            | Self::HeaderSpaced { header } => header.eq_ignore_ascii_case("content-type"),
            Self::TimestampChanged
            | Self::Replayed
            | Self::SerialUnknown
            | Self::SignatureProbe
            | Self::BodyNewlineDropped
            | Self::ResourceNonce { .. }
            | Self::NewCertificate
            | Self::NewPublicKey
            | Self::Grey { .. } => false,
            _ => true,
        }
    }

    /// Whether it changes the merchant's keys for more than this notice.
    pub(super) fn changes_keys(&self) -> bool {
        matches!(self, Self::NewCertificate | Self::NewPublicKey | Self::Grey { .. })
    }
}

impl CallTrouble {
    /// Whether it means anything to a call of this path.
    pub(super) fn concerns(&self, path: &str) -> bool {
        let closes = path == "/pay/closeorder" || path.starts_with("/v3/") && path.ends_with("/close");
        !matches!(self, Self::PaidMeanwhile) || closes
    }
}
