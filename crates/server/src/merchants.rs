//! The merchants that are served, and their keys.
//!
//! Invariants: a reload puts all merchants in place of all others in one step; a merchant that stays keeps what was
//! downloaded and counted for it, so its key ring stays, too, and takes the new keys *before* that step. A request that
//! still has the merchant of before may be verified by the keys of now, each of them whole; one that has the merchant of
//! now never is by the keys of before.

use std::{collections::HashMap, sync::Arc};

use crate::config::Merchant;

/// The merchants by mchid.
#[derive(Debug, Default)]
pub(crate) struct Merchants(HashMap<String, Arc<Merchant>>);

impl Merchants {
    pub(crate) fn of(merchants: Vec<Merchant>) -> Self {
        let named = |merchant: Merchant| (merchant.mchid.to_string(), Arc::new(merchant));
        Self(merchants.into_iter().map(named).collect())
    }

    /// These, of which those that were there before go on with their key rings: these change at once, all else when these
    /// merchants are put in place.
    pub(crate) fn after(&self, merchants: Vec<Merchant>) -> Self {
        let keep_ring = |merchant: Merchant| match self.get(merchant.mchid.as_str()) {
            None => merchant,
            Some(before) => {
                before.keys.configure(merchant.keys.configured());
                Merchant { keys: Arc::clone(&before.keys), ..merchant }
            }
        };
        Self::of(merchants.into_iter().map(keep_ring).collect())
    }

    pub(crate) fn get(&self, mchid: &str) -> Option<&Arc<Merchant>> {
        self.0.get(mchid)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Merchant>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use payonce_core::MerchantId;
    use wechatpay::{ApiV3Key, PlatformKey};
    use wechatpay_client::KeyRing;

    use super::*;

    const OLD: &str = "PUB_KEY_ID_0119000000012024101100000000000000";
    const NEW: &str = "PUB_KEY_ID_0119000000012025101100000000000000";

    fn merchant(apiv3_key: &str, public_key_ids: &[&str]) -> Merchant {
        let pem = include_str!("config/tests/platform_public_key.pem");
        let keys = public_key_ids.iter().map(|id| PlatformKey::from_public_key_pem(id, pem).unwrap());
        Merchant {
            mchid: MerchantId::parse("1900000001").unwrap(),
            keys: Arc::new(KeyRing::new(keys)),
            apiv3_key: ApiV3Key::new(apiv3_key).unwrap(),
            apiv2_key: None,
            certificate: None,
            sellers: BTreeSet::new(),
        }
    }

    fn serials(merchants: &Merchants) -> Vec<String> {
        merchants.get("1900000001").unwrap().keys.health().into_iter().map(|key| key.serial).collect()
    }

    #[test]
    fn whoever_has_the_merchant_of_now_has_its_keys_of_now() {
        let before = Merchants::of(vec![merchant("apiv3KeyOfTheFirstMerchant012345", &[OLD])]);
        before.get("1900000001").unwrap().keys.keys().proved_callback(OLD);
        let after = before.after(vec![merchant("apiv3KeyOfTheSecondMerchant01234", &[OLD, NEW])]);
        // Nothing is put in place yet.
        assert_eq!(serials(&after), [OLD, NEW]);
        assert_eq!(serials(&before), [OLD, NEW], "of the merchant of before the ring alone has changed");
        let uses = |merchants: &Merchants| merchants.get("1900000001").unwrap().keys.health()[0].callbacks;
        assert_eq!((uses(&before), uses(&after)), (1, 1), "what was counted stays");
    }
}
