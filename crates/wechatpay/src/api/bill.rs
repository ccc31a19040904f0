//! Bills: asking for the statement of a day, and downloading its file.
//!
//! Invariant: a statement's answer is signed, its file is not: the file counts once its hash, over the uncompressed
//! bytes, is the statement's. Deliberately absent: hashing, which is for whoever downloads; unzipping and reading, which
//! are [`crate::bill`]'s.

use serde::Deserialize;

use super::field::{InvalidField, Rule, date, mchid};
use super::wire::{Target, is_sent_unchanged, open_list};
use super::{Call, Operation, wire};
use crate::answer::AnswerError;

open_list! {
    /// Which rows a trade bill has.
    BillType {
        /// Payments and refunds.
        All = "ALL",
        /// Payments.
        Success = "SUCCESS",
        /// Refunds.
        Refund = "REFUND",
        /// Refunds of top-ups.
        RechargeRefund = "RECHARGE_REFUND",
        /// As `ALL`, with more columns.
        AllSpecial = "ALL_SPECIAL",
        /// As `SUCCESS`, with more columns.
        SuccessSpecial = "SUC_SPECIAL",
        /// As `REFUND`, with more columns.
        RefundSpecial = "REF_SPECIAL",
    }
}

open_list! {
    /// Which account a fund-flow bill is about.
    AccountType {
        /// The basic account.
        Basic = "BASIC",
        /// The operating account.
        Operation = "OPERATION",
        /// The account for fees.
        Fees = "FEES",
    }
}

/// The payments and refunds of a day: `GET /v3/bill/tradebill`. There from about 10:00 Beijing time of the next day,
/// for three months. `NO_STATEMENT_EXIST` is a day without any.
///
/// ```
/// use wechatpay::api::{BillType, Call, TradeBill};
///
/// let call = TradeBill::new("2025-06-15")?.bill_type(BillType::Refund).gzip();
/// let path = "/v3/bill/tradebill?bill_date=2025-06-15&bill_type=REFUND&tar_type=GZIP";
/// assert_eq!(call.path_and_query(), path);
///
/// let answer = br#"{"hash_type":"SHA1","hash_value":"79bb0f45fc4c42234a918000b2668d689e2bde04",
///     "download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc&tartype=gzip"}"#;
/// let file = call.read(answer)?.file()?;
/// assert_eq!(file.path_and_query(), "/v3/billdownload/file?token=abc&tartype=gzip");
/// assert!(!file.answer_is_signed()); // its hash is in the statement
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TradeBill {
    bill_date: String,
    sub_mchid: Option<String>,
    bill_type: Option<BillType>,
    gzip: bool,
}

impl TradeBill {
    /// Of this day of Beijing's calendar, `yyyy-MM-dd`.
    ///
    /// # Errors
    /// Where it is no day.
    pub fn new(bill_date: &str) -> Result<Self, InvalidField> {
        let bill_date = date("bill_date", bill_date)?;
        Ok(Self { bill_date, sub_mchid: None, bill_type: None, gzip: false })
    }

    /// Of one sub-merchant; else of all.
    ///
    /// # Errors
    /// Where it is not 1 to 32 digits.
    pub fn sub_mchid(mut self, sub_mchid: &str) -> Result<Self, InvalidField> {
        self.sub_mchid = Some(mchid("sub_mchid", sub_mchid)?);
        Ok(self)
    }

    /// Which rows; else all.
    #[must_use]
    pub fn bill_type(mut self, bill_type: BillType) -> Self {
        self.bill_type = Some(bill_type);
        self
    }

    /// Compressed; else plain text.
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }
}

impl Call for TradeBill {
    type Answer = Statement;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        Target::new("/v3/bill/tradebill")
            .query("bill_date", &self.bill_date)
            .query_optional("sub_mchid", self.sub_mchid.as_deref())
            .query_optional("bill_type", self.bill_type.as_ref().map(BillType::as_str))
            .query_optional("tar_type", self.gzip.then_some("GZIP"))
            .finish()
    }

    fn operation(&self) -> Operation {
        Operation::Bill
    }

    fn read(&self, body: &[u8]) -> Result<Statement, AnswerError> {
        wire::read(body)
    }
}

/// The movements of money of a day: `GET /v3/bill/fundflowbill`. At most 3 calls a second for a merchant.
#[derive(Clone, Debug)]
pub struct FundFlowBill {
    bill_date: String,
    account_type: Option<AccountType>,
    gzip: bool,
}

impl FundFlowBill {
    /// Of this day of Beijing's calendar, `yyyy-MM-dd`.
    ///
    /// # Errors
    /// Where it is no day.
    pub fn new(bill_date: &str) -> Result<Self, InvalidField> {
        Ok(Self { bill_date: date("bill_date", bill_date)?, account_type: None, gzip: false })
    }

