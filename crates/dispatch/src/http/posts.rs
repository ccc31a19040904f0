//! A way to a web server that is no endpoint, such as a robot that people are alerted by.
//!
//! Invariants: those of a way to an endpoint: the same addresses may be called, an attempt ends in time, redirects are not
//! followed. It need not be signed: some know their caller by the URL.

use std::sync::Arc;

use payonce_core::{
    Clock,
    delivery::{EndpointUrl, Settings},
};

use super::HttpSender;
use crate::{
    Networks, OpenError, Resolver, Secrets, Sender, Trust, connect::Dialer, senders::untrusted,
    target::Target,
};

/// What such ways are made of.
#[derive(Clone)]
pub struct Posts {
    /// The time, for signatures.
    pub clock: Arc<dyn Clock>,
    /// Which addresses may be called.
    pub networks: Networks,
    /// Whether what is not encrypted may be called.
    pub plain: bool,
    /// What knows the addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// Whose certificates are believed.
    pub trust: Trust,
}

impl Posts {
    /// The way to a URL. Nothing is connected yet. Without a key among the `secrets`, calls carry no header of Standard
    /// Webhooks.
    ///
    /// # Errors
    /// [`OpenError`] says why there is none.
    pub fn open(
        &self,
        url: &EndpointUrl,
        secrets: Secrets,
        settings: &Settings,
    ) -> Result<Arc<dyn Sender>, OpenError> {
        let scheme = url.scheme();
        if scheme.is_broker() {
            return Err(OpenError::NoWebServer);
        }
        if !scheme.is_encrypted() && !self.plain {
            return Err(OpenError::Plain(scheme));
        }
        let target = Target::of(url)?;
        let dialer = Dialer { networks: self.networks.clone(), resolver: Arc::clone(&self.resolver) };
        let encrypt = || self.trust.encryption(&target.host, Some(b"http/1.1")).map_err(untrusted);
        let encryption = scheme.is_encrypted().then(encrypt).transpose()?;
        let clock = Arc::clone(&self.clock);
        Ok(Arc::new(HttpSender::new(target, secrets, settings, (dialer, encryption), clock)?))
    }
}
