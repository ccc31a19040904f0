//! One merchant's calls: signed, sent, proven; repeated where WeChat Pay's rules make it safe.
//!
//! Order matters for each answer: a success is verified before anything in it is read; what is not proven leaves the
//! outcome unknown. Invariants: each repetition has a nonce, a time and a signature of its own, and the same bytes;
//! a refund is sent once, unless it certainly did not arrive. Deliberately absent: asking what became of a refund, which
//! is the caller's ([`wechatpay::api::QueryRefund`]).

mod account;
mod refresh;

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName};
use tokio::time::{Instant, timeout_at};
use wechatpay::answer::{Answer, ApiError, Retry};
use wechatpay::api::{Call, Operation};
use wechatpay::{RequestToSign, VerifyError};

pub use self::account::Account;
use self::refresh::Refreshing;
use crate::attempts::Attempts;
use crate::environment::nonce;
use crate::error::{NotSent, Unknown};
use crate::limit::Limits;
use crate::transport::{Incoming, Outgoing, header};
use crate::{ClientError, KeyRing, Transport};

const JSON: &str = "application/json";
const SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");

/// Speaks for one merchant. Cheap to clone. WeChat Pay's limits on a merchant's calls are kept for a client and its clones
/// together: make one client of each merchant, and clone it.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    account: Arc<Account>,
    limits: Arc<Limits>,
    refreshing: Arc<Refreshing>,
}

/// What of a call stays the same at each attempt.
pub(crate) struct Prepared {
    method: &'static str,
    path_and_query: String,
    body: Bytes,
    content_type: String,
    /// What is signed in place of the body, of an upload.
    signed: Option<Vec<u8>>,
    encrypted_for: Option<String>,
    pub operation: Operation,
}

impl Prepared {
    /// A `GET` that changes nothing.
    fn question(path_and_query: &str) -> Self {
        Self {
            method: "GET",
            path_and_query: path_and_query.to_owned(),
            body: Bytes::new(),
            content_type: String::new(),
            signed: None,
            encrypted_for: None,
            operation: Operation::Query,
        }
    }
}

impl Client {
    /// A client for this merchant.
    #[must_use]
    pub fn new(transport: Transport, account: Account) -> Self {
        Self { transport, account: Arc::new(account), limits: Arc::default(), refreshing: Arc::default() }
    }

    /// The merchant.
    #[must_use]
    pub fn mchid(&self) -> &str {
        &self.account.mchid
    }

    /// The keys that prove its answers.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.account.keys
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sends a call and reads its proven answer. It is repeated after failures for as long as that is safe and
    /// [`crate::Patience`] allows; a call that may have taken effect is never told as one that was not sent.
    ///
    /// ```no_run
    /// # async fn f(client: wechatpay_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay::api::{CloseOrder, Merchant};
    ///
    /// client.send(&CloseOrder::new(Merchant::ordinary("1900000001")?, "ORDER20260302A")?).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::Unknown`] ask, or send the same again.
    pub async fn send<C: Call>(&self, call: &C) -> Result<C::Answer, ClientError> {
        let prepared = self.prepare(call)?;
        let mut attempts = Attempts::new(&self.transport, prepared.operation);
        loop {
            match self.attempt(call, &prepared, &attempts).await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    pub(crate) fn prepare<C: Call>(&self, call: &C) -> Result<Prepared, ClientError> {
        if let Some(signer) = call.signer().filter(|signer| *signer != self.account.mchid) {
            let (signer, client) = (signer.to_owned(), self.account.mchid.clone());
            return Err(NotSent::OtherMerchant { signer, client }.into());
        }
        Ok(Prepared {
            method: call.method(),
            path_and_query: call.path_and_query(),
            body: call.body().map_or_else(Bytes::new, Bytes::from),
            content_type: call.content_type().to_owned(),
            signed: call.signed_instead_of_body(),
            encrypted_for: call.encrypted_for().map(ToString::to_string),
            operation: call.operation(),
        })
    }

    async fn attempt<C: Call>(
        &self,
        call: &C,
        prepared: &Prepared,
        attempts: &Attempts<'_>,
    ) -> Result<C::Answer, ClientError> {
        self.limits.turn(prepared.operation, attempts.deadline()).await?;
        let outgoing = self.sign(prepared, attempts.is_repetition())?;
        let exchanged = self.transport.exchange(attempts.host(), &outgoing, attempts.answer_limit());
        let incoming = exchanged.await?;
        if !matches!(incoming.status, 200 | 204) {
            self.limits.failed(prepared.operation);
            return Err(refused(&incoming, prepared.operation));
        }
        if call.answer_is_signed() {
            self.prove(&incoming, attempts.deadline()).await?;
        }
        Ok(call.read(&incoming.body)?)
    }

    /// The headers of one attempt, signed now.
    pub(crate) fn sign<'a>(&self, prepared: &'a Prepared, again: bool) -> Result<Outgoing<'a>, NotSent> {
        let environment = self.transport.environment();
        let request = RequestToSign {
            method: prepared.method,
            url: &prepared.path_and_query,
            timestamp: environment.now(),
            nonce: &nonce(environment),
            body: prepared.signed.as_deref().unwrap_or(&prepared.body),
        };
        let mut headers = HeaderMap::new();
        let authorization = request.authorization(&self.account.mchid, &self.account.key);
        header(&mut headers, AUTHORIZATION, &authorization)?;
        header(&mut headers, ACCEPT, JSON)?;
        if !prepared.body.is_empty() {
            header(&mut headers, CONTENT_TYPE, &prepared.content_type)?;
        }
        let keys = self.account.keys.keys();
        if let Some(serial) = prepared.encrypted_for.as_deref().or_else(|| keys.public_key_id()) {
            header(&mut headers, SERIAL, serial)?;
        }
        let (method, path_and_query) = (prepared.method, prepared.path_and_query.as_str());
        Ok(Outgoing { method, path_and_query, headers, body: prepared.body.clone(), again })
    }

    /// Proves a success. Where its serial is not known, the keys are asked for, for as long as the call has time.
    async fn prove(&self, incoming: &Incoming, deadline: Instant) -> Result<(), ClientError> {
        let verified = match self.verify(incoming) {
            Err(Unknown::Unproven(unknown @ VerifyError::UnknownSerial { .. })) => {
                let again = timeout_at(deadline, self.verify_by_fresh_keys(incoming)).await;
                again.unwrap_or(Err(Unknown::Unproven(unknown)))
            }
            verified => verified,
        };
        Ok(verified?)
    }

    fn verify(&self, incoming: &Incoming) -> Result<(), Unknown> {
        let answer = Answer::parse(incoming.status, incoming.headers(), &incoming.body);
        let keys = self.account.keys.keys();
        let proven = answer
            .map_err(Unknown::Unsigned)?
            .verify(keys.platform(), self.transport.environment().now())
            .map_err(Unknown::Unproven)?;
        keys.proved_answer(proven.serial());
        Ok(())
    }
}

/// An answer that is no success. What WeChat Pay could not do, or has not done yet, is undecided.
pub(crate) fn refused(incoming: &Incoming, operation: Operation) -> ClientError {
    let error = Box::new(ApiError::new(incoming.status, incoming.request_id(), &incoming.body));
    let unsure = matches!(incoming.status, 202 | 429 | 500..) && error.retry(operation) != Retry::No;
    if unsure { Unknown::Undecided(error).into() } else { ClientError::Refused(error) }
}
