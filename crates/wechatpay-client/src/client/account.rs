//! Who calls: a merchant's number and keys.
//!
//! Invariant: the number is one, so that it can stand in a header. Deliberately absent: whether WeChat Pay knows it.

use std::sync::Arc;

use wechatpay::api::Merchant;
use wechatpay::{ApiV3Key, MerchantKey};

use crate::{KeyRing, SetupError};

/// A merchant's number and keys.
#[derive(Debug)]
pub struct Account {
    pub(super) mchid: String,
    pub(super) key: Arc<MerchantKey>,
    pub(super) apiv3_key: ApiV3Key,
    pub(super) keys: Arc<KeyRing>,
}

impl Account {
    /// The merchant (in partner mode the provider), the private key that signs its requests, the APIv3 key that opens
    /// platform certificates, and the keys that prove answers.
    ///
    /// # Errors
    /// [`SetupError::Mchid`] where `mchid` is not 1 to 32 digits.
    pub fn new(
        mchid: &str,
        key: Arc<MerchantKey>,
        apiv3_key: ApiV3Key,
        keys: Arc<KeyRing>,
    ) -> Result<Self, SetupError> {
        let merchant = Merchant::ordinary(mchid).map_err(SetupError::Mchid)?;
        Ok(Self { mchid: merchant.signer().to_owned(), key, apiv3_key, keys })
    }
}
