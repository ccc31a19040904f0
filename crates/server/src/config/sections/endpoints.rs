//! `[[endpoints]]`: where messages go, with secrets from files of their own, checked as far as a call would need it.
//!
//! Deliberately absent: sealing, and what the database has of them, which is looked at when the server starts.

use std::{collections::BTreeMap, sync::Arc};

use payonce_core::{
    SystemClock,
    delivery::{Endpoint, EndpointName, EndpointUrl, Filter, Schedule, Sealed, Settings},
    store::{Position, delivery::Start},
};
use payonce_dispatch::{
    Header, Login, SealingKeys, Secrets, SecretsError, Senders, Signer, SigningKey, SystemResolver, Trust,
};

use crate::config::{
    document::{Given, Group},
    environment::ENDPOINT_PREFIX,
    error::{Problem, Warning},
    load::{Loader, Reported},
    place::Place,
    settings::{DeliverySettings, EndpointSettings},
    table::{
        ENDPOINT_CONCURRENCY, ENDPOINT_CONNECT_MAX, ENDPOINT_FAILING_MAX, ENDPOINT_HEADERS,
        ENDPOINT_HEADERS_FILE, ENDPOINT_KINDS, ENDPOINT_LOGIN, ENDPOINT_LOGIN_FILE, ENDPOINT_NAME,
        ENDPOINT_ORDERED, ENDPOINT_RATE, ENDPOINT_SCHEDULE, ENDPOINT_SECRET, ENDPOINT_SECRET_FILE,
        ENDPOINT_START, ENDPOINT_TOTAL_MAX, ENDPOINT_URL, Key, Kind, Raw, Section,
        rows::{SEALING_KEY, SEALING_KEY_FILE},
    },
};

