//! What must hold of crate `wechatpay` whatever comes in: the bodies of the fuzz targets, as ordinary functions.
//!
//! A [`Target`] takes any bytes, makes of them what the crate reads, and panics where a property does not hold. It is
//! run in two ways: by libFuzzer (`fuzz/`, by `cargo xtask fuzz` or `cargo fuzz`), which looks for bytes that make it
//! panic, and by a test of this crate over every file of `fuzz/corpus`, on any toolchain and without a fuzzer. What
//! libFuzzer once found stays in that corpus.
//!
//! Invariants: a target is a function of its bytes alone, with a fixed time, fixed keys and no state; what it takes for
//! the truth it works out without the code under test, or by another way through it. Inputs are texts, so that a
//! corpus can be read: several begin with lines that say how to take the rest.
//!
//! Deliberately absent: anything that ships; libFuzzer.

mod bills;
mod calls;
mod certificates;
mod diagnosis;
mod envelope;
mod errors;
mod fixture;
mod headers;
mod input;
mod resource;
mod v2;

pub use bills::TARGET as BILLS;
pub use calls::TARGET as CALLS;
pub use certificates::TARGET as CERTIFICATES;
pub use diagnosis::TARGET as DIAGNOSIS;
pub use envelope::TARGET as ENVELOPE;
pub use errors::TARGET as ERRORS;
pub use headers::TARGET as HEADERS;
pub use resource::TARGET as RESOURCE;
pub use v2::answer::TARGET as V2_ANSWER;
pub use v2::notice::TARGET as V2_NOTICE;
pub use v2::xml::TARGET as V2_XML;

/// How far an input came, in a word or two.
pub type Stage = &'static str;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As its corpus, its dictionary and its program go by.
    pub name: &'static str,
    /// Puts the bytes through the code under test. Panics where a property does not hold.
    pub run: fn(&[u8]) -> Stage,
    /// What inputs of its corpus must come to, so that no seed is lost in silence when the code under test changes.
    pub stages: &'static [Stage],
}

/// All of them.
pub const TARGETS: &[Target] = &[
    HEADERS,
    ENVELOPE,
    RESOURCE,
    CERTIFICATES,
    ERRORS,
    CALLS,
    DIAGNOSIS,
    BILLS,
    V2_XML,
    V2_NOTICE,
    V2_ANSWER,
];
