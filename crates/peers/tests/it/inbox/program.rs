//! The receivers' programs: what starts each of them, and whether that is installed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use payonce_peers::{Installation, Language, Package};
use payonce_test_servers::{ci_promises_servers, free_port};

/// Where Debian's packages put what the receivers need beside the languages.
const GO_PATH: &str = "/usr/share/gocode";
const MONO_SQLITE: &str = "/usr/lib/mono/4.5/Mono.Data.Sqlite.dll";
const JAVA_JARS: [&str; 2] = ["/usr/share/java/gson.jar", "/usr/share/java/sqlite-jdbc.jar"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Python,
    Node,
    Go,
    Java,
    Php,
    CSharp,
}

impl Program {
    /// Whether it can run. Where CI promises it, it must.
    pub(super) fn is_there(self) -> bool {
        let there = match self {
            Self::Python | Self::Node => self.installation().is_complete(),
            Self::Go => {
                runs(&["go", "version"])
                    && Path::new(GO_PATH).join("src/github.com/mattn/go-sqlite3").exists()
            }
            Self::Java => {
                runs(&["javac", "--version"]) && JAVA_JARS.iter().all(|jar| Path::new(jar).exists())
            }
            Self::Php => runs(&["php", "-r", "new PDO('sqlite::memory:');"]),
            Self::CSharp => runs(&["mcs", "--version"]) && Path::new(MONO_SQLITE).exists(),
        };
        assert!(
            there || !ci_promises_servers(),
            "{self:?}: not installed; `cargo xtask test --install` does it"
        );
        if !there {
            eprintln!("did not run: what {self:?} needs is not installed");
        }
        there
    }

    /// What starts the receiver; `folder` is for what has to be built.
    pub(super) fn command(self, folder: &Path) -> Command {
        match self {
            Self::Python => self.script("python/receiver.py"),
            Self::Node => self.script("node/receiver.js"),
            Self::Go => {
                let program = folder.join("receiver-go");
                if !program.exists() {
                    build_go(&program);
                }
                Command::new(program)
            }
            Self::Java => {
                let mut java = Command::new("java");
                java.args(["-XX:TieredStopAtLevel=1", "-cp", &JAVA_JARS.join(":")])
                    .arg(example("java/Receiver.java"));
                java
            }
            // The servers of PHP and Mono take no port of the system's choice.
            Self::Php => {
                let mut php = Command::new("php");
                php.arg("-S")
                    .arg(format!("127.0.0.1:{}", free_port().unwrap()))
                    .arg(example("php/receiver.php"));
                php
            }
            Self::CSharp => {
                let program = folder.join("receiver.exe");
                if !program.exists() {
                    build_csharp(&program);
                }
                let mut mono = Command::new("mono");
                mono.arg(program).arg(format!("127.0.0.1:{}", free_port().unwrap()));
                mono
            }
        }
    }

    /// The receiver, which ends when it is about to answer, for the first time and without a word.
    pub(super) fn dying(self) -> Command {
        let (script, receiver) = match self {
            Self::Python => ("python/dies_before_it_answers.py", "python/receiver.py"),
            Self::Node => ("node/dies_before_it_answers.js", "node/receiver.js"),
            Self::Go | Self::Java | Self::Php | Self::CSharp => panic!("nothing makes {self:?} end there"),
        };
        let mut command = self.installation().interpreter();
        command.arg(own(script)).arg(example(receiver));
        command
    }

    fn script(self, name: &str) -> Command {
        let mut command = self.installation().interpreter();
        command.arg(example(name));
        command
    }

    fn installation(self) -> Installation {
        let language = if self == Self::Python { Language::Python } else { Language::Node };
        Installation::of(Package::Webhooks(language), target())
    }
}

/// A file of `examples/inbox`.
pub(super) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/inbox").join(name)
}

/// A file of this crate.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Debian's packages are found as Go found packages before there were modules, and nothing is fetched.
fn build_go(program: &Path) {
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(program).arg(".").current_dir(example("go"));
    go.env("GO111MODULE", "off")
        .env("GOPATH", GO_PATH)
        .env("GOCACHE", target().join("peers").join("go-cache"));
    build(go);
}

/// Its own `Program.cs` needs ASP.NET, which Debian has not: another host stands in for it.
fn build_csharp(program: &Path) {
    let mut mcs = Command::new("mcs");
    mcs.arg(format!("-out:{}", program.display())).args(["-r:System.Data.dll", "-r:Mono.Data.Sqlite.dll"]);
    mcs.args([example("csharp/Inbox.cs"), own("csharp/Host.cs")]);
    build(mcs);
}

fn build(mut command: Command) {
    let built = command.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

fn runs(command: &[&str]) -> bool {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    process.status().is_ok_and(|status| status.success())
}
