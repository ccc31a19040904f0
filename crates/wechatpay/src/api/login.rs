//! code2Session: a Mini Program's login code becomes the user's openid.
//!
//! Invariant: neither the secret nor what names the user is shown by `Debug` or in an error. Deliberately absent: a
//! signature, as this is another API: other host, no [`super::Call`], HTTP 200 for errors too.

use std::fmt;

use serde::Deserialize;

use super::field::{InvalidField, appid, text};
use super::wire::{self, Target};
use crate::answer::{AnswerError, Retry};

/// `GET /sns/jscode2session`: who a login code belongs to. Send it to [`Code2Session::HOST`] over HTTPS, unsigned.
///
/// ```
/// use wechatpay::api::{Code2Session, LoginError};
///
/// let call = Code2Session::new("wx0123456789abcdef", "secret of the Mini Program", "code of wx.login")?;
/// let session = call.read(br#"{"openid":"oUpF8uMuAJO","session_key":"MDEyMzQ1Njc4OWFiY2RlZg=="}"#)?;
/// assert_eq!(session.openid, "oUpF8uMuAJO"); // what `NewOrder::jsapi` takes
///
/// let refused = call.read(br#"{"errcode":40163,"errmsg":"code been used, rid: 65f0"}"#);
/// assert!(matches!(refused, Err(LoginError::Refused { errcode: 40163, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Code2Session {
    appid: String,
    secret: String,
    js_code: String,
}

impl Code2Session {
    /// The host that it goes to.
    pub const HOST: &'static str = "api.weixin.qq.com";

    /// The Mini Program, its secret, and the code that `wx.login` gave, which is valid once, for 5 minutes.
    ///
    /// # Errors
    /// Where one is empty, or longer than any.
    pub fn new(appid: &str, secret: &str, js_code: &str) -> Result<Self, InvalidField> {
        Ok(Self {
            appid: self::appid("appid", appid)?,
            secret: text("secret", secret, 1, 128)?,
            js_code: text("js_code", js_code, 1, 512)?,
        })
    }

    /// Always `GET`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        "GET"
    }

    /// Absolute path and query, percent-encoded. It holds the secret: not for logs.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        Target::new("/sns/jscode2session")
            .query("appid", &self.appid)
            .query("secret", &self.secret)
            .query("js_code", &self.js_code)
            .query("grant_type", "authorization_code")
            .finish()
    }

    /// Reads the body of the answer, which is HTTP 200 in any case.
    ///
    /// # Errors
    /// [`LoginError`].
    pub fn read(&self, body: &[u8]) -> Result<Session, LoginError> {
        let answer: Answer = wire::read(body).map_err(LoginError::Malformed)?;
        match answer {
            Answer { errcode: Some(errcode), errmsg, .. } if errcode != 0 => {
                Err(LoginError::Refused { errcode, errmsg: errmsg.unwrap_or_default() })
            }
            Answer { openid: Some(openid), session_key: Some(session_key), unionid, .. } => {
                Ok(Session { openid, session_key, unionid })
            }
            _ => Err(LoginError::Incomplete),
        }
    }
}

impl fmt::Debug for Code2Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code2Session").field("appid", &self.appid).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    errcode: Option<i64>,
    #[serde(default, deserialize_with = "wire::text")]
    errmsg: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    openid: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    session_key: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    unionid: Option<String>,
}

/// Who logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The user under this Mini Program.
    pub openid: String,
    /// Base64 of 16 bytes. It must not leave the server.
    pub session_key: String,
    /// The user over all apps of one open-platform account, where there is one. Payments never take it.
    pub unionid: Option<String>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session([REDACTED])")
    }
}

/// No session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// WeChat says no; `errmsg` often ends with a `rid` to quote to support.
    #[error("code2Session refused the login with {errcode} ({errmsg}): {}", hint(*errcode))]
    Refused {
        /// The only part to branch on.
        errcode: i64,
        /// WeChat's words, which change.
        errmsg: String,
    },
    /// No JSON, or fields of other types.
    #[error("code2Session: {0}")]
    Malformed(#[source] AnswerError),
    /// Neither an error nor a session.
    #[error("code2Session answered neither an openid with a session_key nor an errcode; ask for a new code")]
    Incomplete,
}

impl LoginError {
    /// What may be done: a code is good for one answer, so that all but a busy server needs a new `wx.login`.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused { errcode: -1, .. } => Retry::Same,
            Self::Refused { errcode: 45011, .. } => Retry::Later,
            Self::Refused { errcode: 40029 | 40163, .. } | Self::Incomplete => Retry::New,
            Self::Refused { .. } | Self::Malformed(_) => Retry::No,
        }
    }
}

fn hint(errcode: i64) -> &'static str {
    match errcode {
        -1 => "WeChat is busy; send it again",
        40013 => "the appid is not a Mini Program's; check it",
        40029 => "the code is wrong, older than 5 minutes, used, or of another appid; call wx.login again",
        40066 => "the path is wrong; it is /sns/jscode2session in lower case",
        40125 => "the secret is not this appid's; copy it anew from the Mini Program's console",
        40163 => "the code was used before; call wx.login again",
        40226 => "WeChat holds this user for a high risk and gives no session",
        41002 => "the appid is missing from the query",
        41004 => "the secret is missing from the query",
        41008 => "js_code is missing from the query",
        45011 => "more than 100 logins of one user in a minute; wait a minute",
        _ => "look this errcode up in WeChat's list of return codes",
    }
}
