//! The SDKs, and where and how each is installed: in `target/peers/`, from the pins that are committed here.
//!
//! Invariant: an installation is complete when its stamp holds the pins as they are now, so that changed pins mean a
//! new installation and unchanged ones cost a read. Deliberately absent: running the commands, which is for `xtask`;
//! Python, Node and npm themselves.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// The file whose content says from which pins an installation was made.
const STAMP: &str = "installed-from";

const PYTHON_PINS: &[(&str, &str)] = &[("requirements.txt", include_str!("../python/requirements.txt"))];
const NODE_PINS: &[(&str, &str)] = &[
    ("package.json", include_str!("../node/package.json")),
    ("package-lock.json", include_str!("../node/package-lock.json")),
];

const PYTHON_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/peer.py");
const NODE_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node/peer.js");

/// An SDK that somebody else wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// `wechatpayv3` of PyPI, in Python: APIv3.
    Wechatpayv3,
    /// `wechatpay-axios-plugin` of npm, for Node: APIv3 and APIv2.
    WechatpayAxiosPlugin,
}

impl Sdk {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Wechatpayv3, Self::WechatpayAxiosPlugin];

    /// The package's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wechatpayv3 => "wechatpayv3",
            Self::WechatpayAxiosPlugin => "wechatpay-axios-plugin",
        }
    }

    fn pins(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Wechatpayv3 => PYTHON_PINS,
            Self::WechatpayAxiosPlugin => NODE_PINS,
        }
    }
}

/// An SDK in a target folder, there or not.
#[derive(Clone, Debug)]
pub struct Installation {
    sdk: Sdk,
    folder: PathBuf,
}

impl Installation {
    /// Of this SDK, in cargo's target folder.
    #[must_use]
    pub fn of(sdk: Sdk, target: &Path) -> Self {
        Self { sdk, folder: target.join("peers").join(sdk.name()) }
    }

    /// Whose it is.
    #[must_use]
    pub fn sdk(&self) -> Sdk {
        self.sdk
    }

    /// Whether it is there, at the versions that are committed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        // The environment's Python is a link to the system's, which may have gone since.
        let has_python = || self.sdk != Sdk::Wechatpayv3 || self.python().exists();
        fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == self.pinned()) && has_python()
    }

    /// Clears the folder and writes the pins into it. What is returned is to be run, in order, each to its end; then
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// When the folder cannot be cleared or written.
    pub fn begin(&self) -> io::Result<Vec<Command>> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&self.folder)?,
        }
        for (name, content) in self.sdk.pins() {
            fs::write(self.folder.join(name), content)?;
        }
        Ok(match self.sdk {
            Sdk::Wechatpayv3 => {
                let mut environment = Command::new("python3");
                environment.args(["-m", "venv"]).arg(&self.folder);
                let mut packages = Command::new(self.python());
                packages.args("-m pip install --quiet --disable-pip-version-check --requirement".split(' '));
                packages.arg(self.folder.join("requirements.txt"));
                vec![environment, packages]
            }
            Sdk::WechatpayAxiosPlugin => {
                // The peer dependency is for the SDK's command line, which is not used here.
                let mut packages = Command::new("npm");
                packages
                    .args("ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund --prefix".split(' '));
                packages.arg(&self.folder);
                vec![packages]
            }
        })
    }

    /// Says that the commands of [`begin`](Self::begin) ended well.
    ///
    /// # Errors
    /// When the stamp cannot be written.
    pub fn finish(&self) -> io::Result<()> {
        fs::write(self.stamp(), self.pinned())
    }

    /// What starts the peer.
    pub(crate) fn command(&self) -> Command {
        match self.sdk {
            Sdk::Wechatpayv3 => {
                let mut command = Command::new(self.python());
                command.arg(PYTHON_SCRIPT);
                command
            }
            Sdk::WechatpayAxiosPlugin => {
                let mut command = Command::new("node");
                // The script lies in the source tree, where no packages are.
                command.arg(NODE_SCRIPT).env("NODE_PATH", self.folder.join("node_modules"));
                command
            }
        }
    }

    fn python(&self) -> PathBuf {
        self.folder.join("bin").join("python")
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join(STAMP)
    }

    fn pinned(&self) -> String {
        self.sdk.pins().iter().map(|(_, content)| *content).collect()
    }
}
