//! How a target's bytes are taken: as lines, as a request; and the text in them that must not be shown.

pub(crate) mod canary;
mod capture;
pub(crate) mod lines;

pub(crate) use capture::Capture;
