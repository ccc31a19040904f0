//! The one place where these tests read the environment.

/// A variable, if it is set and readable.
#[expect(clippy::disallowed_methods, reason = "a test has no main to hand it the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
