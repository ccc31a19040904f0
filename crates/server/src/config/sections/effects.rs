//! `[[effects]]`: what happens in the merchant's own tables, parsed and with its parameters known.
//!
//! Deliberately absent: whether the database could execute it, which is asked at the start.

use std::collections::BTreeMap;

use payonce_core::{
    delivery::{Filter, FilterError},
    effect::{Rows, SqlEffect, Statement, Step},
};

use crate::config::{
    document::{Given, Group},
    error::Problem,
    load::{Loader, Reported},
    place::Place,
    settings::EffectSettings,
    table::{EFFECT_NAME, EFFECT_ON, EFFECT_ROWS, EFFECT_SQL, Key, Raw, Section, nearest_parameter},
};

const NAME_CHARS_MAX: usize = 64;

impl Loader<'_> {
    /// All that are without error; errors are reported.
    pub(in crate::config) fn effects(&mut self, root: &Group) -> Vec<EffectSettings> {
        let mut places = BTreeMap::new();
        let mut effects = Vec::new();
        for group in root.groups.iter().filter(|group| group.section == Section::Effects) {
            self.effective.open(Section::Effects);
            let name = self.effect_name(group, &mut places);
            let on = self.message_kinds(group, &EFFECT_ON).and_then(|on| {
                on.ok_or_else(|| self.missing(group, EFFECT_ON.name, &EFFECT_ON.kind.expected()))
            });
            let steps = self.steps(group);
            if let (Ok(name), Ok(on), Ok(steps)) = (name, on, steps) {
                effects.push(EffectSettings { on, effect: SqlEffect::new(name, steps) });
            }
        }
        effects
    }

    fn effect_name(
        &mut self,
        group: &Group,
        places: &mut BTreeMap<String, Place>,
    ) -> Result<String, Reported> {
        let (name, place) = self.required(group, &EFFECT_NAME)?;
        let fits = (1..=NAME_CHARS_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let problem = match places.get(&name) {
            _ if !fits => EFFECT_NAME.kind.mismatch(&Raw::Text(name)),
            Some(first) => Problem::Duplicate { value: name, first: Box::new(first.clone()) },
            None => {
                places.insert(name.clone(), place);
                return Ok(name);
            }
        };
        Err(self.report(group.error(EFFECT_NAME.name, place, problem)))
    }

    /// Which messages a key chooses, if it is there.
    pub(super) fn message_kinds(
        &mut self,
        group: &Group,
        key: &'static Key,
    ) -> Result<Option<Filter>, Reported> {
        let Some(Given { raw, place, .. }) = self.given(group, key) else { return Ok(None) };
        let pattern = |raw: &Raw| match raw {
            Raw::Text(text) => Some(text.clone()),
            _ => None,
        };
        let patterns: Option<Vec<_>> = match &raw {
            Raw::List(values) => values.iter().map(pattern).collect(),
            _ => None,
        };
        let problem = match patterns.map(|patterns| Filter::parse_written(&patterns)) {
            Some(Ok(filter)) => {
                self.effective.line(key, &raw, &place);
                return Ok(Some(filter));
            }
            Some(Err(error)) if error != FilterError::Empty => Problem::Kinds(error),
            Some(Err(_)) | None => key.kind.mismatch(&raw),
        };
        Err(self.report(group.error(key.name, place, problem)))
    }

    fn steps(&mut self, effect: &Group) -> Result<Vec<Step>, Reported> {
        if effect.groups.is_empty() {
            let expected = format!("at least one {}", Section::EffectStatements.header());
            return Err(self.missing(effect, Section::EffectStatements.name(), &expected));
        }
        let steps: Vec<_> = effect.groups.iter().map(|group| self.step(group)).collect();
        steps.into_iter().collect()
    }

    fn step(&mut self, group: &Group) -> Result<Step, Reported> {
        self.effective.open(Section::EffectStatements);
        let sql = self.required(group, &EFFECT_SQL);
        let rows = self.rows(group);
        let (sql, place) = sql?;
        let problem = match Statement::parse(&sql) {
            Err(error) => Problem::Statement(error),
            Ok(statement) => {
                let whole = format!("{place}: {}", group.path_of(EFFECT_SQL.name));
                match Step::new(whole, statement, *rows.as_ref().unwrap_or(&Rows::any())) {
                    Ok(step) => return rows.map(|_| step),
                    Err(unknown) => Problem::UnknownParameter {
                        nearest: nearest_parameter(&unknown.name),
                        name: unknown.name,
                    },
                }
            }
        };
        Err(self.report(group.error(EFFECT_SQL.name, place, problem)))
    }

    /// How many rows; exactly one if it does not say.
    fn rows(&mut self, group: &Group) -> Result<Rows, Reported> {
        let default = || Given {
            name: EFFECT_ROWS.name,
            raw: Raw::Text(EFFECT_ROWS.default().unwrap_or_default().to_owned()),
            place: Place::Unset,
        };
        let Given { raw, place, .. } = self.given(group, &EFFECT_ROWS).unwrap_or_else(default);
        let rows = match &raw {
            Raw::Text(text) => text.parse().ok(),
            Raw::Integer(number) => u64::try_from(*number).ok().map(Rows::exactly),
            _ => None,
        };
        if rows.is_some() {
            self.effective.line(&EFFECT_ROWS, &raw, &place);
        }
        rows.ok_or_else(|| {
            let problem = EFFECT_ROWS.kind.mismatch(&raw);
            self.report(group.error(EFFECT_ROWS.name, place, problem))
        })
    }
}
