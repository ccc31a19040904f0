//! Tests of the real binary: what it promises when it is killed, what it says when it is misused, and the demo.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what the machine or a fixture cannot do ends the test"
)]

mod books;
mod cli;
mod crash;
mod database;
mod demo;
mod environment;
mod refused;
mod server;
mod shop;
mod wire;
