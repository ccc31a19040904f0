//! Processes and what they need: an account, a port, somebody who ends them.
//!
//! A server outlives neither its [`Server`](crate::Server) nor the process that started it. The first is a matter of
//! `Drop`; for the second each server has a *keeper*, a small shell that holds the reading end of a pipe. When the
//! starting process is gone, killed or not, the kernel closes the pipe's other end, and the keeper ends the server and
//! removes its folder. So there is nothing to clean up by hand after a test that was killed.

mod account;
pub(crate) mod environment;
mod keeper;
mod port;
mod program;
mod run;
mod signal;
mod wait;

pub(crate) use account::Account;
pub(crate) use keeper::Keeper;
pub use port::free_port;
pub(crate) use program::find;
pub(crate) use run::run;
pub(crate) use signal::{kill_tree, signal, tree};
pub(crate) use wait::until;
