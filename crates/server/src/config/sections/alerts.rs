//! `[[alerts]]`: to whom alerts go, in which form, how often.
//!
//! Deliberately absent: whether anybody is there, which a test alert shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use payonce_core::delivery::{EndpointUrl, Scheme};
use payonce_dispatch::SigningKey;

use crate::{
    alerts::{AlertKind, ChannelSettings, Language, Robot, RobotSecret},
    config::{
        document::{Given, Group},
        environment::ALERT_PREFIX,
        error::{Problem, Warning},
        load::{Loader, Reported},
        place::Place,
        secret::Secret,
        table::{
            ALERT_GROUP, ALERT_KIND, ALERT_LANGUAGE, ALERT_NAME, ALERT_ONLY, ALERT_RATE, ALERT_SECRET,
            ALERT_SECRET_FILE, ALERT_URL, ALERT_URL_FILE, Key, Raw, Section,
        },
    },
};

const NAME_CHARS_MAX: usize = 64;

/// Messages that a robot takes in a minute, and the word that it is called by.
const LIMITS: [(&str, u32); 3] = [("wecom", 20), ("dingtalk", 20), ("feishu", 100)];

/// Whether a channel can be called so.
pub(in crate::config) fn is_channel_name(name: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Loader<'_> {
    /// All that are without error; errors are reported.
    pub(in crate::config) fn alerts(&mut self, root: &Group, unencrypted: bool) -> Vec<ChannelSettings> {
        let (mut places, mut variables) = (BTreeMap::new(), BTreeSet::new());
        let mut channels = Vec::new();
        for group in root.groups.iter().filter(|group| group.section == Section::Alerts) {
            self.effective.open(Section::Alerts);
            let name = self.channel_name(group, &mut places);
            let text = name.as_ref().ok().map(String::as_str);
            let kind = self.required(group, &ALERT_KIND).map(|(kind, _)| kind);
            variables.extend(ALERT_URL.variable(text));
            let url = self.channel_url(group, text, unencrypted);
            variables.extend(ALERT_SECRET.variable(text));
            let secret = self.secret(group, &ALERT_SECRET, &ALERT_SECRET_FILE, text);
            let robot = match (&kind, secret) {
                (Ok(kind), Ok(secret)) => self.robot(group, kind, secret),
                _ => Err(Reported),
            };
            let language = self.text(group, &ALERT_LANGUAGE).map(|given| match given {
                Some((word, _)) if word == "en" => Language::English,
                _ => Language::Chinese,
            });
            let only = self.alert_kinds(group);
            let per_minute = self.rate(group, kind.as_deref().unwrap_or_default());
            let group_seconds = self.count(group, &ALERT_GROUP);
            if let (Ok(name), Ok(robot), Ok(url), Ok(language), Ok(only), Ok(per_minute), Ok(seconds)) =
                (name, robot, url, language, only, per_minute, group_seconds)
            {
                let group = Duration::from_secs(seconds.into());
                channels.push(ChannelSettings { name, robot, url, language, only, per_minute, group });
            }
        }
        let strangers = self.environment.of(ALERT_PREFIX).filter(|name| !variables.contains(*name));
        self.warnings.extend(strangers.map(|name| Warning::NoSuchChannel { name: name.to_owned() }));
        channels
    }

    /// `places` has where the names stand, by how their variables call them.
    fn channel_name(
        &mut self,
        group: &Group,
        places: &mut BTreeMap<String, Place>,
    ) -> Result<String, Reported> {
        let (name, place) = self.required(group, &ALERT_NAME)?;
        let stem = ALERT_URL.variable(Some(&name)).unwrap_or_default();
        let problem = match places.get(&stem) {
            _ if !is_channel_name(&name) => ALERT_NAME.kind.mismatch(&Raw::Text(name)),
            Some(first) => Problem::Duplicate { value: name, first: Box::new(first.clone()) },
            None => {
                places.insert(stem, place);
                return Ok(name);
            }
        };
        Err(self.report(group.error(ALERT_NAME.name, place, problem)))
    }

    fn channel_url(
        &mut self,
        group: &Group,
        name: Option<&str>,
        unencrypted: bool,
    ) -> Result<EndpointUrl, Reported> {
        let Some(secret) = self.secret(group, &ALERT_URL, &ALERT_URL_FILE, name)? else {
            let variable = ALERT_URL.variable(Some(name.unwrap_or("<NAME>"))).unwrap_or_default();
            let expected = format!("the path of a file, or the environment variable {variable}");
            return Err(self.missing(group, ALERT_URL_FILE.name, &expected));
        };
        // No error repeats the URL.
        let found = match EndpointUrl::parse(&secret.text) {
            Ok(url) if url.scheme() == Scheme::Https || (unencrypted && url.scheme() == Scheme::Http) => {
                return Ok(url);
            }
            Ok(_) => "one that is not encrypted, or a broker's".to_owned(),
            Err(error) => format!("none: {error}"),
        };
        let expected = "an https:// URL, or http:// with delivery.unencrypted = \"allow\"".to_owned();
        Err(self.report(group.error(secret.name, secret.place, Problem::Value { expected, found })))
    }

    fn robot(&mut self, group: &Group, kind: &str, secret: Option<Secret>) -> Result<Robot, Reported> {
        let robots = |secret: Option<Secret>| secret.map(|secret| RobotSecret::new(secret.text));
        match (kind, secret) {
            (_, Some(secret)) if secret.text.is_empty() => {
                let problem = Problem::Missing { expected: ALERT_SECRET.kind.expected() };
                Err(self.report(group.error(secret.name, secret.place, problem)))
            }
            ("wecom", None) => Ok(Robot::Wecom),
            ("wecom", Some(secret)) => {
                let expected = "no secret: robots of WeCom have none".to_owned();
                let problem = Problem::Value { expected, found: "one".to_owned() };
                Err(self.report(group.error(secret.name, secret.place, problem)))
            }
            ("dingtalk", secret) => Ok(Robot::Dingtalk { secret: robots(secret) }),
            ("feishu", secret) => Ok(Robot::Feishu { secret: robots(secret) }),
            (_, None) => Ok(Robot::Webhook { key: None }),
            (_, Some(secret)) => match SigningKey::parse(&secret.text) {
                Ok(key) => Ok(Robot::Webhook { key: Some(key) }),
                Err(error) => {
                    let expected = "whsec_… or whsk_…".to_owned();
                    let problem = Problem::Value { expected, found: format!("none: {error}") };
                    Err(self.report(group.error(secret.name, secret.place, problem)))
                }
            },
        }
    }

    /// Which alerts; all if it does not say.
    fn alert_kinds(&mut self, group: &Group) -> Result<BTreeSet<AlertKind>, Reported> {
        let Some(Given { raw, place, .. }) = self.given(group, &ALERT_ONLY) else {
            return Ok(AlertKind::CHOSEN.into());
        };
        let kind = |raw: &Raw| match raw {
            Raw::Text(text) => AlertKind::CHOSEN.into_iter().find(|kind| kind.as_str() == text),
            _ => None,
        };
        let kinds: Option<BTreeSet<_>> = match &raw {
            Raw::List(values) if !values.is_empty() => values.iter().map(kind).collect(),
            _ => None,
        };
        match kinds {
            Some(kinds) => {
                self.effective.line(&ALERT_ONLY, &raw, &place);
                Ok(kinds)
            }
            None => Err(self.report(group.error(ALERT_ONLY.name, place, ALERT_ONLY.kind.mismatch(&raw)))),
        }
    }

    /// No more than the robot takes.
    fn rate(&mut self, group: &Group, kind: &str) -> Result<u32, Reported> {
        let rate = self.count(group, &ALERT_RATE)?;
        let limit = LIMITS.into_iter().find(|(word, limit)| *word == kind && rate > *limit);
        let Some((_, limit)) = limit else { return Ok(rate) };
        let expected = format!("at most {limit}, which is all that such a robot takes");
        let place = self.given(group, &ALERT_RATE).map_or(Place::Unset, |given| given.place);
        let problem = Problem::Value { expected, found: rate.to_string() };
        Err(self.report(group.error(ALERT_RATE.name, place, problem)))
    }

    /// A number, or its default.
    fn count(&mut self, group: &Group, key: &'static Key) -> Result<u32, Reported> {
        let usual = || key.default().and_then(|text| text.parse().ok()).unwrap_or_default();
        Ok(self.number(group, key)?.unwrap_or_else(usual))
    }
}
