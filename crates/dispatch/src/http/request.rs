//! A call: what is the same for every message, and what is not.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use payonce_core::{delivery::Fault, store::MessageView};

use crate::{
    Header, Signature, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
    failure::Failure,
    target::{Target, TargetError},
};

/// Who calls, unless the endpoint has a `user-agent` of its own.
pub const USER_AGENT: &str = concat!("payonce/", env!("CARGO_PKG_VERSION"));

pub(super) struct Template {
    uri: Uri,
    headers: HeaderMap,
}

impl Template {
    pub(super) fn new(target: &Target, own: &[Header]) -> Result<Self, TargetError> {
        let path = if target.path.is_empty() { "/" } else { &target.path };
        let query = target.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let uri = format!("{path}{query}").parse().map_err(|_| TargetError::Path)?;
        let host = HeaderValue::from_str(target.authority.as_str()).map_err(|_| TargetError::Authority)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        for own in own {
            headers.insert(own.name(), own.value().clone());
        }
        Ok(Self { uri, headers })
    }

    /// The call for a message; without a signature, where no key signs, without the headers that go with it.
    pub(super) fn fill(
        &self,
        message: &MessageView,
        signature: &Signature,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::new(Full::from(message.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if signature.value.is_empty() {
            return Ok(request);
        }
        let value = |text: &str| {
            // Ids are visible ASCII, as are signatures.
            HeaderValue::from_str(text).map_err(|error| Failure::of(Fault::Refused, &error))
        };
        let headers = request.headers_mut();
        headers.insert(HeaderName::from_static(WEBHOOK_ID), value(&message.id.0)?);
        headers.insert(HeaderName::from_static(WEBHOOK_TIMESTAMP), signature.seconds.into());
        headers.insert(HeaderName::from_static(WEBHOOK_SIGNATURE), value(&signature.value)?);
        Ok(request)
    }
}
