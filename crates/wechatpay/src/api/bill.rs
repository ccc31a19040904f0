//! Bills: asking for the statement of a day, and downloading its file.
//!
//! Invariant: a statement's answer is signed, its file is not: the file counts once its hash, over the uncompressed
//! bytes, is the statement's. `Debug` shows no token. Deliberately absent: hashing, which is for whoever downloads; unzipping
//! and reading, which are [`crate::bill`]'s.

use std::fmt;

use serde::Deserialize;

use super::field::{InvalidField, Origin, Rule, date, mchid};
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

/// Where a bill's file is, and how to know it. `Debug` does not show the URL, whose token lets the merchant's systems
/// download it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Statement {
    /// `SHA1`.
    pub hash_type: String,
    /// In hex, either case: of the file's bytes, unzipped, before anything else is done to them.
    pub hash_value: String,
    /// Valid for 5 minutes, for the merchant that asked.
    pub download_url: String,
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hash_type, hash_value, .. } = self;
        let mut shown = f.debug_struct("Statement");
        shown.field("hash_type", hash_type).field("hash_value", hash_value).finish_non_exhaustive()
    }
}

impl Statement {
    /// The call that downloads the file.
    ///
    /// # Errors
    /// Where the URL is none of WeChat Pay's.
    pub fn file(&self) -> Result<DownloadFile, InvalidField> {
        DownloadFile::new(&self.download_url)
    }

    /// The same, for a client that asks `base` instead of WeChat Pay: see [`DownloadFile::new_at`].
    ///
    /// # Errors
    /// Where the URL is neither below `base` nor WeChat Pay's, or `base` is no base.
    pub fn file_at(&self, base: &str) -> Result<DownloadFile, InvalidField> {
        DownloadFile::new_at(&self.download_url, base)
    }
}

/// Downloads a bill's file: `GET {download_url}`. Signed like any call, by the merchant that asked for the statement,
/// with the URL's path and query unchanged. The answer is not signed. Follow no redirect, and stream it: such
/// files reach hundreds of MB.
#[derive(Clone, PartialEq, Eq)]
pub struct DownloadFile {
    host: String,
    path_and_query: String,
}

/// The query is the token.
impl fmt::Debug for DownloadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadFile").field("host", &self.host).finish_non_exhaustive()
    }
}

impl DownloadFile {
    /// The file at this URL, as the statement gave it.
    ///
    /// # Errors
    /// Where it is not `https`, or names a host or port other than WeChat Pay's, or would not be sent unchanged.
    pub fn new(download_url: &str) -> Result<Self, InvalidField> {
        let (origin, path_and_query) = Origin::split(DOWNLOAD_URL, download_url)?;
        if !origin.is_https() {
            return Err(InvalidField::new(DOWNLOAD_URL, Rule::Https));
        }
        if !is_host_of_wechat_pay(&origin.host) {
            return Err(InvalidField::new(DOWNLOAD_URL, Rule::Host));
        }
        Self::at(origin, path_and_query)
    }

    /// The file at this URL, which may also be on `base`: what the caller asks instead of WeChat Pay, such as a
    /// simulator at `http://127.0.0.1:8090`. A base is a scheme, a host and perhaps a port, `https` or at the loopback;
    /// it comes from a configuration, and never from an answer.
    ///
    /// ```
    /// use wechatpay::api::DownloadFile;
    ///
    /// let (url, base) = ("http://127.0.0.1:8090/v3/billdownload/file?token=abc", "http://127.0.0.1:8090");
    /// assert!(DownloadFile::new(url).is_err());
    /// assert_eq!(DownloadFile::new_at(url, base)?.host(), "127.0.0.1:8090");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where `base` is none; where the URL is neither on it nor, as in [`Self::new`], WeChat Pay's.
    pub fn new_at(download_url: &str, base: &str) -> Result<Self, InvalidField> {
        let base = Origin::base("base", base)?;
        match Origin::split(DOWNLOAD_URL, download_url) {
            Ok((origin, path_and_query)) if origin == base => Self::at(origin, path_and_query),
            _ => Self::new(download_url),
        }
    }

    fn at(origin: Origin, path_and_query: &str) -> Result<Self, InvalidField> {
        if !is_sent_unchanged(path_and_query) {
            return Err(InvalidField::new(DOWNLOAD_URL, Rule::Target));
        }
        Ok(Self { host: origin.host, path_and_query: path_and_query.to_owned() })
    }

    /// The host that has the file, with its port where that is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

const DOWNLOAD_URL: &str = "download_url";

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

    #[test]
    fn a_base_of_the_caller_s_is_asked_too() {
        const BASE: &str = "http://127.0.0.1:8090";
        for (base, url, expected) in [
            (BASE, "http://127.0.0.1:8090/v3/a?token=b", Ok("127.0.0.1:8090")),
            ("http://127.0.0.1:8090/", "http://127.0.0.1:8090/v3/a", Ok("127.0.0.1:8090")),
            ("http://localhost", "http://LOCALHOST:80/v3/a", Ok("localhost")),
            ("https://Pay.example", "https://pay.example:443/v3/a", Ok("pay.example")),
            ("https://pay.example:8443", "https://pay.example:8443/v3/a", Ok("pay.example:8443")),
            (BASE, "https://api.mch.weixin.qq.com/v3/a", Ok("api.mch.weixin.qq.com")),
            (BASE, "http://127.0.0.1:8091/v3/a", Err(Rule::Https)),
            (BASE, "https://127.0.0.1:8090/v3/a", Err(Rule::Host)),
            (BASE, "http://api.mch.weixin.qq.com/v3/a", Err(Rule::Https)),
            (BASE, "https://example.com/v3/a", Err(Rule::Host)),
            (BASE, "http://127.0.0.1:8090@example.com/v3/a", Err(Rule::Https)),
            ("https://pay.example", "https://pay.example@example.com/v3/a", Err(Rule::Host)),
            (BASE, "http://127.0.0.1:8090/v3/../a", Err(Rule::Target)),
            (BASE, "http://127.0.0.1:8090", Err(Rule::Target)),
            ("http://10.0.0.1", "http://10.0.0.1/v3/a", Err(Rule::Base)),
            ("https://pay.example/v3", "https://pay.example/v3/a", Err(Rule::Base)),
            ("https://a@pay.example", "https://a@pay.example/v3/a", Err(Rule::Base)),
            ("", "https://api.mch.weixin.qq.com/v3/a", Err(Rule::Base)),
        ] {
            let call = DownloadFile::new_at(url, base);
            let host = call.as_ref().map(DownloadFile::host).map_err(|error| error.rule.clone());
            assert_eq!(host, expected, "{url} at {base}");
        }
    }
}