impl Loader<'_> {
    /// All that are without error; errors are reported.
    pub(in crate::config) fn endpoints(
        &mut self,
        root: &Group,
        delivery: &DeliverySettings,
    ) -> Vec<EndpointSettings> {
        let mut places = BTreeMap::new();
        let mut endpoints = Vec::new();
        for group in root.groups.iter().filter(|group| group.section == Section::Endpoints) {
            self.effective.open(Section::Endpoints);
            if let Ok(endpoint) = self.endpoint(group, &mut places)
                && self.check_way(group, &endpoint, delivery).is_ok()
            {
                endpoints.push(endpoint);
            }
        }
        let has_some = root.groups.iter().any(|group| group.section == Section::Endpoints);
        if has_some && delivery.sealing_keys.is_none() {
            self.require_sealing_key(root);
        }
        let is_known =
            |name: &str| places.keys().any(|stem| name.strip_prefix(stem.as_str()).is_some_and(is_secret));
        let strangers = self.environment.of(ENDPOINT_PREFIX).filter(|name| !is_known(name));
        self.warnings.extend(strangers.map(|name| Warning::NoSuchEndpoint { name: name.to_owned() }));
        endpoints
    }

    /// `places` has where the names stand, by what their variables begin with.
    fn endpoint(
        &mut self,
        group: &Group,
        places: &mut BTreeMap<String, Place>,
    ) -> Result<EndpointSettings, Reported> {
        let name = self.endpoint_name(group, places);
        let url = self.endpoint_url(group);
        let filter = self.message_kinds(group, &ENDPOINT_KINDS);
        let ordered = self.one(group, &ENDPOINT_ORDERED, |raw| match raw {
            Raw::Boolean(truth) => Some(*truth),
            _ => None,
        });
        let secrets = self.endpoint_secrets(group, name.as_ref().ok(), url.as_ref().ok());
        let settings = self.endpoint_settings(group);
        let start = self.one(group, &ENDPOINT_START, |raw| match raw {
            Raw::Text(word) if word == "now" => Some(Start::Now),
            Raw::Integer(position) if *position >= 0 => Some(Start::After(Position(*position))),
            _ => None,
        });
        let endpoint = Endpoint {
            url: url?,
            filter: filter?.unwrap_or_else(Filter::all),
            ordered: ordered?.unwrap_or(false),
            settings: settings?,
            sealed: Sealed(Vec::new()),
        };
        let (name, start) = (name?, start?.unwrap_or(Start::Now));
        Ok(EndpointSettings { name, place: group.place.clone(), endpoint, secrets: secrets?, start })
    }

    fn endpoint_name(
        &mut self,
        group: &Group,
        places: &mut BTreeMap<String, Place>,
    ) -> Result<EndpointName, Reported> {
        let (text, place) = self.required(group, &ENDPOINT_NAME)?;
        let problem = match EndpointName::parse(&text) {
            Ok(name) => {
                let stem = stem(&name);
                match places.get(&stem) {
                    None => {
                        places.insert(stem, place);
                        return Ok(name);
                    }
                    Some(first) => Problem::Duplicate { value: text, first: Box::new(first.clone()) },
                }
            }
            Err(_) => ENDPOINT_NAME.kind.mismatch(&Raw::Text(text)),
        };
        Err(self.report(group.error(ENDPOINT_NAME.name, place, problem)))
    }

    fn endpoint_url(&mut self, group: &Group) -> Result<EndpointUrl, Reported> {
        let Some(Given { raw, place, .. }) = self.given(group, &ENDPOINT_URL) else {
            return Err(self.missing(group, ENDPOINT_URL.name, &ENDPOINT_URL.kind.expected()));
        };
        let problem = match &raw {
            Raw::Text(text) => match EndpointUrl::parse(text) {
                Ok(url) => {
                    self.effective.line(&ENDPOINT_URL, &raw, &place);
                    return Ok(url);
                }
                Err(error) => Problem::EndpointUrl(error),
            },
            _ => ENDPOINT_URL.kind.mismatch(&raw),
        };
        Err(self.report(group.error(ENDPOINT_URL.name, place, problem)))
    }

    fn endpoint_settings(&mut self, group: &Group) -> Result<Settings, Reported> {
        let concurrency = self.number(group, &ENDPOINT_CONCURRENCY);
        let rate_per_second = self.number(group, &ENDPOINT_RATE);
        let connect_max_ms = self.number(group, &ENDPOINT_CONNECT_MAX);
        let total_max_ms = self.number(group, &ENDPOINT_TOTAL_MAX);
        let schedule = self.schedule(group);
        let failing_max_seconds = self.number(group, &ENDPOINT_FAILING_MAX);
        let usual = Settings::default();
        let concurrency = concurrency?.and_then(|number| u16::try_from(number).ok());
        Ok(Settings {
            concurrency: concurrency.unwrap_or(usual.concurrency),
            rate_per_second: rate_per_second?,
            connect_max_ms: connect_max_ms?.unwrap_or(usual.connect_max_ms),
            total_max_ms: total_max_ms?.unwrap_or(usual.total_max_ms),
            schedule: schedule?.unwrap_or(usual.schedule),
            failing_max_seconds: failing_max_seconds?.unwrap_or(usual.failing_max_seconds),
            is_configured: true,
        })
    }

    pub(super) fn number(&mut self, group: &Group, key: &'static Key) -> Result<Option<u32>, Reported> {
        let Kind::Number { min, max } = key.kind else { return Ok(None) };
        self.one(group, key, |raw| match raw {
            Raw::Integer(number) => u32::try_from(*number).ok().filter(|number| (min..=max).contains(number)),
            _ => None,
        })
    }

    fn schedule(&mut self, group: &Group) -> Result<Option<Schedule>, Reported> {
        let seconds = self.one(group, &ENDPOINT_SCHEDULE, |raw| match raw {
            Raw::List(pauses) => pauses.iter().map(seconds).collect::<Option<Vec<u64>>>(),
            _ => None,
        })?;
        let Some(seconds) = seconds else { return Ok(None) };
        Schedule::parse(&seconds).map(Some).map_err(|error| {
            let place = self.given(group, &ENDPOINT_SCHEDULE).map_or(Place::Unset, |given| given.place);
            self.report(group.error(ENDPOINT_SCHEDULE.name, place, Problem::Schedule(error)))
        })
    }

    /// A value that `read` takes, if it is there.
    fn one<T>(
        &mut self,
        group: &Group,
        key: &'static Key,
        read: impl FnOnce(&Raw) -> Option<T>,
    ) -> Result<Option<T>, Reported> {
        let Some(Given { raw, place, .. }) = self.given(group, key) else { return Ok(None) };
        match read(&raw) {
            Some(value) => {
                self.effective.line(key, &raw, &place);
                Ok(Some(value))
            }
            None => Err(self.report(group.error(key.name, place, key.kind.mismatch(&raw)))),
        }
    }

    fn endpoint_secrets(
        &mut self,
        group: &Group,
        name: Option<&EndpointName>,
        url: Option<&EndpointUrl>,
    ) -> Result<Secrets, Reported> {
        let of = name.map(EndpointName::as_str);
        let signing = self.lines(group, (&ENDPOINT_SECRET, &ENDPOINT_SECRET_FILE), of, |line, text| {
            let key = SigningKey::parse(text);
            key.map(Signer::lasting).map_err(|source| Problem::SigningKey { line, source })
        });
        let headers = self.lines(group, (&ENDPOINT_HEADERS, &ENDPOINT_HEADERS_FILE), of, |line, text| {
            let (name, value) = text.split_once(':').ok_or(Problem::HeaderLine { line })?;
            Header::parse(name.trim(), value.trim()).map_err(|source| Problem::Header { line, source })
        });
        let login = self.login(group, of);
        let signing = signing?;
        if signing.is_empty() && url.is_some_and(|url| !url.scheme().is_broker()) {
            let variable = ENDPOINT_SECRET.variable(Some(of.unwrap_or("<NAME>"))).unwrap_or_default();
            let expected = format!("the path of a file, or the environment variable {variable}");
            return Err(self.missing(group, ENDPOINT_SECRET_FILE.name, &expected));
        }
        Secrets::new(signing, headers?, login?).map_err(|error| {
            let key = match &error {
                SecretsError::Keys { .. } | SecretsError::SameKey => &ENDPOINT_SECRET_FILE,
                SecretsError::Headers { .. }
                | SecretsError::SameHeader { .. }
                | SecretsError::HeaderBytes { .. } => &ENDPOINT_HEADERS_FILE,
                SecretsError::Login => &ENDPOINT_LOGIN_FILE,
            };
            // Unset there, it came from the environment.
            let place = self.given(group, key).map_or_else(|| group.place.clone(), |given| given.place);
            self.report(group.error(key.name, place, Problem::Secrets(error)))
        })
    }

    /// What each line of a secret says that is neither empty nor begins with `#`.
    fn lines<T>(
        &mut self,
        group: &Group,
        (key, file_key): (&'static Key, &'static Key),
        of: Option<&str>,
        read: impl Fn(usize, &str) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Reported> {
        let Some(secret) = self.secret(group, key, file_key, of)? else { return Ok(Vec::new()) };
        let lines = (1..).zip(secret.text.lines().map(str::trim));
        let lines = lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
        let read: Result<Vec<T>, Problem> = lines.map(|(line, text)| read(line, text)).collect();
        read.map_err(|problem| self.report(group.error(secret.name, secret.place, problem)))
    }

    fn login(&mut self, group: &Group, of: Option<&str>) -> Result<Option<Login>, Reported> {
        let Some(secret) = self.secret(group, &ENDPOINT_LOGIN, &ENDPOINT_LOGIN_FILE, of)? else {
            return Ok(None);
        };
        let lines: Vec<&str> = secret.text.lines().collect();
        let problem = match lines[..] {
            [user, password] => match Login::parse(user, password) {
                Ok(login) => return Ok(Some(login)),
                Err(error) => Problem::Secrets(error),
            },
            _ => Problem::LoginLines { lines: lines.len() },
        };
        Err(self.report(group.error(secret.name, secret.place, problem)))
    }

    /// That a call could be made, as far as that is known without making one.
    fn check_way(
        &mut self,
        group: &Group,
        settings: &EndpointSettings,
        delivery: &DeliverySettings,
    ) -> Result<(), Reported> {
        let Some(keys) = &delivery.sealing_keys else { return Ok(()) };
        let checked = senders(delivery, keys).with(settings.secrets.clone(), &settings.endpoint);
        checked.map(drop).map_err(|error| {
            let place = self.given(group, &ENDPOINT_URL).map_or(Place::Unset, |given| given.place);
            self.report(group.error(ENDPOINT_URL.name, place, Problem::NoWay(error)))
        })
    }

    /// Says that a sealing key is missing, unless there is one, with which something else is wrong.
    fn require_sealing_key(&mut self, root: &Group) {
        let absent = Group::absent(Section::Delivery);
        let group = root.groups.iter().find(|group| group.section == Section::Delivery).unwrap_or(&absent);
        let variable = SEALING_KEY.variable(None).unwrap_or_default();
        if self.given(group, &SEALING_KEY_FILE).is_none() && self.environment.value(&variable).is_none() {
            let expected = format!(
                "the path of a file that `openssl rand -base64 32` fills, or the environment variable {variable}, since \
                 there are [[endpoints]], whose secrets it seals"
            );
            self.missing(group, SEALING_KEY_FILE.name, &expected);
        }
    }
}

/// What the variables of an endpoint's secrets begin with.
fn stem(name: &EndpointName) -> String {
    let variable = ENDPOINT_SECRET.variable(Some(name.as_str())).unwrap_or_default();
    variable.trim_end_matches("SECRET").to_owned()
}

/// Whether a variable may end so.
fn is_secret(end: &str) -> bool {
    Section::Endpoints.keys().any(|key| key.is_secret() && key.name.to_uppercase() == end)
}

fn seconds(raw: &Raw) -> Option<u64> {
    match raw {
        Raw::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// What makes ways; none of them is gone.
fn senders(delivery: &DeliverySettings, keys: &Arc<SealingKeys>) -> Senders {
    Senders {
        clock: Arc::new(SystemClock),
        keys: Arc::clone(keys),
        networks: delivery.networks.clone(),
        plain: delivery.unencrypted,
        resolver: Arc::new(SystemResolver),
        trust: Trust::system(),
    }
}
