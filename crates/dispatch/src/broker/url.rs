//! What stands behind the host in a broker's URL.
//!
//! Invariant: what is not understood is refused, so that a parameter that is misspelt does not send messages elsewhere.

use percent_encoding::percent_decode_str;

use crate::target::Target;

/// Why the part behind the host means nothing to a broker's client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// A path where none is expected, or another one.
    #[error("the URL's path is not understood; expected {expected}")]
    Path {
        /// What the path may be.
        expected: &'static str,
    },
    /// Percent-encoding that yields no text.
    #[error("{part} of the URL is no UTF-8 in percent-encoding")]
    Encoding {
        /// Where.
        part: String,
    },
    /// A parameter is not there.
    #[error("the URL lacks {expected}")]
    Missing {
        /// What it needs.
        expected: &'static str,
    },
    /// A parameter that is not known.
    #[error("the URL's parameter {name} is not known; expected {expected}")]
    Unknown {
        /// Its name.
        name: String,
        /// Those that are known.
        expected: &'static str,
    },
    /// A parameter is there twice.
    #[error("the URL's parameter {name} is there twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// A value that cannot be.
    #[error("the URL's {name} is not possible; expected {expected}")]
    Value {
        /// Of what.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
    },
}

/// The parts behind a host, each taken once.
#[derive(Debug)]
pub(super) struct Parts {
    /// Without the first `/`, decoded.
    path: String,
    parameters: Vec<(String, String)>,
}

impl Parts {
    pub(super) fn of(target: &Target) -> Result<Self, BrokerUrlError> {
        let path = target.path.strip_prefix('/').unwrap_or_default();
        // A slash is part of a name only in percent-encoding.
        if path.contains('/') {
            return Err(BrokerUrlError::Path {
                expected: "one segment at most, with %2F for a slash in a name",
            });
        }
        let mut parameters = Vec::<(String, String)>::new();
        let query = target.query.as_deref().unwrap_or_default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, "a parameter")?;
            if parameters.iter().any(|(earlier, _)| *earlier == name) {
                return Err(BrokerUrlError::Twice { name });
            }
            let value = decode(value, &name)?;
            parameters.push((name, value));
        }
        Ok(Self { path: decode(path, "the path")?, parameters })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The value of a parameter, if it is there. An empty one is as good as none.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.parameters.iter().position(|(found, _)| found == name)?;
        Some(self.parameters.swap_remove(at).1).filter(|value| !value.is_empty())
    }

    /// Sees that nothing is left.
    pub(super) fn end(self, expected: &'static str) -> Result<(), BrokerUrlError> {
        match self.parameters.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(BrokerUrlError::Unknown { name, expected }),
        }
    }
}

fn decode(text: &str, part: &str) -> Result<String, BrokerUrlError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| BrokerUrlError::Encoding { part: part.to_owned() })
}

#[cfg(test)]
pub(super) mod tests {
    use payonce_core::delivery::EndpointUrl;

    use super::*;

    pub(in super::super) fn target(url: &str) -> Target {
        Target::of(&EndpointUrl::parse(url).expect("an address")).expect("a target")
    }

    fn parts(behind: &str) -> Result<Parts, BrokerUrlError> {
        Parts::of(&target(&format!("amqp://h{behind}")))
    }

    #[test]
    fn each_part_is_decoded_and_taken_once() {
        let mut parts = parts("/a%2Fb?x=1&y=%E5%BA%97&z=&empty").expect("parts");
        assert_eq!(parts.path(), "a/b");
        assert_eq!((parts.take("x").as_deref(), parts.take("y").as_deref()), (Some("1"), Some("店")));
        assert_eq!((parts.take("x"), parts.take("z"), parts.take("empty")), (None, None, None));
        assert_eq!(parts.end("x, y"), Ok(()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let unknown = BrokerUrlError::Unknown { name: "exchnge".to_owned(), expected: "exchange" };
        assert_eq!(parts("/v?exchnge=x").expect("parts").end("exchange"), Err(unknown));
        for (behind, expected) in [
            (
                "/a/b",
                BrokerUrlError::Path { expected: "one segment at most, with %2F for a slash in a name" },
            ),
            ("/%ff", BrokerUrlError::Encoding { part: "the path".to_owned() }),
            ("?x=%ff", BrokerUrlError::Encoding { part: "x".to_owned() }),
            ("?x=1&x=2", BrokerUrlError::Twice { name: "x".to_owned() }),
        ] {
            assert_eq!(parts(behind).err(), Some(expected), "{behind}");
        }
    }
}
