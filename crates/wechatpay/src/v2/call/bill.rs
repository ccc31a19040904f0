//! Trade bills of APIv2: a success is the file itself, a failure is XML; the first bytes tell which.
//!
//! Neither is signed: what proves the file is TLS alone. Deliberately absent: reading the file, which is
//! [`crate::bill`]'s.

use super::Request;
use crate::api::Operation;
use crate::v2::{Fields, Retry, XmlError, parse_xml};

/// `POST /pay/downloadbill`: the trade bill of a day, from 10:00 of the next, for three months.
///
/// ```
/// use wechatpay::v2::{BillType, DownloadBill, Request, is_bill_failure};
///
/// let call = DownloadBill { bill_date: "20250615".to_owned(), bill_type: BillType::All, gzip: true };
/// assert_eq!(call.fields().get("tar_type"), Some("GZIP"));
/// // The answer is the file, or else XML: its first bytes tell.
/// assert_eq!(is_bill_failure(b"<xml><return_code><![CDATA[FAIL]]>"), Some(true));
/// assert_eq!(is_bill_failure(&[0x1f, 0x8b, 0x08]), Some(false));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadBill {
    /// The day: `yyyyMMdd`, Beijing time.
    pub bill_date: String,
    /// What it lists.
    pub bill_type: BillType,
    /// Compressed.
    pub gzip: bool,
}

/// What a bill lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillType {
    /// Payments and refunds.
    All,
    /// Payments.
    Success,
    /// Refunds.
    Refund,
    /// Refunds that were paid from the topped-up balance.
    RechargeRefund,
}

impl Request for DownloadBill {
    fn path(&self) -> &'static str {
        "/pay/downloadbill"
    }

    fn operation(&self) -> Operation {
        Operation::Bill
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        fields.insert("bill_date", self.bill_date.as_str());
        let bill_type = match self.bill_type {
            BillType::All => "ALL",
            BillType::Success => "SUCCESS",
            BillType::Refund => "REFUND",
            BillType::RechargeRefund => "RECHARGE_REFUND",
        };
        fields.insert("bill_type", bill_type);
        fields.insert_optional("tar_type", self.gzip.then_some("GZIP"));
        fields
    }
}

/// Whether an answer that begins so is a failure, for [`read_bill_failure`], and not the file. A bill begins with a
/// byte order mark, the name of a column, or gzip's `1f 8b`; never with `<`. `None`: these bytes do not tell yet.
#[must_use]
pub fn is_bill_failure(first: &[u8]) -> Option<bool> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if first.len() < MARK.len() && MARK.starts_with(first) {
        return None;
    }
    let text = first.strip_prefix(MARK).unwrap_or(first).trim_ascii_start();
    text.first().map(|byte| *byte == b'<')
}

/// Why there is no bill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no bill: {return_msg:?} {}; {}", error_code.as_deref().unwrap_or_default(), reason.hint())]
pub struct BillFailure {
    /// What it comes to.
    pub reason: BillReason,
    /// WeChat Pay's words.
    pub return_msg: String,
    /// WeChat Pay's number, such as `20002`: a second hint, the words come first.
    pub error_code: Option<String>,
}

/// Why there is no bill, by what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BillReason {
    /// `No Bill Exist`: nothing was traded that day.
    NoBill,
    /// `Bill Creating`: too early.
    NotReady,
    /// `sign error`.
    Sign,
    /// A parameter is missing or wrong.
    Parameters,
    /// A fault on WeChat Pay's side.
    System,
    /// Words that are not known here.
    Other,
}

impl BillReason {
    fn of(return_msg: &str, error_code: Option<&str>) -> Self {
        // WeChat Pay's documentation and its answers differ in letter case.
        match return_msg.trim().to_ascii_lowercase().as_str() {
            "no bill exist" => Self::NoBill,
            "bill creating" => Self::NotReady,
            "sign error" => Self::Sign,
            "invalid bill_type" | "data format error" | "missing parameter" => Self::Parameters,
            "compressgzip error" | "uncompressgzip error" | "systemerror" => Self::System,
            _ => match error_code {
                Some("20002") => Self::NoBill,
                Some("20003" | "20007" | "20100") => Self::System,
                _ => Self::Other,
            },
        }
    }

    /// What may be done next.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::NotReady | Self::System => Retry::Later,
            Self::NoBill | Self::Sign | Self::Parameters | Self::Other => Retry::No,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::NoBill => "nothing was traded that day",
            Self::NotReady => "ask again after 10:00, Beijing time",
            Self::Sign => "check the APIv2 key and sign_type",
            Self::Parameters => "check bill_date (yyyyMMdd) and bill_type",
            Self::System => "WeChat Pay's fault; ask again later",
            Self::Other => "see WeChat Pay's manual",
        }
    }
}

/// Reads an answer that [`is_bill_failure`].
///
/// # Errors
/// Where it is not APIv2's XML.
pub fn read_bill_failure(body: &[u8]) -> Result<BillFailure, XmlError> {
    let fields = parse_xml(body)?;
    let return_msg = fields.owned("return_msg").unwrap_or_default();
    let error_code = fields.owned("error_code").or_else(|| fields.owned("err_code"));
    let reason = BillReason::of(&return_msg, error_code.as_deref());
    Ok(BillFailure { reason, return_msg, error_code })
}
