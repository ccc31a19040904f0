//! A refund that could not be paid out, sent to another account. Deliberately absent: encrypting.

use std::fmt;

use serde::Serialize;

use super::{PATH, Refund};
use crate::Serial;
use crate::answer::AnswerError;
use crate::api::field::{InvalidField, known_number, text};
use crate::api::wire::Target;
use crate::api::{Call, Merchant, Operation, wire};

/// Sends a refund in the state `ABNORMAL` to another account:
/// `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`.
///
/// ```
/// use wechatpay::PlatformKey;
/// use wechatpay::api::{AbnormalRefund, BankCard, Call, Merchant};
///
/// # let keys: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/keys.json"))?;
/// # let text = |name: &str| keys["public_key"][name].as_str().unwrap_or_default().to_owned();
/// # let (id, pem) = (text("id"), text("public_pem"));
/// let key = PlatformKey::from_public_key_pem(&id, &pem)?;
/// let (number, holder) = (key.encrypt("6225750000000000")?, key.encrypt("王小明")?);
/// let card = BankCard {
///     bank_type: "CMB_DEBIT",
///     bank_account: &number,
///     real_name: &holder,
///     encrypted_for: key.serial().clone(),
/// };
/// let merchant = Merchant::ordinary("1900000001")?;
/// let call = AbnormalRefund::to_user(merchant, "50000000382019052709732678859", "REFUND-1", card)?;
/// assert_eq!(call.encrypted_for(), Some(key.serial())); // named in Wechatpay-Serial
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AbnormalRefund {
    merchant: Merchant,
    refund_id: String,
    body: Body,
    encrypted_for: Option<Serial>,
}

#[derive(Clone, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<String>,
    out_refund_no: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    real_name: Option<String>,
}

impl AbnormalRefund {
    /// To the merchant, who then pays the user in another way. `refund_id` is WeChat Pay's number, `out_refund_no` the
    /// merchant's.
    ///
    /// # Errors
    /// Where a number has other characters than `0-9 A-Z a-z _ - | * @`, or more than 32 or 64.
    pub fn to_merchant(
        merchant: Merchant,
        refund_id: &str,
        out_refund_no: &str,
    ) -> Result<Self, InvalidField> {
        let body = Body {
            sub_mchid: merchant.sub_mchid().map(str::to_owned),
            out_refund_no: known_number("out_refund_no", out_refund_no, 64)?,
            kind: "MERCHANT_BANK_CARD",
            bank_type: None,
            bank_account: None,
            real_name: None,
        };
        let refund_id = known_number("refund_id", refund_id, 32)?;
        Ok(Self { merchant, refund_id, body, encrypted_for: None })
    }

    /// To another bank card of the user's. `bank_type` is such as `CMB_DEBIT`; `bank_account` and `real_name` are
    /// ciphertexts (RSA-OAEP or SM2, base64) for WeChat Pay's key with the serial `encrypted_for`.
    ///
    /// # Errors
    /// As [`to_merchant`](Self::to_merchant), and where `bank_type` does not have 1 to 16 characters or a ciphertext 1
    /// to 1024.
    pub fn to_user(
        merchant: Merchant,
        refund_id: &str,
        out_refund_no: &str,
        card: BankCard<'_>,
    ) -> Result<Self, InvalidField> {
        let call = Self::to_merchant(merchant, refund_id, out_refund_no)?;
        let body = Body {
            kind: "USER_BANK_CARD",
            bank_type: Some(text("bank_type", card.bank_type, 1, 16)?),
            bank_account: Some(text("bank_account", card.bank_account, 1, 1024)?),
            real_name: Some(text("real_name", card.real_name, 1, 1024)?),
            ..call.body
        };
        Ok(Self { body, encrypted_for: Some(card.encrypted_for), ..call })
    }
}

/// A bank card of the user's, its number and holder encrypted.
#[derive(Clone)]
pub struct BankCard<'a> {
    /// Such as `CMB_DEBIT`.
    pub bank_type: &'a str,
    /// Ciphertext of its number.
    pub bank_account: &'a str,
    /// Ciphertext of its holder's name.
    pub real_name: &'a str,
    /// WeChat Pay's key that both were encrypted for.
    pub encrypted_for: Serial,
}

impl fmt::Debug for BankCard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankCard([REDACTED])")
    }
}

impl fmt::Debug for AbnormalRefund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbnormalRefund")
            .field("merchant", &self.merchant)
            .field("refund_id", &self.refund_id)
            .field("out_refund_no", &self.body.out_refund_no)
            .finish_non_exhaustive()
    }
}

impl Call for AbnormalRefund {
    type Answer = Refund;

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        Target::new(PATH).segment(&self.refund_id).then("/apply-abnormal-refund").finish()
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(&self.body))
    }

    fn operation(&self) -> Operation {
        Operation::Refund
    }

    fn signer(&self) -> Option<&str> {
        Some(self.merchant.signer())
    }

    fn encrypted_for(&self) -> Option<&Serial> {
        self.encrypted_for.as_ref()
    }

    fn read(&self, body: &[u8]) -> Result<Refund, AnswerError> {
        Refund::read(body, &self.body.out_refund_no)
    }
}
