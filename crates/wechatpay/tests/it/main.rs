//! The protocol against vectors, ours (made by openssl and Python) and published ones, and against every kind of
//! damage. Deliberately absent: WeChat Pay itself, which has no test environment.
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in their fixtures")]

mod answer;
mod api;
mod arbitrary;
mod bill;
mod certificates;
mod diagnosis;
mod fields;
mod fixture;
mod headers;
mod keys;
mod mutation;
mod open;
mod own;
mod published;
mod receiving;
mod resource;
mod rotation;
#[cfg(feature = "sm")]
mod sm;
mod v2;
mod verify;
