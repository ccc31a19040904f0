//! What is wrong with a request, in WeChat's words: status, `code`, `message`, `detail`, and the number at the end of
//! `Request-ID`.
//!
//! Texts and shapes are those that the live service was seen to send. Where no text is known, it follows the pattern of
//! those that are; clients branch on `code`. Deliberately absent: what the books refuse, which they word themselves.

use serde_json::{Map, Value, json};

use crate::books::Refusal;

/// 参数非法: malformed, missing, of another type.
const ILLEGAL: u32 = 268_435_461;

/// 参数超出取值范围: too long, too large.
const OUT_OF_RANGE: u32 = 268_435_464;

/// 参数中含有非法的额外参数.
const EXTRA: u32 = 270_924_358;

/// 签名错误.
const SIGN: u32 = 268_443_699;

/// JSAPI支付必须传openid.
const OPENID_MISSING: u32 = 268_501_013;

/// Why there is no success.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Error {
    /// Not signed, or not by whom it says.
    Sign(SignError),
    /// `User-Agent` or `Accept` is missing.
    HeaderMissing,
    /// The body is no JSON object, or a field breaks its rule.
    Field(FieldError),
    /// The body names another merchant than the signature.
    OtherMchid,
    /// A prepay for JSAPI without a payer.
    OpenidMissing,
    /// Sealed fields, and no word for which key.
    SerialMissing,
    /// `Wechatpay-Serial` names none of WeChat's keys for this merchant.
    SerialUnknown,
    /// A field was not sealed for the key that `Wechatpay-Serial` names.
    NotDecrypted { pointer: String },
    /// The merchant has WeChat's public key and no certificates.
    NoCertificates,
    /// The books say no.
    Refused(Refusal),
}

/// What is wrong with `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignError {
    /// Not there, or not in its grammar.
    Malformed,
    /// The scheme is another.
    Scheme,
    /// More than 5 minutes off.
    Timestamp,
    /// No certificate of the merchant has this serial.
    Serial,
    /// The certificate has ended.
    Expired,
    /// The signature is of other bytes, or by another key.
    Mismatch {
        method: String,
        url: String,
        /// WeChat's own signing string, its body cut off.
        truncated: String,
        length: usize,
    },
}

/// Which field breaks which rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldError {
    /// `body`, `query` or `uri_template`.
    pub(super) location: &'static str,
    /// The JSON pointer of a field of the body, the name of another.
    pub(super) field: String,
    /// What WeChat calls it.
    pub(super) name: &'static str,
    /// What is in it, or how long it is.
    pub(super) value: Value,
    pub(super) rule: FieldRule,
}

/// A rule for a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldRule {
    Missing,
    NotA(&'static str),
    TooShort { chars: usize, min: usize },
    TooLong { chars: usize, max: usize },
    TooFew { min: usize },
    TooMany { max: usize },
    TooSmall { min: i64 },
    TooLarge { max: i64 },
    Characters,
    NotOneOf,
    Extra,
}

/// An error as it goes over the wire.
pub(super) struct Wire {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) detail: Option<Value>,
    pub(super) number: Option<u32>,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

impl Error {
    pub(super) fn to_wire(&self) -> Wire {
        match self {
            Self::Sign(error) => error.to_wire(),
            Self::Field(error) => error.to_wire(),
            Self::Refused(refusal) => {
                let said = refusal.says();
                Wire {
                    status: said.status,
                    code: said.code,
                    message: said.message.to_owned(),
                    detail: None,
                    number: said.number,
                }
            }
            Self::HeaderMissing => Wire::of(400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"),
            Self::OtherMchid => {
                Wire::of(400, "PARAM_ERROR", "http header中的mchid与post payload中的mchid不匹配")
            }
            Self::OpenidMissing => {
                let number = Some(OPENID_MISSING);
                Wire { number, ..Wire::of(400, "PARAM_ERROR", "JSAPI支付必须传openid") }
            }
            Self::SerialMissing => {
                Wire::of(400, "PARAM_ERROR", "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)")
            }
            Self::SerialUnknown => Wire::of(400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误"),
            Self::NotDecrypted { pointer } => {
                let detail = json!({ "field": pointer, "issue": "decrypt failed", "location": "body" });
                Wire { detail: Some(detail), ..Wire::of(400, "PARAM_ERROR", "敏感信息解密失败") }
            }
            Self::NoCertificates => Wire::of(
                404,
                "RESOURCE_NOT_EXISTS",
                "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。",
            ),
        }
    }
}

impl Wire {
    fn of(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), detail: None, number: None }
    }

