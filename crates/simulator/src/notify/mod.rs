//! Notices on their way: sealed in an envelope, signed, and perhaps spoilt.

mod callback;
mod envelope;
mod mischief;
mod notification;
mod xml;

pub use callback::SignedCallback;
pub(crate) use callback::{other_first, probe, with_one_bit_flipped};
pub use envelope::Envelope;
pub use mischief::{Mischief, Tampering};
pub use notification::Notification;
pub(crate) use xml::XmlCallback;
