//! What can be wrong with a configuration. Every error carries its key, its place and what is expected.
//!
//! Invariant: no variant holds a secret's value, nor text that may be one.

use std::{fmt, io, path::PathBuf};

use payonce_core::{
    delivery::{FilterError, ScheduleError, UrlError},
    effect::{Parameter, StatementError},
};
use payonce_dispatch::{HeaderError, KeyError as SigningKeyError, OpenError, SealingKeysError, SecretsError};
use wechatpay::KeyError;

use super::place::Place;

/// Everything that is wrong, in the order of the file, then the environment; never empty.
#[derive(Debug)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// `Ok` if there are none.
    pub(super) fn check(errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self::of(errors)) }
    }

    pub(super) fn of(mut errors: Vec<ConfigError>) -> Self {
        errors.sort_by(|a, b| a.place.cmp(&b.place));
        Self(errors)
    }

    /// The errors one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {}{problem}", key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default())]
pub struct ConfigError {
    /// The key, such as `merchants[0].mchid`; `None` if the whole file or a variable is meant.
    pub key: Option<String>,
    /// Where its value stands.
    pub place: Place,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no configuration file of that name.
    #[error("there is no file {}; `payonce init` writes a starter", file.display())]
    NoConfigFile {
        /// The file that was asked for.
        file: PathBuf,
    },
    /// A file exists or not, but cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not text.
    #[error("{} is not UTF-8 text; save it as UTF-8", file.display())]
    NotUtf8 {
        /// The file.
        file: PathBuf,
    },
    /// The file is not TOML.
    #[error("not TOML: {message}")]
    Syntax {
        /// What the parser expected; it quotes nothing of the file.
        message: String,
    },
    /// No such key.
    #[error("there is no such key{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        /// The nearest known key.
        nearest: Option<String>,
    },
    /// No such environment variable.
    #[error("payonce knows no such variable{}", suggestion(nearest.as_deref()))]
    UnknownVariable {
        /// The nearest known variable.
        nearest: Option<String>,
    },
    /// The value has the wrong type, or is out of range.
    #[error("expected {expected}, found {found}")]
    Value {
        /// What the key takes.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A value that must be there is not.
    #[error("expected {expected}, found nothing")]
    Missing {
        /// What the key takes.
        expected: String,
    },
    /// A secret stands in the configuration itself.
    #[error("expected no secret in this file: write it to a file of its own, name that by `{file_key}`, {}",
        or_variable(variable.as_deref()))]
    InlineSecret {
        /// The key that names the secret's file.
        file_key: &'static str,
        /// The environment variable that may hold the secret.
        variable: Option<String>,
    },
    /// A password, but nothing that takes it.
    #[error("expected a URL of a server beside this password, found none")]
    PasswordWithoutServer,
    /// Where a file should be named stands what seems to be the file's content.
    #[error("expected the path of a file, found what seems to be its content")]
    ContentInsteadOfPath,
    /// The keys that seal secrets cannot be read.
    #[error("{source}")]
    SealingKeys {
        /// What is wrong, and in which line.
        source: SealingKeysError,
    },
    /// What must be unique is there twice.
    #[error("{value} stands already at {first}; expected it once")]
    Duplicate {
        /// The value.
        value: String,
        /// Where it stands first.
        first: Box<Place>,
    },
    /// More transactions at the same time than a server's connections allow.
    #[error(
        "expected at most {transactions_max}, which is half of store.connections_max ({connections}), found \
         {transactions}; set store.connections_max to {} or more",
        2 * transactions
    )]
    TooFewConnections {
        /// How many transactions are wished.
        transactions: usize,
        /// How many connections there are for all.
        connections: usize,
        /// How many transactions these allow.
        transactions_max: usize,
    },
    /// Both kinds of key in one of `[[merchants.platform_keys]]`.
    #[error(
        "expected either public_key_id and public_key_file or certificate_file, found both; \
         write one [[merchants.platform_keys]] for each key"
    )]
    BothKinds,
    /// A private key and a certificate of another one.
    #[error("this private key does not belong to the certificate that api_certificate_file names")]
    NotAPair,
    /// An API key is too short to be safe.
    #[error(
        "expected keys of at least {chars_min} characters, found one of {chars}; `openssl rand -hex 32` makes one"
    )]
    ApiKeyTooShort {
        /// Its length.
        chars: usize,
        /// The least.
        chars_min: usize,
    },
    /// An API key that no `Authorization` header can carry.
    #[error("expected keys of visible ASCII characters, found others")]
    ApiKeyCharacters,
    /// A URL that no endpoint can have.
    #[error("{0}")]
    EndpointUrl(UrlError),
    /// Pauses that are no schedule.
    #[error("{0}")]
    Schedule(ScheduleError),
    /// What should be a signing key is none.
    #[error("line {line}: {source}")]
    SigningKey {
        /// In which line of the secret (from 1).
        line: usize,
        /// What is wrong.
        source: SigningKeyError,
    },
    /// What should be a header is none.
    #[error("line {line}: {source}")]
    Header {
        /// In which line (from 1).
        line: usize,
        /// What is wrong.
        source: HeaderError,
    },
    /// A line without a colon.
    #[error("line {line}: expected a header, as in `Authorization: Bearer …`")]
    HeaderLine {
        /// In which line (from 1).
        line: usize,
    },
    /// A login is not two lines.
    #[error("expected two lines, of the user and of the password; their number is {lines}")]
    LoginLines {
        /// How many there are.
        lines: usize,
    },
    /// Secrets that do not go together.
    #[error("{0}")]
    Secrets(SecretsError),
    /// There would be no way to an endpoint.
    #[error("{0}")]
    NoWay(OpenError),
    /// A statement that no effect may execute.
    #[error("not a statement for an effect: {0}")]
    Statement(StatementError),
    /// A statement names what no message has.
    #[error("there is no parameter :{name}; {}", parameter_hint(*nearest))]
    UnknownParameter {
        /// What was written.
        name: String,
        /// The nearest that there is.
        nearest: Option<&'static str>,
    },
    /// Kinds of messages that are none.
    #[error("{0}")]
    Kinds(FilterError),
    /// A key file, or the variable in its place, does not hold what it should.
    #[error("{}{source}", file.as_ref().map(|file| format!("{}: ", file.display())).unwrap_or_default())]
    Key {
        /// The file, unless it came from the environment.
        file: Option<PathBuf>,
        /// What is wrong with the key.
        source: KeyError,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; expected one of docs/configuration.md".to_owned(),
        |nearest| format!("; did you mean `{nearest}`?"),
    )
}

