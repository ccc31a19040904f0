//! Where a server's programs are.

use std::path::{Path, PathBuf};

use crate::{ServerError, environment};

/// Where Debian keeps servers; an ordinary user's `PATH` does not name it.
const SYSTEM: &str = "/usr/sbin";

/// Looks for `program` in `first`, then in `PATH`.
pub(crate) fn find(
    server: &'static str,
    program: &'static str,
    first: Option<&Path>,
) -> Result<PathBuf, ServerError> {
    let folders = first.map(Path::to_owned).into_iter().chain(environment::path()).chain([SYSTEM.into()]);
    let mut candidates = folders.map(|folder| folder.join(program));
    candidates.find(|path| path.is_file()).ok_or(ServerError::Absent { server, program })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_or_named() {
        assert!(find("shell", "sh", None).unwrap().ends_with("sh"));
        let absent = find("X", "no-such-program", Some(Path::new("/"))).unwrap_err();
        assert_eq!(
            absent.to_string(),
            "X is not installed: there is no `no-such-program` on this machine; \
             `cargo xtask test --install` installs it"
        );
    }
}
