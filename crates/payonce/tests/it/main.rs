//! Tests of the real binary: what it promises when it is killed, what it says when it is misused, and the demo.

mod books;
mod crash;
mod environment;
mod server;
mod shop;
mod wire;
