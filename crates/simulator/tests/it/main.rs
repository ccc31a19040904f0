//! The simulator as its users see it: what it signs is held against `wechatpay`, what it sends against a receiver on
//! a loopback port, and what it answers against a backend that knows the wire protocol alone.
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in their fixtures")]

mod api;
mod control;
mod document;
mod fixture;
mod genuine;
mod mischief;
mod over_tcp;
mod page;
mod receiver;
mod shop;
mod state;
mod trouble;
