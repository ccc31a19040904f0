//! Chromium behind ChromeDriver: a browser that a test tells what to do, by the WebDriver protocol.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::find;
use crate::{Engine, Server, ServerError};

/// A ChromeDriver, which starts a browser for each session.
pub type ChromeDriver = Server<ChromeDriverEngine>;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct ChromeDriverEngine {
    driver: PathBuf,
    browser: PathBuf,
}

/// Whether its programs are there.
pub fn is_installed() -> bool {
    ChromeDriverEngine::find().is_ok()
}

impl ChromeDriver {
    /// Starts a driver of its own. Browsers end with it.
    ///
    /// # Errors
    /// When Chromium or ChromeDriver is not installed, or it does not start.
    pub fn start() -> Result<Self, ServerError> {
        Self::launch(ChromeDriverEngine::find()?, |_, _| Ok(()))
    }

    /// The browser, for the capabilities of a session.
    pub fn browser(&self) -> &Path {
        &self.engine().browser
    }
}

impl ChromeDriverEngine {
    fn find() -> Result<Self, ServerError> {
        let driver = find(Self::NAME, "chromedriver", None)?;
        Ok(Self { driver, browser: find("Chromium", "chromium", None)? })
    }
}

impl Engine for ChromeDriverEngine {
    const NAME: &'static str = "ChromeDriver";
    const ACCOUNT: Option<&'static str> = None;
    const READY: &'static str = "started successfully on port";
    const STOP: &'static str = "TERM";
    const END: &'static str = "KILL";

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut driver = Command::new(&self.driver);
        // What the browser keeps stays below the folder, which goes when the driver ends.
        driver.arg(format!("--port={port}")).env("TMPDIR", folder).env("HOME", folder);
        driver
    }
}
