//! The programs that `cargo xtask test` needs: which are missing, and the exact commands that install them.
//!
//! Without a server, a language of an SDK or what fuzz targets are built with, its tests say that they did not run, so
//! that a missing one ends the run in CI alone.
//!
//! Invariant: nothing is installed that was not named first, and only when `--install` was given; what `--install`
//! runs is what is printed without it. cargo-nextest is not here: the tests run without it too.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};
use payonce_test_servers::{
    chromium, ci_promises_servers, galera, mariadb, nats,
    postgres::{self, pooler},
    rabbitmq, redis,
};

use crate::process;

/// A program and where it comes from: a component of rustup's toolchain, or Debian packages.
struct Tool {
    name: &'static str,
    kind: Kind,
    is_present: fn() -> bool,
    packages: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Component(&'static str),
    Program,
    /// Tests start it themselves; the service that its package brings is of no use here.
    Server,
    /// What runs or installs an SDK that ours is held against, or a receiver of `examples/inbox`.
    Language,
    /// What builds the fuzz targets.
    Fuzzing,
}

impl Kind {
    /// Whether nothing can be tested without it.
    fn is_needed(self) -> bool {
        matches!(self, Self::Component(_) | Self::Program)
    }
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        kind: Kind::Component("rustfmt"),
        is_present: || process::succeeds(&["cargo", "fmt", "--version"]),
        packages: &["rustfmt"],
    },
    Tool {
        name: "clippy",
        kind: Kind::Component("clippy"),
        is_present: || process::succeeds(&["cargo", "clippy", "--version"]),
        packages: &["rust-clippy"],
    },
    // libc6-dev is only recommended by gcc, and recommended packages are not installed.
    Tool {
        name: "a C compiler (cc)",
        kind: Kind::Program,
        is_present: || process::succeeds(&["cc", "--version"]),
        packages: &["gcc", "libc6-dev"],
    },
    // libFuzzer is C++.
    Tool { name: "a C++ compiler (c++)", kind: Kind::Fuzzing, is_present: has_cpp, packages: &["g++"] },
    Tool {
        name: "PostgreSQL",
        kind: Kind::Server,
        is_present: postgres::is_installed,
        packages: &["postgresql"],
    },
    Tool {
        name: "PgBouncer",
        kind: Kind::Server,
        is_present: pooler::is_installed,
        packages: &["pgbouncer"],
    },
    Tool {
        name: "MariaDB",
        kind: Kind::Server,
        is_present: mariadb::is_installed,
        packages: &["mariadb-server"],
    },
    Tool {
        name: "Galera",
        kind: Kind::Server,
        is_present: galera::is_installed,
        packages: &["galera-4", "rsync"],
    },
    Tool { name: "Redis", kind: Kind::Server, is_present: redis::is_installed, packages: &["redis-server"] },
    Tool {
        name: "RabbitMQ",
        kind: Kind::Server,
        is_present: rabbitmq::is_installed,
        packages: &["rabbitmq-server"],
    },
    Tool { name: "NATS", kind: Kind::Server, is_present: nats::is_installed, packages: &["nats-server"] },
    Tool {
        name: "Chromium with ChromeDriver",
        kind: Kind::Server,
        is_present: chromium::is_installed,
        packages: &["chromium", "chromium-driver"],
    },
    // Debian takes both modules out of Python and puts them into python3-venv.
    Tool {
        name: "Python with venv",
        kind: Kind::Language,
        is_present: || process::succeeds(&["python3", "-c", "import ensurepip, venv"]),
        packages: &["python3-venv"],
    },
    Tool {
        name: "Node",
        kind: Kind::Language,
        is_present: || process::succeeds(&["node", "--version"]),
        packages: &["nodejs"],
    },
    Tool {
        name: "npm",
        kind: Kind::Language,
        is_present: || process::succeeds(&["npm", "--version"]),
        packages: &["npm"],
    },
    Tool {
        name: "Go with its SQLite driver",
        kind: Kind::Language,
        is_present: || has(&["go", "version"], "/usr/share/gocode/src/github.com/mattn/go-sqlite3"),
        packages: &["golang-go", "golang-github-mattn-go-sqlite3-dev"],
    },
    Tool {
        name: "Java with Gson and its SQLite driver",
        kind: Kind::Language,
        is_present: || {
            has(&["javac", "--version"], "/usr/share/java/sqlite-jdbc.jar")
                && has_file("/usr/share/java/gson.jar")
        },
        packages: &["default-jdk-headless", "libgoogle-gson-java", "libxerial-sqlite-jdbc-java"],
    },
    Tool {
        name: "PHP with its SQLite driver",
        kind: Kind::Language,
        is_present: || process::succeeds(&["php", "-r", "new PDO('sqlite::memory:');"]),
        packages: &["php-cli", "php-sqlite3"],
    },
    Tool {
        name: "Mono's C# with its SQLite driver",
        kind: Kind::Language,
        is_present: || has(&["mcs", "--version"], "/usr/lib/mono/4.5/Mono.Data.Sqlite.dll"),
        packages: &["mono-mcs", "mono-runtime", "libmono-sqlite4.0-cil", "libmono-system-data4.0-cil"],
    },
];