    /// The body.
    pub(super) fn to_json(&self) -> String {
        let mut body = Map::new();
        body.insert("code".to_owned(), self.code.into());
        if let Some(detail) = &self.detail {
            body.insert("detail".to_owned(), detail.clone());
        }
        body.insert("message".to_owned(), self.message.as_str().into());
        Value::Object(body).to_string()
    }
}

impl SignError {
    fn to_wire(&self) -> Wire {
        let message = match self {
            Self::Malformed => "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》",
            Self::Scheme => "HTTP头Authorization认证类型不正确",
            Self::Timestamp => "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
            Self::Serial => "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
            Self::Expired => "商户证书已过期",
            Self::Mismatch { .. } => "签名错误，请检查后再试",
        };
        let detail = match self {
            Self::Mismatch { method, url, truncated, length } => Some(json!({
                "detail": { "issue": "sign not match" },
                "field": "signature",
                "location": "authorization",
                "sign_information": {
                    "method": method,
                    "sign_message_length": length,
                    "truncated_sign_message": truncated,
                    "url": url,
                },
            })),
            _ => None,
        };
        Wire { detail, number: Some(SIGN), ..Wire::of(401, "SIGN_ERROR", message) }
    }

    /// The calls of `/v3/pay/transactions` have one text for all that cannot be read.
    pub(super) fn unreadable(&self) -> bool {
        matches!(self, Self::Malformed | Self::Scheme)
    }
}

impl FieldError {
    fn to_wire(&self) -> Wire {
        let (issue, number) = self.rule.says();
        let Self { location, field, name, value, rule } = self;
        let source = match *location {
            "body" => format!("/body{field}"),
            location => format!("/{location}/{field}"),
        };
        let message = match rule {
            FieldRule::Missing => format!("输入源“{source}”映射到字段“{name}”必填性规则校验失败，{issue}"),
            FieldRule::NotA(_) if *location == "body" => {
                format!("无法将 JSON 输入源“{source}”映射到目标字段“{name}”中，{issue}")
            }
            FieldRule::NotA(_) => format!("无法将输入源“{source}”映射到目标字段“{name}”中，{issue}"),
            FieldRule::TooSmall { .. } | FieldRule::TooLarge { .. } => {
                format!("输入源“{source}”映射到数值字段“{name}”规则校验失败，{issue}")
            }
            FieldRule::TooFew { .. } | FieldRule::TooMany { .. } => {
                format!("输入源“{source}”映射到数组字段“{name}”规则校验失败，{issue}")
            }
            FieldRule::Extra => format!("参数中含有非法的额外参数“{source}”"),
            _ => format!("输入源“{source}”映射到值字段“{name}”字符串规则校验失败，{issue}"),
        };
        let detail = json!({ "field": field, "issue": issue, "location": location, "value": value });
        Wire { detail: Some(detail), number: Some(number), ..Wire::of(400, "PARAM_ERROR", &message) }
    }
}

impl FieldRule {
    fn says(&self) -> (String, u32) {
        match self {
            Self::Missing => ("此字段为必填项".to_owned(), ILLEGAL),
            Self::NotA(what) => (format!("此字段需要一个合法的{what}"), ILLEGAL),
            Self::TooShort { chars, min } => (format!("字符数 {chars}，小于最小值 {min}"), OUT_OF_RANGE),
            Self::TooLong { chars, max } => (format!("字符数 {chars}，大于最大值 {max}"), OUT_OF_RANGE),
            Self::TooFew { min } => (format!("元素个数小于最小值 {min}"), OUT_OF_RANGE),
            Self::TooMany { max } => (format!("元素个数大于最大值 {max}"), OUT_OF_RANGE),
            Self::TooSmall { min } => (format!("值低于最小值 {min}"), OUT_OF_RANGE),
            Self::TooLarge { max } => (format!("值高于最大值 {max}"), OUT_OF_RANGE),
            Self::Characters => ("含有不允许的字符".to_owned(), ILLEGAL),
            Self::NotOneOf => ("值不在允许的范围内".to_owned(), ILLEGAL),
            Self::Extra => ("此字段未在API文档中定义".to_owned(), EXTRA),
        }
    }
}
