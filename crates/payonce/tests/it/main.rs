//! Tests of the real binary: what it promises when it is killed, what it says when it is misused, and the demo.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy allows it in test functions, but not in what they share"
)]

mod books;
mod cli;
mod copy;
mod crash;
mod database;
mod delivery;
mod demo;
mod doctor;
mod environment;
mod explain;
mod fleet;
mod migrate;
mod place;
mod refused;
mod reload;
mod server;
mod shop;
mod simulate;
mod wire;
