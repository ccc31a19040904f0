//! Chinese or English: as the link says, or the cookie that it left, or the browser.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    Chinese,
    English,
}

/// The language that somebody asked for, and whether it is to be remembered.
pub(super) struct Asked {
    pub(super) lang: Lang,
    pub(super) is_chosen: bool,
}

/// The cookie that remembers it.
pub(super) const COOKIE: &str = "payonce-lang";

impl Lang {
    /// The words in this language.
    pub(super) fn say<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// As HTML, cookies and links name it.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    fn of_tag(tag: &str) -> Option<Self> {
        match tag.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The first that we speak; browsers name the one they like best first.
    fn accepted(list: &str) -> Option<Self> {
        list.split(',').find_map(Self::of_tag)
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri).ok();
        let chosen = query.and_then(|Query(query)| Lang::of_tag(query.get("lang")?));
        let cookie = || {
            let cookies = text(&parts.headers, header::COOKIE)?.split(';');
            let pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
            pairs.filter(|(name, _)| *name == COOKIE).find_map(|(_, tag)| Lang::of_tag(tag))
        };
        let browser = || Lang::accepted(text(&parts.headers, header::ACCEPT_LANGUAGE)?);
        let lang = chosen.or_else(cookie).or_else(browser).unwrap_or(Lang::English);
        Ok(Self { lang, is_chosen: chosen.is_some() })
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_we_speak_is_taken() {
        for (list, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Chinese)),
            ("en-GB,en;q=0.9,zh;q=0.1", Some(Lang::English)),
            ("de-DE, zh-TW;q=0.5", Some(Lang::Chinese)),
            ("fr", None),
            ("", None),
            ("x", None),
            ("é", None),
        ] {
            assert_eq!(Lang::accepted(list), lang, "{list}");
        }
    }
}
