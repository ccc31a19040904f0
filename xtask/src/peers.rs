//! The packages of others that ours is held against: which are installed, and installing those that are not.
//!
//! Without one its tests say that they did not run, so a missing one ends the run in CI alone. Deliberately absent:
//! Python, Node and npm, which are `prerequisites`'; where one lies and at which version, which is
//! `payonce-peers`'.

use anyhow::{Context as _, Result, bail};
use payonce_peers::{Installation, Package};
use payonce_test_servers::ci_promises_servers;

use crate::process;
use crate::workspace::Workspace;

/// Checks that every SDK is in the target folder as it is pinned; with `install`, installs what is not.
///
/// # Errors
/// When one is missing in CI, or cannot be installed.
pub(crate) fn check(install: bool, workspace: &Workspace) -> Result<()> {
    for package in Package::ALL {
        let (name, installation) = (package.name(), Installation::of(package, &workspace.target));
        if installation.is_complete() {
            println!("present: the package {name}");
        } else if install {
            println!("installing: the package {name}");
            run(&installation, workspace)
                .with_context(|| format!("the package {name} could not be installed"))?;
        } else if ci_promises_servers() {
            bail!("missing: the package {name}\n`cargo xtask test --install` installs it");
        } else {
            println!(
                "missing: the package {name}; its tests do not run until `cargo xtask test --install` installs it"
            );
        }
    }
    Ok(())
}

fn run(installation: &Installation, workspace: &Workspace) -> Result<()> {
    for mut command in installation.begin()? {
        println!("$ {}", process::line(&command));
        process::run(&mut command, &workspace.root)?;
    }
    Ok(installation.finish()?)
}
