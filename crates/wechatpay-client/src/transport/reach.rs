//! Whether WeChat Pay's hosts can be reached, and what time it is there. For people who look for a fault.
//!
//! Deliberately absent: belief. Nothing that is found here is signed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{DATE, HeaderMap};
use tokio::time::Instant;
use wechatpay::UnixSeconds;

use crate::transport::{Host, Outgoing};
use crate::{ClientError, Transport};

/// Asked for without a signature: every host refuses that, which is an answer too.
const PATH: &str = "/v3/certificates";

/// What a host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The HTTP status; 401, as the request is not signed.
    pub status: u16,
    /// The header `Date`: WeChat Pay's time as it writes it (RFC 9110 §5.6.7). Requests of which the time differs by 5
    /// minutes or more are refused.
    pub date: Option<String>,
    /// This machine's time when the answer had come, to compare `date` with. Both are whole seconds.
    pub at: UnixSeconds,
    /// From the first byte sent, connecting included, to the last byte received.
    pub elapsed: Duration,
}

impl Transport {
    /// Asks each host something that it refuses: the primary first, then the backup, unless they are the same.
    ///
    /// Each comes with its base URL. Nothing is repeated, and which host is preferred stays as it was.
    pub async fn reach(&self) -> Vec<(String, Result<Reached, ClientError>)> {
        let (primary, backup) = (self.hosts().primary.as_str(), self.hosts().backup.as_str());
        let mut found = vec![(primary.to_owned(), self.reach_one(Host::Primary).await)];
        if backup != primary {
            found.push((backup.to_owned(), self.reach_one(Host::Backup).await));
        }
        found
    }

    async fn reach_one(&self, host: Host) -> Result<Reached, ClientError> {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        let outgoing = Outgoing { method: "GET", path_and_query: PATH, headers, body, again: false };
        let started = Instant::now();
        let incoming = self.exchange(host, &outgoing, self.patience().answer).await?;
        let (at, elapsed) = (self.environment().now(), started.elapsed());
        let date = incoming.headers.get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
        Ok(Reached { status: incoming.status, date, at, elapsed })
    }
}
