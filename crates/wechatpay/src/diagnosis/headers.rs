//! What happens to signature headers on their way, and how to undo it.
//!
//! Invariant: a [`Reading`] is what [`crate::Callback::parse`] would take; blanks, quotes and doubles never are part of
//! what WeChat Pay sent, so that they go first and always.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::body::percent_decode;
use crate::headers::{ALL, NONCE, SIGNATURE, TIMESTAMP};

/// What was done to the headers that WeChat Pay sent. `header` is one of [`crate::headers::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderChange {
    /// Its name was written as a variable's: `HTTP_WECHATPAY_NONCE`.
    Renamed {
        /// Which.
        header: &'static str,
    },
    /// It came twice, or twice in one value.
    Repeated {
        /// Which.
        header: &'static str,
    },
    /// Blanks or quotes were added around its value.
    Blanks {
        /// Which.
        header: &'static str,
    },
    /// Its value was folded: blanks or line ends came into it.
    Folded {
        /// Which.
        header: &'static str,
    },
    /// It was decoded as a form: `+` became a blank.
    FormDecoded {
        /// Which.
        header: &'static str,
    },
    /// It was percent-encoded.
    PercentEncoded {
        /// Which.
        header: &'static str,
    },
    /// Its letters became capitals, or small ones.
    LetterCase {
        /// Which.
        header: &'static str,
    },
    /// The signature was written in the alphabet for URLs, or without its padding.
    Base64Url,
    /// Timestamp and nonce stand in each other's place.
    Swapped,
    /// The timestamp counts milliseconds.
    Milliseconds,
}

impl HeaderChange {
    /// A stable name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Renamed { .. } => "header_renamed",
            Self::Repeated { .. } => "header_repeated",
            Self::Blanks { .. } => "header_blanks",
            Self::Folded { .. } => "header_folded",
            Self::FormDecoded { .. } => "header_form_decoded",
            Self::PercentEncoded { .. } => "header_percent_encoded",
            Self::LetterCase { .. } => "header_letter_case",
            Self::Base64Url => "signature_base64url",
            Self::Swapped => "timestamp_nonce_swapped",
            Self::Milliseconds => "timestamp_milliseconds",
        }
    }
}

impl fmt::Display for HeaderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renamed { header } => write!(f, "the header {header} came under the name of a variable"),
            Self::Repeated { header } => write!(f, "the header {header} was doubled"),
            Self::Blanks { header } => write!(f, "blanks or quotes were put around the header {header}"),
            Self::Folded { header } => {
                write!(f, "the header {header} was folded: blanks came into its value")
            }
            Self::FormDecoded { header } => {
                write!(f, "the header {header} was decoded as a form, which makes a blank of `+`")
            }
            Self::PercentEncoded { header } => write!(f, "the header {header} was percent-encoded"),
            Self::LetterCase { header } => write!(f, "the letters of the header {header} changed their case"),
            Self::Base64Url => {
                write!(f, "the header {SIGNATURE} was written as base64 for URLs, or without its padding")
            }
            Self::Swapped => write!(f, "the headers {TIMESTAMP} and {NONCE} stand in each other's place"),
            Self::Milliseconds => write!(f, "the header {TIMESTAMP} counts milliseconds instead of seconds"),
        }
    }
}

/// The headers as they came, leniently: at most one value each, cleaned.
#[derive(Clone, Debug, Default)]
pub(super) struct Cleaned {
    /// In the order of [`ALL`]; `None` if missing or empty.
    pub(super) values: [Option<String>; 5],
    changes: Vec<HeaderChange>,
}

/// One way to understand them.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) timestamp: String,
    pub(super) nonce: String,
    pub(super) signature: String,
    pub(super) changes: Vec<HeaderChange>,
}

impl Cleaned {
    pub(super) fn of(headers: &[(&str, &[u8])]) -> Self {
        let mut cleaned = Self::default();
        for (name, value) in headers {
            let Some((at, renamed)) = place(name) else { continue };
            let header = ALL[at];
            if cleaned.values[at].is_some() {
                cleaned.note(HeaderChange::Repeated { header });
                continue;
            }
            if renamed {
                cleaned.note(HeaderChange::Renamed { header });
            }
            let text = String::from_utf8_lossy(value);
            let mut clean = text.trim_matches(is_around);
            if clean.len() != text.len() {
                cleaned.note(HeaderChange::Blanks { header });
            }
            // None of the five has a comma: it joins the values of a header that came twice.
            if let Some((first, _)) = clean.split_once(',') {
                cleaned.note(HeaderChange::Repeated { header });
                clean = first.trim_matches(is_around);
            }
            cleaned.values[at] = Some(clean.to_owned()).filter(|text| !text.is_empty());
        }
        cleaned
    }

