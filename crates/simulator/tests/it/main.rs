//! The simulator as its users see it: what it signs is held against `wechatpay`, what it sends against a receiver on
//! a loopback port.
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in their fixtures")]

mod fixture;
mod genuine;
mod mischief;
mod over_tcp;
