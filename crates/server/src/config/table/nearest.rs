//! What somebody may have meant who wrote a name that is not in the table.

use payonce_core::effect::Parameter;

use super::{KEYS, Key, Kind, Section};
use crate::config::environment::PREFIX;

/// Whether a key is overridden by this variable.
pub(in crate::config) fn is_variable(name: &str) -> bool {
    KEYS.into_iter().any(|key| key.variable(None).as_deref() == Some(name))
}

/// The variable nearest to one that does not exist; one without its section finds that with it.
pub(in crate::config) fn nearest_variable(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let overridable =
        || KEYS.into_iter().filter_map(|key| key.variable(None).map(|variable| (key, variable)));
    let by_full_name = overridable().map(|(_, variable)| (variable[PREFIX.len()..].to_owned(), variable));
    let by_bare_name = overridable().map(|(key, variable)| (key.name.to_uppercase(), variable));
    nearest(rest, by_full_name).or_else(|| nearest(rest, by_bare_name))
}

/// The key or section nearest to one that `section` does not have: first its own, then any other by full name.
pub(in crate::config) fn nearest_key(section: Section, name: &str) -> Option<String> {
    let own_keys = section.keys().map(|key| (key.name.to_owned(), writable(key).name.to_owned()));
    let own_sections = section.children().map(|child| (child.name().to_owned(), child.header()));
    let others = KEYS.into_iter().map(|key| (key.name.to_owned(), writable(key).path()));
    nearest(name, own_keys.chain(own_sections)).or_else(|| nearest(name, others))
}

/// The parameter of an effect's statement nearest to a name that is none.
pub(in crate::config) fn nearest_parameter(name: &str) -> Option<&'static str> {
    let known = Parameter::ALL.into_iter().map(Parameter::name);
    let found = nearest(name, known.map(|known| (known.to_owned(), known.to_owned())))?;
    Parameter::named(&found).map(Parameter::name)
}

/// A secret does not stand in the file: suggest the key that names its file.
fn writable(key: &'static Key) -> &'static Key {
    match key.kind {
        Kind::Secret { file, .. } => file,
        _ => key,
    }
}

/// The first of the candidates (name, what to suggest) with the fewest typing errors, if these are few.
fn nearest(name: &str, candidates: impl Iterator<Item = (String, String)>) -> Option<String> {
    // A third of the letters wrong is still a typing error; more is another word.
    let errors_max = (name.chars().count() / 3).max(1);
    candidates
        .map(|(candidate, suggestion)| (strsim::damerau_levenshtein(name, &candidate), suggestion))
        .filter(|(errors, _)| *errors <= errors_max)
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, suggestion)| suggestion)
}
