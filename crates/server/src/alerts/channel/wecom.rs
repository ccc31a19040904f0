//! WeCom (企业微信): `POST …/cgi-bin/webhook/send?key=…`, answered 200 with `{"errcode":0,"errmsg":"ok"}`.

use std::time::Duration;

use serde_json::json;

use crate::alerts::{notice::Notice, words::Language};

/// A text has at most 2048 bytes.
const TEXT_BYTES_MAX: usize = 2048;

/// More than 20 messages in a minute.
pub(super) const TOO_MANY: i64 = 45009;

pub(super) const PAUSE: Duration = Duration::from_secs(60);

pub(super) fn body(notice: &Notice, language: Language) -> String {
    let content = notice.text(language, TEXT_BYTES_MAX);
    json!({"msgtype": "text", "text": {"content": content}}).to_string()
}
