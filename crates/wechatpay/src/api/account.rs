//! On whose behalf a call is made: a merchant of its own, or a service provider (服务商) for a sub-merchant.
//!
//! Invariant: what exists is well-formed, and a provider is never its own sub-merchant. Deliberately absent: whether
//! appid and merchant are bound to each other, which only WeChat Pay knows (`APPID_MCHID_NOT_MATCH`).

use serde::Serialize;

use super::field::{InvalidField, Rule, appid, mchid};
use super::wire::Target;

/// Whose order or refund it is.
///
/// ```
/// use wechatpay::api::Merchant;
///
/// let own = Merchant::ordinary("1900000001")?;
/// let sub_merchant = Merchant::partner("1900000001", "1900000109")?;
/// assert_eq!(sub_merchant.signer(), "1900000001");
/// assert!(Merchant::partner("1900000001", "1900000001").is_err());
/// # Ok::<(), wechatpay::api::InvalidField>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Merchant(Parties);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
enum Parties {
    Ordinary { mchid: String },
    Partner { sp_mchid: String, sub_mchid: String },
}

impl Merchant {
    /// A merchant that calls for itself.
    ///
    /// # Errors
    /// Where `mchid` is not 1 to 32 digits.
    pub fn ordinary(mchid: &str) -> Result<Self, InvalidField> {
        Ok(Self(Parties::Ordinary { mchid: self::mchid("mchid", mchid)? }))
    }

    /// A service provider, which signs, and the sub-merchant, which takes the money.
    ///
    /// # Errors
    /// Where one is not 1 to 32 digits, or both are the same.
    pub fn partner(sp_mchid: &str, sub_mchid: &str) -> Result<Self, InvalidField> {
        if sp_mchid == sub_mchid {
            return Err(InvalidField::new("sub_mchid", Rule::SameAsProvider));
        }
        let (sp_mchid, sub_mchid) = (mchid("sp_mchid", sp_mchid)?, mchid("sub_mchid", sub_mchid)?);
        Ok(Self(Parties::Partner { sp_mchid, sub_mchid }))
    }

    /// The merchant whose key signs the call: the provider in partner mode.
    #[must_use]
    pub fn signer(&self) -> &str {
        match &self.0 {
            Parties::Ordinary { mchid } => mchid,
            Parties::Partner { sp_mchid, .. } => sp_mchid,
        }
    }

    /// The sub-merchant, in partner mode.
    #[must_use]
    pub fn sub_mchid(&self) -> Option<&str> {
        match &self.0 {
            Parties::Ordinary { .. } => None,
            Parties::Partner { sub_mchid, .. } => Some(sub_mchid),
        }
    }

    /// Where its transactions lie.
    pub(super) fn transactions(&self) -> &'static str {
        match &self.0 {
            Parties::Ordinary { .. } => "/v3/pay/transactions",
            Parties::Partner { .. } => "/v3/pay/partner/transactions",
        }
    }

    /// Its numbers as a query.
    pub(super) fn query(&self, target: Target) -> Target {
        match &self.0 {
            Parties::Ordinary { mchid } => target.query("mchid", mchid),
            Parties::Partner { sp_mchid, sub_mchid } => {
                target.query("sp_mchid", sp_mchid).query("sub_mchid", sub_mchid)
            }
        }
    }
}

/// Whose order it is, and in which app or Mini Program it is paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Account {
    #[serde(flatten)]
    apps: Apps,
    #[serde(flatten)]
    merchant: Merchant,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
enum Apps {
    Ordinary {
        appid: String,
    },
    Partner {
        sp_appid: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_appid: Option<String>,
    },
}

impl Account {
    /// A merchant, and an appid that is bound to it.
    ///
    /// # Errors
    /// Where one is malformed.
    pub fn ordinary(appid: &str, mchid: &str) -> Result<Self, InvalidField> {
        let apps = Apps::Ordinary { appid: self::appid("appid", appid)? };
        Ok(Self { apps, merchant: Merchant::ordinary(mchid)? })
    }

    /// A service provider with its appid, and a sub-merchant, with an appid where it is paid in the sub-merchant's
    /// own Mini Program or app.
    ///
    /// # Errors
    /// Where one is malformed, or both merchants are the same.
    pub fn partner(
        sp_appid: &str,
        sp_mchid: &str,
        sub_appid: Option<&str>,
        sub_mchid: &str,
    ) -> Result<Self, InvalidField> {
        let sp_appid = appid("sp_appid", sp_appid)?;
        let sub_appid = sub_appid.map(|sub_appid| appid("sub_appid", sub_appid)).transpose()?;
        let merchant = Merchant::partner(sp_mchid, sub_mchid)?;
        Ok(Self { apps: Apps::Partner { sp_appid, sub_appid }, merchant })
    }

    /// Without the appid: for queries, refunds and closing.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    pub(super) fn is_partner(&self) -> bool {
        self.merchant.sub_mchid().is_some()
    }

    pub(super) fn has_sub_appid(&self) -> bool {
        matches!(&self.apps, Apps::Partner { sub_appid: Some(_), .. })
    }
}
