//! What is kept of an answer.
//!
//! Invariants: no more is read of a body than is kept, and a rest that is small and quick, so that the connection can be
//! used again. What was heard of a body that is larger is enough. An answer that ends before it is whole is none.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, Response, header::RETRY_AFTER};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use payonce_core::{
    UnixMillis,
    delivery::{Answer, Heard},
};
use tokio::time::timeout;

use crate::Report;

use super::fault::of_hyper;

/// So much is kept of a body.
const KEPT_BYTES_MAX: usize = 4 * 1024;

/// So much is kept of the headers.
const HEADERS_BYTES_MAX: usize = 4 * 1024;

/// A rest of a body is read if it is no larger than this; a new connection is cheaper than more of it.
const REST_BYTES_MAX: u64 = 64 * 1024;

/// And if it comes as quickly as this.
const REST_TIME_MAX: Duration = Duration::from_millis(250);

pub(super) struct HeardAnswer {
    pub(super) report: Report,
    /// Whether the answer was read to its end.
    pub(super) is_read: bool,
}

/// Reads an answer. `now` is the time that it came.
pub(super) async fn hear(answer: Response<Incoming>, now: UnixMillis) -> HeardAnswer {
    let (head, mut body) = answer.into_parts();
    let headers = written(&head.headers);
    match kept(&mut body).await {
        Ok(kept) => {
            let is_read = body.is_end_stream() || rest_is_read(&mut body).await;
            let answer = Answer::Status(head.status.as_u16());
            let heard = Heard { answer, retry_after: retry_after(&head.headers, now) };
            HeardAnswer { report: Report { heard, headers, body: kept }, is_read }
        }
        Err(error) => {
            let mut failure = of_hyper(&error);
            failure.words = format!("{}, and then: {}", head.status, failure.words);
            HeardAnswer { report: Report { headers, ..failure.report() }, is_read: false }
        }
    }
}

/// The first bytes of a body.
async fn kept(body: &mut Incoming) -> hyper::Result<Vec<u8>> {
    let mut kept = Vec::new();
    while kept.len() < KEPT_BYTES_MAX {
        let Some(frame) = body.frame().await else { break };
        if let Ok(data) = frame?.into_data() {
            kept.extend_from_slice(&data[..data.len().min(KEPT_BYTES_MAX - kept.len())]);
        }
    }
    Ok(kept)
}

/// Reads the rest of a body if it is small and quick.
async fn rest_is_read(body: &mut Incoming) -> bool {
    let reading = async {
        let mut room = REST_BYTES_MAX;
        while body.size_hint().lower() <= room {
            match body.frame().await {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => {
                    let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                    let Some(left) = room.checked_sub(bytes) else { return false };
                    room = left;
                }
            }
        }
        false
    };
    timeout(REST_TIME_MAX, reading).await.unwrap_or(false)
}

/// One `name: value` a line, as many as there is room for; the last one may be cut.
fn written(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        if !text.is_empty() {
            text.push('\n');
        }
        text += name.as_str();
        text += ": ";
        text += &String::from_utf8_lossy(value.as_bytes());
        if text.len() > HEADERS_BYTES_MAX {
            text.truncate(text.floor_char_boundary(HEADERS_BYTES_MAX));
            break;
        }
    }
    text
}

/// In seconds, or as a date (RFC 9110, 10.2.3). What is over means at once; what is neither is passed over.
fn retry_after(headers: &HeaderMap, now: UnixMillis) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is more than fits is as long as can be.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
    Some(date.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn of(value: &[u8]) -> Option<Duration> {
        let value = HeaderValue::from_bytes(value).expect("a value");
        // Wed, 21 Oct 2015 07:28:00 GMT
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), UnixMillis(1_445_412_480_000))
    }

    #[test]
    fn retry_after_is_read_in_each_form() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (value, expected) in [
            ("0", seconds(0)),
            ("120", seconds(120)),
            (" 7 ", seconds(7)),
            ("99999999999999999999999", seconds(u64::MAX)),
            ("Wed, 21 Oct 2015 07:29:00 GMT", seconds(60)),
            ("Wednesday, 21-Oct-15 07:29:00 GMT", seconds(60)),
            ("Wed Oct 21 07:29:00 2015", seconds(60)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", seconds(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Wed, 32 Oct 2015 07:27:00 GMT", None),
        ] {
            assert_eq!(of(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(of(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn headers_are_kept_within_bounds_whatever_their_bytes(
            values in prop::collection::vec(prop::collection::vec(0x20..=0xff_u8, 0..3000), 0..6),
        ) {
            let values = values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok());
            let headers: HeaderMap = values.map(|value| (RETRY_AFTER, value)).take(1).collect();
            let text = written(&headers);
            prop_assert!(text.len() <= HEADERS_BYTES_MAX && !text.contains('\0'));
            prop_assert_eq!(text.is_empty(), headers.is_empty());
        }
    }
}
