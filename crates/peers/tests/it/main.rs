//! Our crates held against SDKs that others wrote: each check runs over many generated inputs, once for each SDK that has
//! what it needs. `docs/verification.md` says what that is. And `inbox`: payonce against receivers in other languages.
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in their fixtures")]

mod callback;
mod certificate;
mod field;
mod fixture;
mod generate;
mod inbox;
mod installation;
mod pay;
mod peer;
mod request;
mod sealed;
mod simulated;
mod v2;
