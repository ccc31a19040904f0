//! An endpoint as it comes in, checked field by field.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

use payonce_core::{
    delivery::{Endpoint, EndpointUrl, Filter, Schedule, Sealed, Settings},
    store::{Position, delivery::Start},
};
use payonce_dispatch::{Algorithm, Header, Login, Secrets, Signer, SigningKey, UnsealError};
use rand::CryptoRng;
use serde::Deserialize;

use crate::{api::ApiError, delivery::limits};

/// What an endpoint is to be. What is left out has a default; secrets, headers and a login stay as they were.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    url: String,
    /// All messages if left out.
    kinds: Option<Vec<String>>,
    ordered: Option<bool>,
    headers: Option<BTreeMap<String, String>>,
    login: Option<LoginJson>,
    /// `whsec_…` or `whsk_…`.
    secret: Option<String>,
    /// Of the key that is made where there is none: `hmac-sha256` or `ed25519`.
    algorithm: Option<String>,
    concurrency: Option<u32>,
    rate_per_second: Option<u32>,
    connect_max_ms: Option<u32>,
    total_max_ms: Option<u32>,
    schedule_seconds: Option<Vec<u64>>,
    failing_max_seconds: Option<u32>,
    /// `"now"`, or a position after which messages go to a new endpoint.
    start: Option<StartJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginJson {
    user: String,
    password: String,
}

impl fmt::Debug for Definition {
    /// Neither secrets and headers, nor the URL, into which some put a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StartJson {
    After(i64),
    Word(String),
}

/// The endpoint, its secrets still open, and the signing key if it is new.
type Parsed = (Endpoint, Option<Start>, Secrets, Option<SigningKey>);

impl Definition {
    /// Checks everything. `known` are the secrets of an endpoint that is there, if they open.
    pub(super) fn parse(
        self,
        known: Option<Result<Secrets, UnsealError>>,
        random: &mut impl CryptoRng,
    ) -> Result<Parsed, ApiError> {
        let start = self.start.as_ref().map(start).transpose()?;
        let (secrets, key) = self.secrets(known, random)?;
        let kinds = self.kinds.unwrap_or_else(|| vec!["*".to_owned()]);
        let mut settings = Settings::default();
        if let Some(concurrency) = within("concurrency", self.concurrency, &limits::CONCURRENCY)? {
            settings.concurrency = u16::try_from(concurrency).unwrap_or(u16::MAX);
        }
        settings.rate_per_second = within("rate_per_second", self.rate_per_second, &limits::RATE_PER_SECOND)?;
        let connect_max = within("connect_max_ms", self.connect_max_ms, &limits::CONNECT_MAX_MS)?;
        settings.connect_max_ms = connect_max.unwrap_or(settings.connect_max_ms);
        let total_max = within("total_max_ms", self.total_max_ms, &limits::TOTAL_MAX_MS)?;
        settings.total_max_ms = total_max.unwrap_or(settings.total_max_ms);
        let failing_max =
            within("failing_max_seconds", self.failing_max_seconds, &limits::FAILING_MAX_SECONDS)?;
        settings.failing_max_seconds = failing_max.unwrap_or(settings.failing_max_seconds);
        if let Some(seconds) = &self.schedule_seconds {
            settings.schedule = Schedule::parse(seconds).map_err(|error| bad("schedule_seconds", &error))?;
        }
        let endpoint = Endpoint {
            url: EndpointUrl::parse(&self.url).map_err(|error| bad("url", &error))?,
            filter: Filter::parse_written(&kinds).map_err(|error| bad("kinds", &error))?,
            ordered: self.ordered.unwrap_or(false),
            settings,
            sealed: Sealed(Vec::new()),
        };
        Ok((endpoint, start, secrets, key))
    }

    /// The secrets, and the signing key if it was not there before.
    fn secrets(
        &self,
        known: Option<Result<Secrets, UnsealError>>,
        random: &mut impl CryptoRng,
    ) -> Result<(Secrets, Option<SigningKey>), ApiError> {
        // Whoever says what the secrets are needs none that no longer open.
        let known = match known {
            Some(Err(error)) if self.secret.is_none() => return Err(bad("secret", &error)),
            Some(Ok(secrets)) => secrets,
            Some(Err(_)) | None => Secrets::default(),
        };
        let newest = known.signing().first().map(|signer| &signer.key);
        let key = match (&self.secret, newest) {
            (None, Some(_)) => None,
            // Nothing is signed for a broker.
            (None, None) if EndpointUrl::parse(&self.url).is_ok_and(|url| url.scheme().is_broker()) => None,
            (secret, _) => Some(key(secret.as_deref(), self.algorithm.as_deref(), None, random)?),
        };
        let key = key.filter(|key| newest.is_none_or(|newest| newest.secret_text() != key.secret_text()));
        let signing = match &key {
            Some(key) => vec![Signer::lasting(key.clone())],
            None => known.signing().to_vec(),
        };
        let headers = match &self.headers {
            Some(headers) => headers
                .iter()
                .map(|(name, value)| Header::parse(name, value))
                .collect::<Result<_, _>>()
                .map_err(|error| bad("headers", &error))?,
            None => known.headers().to_vec(),
        };
        let login = match &self.login {
            Some(login) if login.user.is_empty() && login.password.is_empty() => None,
            Some(login) => {
                Some(Login::parse(&login.user, &login.password).map_err(|error| bad("login", &error))?)
            }
            None => known.login().cloned(),
        };
        let secrets = Secrets::new(signing, headers, login).map_err(|error| bad("headers", &error))?;
        Ok((secrets, key))
    }
}

/// A signing key: the one that is written, or a new one.
pub(super) fn key(
    secret: Option<&str>,
    algorithm: Option<&str>,
    otherwise: Option<Algorithm>,
    random: &mut impl CryptoRng,
) -> Result<SigningKey, ApiError> {
    if let Some(secret) = secret {
        return SigningKey::parse(secret).map_err(|error| bad("secret", &error));
    }
    let algorithm = match algorithm {
        None => otherwise.unwrap_or(Algorithm::Hmac),
        Some("hmac-sha256") => Algorithm::Hmac,
        Some("ed25519") => Algorithm::Ed25519,
        Some(_) => return Err(ApiError::Endpoint("algorithm: expected hmac-sha256 or ed25519".to_owned())),
    };
    Ok(SigningKey::generate(algorithm, random))
}

fn start(start: &StartJson) -> Result<Start, ApiError> {
    match start {
        StartJson::After(position) if *position >= 0 => Ok(Start::After(Position(*position))),
        StartJson::Word(word) if word == "now" => Ok(Start::Now),
        StartJson::After(_) | StartJson::Word(_) => {
            Err(ApiError::Endpoint("start: expected \"now\", or a position from 0".to_owned()))
        }
    }
}

fn within(name: &str, value: Option<u32>, range: &RangeInclusive<u32>) -> Result<Option<u32>, ApiError> {
    match value {
        Some(value) if !range.contains(&value) => {
            let (min, max) = (range.start(), range.end());
            Err(ApiError::Endpoint(format!("{name} is {value}; expected {min} to {max}")))
        }
        value => Ok(value),
    }
}

fn bad(field: &str, error: &dyn fmt::Display) -> ApiError {
    ApiError::Endpoint(format!("{field}: {error}"))
}
