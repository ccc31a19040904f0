//! A merchant's platform certificates: downloaded when somebody asks for them, and when an answer names a key that is not
//! known.
//!
//! Invariants: one download at a time for a client and its clones; answers lead to one a minute at the most, so that forged
//! serials do not drive it; the keys known so far stay in every case. Deliberately absent: trying again, which is the
//! [`crate::Refresher`]'s.

use tokio::sync::Mutex;
use tokio::time::Instant;
use wechatpay::answer::{Answer, ApiError, certificates};

use super::{Client, Prepared, refused};
use crate::ClientError;
use crate::error::Unknown;
use crate::refresher::{REST, RefreshError};
use crate::transport::Incoming;

/// When the last download began. Held while one is under way.
pub(super) type Refreshing = Mutex<Option<Instant>>;

impl Client {
    /// Downloads the platform certificates and takes them into the ring. Returns how many were new. One attempt: the
    /// [`crate::Refresher`] repeats it.
    ///
    /// # Errors
    /// [`RefreshError`]; the keys known so far stay.
    pub async fn refresh_keys(&self) -> Result<usize, RefreshError> {
        let mut last = self.refreshing.lock().await;
        *last = Some(Instant::now());
        self.download_keys().await
    }

    /// Verifies an answer of an unknown serial once more, by keys that were downloaded for it, or for others that waited
    /// for the same, unless keys were downloaded a moment ago.
    pub(super) async fn verify_by_fresh_keys(&self, incoming: &Incoming) -> Result<(), Unknown> {
        let mut last = self.refreshing.lock().await;
        let verified = self.verify(incoming);
        if verified.is_ok() || last.is_some_and(|last| last.elapsed() < REST) {
            return verified;
        }
        *last = Some(Instant::now());
        if let Err(error) = self.download_keys().await {
            tracing::warn!(mchid = self.mchid(), %error, "an answer names an unknown key, and there is no new one");
        }
        self.verify(incoming)
    }

    async fn download_keys(&self) -> Result<usize, RefreshError> {
        let prepared = Prepared::question(certificates::path(self.account.key.suite()));
        let incoming = self.ask_once(&prepared).await.map_err(|error| match error {
            ClientError::Refused(error) if are_none(&error) => RefreshError::NoCertificates,
            error => RefreshError::Call(error),
        })?;
        let answer = Answer::parse(incoming.status, incoming.headers(), &incoming.body)
            .map_err(|error| RefreshError::Call(Unknown::Unsigned(error).into()))?;
        let keys = self.account.keys.keys();
        let now = self.transport.environment().now();
        let serial = answer.unverified_serial().to_owned();
        let found = certificates::open(answer, keys.platform(), &self.account.apiv3_key, now)?;
        let new = self.account.keys.learn(&found, now);
        self.account.keys.keys().proved_answer(&serial);
        Ok(new)
    }

    async fn ask_once(&self, prepared: &Prepared) -> Result<Incoming, ClientError> {
        let (host, limit) = (self.transport.host(), self.transport.patience().answer);
        self.limits.turn(prepared.operation, Instant::now() + limit).await?;
        let exchanged = self.transport.exchange(host, &self.sign(prepared, false)?, limit).await;
        let answered = exchanged.and_then(|incoming| match incoming.status {
            200 => Ok(incoming),
            _ => Err(refused(&incoming, prepared.operation)),
        });
        answered.inspect_err(|error| {
            self.transport.host_after(host, error);
        })
    }
}

/// Whether WeChat Pay says that this merchant has no certificates. Any other 404 is a proxy's, or the path's.
fn are_none(error: &ApiError) -> bool {
    error.status == 404 && (error.is("RESOURCE_NOT_EXISTS") || error.is("NOT_FOUND"))
}
