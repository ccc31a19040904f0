//! The control API: what tests and operators do with a simulation over HTTP, on the same port as WeChat's API and beside
//! it, under `/_sim`.
//!
//! Invariants: JSON in and out; a key that a call does not know is refused by name; every error has a code and says what
//! to do ([`problem`]). Web pages of other origins are refused, and names that are not ours, since the port takes whoever
//! reaches it. Deliberately absent: authentication; it is a simulation, on a developer's machine or in CI, and its keys protect nobody's money.

mod clock;
mod list;
mod merchants;
mod notices;
mod orders;
mod origin;
mod people;
mod problem;
mod reset;
mod routes;
mod said;
mod trouble;
mod view;

pub(crate) use notices::send_again;
pub(crate) use origin::refuse_others;
pub(crate) use problem::Problem;
pub(crate) use routes::routes;
