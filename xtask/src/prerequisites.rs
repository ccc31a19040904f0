//! The programs that `cargo xtask test` needs: which are missing, and the exact commands that install them.
//!
//! Invariant: nothing is installed that was not named first, and only when `--install` was given; what `--install`
//! runs is what is printed without it. cargo-nextest is not here: the tests run without it too.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};

use crate::process;

/// A program and where it comes from: a component of rustup's toolchain, or Debian packages.
struct Tool {
    name: &'static str,
    probe: &'static [&'static str],
    component: Option<&'static str>,
    packages: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        probe: &["cargo", "fmt", "--version"],
        component: Some("rustfmt"),
        packages: &["rustfmt"],
    },
    Tool {
        name: "clippy",
        probe: &["cargo", "clippy", "--version"],
        component: Some("clippy"),
        packages: &["rust-clippy"],
    },
    // libc6-dev is only recommended by gcc, and recommended packages are not installed.
    Tool {
        name: "a C compiler (cc)",
        probe: &["cc", "--version"],
        component: None,
        packages: &["gcc", "libc6-dev"],
    },
];

/// What the machine offers to install with.
struct Host {
    rustup: bool,
    apt: bool,
    rights: Rights,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rights {
    Root,
    Sudo,
    User,
}

/// How to get what is missing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    commands: Vec<Vec<&'static str>>,
    /// The commands need root, and there is no sudo to get it with.
    as_root: bool,
    /// Tools for which no command is known on this machine.
    by_hand: Vec<&'static str>,
}

/// Checks that every program is there; with `install`, installs what is not.
///
/// # Errors
/// When something is missing still. The text names it and the commands that install it.
pub(crate) fn check(install: bool) -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        println!("present: {}", names(&TOOLS.iter().collect::<Vec<_>>()));
        return Ok(());
    }
    let plan = plan(&missing, &Host::look());
    let told = format!("missing: {}\n{}", names(&missing), plan.text());
    if !install {
        bail!("{told}\n`cargo xtask test --install` does this itself");
    }
    println!("{told}");
    ensure!(plan.can_run(), "--install cannot do this on this machine; please do it by hand");
    for command in &plan.commands {
        println!("installing: {}", command.join(" "));
        let mut process = Command::new(command[0]);
        process.args(&command[1..]).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut process, Path::new("."))?;
    }
    let still = self::missing();
    ensure!(still.is_empty(), "missing also after installing: {}", names(&still));
    Ok(())
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !process::succeeds(tool.probe)).collect()
}

fn names(tools: &[&Tool]) -> String {
    tools.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

fn plan(missing: &[&Tool], host: &Host) -> Plan {
    let mut plan = Plan::default();
    let (mut components, mut packages) = (Vec::new(), Vec::new());
    for tool in missing {
        match tool.component {
            Some(component) if host.rustup => components.push(component),
            _ if host.apt => packages.extend(tool.packages),
            _ => plan.by_hand.push(tool.name),
        }
    }
    if !components.is_empty() {
        plan.commands.push([&["rustup", "component", "add"], components.as_slice()].concat());
    }
    if !packages.is_empty() {
        let sudo: &[&str] = if host.rights == Rights::Sudo { &["sudo"] } else { &[] };
        let install = &["apt-get", "install", "-y", "--no-install-recommends"];
        plan.commands.push([sudo, &["apt-get", "update"]].concat());
        plan.commands.push([sudo, install, packages.as_slice()].concat());
        plan.as_root = host.rights == Rights::User;
    }
    plan
}

impl Plan {
    fn can_run(&self) -> bool {
        !self.as_root && self.by_hand.is_empty()
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        if !self.commands.is_empty() {
            let who = if self.as_root { " as root" } else { "" };
            let commands: Vec<String> = self.commands.iter().map(|command| command.join(" ")).collect();
            lines.push(format!("install with{who}: {}", commands.join(" && ")));
        }
        if !self.by_hand.is_empty() {
            lines.push(format!("install with this system's package manager: {}", self.by_hand.join(", ")));
        }
        lines.join("\n")
    }
}

impl Host {
    fn look() -> Self {
        let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
        let rights = match id {
            Ok(output) if output.stdout.trim_ascii() == b"0" => Rights::Root,
            _ if process::succeeds(&["sudo", "--version"]) => Rights::Sudo,
            _ => Rights::User,
        };
        let present = |program| process::succeeds(&[program, "--version"]);
        Self { rustup: present("rustup"), apt: present("apt-get"), rights }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Host = Host { rustup: false, apt: true, rights: Rights::Root };

    fn tools(names: &[&str]) -> Vec<&'static Tool> {
        let found: Vec<_> = TOOLS.iter().filter(|tool| names.contains(&tool.name)).collect();
        assert_eq!(found.len(), names.len(), "a name is not in TOOLS");
        found
    }

    #[test]
    fn debian_packages_come_after_an_update() {
        let plan = plan(&tools(&["clippy", "a C compiler (cc)"]), &ROOT);
        assert_eq!(
            plan.text(),
            "install with: apt-get update && apt-get install -y --no-install-recommends rust-clippy gcc libc6-dev"
        );
        assert!(plan.can_run());
    }

    #[test]
    fn rustup_supplies_its_own_components() {
        let plan = plan(&tools(&["rustfmt", "clippy"]), &Host { rustup: true, ..ROOT });
        assert_eq!(plan.text(), "install with: rustup component add rustfmt clippy");
    }

    #[test]
    fn rights_decide_how_packages_are_installed() {
        let cc = tools(&["a C compiler (cc)"]);
        let sudo = plan(&cc, &Host { rights: Rights::Sudo, ..ROOT });
        assert!(sudo.commands.iter().all(|command| command[0] == "sudo") && sudo.can_run());
        let user = plan(&cc, &Host { rights: Rights::User, ..ROOT });
        assert!(user.text().starts_with("install with as root: apt-get update") && !user.can_run());
    }

    #[test]
    fn without_an_installer_the_tool_is_named() {
        let plan = plan(&tools(&["rustfmt"]), &Host { apt: false, ..ROOT });
        assert_eq!(plan.text(), "install with this system's package manager: rustfmt");
        assert!(!plan.can_run());
    }
}
