//! A verified body becomes a notification: envelope, decryption, resource.
//!
//! Invariants: only what WeChat signed comes here; the decrypted text is kept exactly. The envelope is borrowed from the
//! body, and the text that it holds is decrypted in the one buffer that becomes [`Notification::plaintext`].
//! Deliberately absent: types for resources other than the ordinary payment, which are passed on as text.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::{ApiV3Key, OpenError, Transaction};

const RESOURCE_TYPE: &str = "encrypt-resource";
const EVENT_PAYMENT: &str = "TRANSACTION.SUCCESS";
const TYPE_TRANSACTION: &str = "transaction";

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
    /// The resource, where it is of a known type.
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
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// The decrypted resource by kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Resource {
    /// An ordinary payment.
    Transaction(Box<Transaction>),
    /// Anything else: see [`Notification::plaintext`].
    Other,
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
    let resource = parse_resource(&envelope.event_type, original_type.as_deref(), &plaintext)?;
    Ok(Notification {
        id: envelope.id,
        create_time: envelope.create_time,
        event_type: envelope.event_type,
        summary: envelope.summary.unwrap_or_default(),
        original_type,
        resource,
        plaintext,
    })
}

/// The fields that tell an ordinary payment from the other products that share its event type.
#[derive(Deserialize)]
struct Shape {
    mchid: Option<IgnoredAny>,
    out_trade_no: Option<IgnoredAny>,
    transaction_id: Option<IgnoredAny>,
    combine_mchid: Option<IgnoredAny>,
    combine_out_trade_no: Option<IgnoredAny>,
    sp_mchid: Option<IgnoredAny>,
    receiver: Option<IgnoredAny>,
}

impl Shape {
    fn is_ordinary_payment(&self) -> bool {
        self.mchid.is_some()
            && self.out_trade_no.is_some()
            && self.transaction_id.is_some()
            && self.combine_mchid.is_none()
            && self.combine_out_trade_no.is_none()
            && self.sp_mchid.is_none()
            && self.receiver.is_none()
    }
}

fn parse_resource(
    event_type: &str,
    original_type: Option<&str>,
    plaintext: &str,
) -> Result<Resource, OpenError> {
    if event_type != EVENT_PAYMENT || original_type.is_some_and(|named| named != TYPE_TRANSACTION) {
        let _: IgnoredAny = serde_json::from_str(plaintext).map_err(OpenError::PlaintextNotJson)?;
        return Ok(Resource::Other);
    }
    let shape: Shape = serde_json::from_str(plaintext).map_err(transaction_error)?;
    if !shape.is_ordinary_payment() {
        return Ok(Resource::Other);
    }
    let transaction = serde_json::from_str(plaintext).map_err(transaction_error)?;
    Ok(Resource::Transaction(Box::new(transaction)))
}

fn transaction_error(source: serde_json::Error) -> OpenError {
    match source.classify() {
        Category::Data => OpenError::ResourceMalformed { original_type: TYPE_TRANSACTION.to_owned(), source },
        Category::Syntax | Category::Eof | Category::Io => OpenError::PlaintextNotJson(source),
    }
}
