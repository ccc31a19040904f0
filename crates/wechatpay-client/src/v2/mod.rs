//! APIv2's calls: XML, signed with the shared key; some with a TLS client certificate.
//!
//! Invariant: nothing that may have arrived is sent again; what certainly did not goes to the other host. Deliberately
//! absent: repeating. Its answers say little about what happened, and what is left of APIv2 is old: whoever calls decides
//! by [`wechatpay::v2::AnswerError::retry`].

mod bill;

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use wechatpay::api::Operation;
use wechatpay::v2::{self, ApiV2Key, Call, Caller, Request, SignType};

use crate::attempts::Attempts;
use crate::client::refused;
use crate::environment::nonce;
use crate::error::NotSent;
use crate::limit::Limits;
use crate::transport::{Outgoing, header};
use crate::{ClientError, SetupError, Transport};

/// `apiclient_cert.pem` and `apiclient_key.pem`, for calls that need mutual TLS.
pub struct ClientCertificate(reqwest::Identity);

impl ClientCertificate {
    /// Both files.
    ///
    /// # Errors
    /// Where they are not a certificate and its key, in PEM.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, SetupError> {
        let both = format!("{certificate}\n{key}");
        reqwest::Identity::from_pem(both.as_bytes()).map(Self).map_err(SetupError::Tls)
    }
}

/// Speaks APIv2 for one merchant. Cheap to clone. WeChat Pay's limits are kept as for [`crate::Client`], and apart from it.
///
/// ```no_run
/// use wechatpay::v2::{ApiV2Key, Caller, OrderNumber, OrderQuery, SignType};
/// use wechatpay_client::{ClientCertificate, Transport, V2Client};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// # let read = |name: &str| std::fs::read_to_string(name);
/// let certificate = ClientCertificate::from_pem(&read("apiclient_cert.pem")?, &read("apiclient_key.pem")?)?;
/// let client = V2Client::new(
///     Transport::new()?,
///     Caller::merchant("wx0123456789abcdef", "1900000001"),
///     ApiV2Key::new("192006250b4c09247ec02edce69f6a2d")?,
///     SignType::HmacSha256,
///     Some(certificate), // refunds need it
/// )?;
/// let order = client.send(&OrderQuery(OrderNumber::OutTradeNo("ORDER20260302A".to_owned()))).await?;
/// println!("{}", order.trade_state);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct V2Client {
    plain: Transport,
    identified: Option<Transport>,
    caller: Caller,
    key: ApiV2Key,
    sign_type: SignType,
    limits: Arc<Limits>,
}

impl V2Client {
    /// A client for this merchant. Refunds need the certificate.
    ///
    /// # Errors
    /// [`SetupError::Tls`].
    pub fn new(
        transport: Transport,
        caller: Caller,
        key: ApiV2Key,
        sign_type: SignType,
        certificate: Option<ClientCertificate>,
    ) -> Result<Self, SetupError> {
        let identified = certificate.map(|certificate| transport.identified(certificate.0)).transpose()?;
        Ok(Self { plain: transport, identified, caller, key, sign_type, limits: Arc::default() })
    }

    /// Sends a call and reads its proven answer. It is sent once, unless it certainly did not arrive.
    ///
    /// # Errors
    /// [`ClientError`]. What WeChat Pay refuses is [`ClientError::RefusedV2`], unless its words leave open what became of
    /// the call: then it is [`crate::Unknown::V2`].
    pub async fn send<C: Call>(&self, call: &C) -> Result<C::Answer, ClientError> {
        let body = self.exchange(call).await?;
        let answer = v2::read_answer(call, &self.caller, &body, &self.key);
        if answer.is_err() {
            self.limits.failed(call.operation());
        }
        Ok(answer?)
    }

    /// Sends a request that has no typed answer, and returns the raw XML, of which nothing is proven.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn exchange(&self, request: &impl Request) -> Result<Bytes, ClientError> {
        let transport = match (request.needs_client_certificate(), &self.identified) {
            (false, _) => &self.plain,
            (true, Some(identified)) => identified,
            (true, None) => return Err(NotSent::NoClientCertificate.into()),
        };
        // Whatever the call does: only what did not arrive is repeated.
        let mut attempts = Attempts::new(transport, Operation::Other);
        loop {
            match self.attempt(request, transport, &attempts).await {
                Ok(body) => return Ok(body),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    async fn attempt(
        &self,
        request: &impl Request,
        transport: &Transport,
        attempts: &Attempts<'_>,
    ) -> Result<Bytes, ClientError> {
        let operation = request.operation();
        self.limits.turn(operation, attempts.deadline()).await?;
        let outgoing = self.sign(request, attempts.is_repetition())?;
        let incoming = transport.exchange(attempts.host(), &outgoing, attempts.answer_limit()).await?;
        // APIv2 answers 200 in any case: a 5xx is not its own.
        if incoming.status < 500 { Ok(incoming.body) } else { Err(refused(&incoming, operation)) }
    }

    /// What is sent, signed now.
    fn sign(&self, request: &impl Request, again: bool) -> Result<Outgoing<'static>, NotSent> {
        let nonce = nonce(self.plain.environment());
        let body = v2::request_body(request, &self.caller, &nonce, self.sign_type, &self.key)?;
        let mut headers = HeaderMap::new();
        header(&mut headers, CONTENT_TYPE, "text/xml; charset=utf-8")?;
        Ok(Outgoing {
            method: "POST",
            path_and_query: request.path(),
            headers,
            body: Bytes::from(body),
            again,
        })
    }
}
