//! Who is on file at WeChat, with which keys: what a simulation passes on to the next. It is a secret.
//!
//! Deliberately absent: orders and notices, which are the [`crate::Books`]'.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Shared;
use crate::Error;
use crate::books::{Account, App};
use crate::keys::{Authority, KeptAuthority, KeptRing, Ring};

/// Merchants, apps and all keys, as they are written out.
#[derive(Serialize, Deserialize)]
pub struct Known {
    authority: KeptAuthority,
    apps: Vec<App>,
    merchants: Vec<KnownMerchant>,
}

#[derive(Serialize, Deserialize)]
struct KnownMerchant {
    account: Account,
    ring: KeptRing,
}

/// The same, ready for use.
pub(super) struct Restored {
    pub(super) authority: Authority,
    pub(super) apps: Vec<App>,
    pub(super) merchants: Vec<(Account, Arc<Ring>)>,
}

impl Known {
    pub(super) fn of(shared: &Shared) -> Self {
        let rings = shared.rings.calm_rings();
        let (apps, merchants) = shared.read(|books, _| {
            let merchants = rings.iter().filter_map(|(mchid, ring)| {
                let account = books.account(mchid)?.clone();
                Some(KnownMerchant { account, ring: KeptRing::of(ring) })
            });
            (books.apps().cloned().collect(), merchants.collect())
        });
        Self { authority: KeptAuthority::of(&shared.authority), apps, merchants }
    }

    pub(super) fn restore(self) -> Result<Restored, Error> {
        let merchants = self.merchants.into_iter();
        let merchants =
            merchants.map(|KnownMerchant { account, ring }| Ok((account, Arc::new(ring.restore()?))));
        let merchants = merchants.collect::<Result<_, Error>>()?;
        Ok(Restored { authority: self.authority.restore()?, apps: self.apps, merchants })
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known([REDACTED])")
    }
}
