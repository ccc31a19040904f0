//! The one suite that every payonce store must pass, and [`MemoryStore`], the model that passes it first.
//!
//! A store's crate calls [`conformance_tests!`] with an expression that makes a [`Fixture`]; each function of
//! the [`suite`] becomes a test of that crate. Deliberately absent: anything that only one database has.

mod desk;
mod facts;
mod fixture;
mod memory;
pub mod suite;

pub use fixture::{Fixture, run};
pub use memory::{MemoryFixture, MemoryStore};

#[cfg(test)]
mod tests {
    //! The model store is held to the suite like every other.

    crate::conformance_tests!(crate::MemoryFixture::default());
}
