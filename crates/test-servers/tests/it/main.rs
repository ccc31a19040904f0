//! Real servers, started, killed and started again. Where one is not installed its tests say so and return.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod brokers;
mod cluster;
mod database;
mod leftovers;
mod redis;
mod standby;
