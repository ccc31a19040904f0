//! A verified body becomes a notification: envelope, decryption, resource.
//!
//! Invariants: only what WeChat signed comes here; the decrypted text is kept exactly. The envelope is borrowed from the
//! body, and the text that it holds is decrypted in the one buffer that becomes [`Notification::plaintext`].
//! Deliberately absent: which type a resource is read as (module `resource`).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::quiet;
use crate::resource::{self, Product, Resource};
use crate::{ApiV3Key, OpenError};

const RESOURCE_TYPE: &str = "encrypt-resource";

/// What WeChat Pay notifies of, verified and decrypted.
#[derive(Clone)]
pub struct Notification {
    /// The notice's number; the same on every resend.
    pub id: String,
    /// When the notice was made, RFC 3339; the same on every resend.
    pub create_time: String,
    /// What happened, such as `TRANSACTION.SUCCESS`. Several products share some of them.
    pub event_type: String,
    /// WeChat's own short text, Chinese; `""` where absent.
    pub summary: String,
    /// The resource's type, such as `transaction`; `None` where absent or empty.
    pub original_type: Option<String>,
    /// The product that it is of, recognised by both types and by the resource's fields.
    pub product: Product,
    /// The resource, where its product has a type.
    pub resource: Resource,
    /// The decrypted JSON, exactly as WeChat wrote it. It names the payer: not for logs.
    pub plaintext: String,
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("original_type", &self.original_type)
            .field("product", &self.product)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: String,
    create_time: String,
    event_type: String,
    #[serde(borrow)]
    resource_type: Cow<'a, str>,
    summary: Option<String>,
    #[serde(borrow)]
    resource: Sealed<'a>,
}

#[derive(Deserialize)]
struct Sealed<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    original_type: Option<String>,
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
    #[serde(borrow)]
    associated_data: Option<Text<'a>>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
}

/// Borrows within an `Option`, where serde would copy a bare `Cow`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(crate) fn open(body: &[u8], key: &ApiV3Key) -> Result<Notification, OpenError> {
    let body = std::str::from_utf8(body).map_err(|_| OpenError::BodyNotUtf8)?;
    let envelope: Envelope<'_> = serde_json::from_str(body).map_err(OpenError::BodyNotJson)?;
    if envelope.resource_type != RESOURCE_TYPE {
        let resource_type = envelope.resource_type.into_owned();
        return Err(OpenError::UnsupportedResourceType { resource_type });
    }
    let sealed = envelope.resource;
    let associated_data = sealed.associated_data.as_ref().map_or("", |text| &text.0);
    let plaintext = key.open_as(&sealed.algorithm, &sealed.nonce, associated_data, &sealed.ciphertext)?;
    let plaintext = String::from_utf8(plaintext).map_err(|_| OpenError::PlaintextNotUtf8)?;
    let original_type = sealed.original_type.filter(|text| !text.is_empty());
    let read = resource::open(&envelope.event_type, original_type.as_deref(), &plaintext);
    let (product, resource, malformed) = match read {
        Ok((product, resource)) => (product, resource, None),
        Err((product, source)) => match (source.classify(), product.original_type()) {
            (Category::Data, Some(named)) => {
                (product, Resource::Other, Some((named.to_owned(), quiet(&source))))
            }
            _ => return Err(OpenError::PlaintextNotJson(quiet(&source))),
        },
    };
    let notification = Notification {
        id: envelope.id,
        create_time: envelope.create_time,
        event_type: envelope.event_type,
        summary: envelope.summary.unwrap_or_default(),
        original_type,
        product,
        resource,
        plaintext,
    };
    match malformed {
        None => Ok(notification),
        Some((original_type, source)) => {
            let notification = Box::new(notification);
            Err(OpenError::ResourceMalformed { original_type, source, notification })
        }
    }
}
