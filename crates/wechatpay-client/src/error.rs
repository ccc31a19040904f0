//! Why a call has no answer, by what that says about what was asked.

use wechatpay::answer::{AnswerError, ApiError};
use wechatpay::api::InvalidField;
use wechatpay::{HeaderError, VerifyError, v2};

/// Something given at the start cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A base URL.
    #[error("the base URL {base:?} {problem}; give one such as https://api.mch.weixin.qq.com")]
    BaseUrl {
        /// As given.
        base: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The merchant's number.
    #[error("{0}")]
    Mchid(#[source] InvalidField),
    /// TLS cannot be set up, or a client certificate is none.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] reqwest::Error),
}

/// Why there is no answer, by what it says about what was asked for.
///
/// ```no_run
/// use wechatpay::answer::Retry;
/// use wechatpay::api::{Call, Merchant, QueryRefund, RequestRefund};
/// use wechatpay_client::{Client, ClientError};
///
/// # async fn f(client: Client, refund: RequestRefund) -> Result<(), Box<dyn std::error::Error>> {
/// match client.send(&refund).await {
///     Ok(refund) => println!("accepted: {:?}", refund.status),
///     // Nothing happened: the same may be sent again at any time.
///     Err(ClientError::NotSent { reason }) => println!("not sent: {reason}"),
///     // Perhaps it happened. Ask; where it was never accepted, send the same again, with the same number.
///     Err(ClientError::Unknown(why)) => {
///         println!("unknown: {why}");
///         let query = QueryRefund::new(Merchant::ordinary("1900000001")?, "REFUND20260302A")?;
///         println!("{:?}", client.send(&query).await?.status);
///     }
///     Err(ClientError::Refused(error)) => match error.retry(refund.operation()) {
///         Retry::Query => println!("ask for the refund before anything else: {error}"),
///         _ => println!("{error}"), // with what to do
///     },
///     // It happened, but the answer is not as documented.
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// It certainly did not reach WeChat Pay: nothing happened there.
    #[error("the call was not sent: {reason}")]
    NotSent {
        /// Why.
        #[source]
        reason: NotSent,
    },
    /// WeChat Pay says no, or not so; [`ApiError::retry`] says what may be done. It need not be WeChat Pay's last word, as
    /// such answers are often not signed: after a refund, ask for it before anything follows from this.
    #[error("{0}")]
    Refused(Box<ApiError>),
    /// It may have taken effect or not: ask, or send the same again, with the same number. Never a failure.
    #[error("the outcome is unknown: {0}")]
    Unknown(#[from] Unknown),
    /// WeChat Pay's own success, but it cannot be read: what was asked for has happened.
    #[error("{0}")]
    Unreadable(#[source] AnswerError),
    /// APIv2: WeChat Pay says no; [`v2::AnswerError::retry`] says what may be done.
    #[error("{0}")]
    RefusedV2(#[source] v2::AnswerError),
    /// APIv2: WeChat Pay's own success, but it cannot be read: what was asked for has happened.
    #[error("{0}")]
    UnreadableV2(#[source] v2::AnswerError),
}

impl From<AnswerError> for ClientError {
    fn from(error: AnswerError) -> Self {
        match error {
            // Genuine, but the success of something else.
            AnswerError::AboutAnother { field } => Unknown::AboutAnother { field }.into(),
            error => Self::Unreadable(error),
        }
    }
}

impl From<v2::AnswerError> for ClientError {
    fn from(error: v2::AnswerError) -> Self {
        match error {
            v2::AnswerError::Malformed(_) => Self::UnreadableV2(error),
            error if error.leaves_outcome_open() => Unknown::V2(error).into(),
            error => Self::RefusedV2(error),
        }
    }
}

/// Why a call was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// No host could be reached.
    #[error("no host could be reached: {}", causes(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The call names another merchant than the one whose key would sign it.
    #[error("the call is signed by {signer}, this client is {client}: use that merchant's client")]
    OtherMerchant {
        /// Who should sign.
        signer: String,
        /// Who would.
        client: String,
    },
    /// Its path would be changed on the way, and the signature with it.
    #[error("the path {path:?} would not be sent as it is signed: percent-encode it")]
    Path {
        /// As given.
        path: String,
    },
    /// A [`wechatpay::api::Call`] of somebody's own names no HTTP method.
    #[error("{method:?} is no HTTP method: use one such as GET")]
    Method {
        /// As given.
        method: &'static str,
    },
    /// A header would hold what headers cannot.
    #[error("the header {name} would hold characters that no header may")]
    Header {
        /// Its name.
        name: String,
    },
    /// WeChat Pay's limit for this merchant leaves no time for it.
    #[error("too many calls of this kind wait: WeChat Pay's limits leave no time for this one")]
    TooMany,
    /// Something that cannot be written as XML (APIv2).
    #[error("{0}")]
    Unwritable(#[from] v2::UnwritableError),
    /// APIv2: the call needs the merchant's client certificate.
    #[error(
        "this call of APIv2 needs the merchant's client certificate: apiclient_cert.pem and apiclient_key.pem"
    )]
    NoClientCertificate,
}

impl From<NotSent> for ClientError {
    fn from(reason: NotSent) -> Self {
        Self::NotSent { reason }
    }
}

/// Why an outcome is unknown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unknown {
    /// No answer, or not all of it.
    #[error("no answer came: {}", causes(.0))]
    Silence(#[source] reqwest::Error),
    /// No answer in time.
    #[error("no answer came within {after:?}")]
    TimedOut {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// An answer beyond all measure.
    #[error("the answer is larger than {bytes_max} bytes")]
    Oversized {
        /// Bytes that are read.
        bytes_max: usize,
    },
    /// A success without a whole signature: a forgery, or a proxy's work.
    #[error("a success without WeChat Pay's signature: {0}")]
    Unsigned(#[source] HeaderError),
    /// A success whose signature does not prove it.
    #[error("a success that is not proven: {0}")]
    Unproven(#[source] VerifyError),
    /// A genuine answer in the place of the one that belongs to the call, which is not there.
    #[error("the answer is about another {field} than the call; look for a proxy that mixes up answers")]
    AboutAnother {
        /// What differs, by its name on the wire.
        field: &'static str,
    },
    /// WeChat Pay is busy or in trouble, or not done (202).
    #[error("{0}")]
    Undecided(Box<ApiError>),
    /// APIv2: an answer that is none, is not signed as it should be, or is about something else; or WeChat Pay is busy, in
    /// trouble, or not done.
    #[error("{0}")]
    V2(#[source] v2::AnswerError),
}

/// An error of the transport and its causes, without the URL, which may hold a secret.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = match error {
        error if error.is_timeout() => "timed out".to_owned(),
        error if error.is_connect() => "cannot connect".to_owned(),
        _ => "the connection broke".to_owned(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
