//! The page for people, at `/`: the phone's cashier. Orders appear, a click pays or cancels them, and each order's
//! time-line shows every attempt to tell its merchant, with what was answered. Clock and trouble are switched there, too.
//!
//! Invariants: rendered here and whole without a script, since forms do everything; the script only shows changes without
//! a reload. What merchants wrote is escaped by the templates, and the browser is told to run nothing but our own file.
//! A form changes things only when it was sent from our own page. Deliberately absent: what it does, which is the books'.

mod acts;
mod form;
mod frame;
mod lang;
mod list;
mod order;
mod presets;
mod refunds;
mod routes;
mod timeline;

pub(crate) use routes::routes;
