//! Loading: file and environment over the table's defaults, secrets and keys read, all errors collected.

use std::{
    cell::RefCell,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use payonce_dispatch::SealingKeys;

use super::{
    document::{self, Given, Group},
    environment::{CONFIG_VARIABLE, Environment},
    error::{ConfigError, ConfigErrors, Problem, Warning},
    files::{Disk, Files, Remembering, Seen},
    place::Place,
    settings::{Config, StoreSettings, StoreUrl},
    table::{Key, Kind, Raw, Section, Times},
    written::Effective,
};

/// The file that is read, if it is there, when none is named.
const CONFIG_FILE_DEFAULT: &str = "payonce.toml";

/// A configuration and what is known about it.
#[derive(Debug)]
pub struct Loaded {
    /// What to run by.
    pub config: Config,
    /// The same for the operator to read, with the origin of each value.
    pub effective: Effective,
    /// What is not wrong, but not good either.
    pub warnings: Vec<Warning>,
    /// The files that were read: a change of any may change the configuration.
    pub files: Vec<Seen>,
}

impl Config {
    /// Loads `path`, else the file that `PAYONCE_CONFIG` names, else `payonce.toml` if there is one; then the
    /// environment over it. Relative paths in it start from the file's folder.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigErrors> {
        load(path, environment, &Disk)
    }

    /// Whether it suffices to serve: an API key and a merchant.
    ///
    /// # Errors
    /// What is missing.
    pub fn ready_to_serve(&self) -> Result<(), ConfigErrors> {
        let missing = |key: &str, expected: &str| ConfigError {
            key: Some(key.to_owned()),
            place: Place::Unset,
            problem: Problem::Missing { expected: expected.to_owned() },
        };
        let mut errors = Vec::new();
        if self.api.keys.is_empty() {
            errors.push(missing(
                "api.key",
                "a file of keys named by api.key_file, or the environment variable PAYONCE_API_KEY",
            ));
        }
        if self.merchants.is_empty() {
            errors
                .push(missing("merchants", "at least one [[merchants]] (`payonce init` writes an example)"));
        }
        ConfigErrors::check(errors)
    }
}

pub(super) fn load(
    path: Option<&Path>,
    environment: &Environment,
    files: &dyn Files,
) -> Result<Loaded, ConfigErrors> {
    let files = &Remembering { files, read: RefCell::default() };
    let mut errors: Vec<_> = environment.unknown().collect();
    let (base, root) = match root(path, environment, files, &mut errors) {
        Ok(found) => found,
        // Without the file every value in it would seem to be missing: say no more than is known.
        Err(error) => {
            errors.push(error);
            return Err(ConfigErrors::of(errors));
        }
    };
    let effective = Effective::default();
    let mut loader = Loader { environment, files, base, errors, warnings: Vec::new(), effective };
    let config = loader.config(&root);
    ConfigErrors::check(loader.errors)?;
    let (effective, warnings) = (loader.effective, loader.warnings);
    Ok(Loaded { config, effective, warnings, files: files.read.take() })
}

/// The file's folder and content; nothing at all if no file is named and the default one is absent.
fn root(
    path: Option<&Path>,
    environment: &Environment,
    files: &dyn Files,
    errors: &mut Vec<ConfigError>,
) -> Result<(PathBuf, Group), ConfigError> {
    let (path, place, named) = match (path, environment.value(CONFIG_VARIABLE)) {
        (Some(path), _) => (path.to_owned(), Place::CommandLine, true),
        (None, Some(path)) => (path.into(), Place::Environment(CONFIG_VARIABLE.to_owned()), true),
        (None, None) => {
            let path = Path::new(CONFIG_FILE_DEFAULT);
            (path.to_owned(), Place::in_file(path, "", None), false)
        }
    };
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    match read(files, &path) {
        Ok((text, _)) => Ok((base, document::parse(&path, &text, errors)?)),
        Err(Problem::Unreadable { source, .. }) if !named && source.kind() == ErrorKind::NotFound => {
            Ok((base, Group::absent(Section::Root)))
        }
        Err(Problem::Unreadable { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Err(ConfigError { key: None, place, problem: Problem::NoConfigFile { file: path } })
        }
        Err(problem) => Err(ConfigError { key: None, place, problem }),
    }
}

/// A file's text and its permission bits.
pub(super) fn read(files: &dyn Files, path: &Path) -> Result<(String, Option<u32>), Problem> {
    let file = || path.to_owned();
    let content = files.read(path).map_err(|source| Problem::Unreadable { file: file(), source })?;
    let text = String::from_utf8(content.bytes).map_err(|_| Problem::NotUtf8 { file: file() })?;
    Ok((text, content.mode))
}

/// The error was added to the list.
pub(super) struct Reported;

/// What loading collects on its way.
pub(super) struct Loader<'a> {
    pub environment: &'a Environment,
    pub files: &'a dyn Files,
    /// Where relative paths start.
    pub base: PathBuf,
    errors: Vec<ConfigError>,
    pub warnings: Vec<Warning>,
    pub effective: Effective,
}

