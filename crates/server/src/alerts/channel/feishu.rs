//! Feishu (飞书): `POST …/open-apis/bot/v2/hook/…`, answered 200 with `{"code":0,"msg":"success"}`. A robot that asks for
//! signatures finds them in the body.

use std::time::Duration;

use payonce_core::UnixMillis;
use serde_json::json;

use super::{RobotSecret, mac};
use crate::alerts::{notice::Notice, words::Language};

/// A request has at most 20 KiB; nobody reads so much.
const TEXT_BYTES_MAX: usize = 4096;

/// More than 100 messages in a minute or 5 in a second; the latter number is the older one.
pub(super) const TOO_MANY: [i64; 2] = [11232, 9499];

pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// The signature, of seconds, holds for an hour. The key is what other schemes sign, and what is signed is empty.
pub(super) fn body(
    notice: &Notice,
    language: Language,
    secret: Option<&RobotSecret>,
    now: UnixMillis,
) -> String {
    // `<at user_id="all">` in a text notifies everybody.
    let text = notice.text(language, TEXT_BYTES_MAX).replace('<', "‹").replace('>', "›");
    let mut body = json!({"msg_type": "text", "content": {"text": text}});
    if let Some(secret) = secret {
        let seconds = now.seconds().to_string();
        body["sign"] = mac(&format!("{seconds}\n{}", secret.0), "").into();
        body["timestamp"] = seconds.into();
    }
    body.to_string()
}
