//! One POST to a notify URL as it goes over the wire: which headers, which body, and how they are carried.
//!
//! Invariant: names and values are visible ASCII with blanks at most inside, so that a request can be made of them.
//! Deliberately absent: what is said, which is [`crate::notify`]'s.

use std::convert::Infallible;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{Request, header};
use tokio::sync::oneshot;

use super::{Carriage, Payload, Target};
use crate::SignedCallback;

/// What WeChat calls itself when it sends notices.
const USER_AGENT: &str = "Mozilla/4.0";

/// Headers and body, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    /// Behind those that every request has.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) carriage: Carriage,
}

impl Posted {
    /// A callback as WeChat sends it; `request` tells this request from every other.
    pub(crate) fn of(callback: &SignedCallback, request: u128) -> Self {
        let mut headers: Vec<_> =
            callback.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut request_id = String::new();
        // Writing to a String does not fail.
        let _ = write!(request_id, "08{request:032X}-0");
        headers.push(("request-id".to_owned(), request_id));
        Self { headers, body: callback.body().clone(), carriage: Carriage::default() }
    }

    /// A callback of APIv2 as WeChat sends it: nothing is said in headers.
    pub(crate) fn of_xml(body: Bytes) -> Self {
        let headers = vec![(header::CONTENT_TYPE.as_str().to_owned(), "text/xml".to_owned())];
        Self { headers, body, carriage: Carriage::default() }
    }

    /// It as a request to this receiver, and what ends once the whole body was written.
    pub(super) fn request(&self, target: &Target) -> (Request<Payload>, oneshot::Receiver<Infallible>) {
        let mut request = Request::post(target.path.clone())
            .header(header::HOST, &target.host)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "*/*")
            .header(header::PRAGMA, "no-cache");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let (payload, sent) = Payload::of(self.body.clone(), self.carriage);
        let request = request
            .body(payload)
            .expect("BUG: a header of a notice is visible ASCII, and so is a host's name");
        (request, sent)
    }
}
