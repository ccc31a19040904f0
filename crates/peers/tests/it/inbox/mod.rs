//! The receivers of `examples/inbox` against payonce: each message that it signs and sends has its effect once.
//!
//! payonce runs in this process, on a port, with a database of its own; the receivers are processes. What differs between
//! their languages is in `program`, what a receiver does is checked for each of them alike.

mod ed25519;
mod effect;
mod page;
mod program;
mod receiver;
mod refused;
mod rotation;
mod shop;
mod stage;
mod statements;

/// Makes a test of each check for each of these programs.
macro_rules! programs {
    ($($program:ident in $module:ident { $($check:ident),* $(,)? })*) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                let program = crate::inbox::program::Program::$program;
                if program.is_there() {
                    super::$check(program).await;
                }
            })*
        })*
    };
}
use programs;
