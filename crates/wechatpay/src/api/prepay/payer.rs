//! Who is to pay. Invariant: `Debug` shows neither openid nor name. Deliberately absent: encrypting, which
//! needs WeChat Pay's key and randomness.

use std::fmt;

use serde::Serialize;

use crate::Serial;
use crate::api::Account;
use crate::api::field::{InvalidField, text};
use crate::api::wire::open_list;

/// `payer` of a prepay, `combine_payer_info` of a combined one.
#[derive(Clone, Default, Serialize)]
pub(in crate::api) struct Payer {
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_openid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_openid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) identity: Option<Identity>,
}

impl Payer {
    pub(super) fn of_account(account: &Account, openid: &str) -> Result<Self, InvalidField> {
        if !account.is_partner() {
            return Self::own(openid);
        }
        let sp_openid = Some(text("payer.sp_openid", openid, 1, 128)?);
        Ok(Self { sp_openid, ..Self::default() })
    }

    pub(in crate::api) fn own(openid: &str) -> Result<Self, InvalidField> {
        Ok(Self { openid: Some(text("payer.openid", openid, 1, 128)?), ..Self::default() })
    }

    pub(in crate::api) fn sub(sub_openid: &str) -> Result<Self, InvalidField> {
        let sub_openid = Some(text("payer.sub_openid", sub_openid, 1, 128)?);
        Ok(Self { sub_openid, ..Self::default() })
    }
}

open_list! {
    /// The document by which a person is known.
    IdentityType {
        /// Identity card of the mainland.
        IdCard = "IDCARD",
        /// Travel permit for residents of Hong Kong and Macao.
        HongkongMacao = "HONGKONG_MACAO",
        /// Residence permit for residents of Hong Kong and Macao.
        HongkongMacaoResident = "HONGKONG_MACAO_RESIDENT",
        /// Residence permit for residents of Taiwan.
        TaiwanResident = "TAIWAN_RESIDENT",
        /// Residence permit of a foreigner.
        ForeignResident = "FOREIGN_RESIDENT",
        /// Foreign passport.
        OverseaPassport = "OVERSEA_PASSPORT",
        /// Telephone number.
        PhoneNumber = "PHONE_NUMBER",
    }
}

/// The only person who may pay. Number and name go encrypted, for the key that `encrypted_for` names.
#[derive(Clone, Serialize)]
pub struct Identity {
    #[serde(rename = "type")]
    kind: IdentityType,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip)]
    pub(in crate::api) encrypted_for: Serial,
}

impl Identity {
    /// `number` and `name` are ciphertexts (RSA-OAEP or SM2, base64) for WeChat Pay's key with the serial
    /// `encrypted_for`, which the call then names in `Wechatpay-Serial`. A repeated prepay sends the same ciphertexts.
    #[must_use]
    pub fn new(kind: IdentityType, number: Option<&str>, name: Option<&str>, encrypted_for: Serial) -> Self {
        Self { kind, number: number.map(str::to_owned), name: name.map(str::to_owned), encrypted_for }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([REDACTED])")
    }
}
