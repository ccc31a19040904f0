//! DingTalk (钉钉): `POST …/robot/send?access_token=…`, answered 200 with `{"errcode":0,"errmsg":"ok"}`. A robot that asks
//! for signatures finds them in the query.

use std::time::Duration;

use payonce_core::UnixMillis;
use serde_json::json;

use super::{RobotSecret, mac};
use crate::alerts::{notice::Notice, words::Language};

/// A message has at most 20,000 bytes; nobody reads so much.
const TEXT_BYTES_MAX: usize = 4096;

/// More than 20 messages in a minute: it takes none for ten minutes.
pub(super) const TOO_MANY: i64 = 130_101;

pub(super) const PAUSE: Duration = Duration::from_secs(10 * 60);

pub(super) fn body(notice: &Notice, language: Language) -> String {
    let content = notice.text(language, TEXT_BYTES_MAX);
    json!({"msgtype": "text", "text": {"content": content}}).to_string()
}

/// The URL with milliseconds and a signature of them, which holds for an hour.
pub(super) fn signed(url: &str, secret: &RobotSecret, now: UnixMillis) -> String {
    let sign = mac(&secret.0, &format!("{}\n{}", now.0, secret.0));
    let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}timestamp={}&sign={sign}", now.0)
}