const APT_INSTALL: &[&str] = &["apt-get", "install", "-y", "--no-install-recommends"];

/// `apt-get install` that starts no service: Debian's packages ask policy-rc.d, and 101 forbids it. One that is there
/// already is the machine's own decision.
const APT_INSTALL_SERVERS: &[&str] = &[
    "sh",
    "-c",
    "policy=/usr/sbin/policy-rc.d; \
     if ! [ -e $policy ]; then \
     trap \"rm -f $policy\" EXIT; printf \"#!/bin/sh\\nexit 101\\n\" >$policy; chmod +x $policy; \
     fi; \
     apt-get install -y --no-install-recommends \"$@\"",
    "install",
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
/// When something is missing still that is needed. The text names it and the commands that install it.
pub(crate) fn check(install: bool) -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        println!("present: {}", names(&TOOLS.iter().collect::<Vec<_>>()));
        return Ok(());
    }
    let plan = plan(&missing, &Host::look());
    let told = format!("missing: {}\n{}", names(&missing), plan.text());
    if !install {
        let told = format!("{told}\n`cargo xtask test --install` does this itself");
        if ci_promises_servers() || missing.iter().any(|tool| tool.kind.is_needed()) {
            bail!(told);
        }
        println!("{told}\nuntil then the tests that need them do not run");
        return Ok(());
    }
    println!("{told}");
    ensure!(plan.can_run(), "--install cannot do this on this machine; please do it by hand");
    for command in &plan.commands {
        println!("installing: {}", typed(command));
        let mut process = Command::new(command[0]);
        process.args(&command[1..]).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut process, Path::new("."))?;
    }
    let still = self::missing();
    ensure!(still.is_empty(), "missing also after installing: {}", names(&still));
    Ok(())
}

/// Whether fuzz targets can be built.
pub(crate) fn has_cpp() -> bool {
    process::succeeds(&["c++", "--version"])
}

/// Whether a program runs and a file beside it is there.
fn has(command: &[&str], file: &str) -> bool {
    has_file(file) && process::succeeds(command)
}

fn has_file(file: &str) -> bool {
    Path::new(file).exists()
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !(tool.is_present)()).collect()
}

fn names(tools: &[&Tool]) -> String {
    tools.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

fn plan(missing: &[&Tool], host: &Host) -> Plan {
    let mut plan = Plan::default();
    let (mut components, mut packages) = (Vec::new(), Vec::new());
    for tool in missing {
        match tool.kind {
            Kind::Component(component) if host.rustup => components.push(component),
            _ if host.apt => packages.extend(tool.packages),
            _ => plan.by_hand.push(tool.name),
        }
    }
    if !components.is_empty() {
        plan.commands.push([&["rustup", "component", "add"], components.as_slice()].concat());
    }
    if !packages.is_empty() {
        let sudo: &[&str] = if host.rights == Rights::Sudo { &["sudo"] } else { &[] };
        let servers = missing.iter().any(|tool| tool.kind == Kind::Server);
        let install = if servers { APT_INSTALL_SERVERS } else { APT_INSTALL };
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
            let commands: Vec<String> = self.commands.iter().map(|command| typed(command)).collect();
            lines.push(format!("install with{who}: {}", commands.join(" && ")));
        }
        if !self.by_hand.is_empty() {
            lines.push(format!("install with this system's package manager: {}", self.by_hand.join(", ")));
        }
        lines.join("\n")
    }
}

/// The command as one would type it. No word of ours contains a single quote.
fn typed(command: &[&str]) -> String {
    let quoted = |word: &&str| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() };
    command.iter().map(quoted).collect::<Vec<_>>().join(" ")
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
    fn servers_are_installed_without_starting_their_services() {
        let plan = plan(&tools(&["a C compiler (cc)", "Redis"]), &ROOT);
        let text = plan.text();
        assert!(
            text.contains(" && sh -c 'policy=/usr/sbin/policy-rc.d; if ! [ -e $policy ]; then trap "),
            "{text}"
        );
        assert!(text.ends_with("recommends \"$@\"' install gcc libc6-dev redis-server"), "{text}");
    }

    #[test]
    fn only_tests_of_their_own_need_servers_and_languages() {
        let languages = tools(&["Python with venv", "Node", "npm"]);
        assert!(plan(&languages, &ROOT).text().ends_with(" python3-venv nodejs npm"));
        let needed: Vec<_> =
            TOOLS.iter().filter(|tool| tool.kind.is_needed()).map(|tool| tool.name).collect();
        assert_eq!(needed, ["rustfmt", "clippy", "a C compiler (cc)"]);
    }

    #[test]
    fn without_an_installer_the_tool_is_named() {
        let plan = plan(&tools(&["rustfmt"]), &Host { apt: false, ..ROOT });
        assert_eq!(plan.text(), "install with this system's package manager: rustfmt");
        assert!(!plan.can_run());
    }
}
