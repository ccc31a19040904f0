//! Merchants and apps as WeChat has them on file: who may sell, for whom, and in which app.
//!
//! Deliberately absent: keys, which are [`crate::keys`]'; rights to single products.

use std::collections::BTreeSet;
use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Books, Refusal, Seller};
use crate::random;

/// A merchant number and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The merchant number, digits.
    pub mchid: String,
    /// What the user reads at the cashier.
    pub name: String,
    /// On whose behalf it may sell.
    pub role: Role,
    /// The apps that are bound to it: only in these may it sell.
    pub appids: BTreeSet<String>,
}

/// On whose behalf a merchant may sell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// For itself.
    Ordinary,
    /// For sub-merchants that accepted it; never for itself.
    Provider,
    /// Through these providers only.
    SubMerchant {
        /// Those that it accepted, by merchant number.
        providers: BTreeSet<String>,
    },
}

/// A Mini Program, official account or mobile app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// `wx` and 16 hex digits.
    pub appid: String,
    /// What its server proves itself with at code2Session.
    pub secret: String,
}

impl Account {
    /// A merchant that sells for itself, in one app.
    #[must_use]
    pub fn ordinary(mchid: &str, appid: &str) -> Self {
        Self::of(mchid, Role::Ordinary, [appid.to_owned()])
    }

    /// A service provider with one app.
    #[must_use]
    pub fn provider(mchid: &str, appid: &str) -> Self {
        Self::of(mchid, Role::Provider, [appid.to_owned()])
    }

    /// A sub-merchant of one provider, with an app of its own or none.
    #[must_use]
    pub fn sub_merchant(mchid: &str, provider: &str, appid: Option<&str>) -> Self {
        let providers = BTreeSet::from([provider.to_owned()]);
        Self::of(mchid, Role::SubMerchant { providers }, appid.map(str::to_owned))
    }

    fn of(mchid: &str, role: Role, appids: impl IntoIterator<Item = String>) -> Self {
        let name = format!("商户{mchid}");
        Self { mchid: mchid.to_owned(), name, role, appids: appids.into_iter().collect() }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("appid", &self.appid).field("secret", &"[REDACTED]").finish()
    }
}

impl Books {
    /// Puts a merchant on file, or files it anew. Apps that are not known yet are made up, secrets included.
    pub fn enrol(&mut self, account: Account, rng: &mut impl Rng) {
        for appid in &account.appids {
            if !self.apps.contains_key(appid) {
                let secret = random::hex(rng, 32);
                self.apps.insert(appid.clone(), App { appid: appid.clone(), secret });
            }
        }
        self.accounts.insert(account.mchid.clone(), account);
    }

    /// Puts an app on file, or files it anew.
    pub fn add_app(&mut self, app: App) {
        self.apps.insert(app.appid.clone(), app);
    }

    /// The apps, by id.
    pub fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    /// The merchants, by number.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The merchant of this number.
    #[must_use]
    pub fn account(&self, mchid: &str) -> Option<&Account> {
        self.accounts.get(mchid)
    }

    /// The app of this id.
    #[must_use]
    pub fn app(&self, appid: &str) -> Option<&App> {
        self.apps.get(appid)
    }

    /// Whether this seller exists and may sell in these apps, for this sub-merchant.
    ///
    /// # Errors
    /// What WeChat objects to first.
    pub fn may_sell(&self, seller: &Seller) -> Result<(), Refusal> {
        let known = |mchid: &str| self.accounts.get(mchid).ok_or(Refusal::MchNotExists);
        match seller {
            Seller::Ordinary { appid, mchid } => {
                let account = known(mchid)?;
                if account.role != Role::Ordinary {
                    return Err(Refusal::ProductNotOpened);
                }
                bound(account, appid, Refusal::AppidMchidNotMatch)
            }
            Seller::Partner { sp_appid, sp_mchid, sub_appid, sub_mchid } => {
                let provider = known(sp_mchid)?;
                if provider.role != Role::Provider {
                    return Err(Refusal::ProductNotOpened);
                }
                if sub_mchid == sp_mchid {
                    return Err(Refusal::SubMchidIsOwn);
                }
                bound(provider, sp_appid, Refusal::AppidMchidNotMatch)?;
                let sub = known(sub_mchid)?;
                match &sub.role {
                    Role::SubMerchant { providers } if providers.contains(sp_mchid) => {}
                    _ => return Err(Refusal::NotAccepted),
                }
                sub_appid.as_ref().map_or(Ok(()), |appid| bound(sub, appid, Refusal::SubAppidNotMatch))
            }
        }
    }
}

fn bound(account: &Account, appid: &str, otherwise: Refusal) -> Result<(), Refusal> {
    if account.appids.contains(appid) { Ok(()) } else { Err(otherwise) }
}
