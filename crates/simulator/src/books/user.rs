//! WeChat users: under which openid each app knows them, and how an app comes to know it (`wx.login`, code2Session).
//!
//! Invariants: an openid belongs to one app and one user; a code is good once, for five minutes, in its own app. An
//! openid that nobody gave out is taken for that of a new user, so that merchants may test with one of their own.
//! Deliberately absent: unionids, which payments never take; access tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::{Books, Refusal};
use crate::random;

/// A code of `wx.login` is good for this long.
const CODE_SECONDS: i64 = 5 * 60;

/// Every user, by a name that only the simulator knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Users {
    /// The openids of a user, by appid.
    users: BTreeMap<String, BTreeMap<String, String>>,
    /// Whose an openid is.
    openids: BTreeMap<String, Owner>,
    codes: BTreeMap<String, Code>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Owner {
    appid: String,
    user: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Code {
    owner: Owner,
    issued_at: UnixSeconds,
    used: bool,
}

/// What code2Session answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The user under the app.
    pub openid: String,
    /// Base64 of 16 bytes.
    pub session_key: String,
}

/// Why code2Session gives no session: `errcode` and `errmsg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{errcode} {errmsg}")]
pub struct LoginRefusal {
    /// The only part to branch on.
    pub errcode: i64,
    /// In English, as WeChat has it.
    pub errmsg: &'static str,
}

impl LoginRefusal {
    /// No app has this id.
    pub const INVALID_APPID: Self = Self { errcode: 40013, errmsg: "invalid appid" };
    /// Not this app's secret.
    pub const INVALID_SECRET: Self = Self { errcode: 40125, errmsg: "invalid appsecret" };
    /// Never given out, too old, or of another app.
    pub const INVALID_CODE: Self = Self { errcode: 40029, errmsg: "invalid code" };
    /// Given a session before.
    pub const CODE_USED: Self = Self { errcode: 40163, errmsg: "code been used" };
}

impl Books {
    /// The user's openid under an app, made at the first time.
    pub fn openid(&mut self, appid: &str, user: &str, rng: &mut impl Rng) -> String {
        if let Some(openid) = self.users.users.get(user).and_then(|openids| openids.get(appid)) {
            return openid.clone();
        }
        let openid = format!("o{}", random::alphanumeric(rng, 27));
        self.users.belongs(&openid, appid, user);
        openid
    }

    /// The users that have an openid somewhere, by the simulator's own names.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.users.keys().map(String::as_str)
    }

    /// The openids of each user, by appid.
    pub fn openids(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, String>)> {
        self.users.users.iter().map(|(user, openids)| (user.as_str(), openids))
    }

    /// Who has this openid under this app. One that nobody has becomes a new user's, named like it.
    ///
    /// # Errors
    /// `mismatch` where it is another app's.
    pub(super) fn owner(&mut self, appid: &str, openid: &str, mismatch: Refusal) -> Result<String, Refusal> {
        match self.users.openids.get(openid) {
            Some(owner) if owner.appid == appid => Ok(owner.user.clone()),
            Some(_) => Err(mismatch),
            None => {
                self.users.belongs(openid, appid, openid);
                Ok(openid.to_owned())
            }
        }
    }

    /// Whether an openid could be this app's.
    pub(super) fn is_of(&self, appid: &str, openid: &str) -> bool {
        self.users.openids.get(openid).is_none_or(|owner| owner.appid == appid)
    }

    /// What `wx.login` gives to a user in an app: a code for code2Session.
    pub fn login(&mut self, appid: &str, user: &str, now: UnixSeconds, rng: &mut impl Rng) -> String {
        let code = format!("0{}", random::alphanumeric(rng, 31));
        let owner = Owner { appid: appid.to_owned(), user: user.to_owned() };
        self.users.codes.insert(code.clone(), Code { owner, issued_at: now, used: false });
        code
    }

    /// Who is logged in with a code: code2Session, once the app has proved itself.
    ///
    /// # Errors
    /// [`LoginRefusal`].
    pub fn session(
        &mut self,
        (appid, secret): (&str, &str),
        code: &str,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Session, LoginRefusal> {
        let app = self.apps.get(appid).ok_or(LoginRefusal::INVALID_APPID)?;
        if app.secret != secret {
            return Err(LoginRefusal::INVALID_SECRET);
        }
        let known = self.users.codes.get_mut(code).filter(|code| code.owner.appid == appid);
        let code = known.ok_or(LoginRefusal::INVALID_CODE)?;
        if code.used {
            return Err(LoginRefusal::CODE_USED);
        }
        if now.0 - code.issued_at.0 > CODE_SECONDS {
            return Err(LoginRefusal::INVALID_CODE);
        }
        code.used = true;
        let user = code.owner.user.clone();
        let session_key = STANDARD.encode(rng.random::<[u8; 16]>());
        Ok(Session { openid: self.openid(appid, &user, rng), session_key })
    }
}

impl Users {
    fn belongs(&mut self, openid: &str, appid: &str, user: &str) {
        self.users.entry(user.to_owned()).or_default().insert(appid.to_owned(), openid.to_owned());
        let owner = Owner { appid: appid.to_owned(), user: user.to_owned() };
        self.openids.insert(openid.to_owned(), owner);
    }
}
