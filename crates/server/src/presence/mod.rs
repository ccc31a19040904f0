//! Whether the database sees this node, and what it may do only as long as it does.
//!
//! A node holds a lease of its own, its presence. `payonce copy` counts a node without one as stopped. So a node that
//! was held up for longer than its lease lasts (a stopped process, a line that was cut) may come back to a database from
//! which everything was taken elsewhere meanwhile, and what it committed there would be in no database that is served.
//!
//! Invariants: nothing is acknowledged that was committed while the database did not see this node ([`Guarded`]); a
//! presence that lapsed begins anew only after a look for a copy at work and for the mark of one that was; of a node and
//! a copy, each writes its own lease first and looks for the other's then, so that one of the two sees the other.
//!
//! Time is counted by this process's own clock, from before each question to the database. Deliberately absent: a remedy
//! for a machine that is put to sleep together with that clock. Such a node notices at its next heartbeat, and is to be
//! stopped before a copy like any other (docs/operating.md).

mod absence;
mod guarded;
mod node;
mod seen;
#[cfg(test)]
mod tests;

pub use absence::Absence;
pub(crate) use guarded::Guarded;
pub(crate) use node::Presence;
pub(crate) use seen::Seen;
