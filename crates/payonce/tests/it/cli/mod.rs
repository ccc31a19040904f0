//! The command line: what each command says, where it says it, and how it exits.

mod configuration;
mod usage;