impl Loader<'_> {
    fn config(&mut self, root: &Group) -> Config {
        let mut config = Config::blank();
        for section in Section::ALL.into_iter().filter(|section| section.times() == Times::Once) {
            let absent = Group::absent(section);
            let group = root.groups.iter().find(|group| group.section == section).unwrap_or(&absent);
            self.effective.open(section);
            for key in section.keys() {
                match key.kind {
                    // Read together with the secret that it holds.
                    Kind::File => {}
                    Kind::Secret { file, .. } => self.secret_setting(&mut config, group, key, file),
                    _ => self.setting(&mut config, group, key),
                }
            }
        }
        self.check_connections(&config, root);
        config.endpoints = self.endpoints(root, &config.delivery);
        config.effects = self.effects(root);
        config.alerts = self.alerts(root, config.delivery.unencrypted);
        config.merchants = self.merchants(root);
        config
    }

    /// What is asked for beyond a server's connections would silently not be had.
    fn check_connections(&mut self, config: &Config, root: &Group) {
        let StoreSettings { connections_max: connections, transactions_max: transactions, .. } = config.store;
        let Some(transactions_max) = config.store.transactions_possible() else { return };
        // One that was refused is not there.
        if connections == 0 || transactions <= transactions_max {
            return;
        }
        let place = self.place_of(root, Section::Store, "transactions_max");
        let problem = Problem::TooFewConnections { transactions, connections, transactions_max };
        let group = Group::absent(Section::Store);
        self.report(group.error("transactions_max", place, problem));
    }

    /// Where the value of a key that stands once was found.
    fn place_of(&self, root: &Group, section: Section, name: &str) -> Place {
        let absent = Group::absent(section);
        let group = root.groups.iter().find(|group| group.section == section).unwrap_or(&absent);
        let key = section.keys().find(|key| key.name == name);
        key.and_then(|key| self.given(group, key)).map_or(Place::Unset, |given| given.place)
    }

    /// A secret that stands once: keys of the API, or the password of a URL that stands before it.
    fn secret_setting(&mut self, config: &mut Config, group: &Group, key: &'static Key, file: &'static Key) {
        if key.section == Section::Api {
            config.api.keys = self.api_keys(group).unwrap_or_default();
            return;
        }
        let Ok(Some(secret)) = self.secret(group, key, file, None) else { return };
        if key.section == Section::Delivery {
            match SealingKeys::parse(&secret.text) {
                Ok(keys) => config.delivery.sealing_keys = Some(Arc::new(keys)),
                Err(source) => {
                    self.report(group.error(secret.name, secret.place, Problem::SealingKeys { source }));
                }
            }
            return;
        }
        let problem = match (key.section, &mut config.store.url, &mut config.cache.redis_url) {
            (Section::Store, StoreUrl::Postgres(url) | StoreUrl::MySql(url), _)
            | (Section::Cache, _, Some(url)) => {
                *url = url.with_password(&secret.text);
                return;
            }
            _ => Problem::PasswordWithoutServer,
        };
        self.report(group.error(secret.name, secret.place, problem));
    }

    fn setting(&mut self, config: &mut Config, group: &Group, key: &'static Key) {
        let default = || {
            let raw = Raw::from_text(key, key.default()?);
            Some(Given { name: key.name, raw, place: Place::Unset })
        };
        let Some(given) = self.given(group, key).or_else(default) else { return };
        let hidden = key.kind.is_url().then(|| given.raw.without_password()).flatten();
        if hidden.is_some() && !matches!(given.place, Place::Environment(_)) {
            let problem = Problem::InlineSecret { file_key: "password_file", variable: key.variable(None) };
            self.report(group.error(key.name, given.place, problem));
            return;
        }
        match key.kind.set(config, &given.raw, &self.base) {
            Ok(()) => self.effective.line(key, hidden.as_ref().unwrap_or(&given.raw), &given.place),
            Err(problem) => {
                self.report(group.error(key.name, given.place, problem));
            }
        }
    }

    /// The text of a key that stands for itself, if it is there.
    pub(super) fn text(
        &mut self,
        group: &Group,
        key: &'static Key,
    ) -> Result<Option<(String, Place)>, Reported> {
        let Some(given) = self.given(group, key) else { return Ok(None) };
        match key.kind.text(&given.raw) {
            Ok(text) => {
                self.effective.line(key, &given.raw, &given.place);
                Ok(Some((text, given.place)))
            }
            Err(problem) => Err(self.report(group.error(key.name, given.place, problem))),
        }
    }

    pub(super) fn report(&mut self, error: ConfigError) -> Reported {
        self.errors.push(error);
        Reported
    }

    /// What the environment says, else the file.
    pub(super) fn given(&self, group: &Group, key: &'static Key) -> Option<Given> {
        let from_environment = key.variable(None).and_then(|variable| {
            let raw = Raw::from_text(key, self.environment.value(&variable)?);
            Some(Given { name: key.name, raw, place: Place::Environment(variable) })
        });
        from_environment.or_else(|| group.given.iter().find(|given| given.name == key.name).cloned())
    }
}
