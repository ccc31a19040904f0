//! Tests of the real binary: what it promises when it is killed, what it says when it is misused, and the demo.

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
