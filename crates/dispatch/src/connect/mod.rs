//! Opens connections: resolves a name, sees whether its addresses may be called, connects to one that may, encrypts.
//!
//! Invariants: a name is resolved for every connection, and the address that was judged is the one that is connected to,
//! so that a second look-up has nothing to say; an address in a URL is judged the same way. Each certificate is verified
//! anew, no session is resumed. No proxy stands in between, whatever the environment says.

mod dial;
mod tls;

pub(crate) use dial::Dialer;
pub use dial::{Resolver, SystemResolver};
pub(crate) use tls::Encryption;
pub use tls::{Trust, TrustError};