    fn note(&mut self, change: HeaderChange) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    pub(super) fn serial(&self) -> Option<&str> {
        self.values[3].as_deref()
    }

    pub(super) fn signature(&self) -> Option<&str> {
        self.values[2].as_deref()
    }

    pub(super) fn signature_type(&self) -> Option<&str> {
        self.values[4].as_deref()
    }

    /// The ways to understand them, fewest changes first. None without timestamp, nonce and a signature in base64.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let [Some(timestamp), Some(nonce), Some(signature), ..] = &self.values else { return Vec::new() };
        let signatures = signatures(signature);
        let mut readings = Vec::new();
        for (timestamp, nonce, swapped) in [(timestamp, nonce, false), (nonce, timestamp, true)] {
            for (timestamp, timestamp_change) in timestamps(timestamp) {
                for (nonce, nonce_change) in nonces(nonce) {
                    for (signature, signature_change) in &signatures {
                        let swap = swapped.then_some(HeaderChange::Swapped);
                        let changes = [swap, timestamp_change, nonce_change, *signature_change];
                        let changes = self.changes.iter().copied().chain(changes.into_iter().flatten());
                        readings.push(Reading {
                            timestamp: timestamp.clone(),
                            nonce: nonce.clone(),
                            signature: signature.clone(),
                            changes: changes.collect(),
                        });
                    }
                }
            }
        }
        readings.sort_by_key(|reading| reading.changes.len());
        readings
    }
}

/// Which of [`ALL`] a name is, and whether it is written as a variable's.
fn place(name: &str) -> Option<(usize, bool)> {
    let exactly = |name: &str| ALL.iter().position(|known| known.eq_ignore_ascii_case(name));
    if let Some(at) = exactly(name.trim()) {
        return Some((at, name != name.trim()));
    }
    let name = name.trim().to_ascii_lowercase().replace('_', "-");
    exactly(name.strip_prefix("http-").unwrap_or(&name)).map(|at| (at, true))
}

fn is_around(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '\u{feff}')
}

type Variant = (String, Option<HeaderChange>);

/// Milliseconds have 13 digits until the year 2286.
fn timestamps(text: &str) -> Vec<Variant> {
    let mut variants = vec![(text.to_owned(), None)];
    if text.len() == 13
        && let Some(seconds) = text.get(..10)
    {
        variants.push((seconds.to_owned(), Some(HeaderChange::Milliseconds)));
    }
    let is_number =
        |text: &str| text.parse::<i64>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit());
    variants.retain(|(text, _)| is_number(text));
    variants
}

fn nonces(text: &str) -> Vec<Variant> {
    let header = NONCE;
    let mut variants = vec![(text.to_owned(), None)];
    let mut add = |variant: String, change: HeaderChange| {
        if variants.iter().all(|(known, _)| *known != variant) {
            variants.push((variant, Some(change)));
        }
    };
    add(text.replace(' ', "+"), HeaderChange::FormDecoded { header });
    add(text.split_whitespace().collect(), HeaderChange::Folded { header });
    if let Some(decoded) = percent_decode(text.as_bytes()) {
        add(String::from_utf8_lossy(&decoded).into_owned(), HeaderChange::PercentEncoded { header });
    }
    add(text.to_ascii_uppercase(), HeaderChange::LetterCase { header });
    add(text.to_ascii_lowercase(), HeaderChange::LetterCase { header });
    variants.retain(|(text, _)| text.bytes().all(|byte| byte.is_ascii_graphic()));
    variants
}

/// Those that are canonical base64, as a signature must be.
fn signatures(text: &str) -> Vec<Variant> {
    let header = SIGNATURE;
    let mut variants = vec![(text.to_owned(), None)];
    let decoded = percent_decode(text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    variants.extend(decoded.map(|text| (text, Some(HeaderChange::PercentEncoded { header }))));
    let url = text.replace('-', "+").replace('_', "/");
    let padded = match url.trim_end_matches('=') {
        bare if bare.len() % 4 > 1 => format!("{bare}{}", "=".repeat(4 - bare.len() % 4)),
        bare => bare.to_owned(),
    };
    variants.push((padded, Some(HeaderChange::Base64Url)));
    variants.push((text.replace(' ', "+"), Some(HeaderChange::FormDecoded { header })));
    variants.push((text.split_whitespace().collect(), Some(HeaderChange::Folded { header })));
    let mut kept: Vec<Variant> = Vec::new();
    for (text, change) in variants {
        if STANDARD.decode(&text).is_ok() && kept.iter().all(|(known, _)| *known != text) {
            kept.push((text, change));
        }
    }
    kept
}
