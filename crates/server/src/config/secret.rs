//! Secrets: from the environment, else from a file of their own; never from the configuration file.

use std::{io::ErrorKind, path::PathBuf};

use super::{
    document::Group,
    error::{Problem, Warning},
    load::{Loader, Reported, read},
    place::Place,
    settings::ApiKey,
    table::{Key, rows},
};

/// 32 hexadecimal digits, the poorest alphabet in use, are 128 bits.
const API_KEY_CHARS_MIN: usize = 32;

/// No secret is shorter: APIv3 keys have 32 characters, API keys at least [`API_KEY_CHARS_MIN`].
const SECRET_CHARS_MIN: usize = 32;

/// Permission bits of everybody but the owner.
const OTHERS_MASK: u32 = 0o077;

/// A secret and where it came from.
pub(super) struct Secret {
    pub text: String,
    /// `None`: it came from the environment.
    pub file: Option<PathBuf>,
    /// The key that gave it.
    pub name: &'static str,
    pub place: Place,
}

impl Loader<'_> {
    /// The keys of `[api]`; none if none are configured.
    pub(super) fn api_keys(&mut self, group: &Group) -> Result<Vec<ApiKey>, Reported> {
        let Some(secret) = self.secret(group, &rows::API_KEY, &rows::API_KEY_FILE, None)? else {
            return Ok(Vec::new());
        };
        let keys: Vec<_> = secret.text.split_whitespace().map(|key| ApiKey(key.to_owned())).collect();
        let problem = match keys.iter().map(|key| key.expose().chars().count()).min() {
            None => Problem::Missing { expected: rows::API_KEY.kind.expected() },
            Some(chars) if chars < API_KEY_CHARS_MIN => {
                Problem::ApiKeyTooShort { chars, chars_min: API_KEY_CHARS_MIN }
            }
            Some(_) if keys.iter().any(|key| !key.expose().chars().all(|c| c.is_ascii_graphic())) => {
                Problem::ApiKeyCharacters
            }
            Some(_) => return Ok(keys),
        };
        Err(self.report(group.error(secret.name, secret.place, problem)))
    }

    /// The secret `key`: from its variable, else from the file that `file_key` names; `of` is whose, as
    /// [`Key::variable`] has it.
    pub(super) fn secret(
        &mut self,
        group: &Group,
        key: &'static Key,
        file_key: &'static Key,
        of: Option<&str>,
    ) -> Result<Option<Secret>, Reported> {
        let named = self.text(group, file_key);
        if let Some(variable) = key.variable(of)
            && let Some(text) = self.environment.value(&variable)
        {
            let place = Place::Environment(variable);
            self.effective.redacted(key, &place.origin());
            return Ok(Some(Secret { text: text.to_owned(), file: None, name: key.name, place }));
        }
        let Some((named, place)) = named? else { return Ok(None) };
        let file = self.base.join(&named);
        match read(self.files, &file) {
            Ok((text, mode)) => {
                self.effective.redacted(key, &format!("file {}", file.display()));
                if let Some(mode) = mode.filter(|mode| mode & OTHERS_MASK != 0) {
                    let (key, place, file) = (group.path_of(file_key.name), place.clone(), file.clone());
                    self.warnings.push(Warning::ReadableByOthers { key, place, file, mode });
                }
                let text = text.trim_end_matches(['\r', '\n']).to_owned();
                Ok(Some(Secret { text, file: Some(file), name: file_key.name, place }))
            }
            Err(Problem::Unreadable { source, .. })
                if source.kind() == ErrorKind::NotFound && may_be_secret(&named) =>
            {
                Err(self.report(group.error(file_key.name, place, Problem::ContentInsteadOfPath)))
            }
            Err(problem) => Err(self.report(group.error(file_key.name, place, problem))),
        }
    }
}

/// Whether a path that leads nowhere may be the secret itself, which no error may repeat.
fn may_be_secret(path: &str) -> bool {
    path.contains("://") || path.chars().count() >= SECRET_CHARS_MIN && !path.contains(['/', '\\', '.'])
}
