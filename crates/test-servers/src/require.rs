//! What a test does with a server that is not there: it says so and ends, or fails where CI promises the server.

use std::error::Error;

use crate::ServerError;
use crate::environment;

/// The server; `None`, with a word on standard error, where it is not installed. The test then returns.
///
/// # Panics
/// When the server is installed and did not start, and, with `CI=true`, also when it is not installed.
pub fn require<T>(server: Result<T, ServerError>) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(absent @ ServerError::Absent { .. }) if !ci_promises_servers() => {
            eprintln!("did not run: {absent}");
            None
        }
        Err(error) => panic!("{}", with_causes(&error)),
    }
}

/// Whether a missing server is a failure: CI promises all of them, with `CI=true` in the environment.
pub fn ci_promises_servers() -> bool {
    environment::ci()
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_server_that_starts_is_handed_on() {
        assert_eq!(require(Ok(1)), Some(1));
    }

    #[test]
    #[should_panic(expected = "could not make /x: permission denied")]
    fn a_server_that_does_not_start_is_a_failure_with_its_causes() {
        let error = io::Error::new(io::ErrorKind::PermissionDenied, "permission denied");
        require::<()>(Err(ServerError::file("make", "/x")(error)));
    }
}
