//! The merchants that are served, and their keys.
//!
//! Invariant: a reload changes all of them at once, and no request sees half of it; a merchant that stays keeps what
//! was downloaded and counted for it.

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

    /// These, of which those that were there before go on with their key rings.
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
