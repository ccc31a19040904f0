//! The TOML file as groups of values that the table knows, each with its place.
//!
//! Everything else in it (unknown keys, inline secrets, wrong shapes) becomes an error here.

use std::{ops::Range, path::Path};

use payonce_core::{MerchantId, delivery::EndpointName};
use toml_edit::{Document, Item, TableLike, Value};

use super::{
    error::{ConfigError, Problem},
    place::Place,
    sections::is_channel_name,
    table::{ALERT_NAME, ENDPOINT_NAME, Key, Kind, Raw, Section, Times, nearest_key, rows::MCHID},
};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub name: &'static str,
    pub raw: Raw,
    pub place: Place,
}

/// One table of the file.
#[derive(Debug)]
pub(super) struct Group {
    pub section: Section,
    /// Such as `merchants[0]`; empty for the root.
    pub path: String,
    pub place: Place,
    pub given: Vec<Given>,
    pub groups: Vec<Self>,
}

impl Group {
    /// A section that the file does not have.
    pub(super) fn absent(section: Section) -> Self {
        let path = section.path();
        Self { section, path, place: Place::Unset, given: Vec::new(), groups: Vec::new() }
    }

    /// The full name of something in it.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn error(&self, name: &str, place: Place, problem: Problem) -> ConfigError {
        ConfigError { key: Some(self.path_of(name)), place, problem }
    }
}

/// Parses the file. `Err` only if it is no TOML; what is wrong within it is added to `errors`.
pub(super) fn parse(path: &Path, text: &str, errors: &mut Vec<ConfigError>) -> Result<Group, ConfigError> {
    let document = Document::parse(text).map_err(|error| ConfigError {
        key: None,
        place: Place::in_file(path, text, error.span()),
        // Not the error's own Display: that quotes the line, which may hold a secret.
        problem: Problem::Syntax { message: error.message().to_owned() },
    })?;
    let place = Place::in_file(path, text, None);
    let mut root =
        Group { section: Section::Root, path: String::new(), place, given: Vec::new(), groups: Vec::new() };
    Reader { path, text, errors }.fill(&mut root, document.as_table());
    Ok(root)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    errors: &'a mut Vec<ConfigError>,
}

impl Reader<'_> {
    fn place(&self, span: Option<Range<usize>>) -> Place {
        Place::in_file(self.path, self.text, span)
    }

    fn fill(&mut self, group: &mut Group, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            let name_span = table.key(name).and_then(toml_edit::Key::span);
            let place = self.place(item.span().or_else(|| name_span.clone()));
            if let Some(child) = group.section.child(name) {
                self.children(group, child, item, &place);
            } else if let Some(key) = group.section.keys().find(|key| key.name == name) {
                self.value(group, key, table, item, place);
            } else {
                let problem = Problem::UnknownKey { nearest: nearest_key(group.section, name) };
                self.errors.push(group.error(name, self.place(name_span), problem));
            }
        }
    }

    fn value(
        &mut self,
        group: &mut Group,
        key: &'static Key,
        table: &dyn TableLike,
        item: &Item,
        place: Place,
    ) {
        if let Kind::Secret { file, .. } = &key.kind {
            let of = |name| table.get(name).and_then(Item::as_str);
            let variable = match group.section {
                Section::Merchants => of(MCHID.name)
                    .filter(|id| MerchantId::parse(id).is_ok())
                    .and_then(|id| key.variable(Some(id))),
                Section::Endpoints => of(ENDPOINT_NAME.name)
                    .and_then(|name| EndpointName::parse(name).ok())
                    .and_then(|name| key.variable(Some(name.as_str()))),
                Section::Alerts => of(ALERT_NAME.name)
                    .filter(|name| is_channel_name(name))
                    .and_then(|name| key.variable(Some(name))),
                _ => key.variable(None),
            };
            let problem = Problem::InlineSecret { file_key: file.name, variable };
            self.errors.push(group.error(key.name, place, problem));
            return;
        }
        let raw = match (item, &key.kind) {
            (
                Item::Value(Value::Array(values)),
                Kind::MerchantNumbers
                | Kind::Networks(_)
                | Kind::MessageKinds
                | Kind::Pauses
                | Kind::AlertKinds,
            ) => Raw::List(values.iter().map(raw).collect()),
            (Item::Value(value), _) => raw(value),
            (other, _) => Raw::Other(with_article(other.type_name())),
        };
        group.given.push(Given { name: key.name, raw, place });
    }

    fn children(&mut self, group: &mut Group, section: Section, item: &Item, place: &Place) {
        let path = group.path_of(section.name());
        match (section.times(), item) {
            (Times::Once, item) if let Some(table) = item.as_table_like() => {
                self.child(group, section, path, place.clone(), table);
            }
            (Times::Many, Item::ArrayOfTables(tables)) => {
                for (index, table) in tables.iter().enumerate() {
                    let place = self.place(table.span());
                    self.child(group, section, format!("{path}[{index}]"), place, table);
                }
            }
            (Times::Many, Item::Value(Value::Array(values))) => {
                for (index, value) in values.iter().enumerate() {
                    let (path, place) = (format!("{path}[{index}]"), self.place(value.span()));
                    match value.as_inline_table() {
                        Some(table) => self.child(group, section, path, place, table),
                        None => self.misshapen(path, place, "a table", value.type_name()),
                    }
                }
            }
            _ => self.misshapen(path, place.clone(), &section.header(), item.type_name()),
        }
    }

    fn child(
        &mut self,
        group: &mut Group,
        section: Section,
        path: String,
        place: Place,
        table: &dyn TableLike,
    ) {
        let mut child = Group { section, path, place, given: Vec::new(), groups: Vec::new() };
        self.fill(&mut child, table);
        group.groups.push(child);
    }

    fn misshapen(&mut self, path: String, place: Place, expected: &str, found: &str) {
        let problem = Problem::Value { expected: expected.to_owned(), found: with_article(found) };
        self.errors.push(ConfigError { key: Some(path), place, problem });
    }
}

fn raw(value: &Value) -> Raw {
    match value {
        Value::String(text) => Raw::Text(text.value().clone()),
        Value::Integer(number) => Raw::Integer(*number.value()),
        Value::Boolean(truth) => Raw::Boolean(*truth.value()),
        other => Raw::Other(with_article(other.type_name())),
    }
}

fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {type_name}")
}
