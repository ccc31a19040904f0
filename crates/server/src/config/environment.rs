//! The process environment as a value. Deliberately absent: reading it (that is the binary's part).

use std::{collections::BTreeMap, fmt};

use super::{
    error::{ConfigError, Problem},
    place::Place,
    table,
};

/// The prefix of every variable that is payonce's.
pub(super) const PREFIX: &str = "PAYONCE_";

/// The prefix of the variables that hold merchants' secrets: `PAYONCE_MERCHANT_<MCHID>_APIV3_KEY`.
pub(super) const MERCHANT_PREFIX: &str = "PAYONCE_MERCHANT_";

/// The prefix of the variables that hold endpoints' secrets: `PAYONCE_ENDPOINT_<NAME>_SECRET`.
pub(super) const ENDPOINT_PREFIX: &str = "PAYONCE_ENDPOINT_";

/// The prefix of the variables that hold the secrets of alerts' channels: `PAYONCE_ALERT_<NAME>_URL`.
pub(super) const ALERT_PREFIX: &str = "PAYONCE_ALERT_";

/// Names the configuration file.
pub(super) const CONFIG_VARIABLE: &str = "PAYONCE_CONFIG";

/// Variables that are no keys of the configuration: the file's name, the test vectors, the armed fault point.
const OTHER_VARIABLES: [&str; 3] = [CONFIG_VARIABLE, "PAYONCE_VECTORS", "PAYONCE_FAULT"];

/// Environment variables by name. Its `Debug` shows names only: values may be secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The value of a variable, by its whole name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The variables that begin so.
    pub(super) fn of(&self, prefix: &'static str) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// An error for every variable with payonce's prefix that means nothing to it.
    pub(super) fn unknown(&self) -> impl Iterator<Item = ConfigError> {
        self.0
            .keys()
            .filter(|name| name.starts_with(PREFIX))
            .filter(|name| {
                ![MERCHANT_PREFIX, ENDPOINT_PREFIX, ALERT_PREFIX]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            })
            .filter(|name| !OTHER_VARIABLES.contains(&name.as_str()) && !table::is_variable(name))
            .map(|name| ConfigError {
                key: None,
                place: Place::Environment(name.clone()),
                problem: Problem::UnknownVariable { nearest: table::nearest_variable(name) },
            })
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