fn parameter_hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || {
            let known: Vec<_> =
                Parameter::ALL.into_iter().map(|parameter| format!(":{}", parameter.name())).collect();
            format!("expected one of {}", known.join(", "))
        },
        |nearest| format!("did you mean :{nearest}?"),
    )
}

fn or_variable(variable: Option<&str>) -> String {
    variable.map_or_else(
        || "or use its environment variable".to_owned(),
        |name| format!("or set the environment variable {name}"),
    )
}

/// What is not wrong, but not good either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Others on this machine may read a secret.
    #[error("{place}: {key}: {} is readable by others (mode {mode:04o}); `chmod 600` it", file.display())]
    ReadableByOthers {
        /// The key that names the file.
        key: String,
        /// Where it does.
        place: Place,
        /// The secret's file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A secret for an endpoint that is not configured.
    #[error(
        "environment {name}: belongs to no configured endpoint; expected PAYONCE_ENDPOINT_<NAME>_SECRET, the name of one \
         of [[endpoints]] in capital letters and with _ for -"
    )]
    NoSuchEndpoint {
        /// The variable.
        name: String,
    },
    /// A secret for a merchant that is not configured.
    #[error(
        "environment {name}: belongs to no configured merchant; expected PAYONCE_MERCHANT_<MCHID>_APIV3_KEY"
    )]
    NoSuchMerchant {
        /// The variable.
        name: String,
    },
    /// A secret for a channel that is not configured.
    #[error("environment {name}: belongs to none of [[alerts]]; expected PAYONCE_ALERT_<NAME>_URL")]
    NoSuchChannel {
        /// The variable.
        name: String,
    },
}