    /// Of which account; else the basic one.
    #[must_use]
    pub fn account_type(mut self, account_type: AccountType) -> Self {
        self.account_type = Some(account_type);
        self
    }

    /// Compressed; else plain text.
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }
}

impl Call for FundFlowBill {
    type Answer = Statement;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        Target::new("/v3/bill/fundflowbill")
            .query("bill_date", &self.bill_date)
            .query_optional("account_type", self.account_type.as_ref().map(AccountType::as_str))
            .query_optional("tar_type", self.gzip.then_some("GZIP"))
            .finish()
    }

    fn operation(&self) -> Operation {
        Operation::Bill
    }

    fn read(&self, body: &[u8]) -> Result<Statement, AnswerError> {
        wire::read(body)
    }
}

/// Where a bill's file is, and how to know it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Statement {
    /// `SHA1`.
    pub hash_type: String,
    /// In hex, either case: of the file's bytes, unzipped, before anything else is done to them.
    pub hash_value: String,
    /// Valid for 5 minutes, for the merchant that asked.
    pub download_url: String,
}

impl Statement {
    /// The call that downloads the file.
    ///
    /// # Errors
    /// Where the URL is none of WeChat Pay's.
    pub fn file(&self) -> Result<DownloadFile, InvalidField> {
        DownloadFile::new(&self.download_url)
    }
}

/// Downloads a bill's file: `GET {download_url}`. Signed like any call, by the merchant that asked for the statement,
/// with the URL's path and query unchanged. The answer is not signed. Follow no redirect, and stream it: such
/// files reach hundreds of MB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadFile {
    host: String,
    path_and_query: String,
}

impl DownloadFile {
    /// The file at this URL, as the statement gave it.
    ///
    /// # Errors
    /// Where it is not `https`, or names a host or port other than WeChat Pay's, or would not be sent unchanged.
    pub fn new(download_url: &str) -> Result<Self, InvalidField> {
        const FIELD: &str = "download_url";
        let rest = download_url.strip_prefix("https://");
        let rest = rest.ok_or(InvalidField::new(FIELD, Rule::Https))?;
        let (host, path_and_query) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
        if !is_host_of_wechat_pay(&host) {
            return Err(InvalidField::new(FIELD, Rule::Host));
        }
        if !is_sent_unchanged(path_and_query) {
            return Err(InvalidField::new(FIELD, Rule::Target));
        }
        Ok(Self { host, path_and_query: path_and_query.to_owned() })
    }

    /// WeChat Pay's host that has the file.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The API's two domains; each access point is a name in one of them.
fn is_host_of_wechat_pay(host: &str) -> bool {
    let name = host.strip_suffix(".mch.weixin.qq.com").or_else(|| host.strip_suffix(".wechatpay.cn"));
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_plain))
}

impl Call for DownloadFile {
    /// The file's bytes, not believed yet.
    type Answer = Vec<u8>;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        self.path_and_query.clone()
    }

    fn operation(&self) -> Operation {
        Operation::Bill
    }

    fn answer_is_signed(&self) -> bool {
        false
    }

    fn read(&self, body: &[u8]) -> Result<Vec<u8>, AnswerError> {
        Ok(body.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_wechat_pay_are_asked() {
        for (url, expected) in [
            ("https://api.mch.weixin.qq.com/v3/billdownload/file?token=a", Ok("api.mch.weixin.qq.com")),
            ("https://API2.wechatpay.cn:443/v3/bill/downloadurl?token=a", Ok("api2.wechatpay.cn")),
            ("http://api.mch.weixin.qq.com/v3/a", Err(Rule::Https)),
            ("https://api.mch.weixin.qq.com.example.com/v3/a", Err(Rule::Host)),
            ("https://example.com/.mch.weixin.qq.com/v3/a", Err(Rule::Host)),
            ("https://api.mch.weixin.qq.com@example.com/v3/a", Err(Rule::Host)),
            ("https://user@api.mch.weixin.qq.com/v3/a", Err(Rule::Host)),
            ("https://evilmch.weixin.qq.com/v3/a", Err(Rule::Host)),
            ("https://api.mch.weixin.qq.com:8443/v3/a", Err(Rule::Host)),
            ("https://.mch.weixin.qq.com/v3/a", Err(Rule::Host)),
            ("https://127.0.0.1/v3/a", Err(Rule::Host)),
            ("https://api.mch.weixin.qq.com\\@example.com/v3/a", Err(Rule::Host)),
            ("https://api.mch.weixin.qq.com", Err(Rule::Target)),
            ("https://api.mch.weixin.qq.com/v3/../a", Err(Rule::Target)),
            ("https://api.mch.weixin.qq.com/v3/a#b", Err(Rule::Target)),
        ] {
            let call = DownloadFile::new(url);
            let host = call.as_ref().map(DownloadFile::host).map_err(|error| error.rule.clone());
            assert_eq!(host, expected, "{url}");
        }
    }
}
