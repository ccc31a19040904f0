//! The two protocols that callbacks come in. What differs between them ends here.

use axum::http::HeaderMap;
use payonce_core::UnixMillis;
use wechatpay::{Callback, OpenError, Product, UnixSeconds, v2};

use super::{refusal::Refusal, statement::Statement, translate};
use crate::config::Merchant;

/// Which protocol a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// JSON, signed with WeChat Pay's private key, encrypted with the APIv3 key.
    V3,
    /// XML, signed or encrypted with the APIv2 key.
    V2,
}

impl Protocol {
    /// From bytes to what they state; what comes out is true, as far as WeChat can be believed.
    pub(crate) fn believe(
        self,
        merchant: &Merchant,
        headers: &HeaderMap,
        body: &[u8],
        received_at: UnixMillis,
    ) -> Result<Statement, Refusal> {
        match self {
            Self::V3 => {
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                believe_v3(merchant, headers, body, received_at)
            }
            Self::V2 => believe_v2(merchant, body, received_at),
        }
    }
}

/// APIv3: the signature says that it is WeChat's, and when; the APIv3 key opens it.
pub(super) fn believe_v3<'a>(
    merchant: &Merchant,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &'a [u8],
    received_at: UnixMillis,
) -> Result<Statement, Refusal> {
    let keys = merchant.keys.keys();
    let verified =
        Callback::parse(headers, body)?.verify(keys.platform(), UnixSeconds(received_at.seconds()))?;
    keys.proved_callback(verified.serial());
    let notification = match verified.open(&merchant.apiv3_key) {
        // Not ours to judge, and so not ours to refuse: it is passed on as it is.
        Err(OpenError::ResourceMalformed { original_type, source, notification })
            if notification.product != Product::Payment
                && notification.product != Product::PartnerPayment
                && notification.product != Product::CombinePayment =>
        {
            tracing::warn!(%original_type, line = source.line(), column = source.column(), "a resource is not as documented");
            *notification
        }
        opened => opened?,
    };
    translate::v3(notification, &merchant.mchid, received_at)
}

/// APIv2: knowing the APIv2 key is all that there is to believe. It says nothing of when it was sent.
fn believe_v2(merchant: &Merchant, body: &[u8], received_at: UnixMillis) -> Result<Statement, Refusal> {
    let key = merchant.apiv2_key.as_ref().ok_or(Refusal::NoApiV2Key)?;
    match v2::Callback::parse(body)? {
        // The order's algorithm is not insisted on: an absent sign_type means MD5 whatever the order asked for.
        v2::Callback::Signed(callback) => {
            translate::v2_notice(callback.verify(key, None)?.notice()?, &merchant.mchid, received_at)
        }
        v2::Callback::Sealed(callback) => {
            translate::v2_refund(&callback.open(key)?, &merchant.mchid, received_at)
        }
        v2::Callback::Failed(_) => Err(Refusal::FailureNotice),
    }
}
