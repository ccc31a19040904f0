//! What is written of a configuration, for people: the one in force, the commented starter, the reference.

mod effective;
mod starter;

pub use effective::Effective;
pub use starter::{InitError, reference, starter, write_starter};
