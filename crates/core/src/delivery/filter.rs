//! Which messages an endpoint wants.
//!
//! Invariant: a filter that exists names something. Patterns are kinds of messages, or the beginning of some with `*` at
//! the end: `payment.succeeded`, `payment.*`, `*`.

use serde::{Deserialize, Serialize};

use crate::message::MessageKind;

/// How the kinds begin that WeChat Pay names.
const PASSED: &str = "wechat.";

/// Patterns of which one has to fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Filter(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Whole(String),
    Beginning(String),
}

/// Why a list is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nothing would ever be sent.
    #[error("the list of kinds is empty; write \"*\" for all messages, or disable the endpoint")]
    Empty,
    /// Too many for every message to be held against.
    #[error(
        "{found} patterns; at most {} are possible, and \"payment.*\" stands for many kinds",
        Filter::PATTERNS_MAX
    )]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// No kind of message looks like this.
    #[error(
        "{pattern:?} is no kind of message; expected one like \"payment.succeeded\", \"payment.*\" or \"*\""
    )]
    Pattern {
        /// What was written.
        pattern: String,
    },
    /// It looks like one, and none is called so.
    #[error("no message is of the kind {pattern:?}; there are {} and wechat.<event type>", own_kinds().join(", "))]
    Unknown {
        /// What was written.
        pattern: String,
    },
}

fn own_kinds() -> [String; 6] {
    MessageKind::OWN.map(|kind| kind.name())
}

impl Filter {
    /// How many patterns there may be.
    pub const PATTERNS_MAX: usize = 64;

    /// How long a pattern may be: longer than any kind.
    const BYTES_MAX: usize = 80;

    /// Checks each pattern.
    ///
    /// # Errors
    /// [`FilterError`] says what is wrong.
    pub fn parse(patterns: &[impl AsRef<str>]) -> Result<Self, FilterError> {
        if patterns.is_empty() {
            return Err(FilterError::Empty);
        }
        if patterns.len() > Self::PATTERNS_MAX {
            return Err(FilterError::TooMany { found: patterns.len() });
        }
        patterns.iter().map(|pattern| Pattern::parse(pattern.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// [`parse`](Self::parse), for what somebody has just written: each pattern fits a kind that there is. One that was kept
    /// may name a kind of another version.
    ///
    /// # Errors
    /// [`FilterError`] says what is wrong.
    pub fn parse_written(patterns: &[impl AsRef<str>]) -> Result<Self, FilterError> {
        let filter = Self::parse(patterns)?;
        let own = own_kinds();
        match filter.0.iter().position(|pattern| !pattern.may_fit(&own)) {
            Some(place) => Err(FilterError::Unknown { pattern: patterns[place].as_ref().to_owned() }),
            None => Ok(filter),
        }
    }

    /// Every message.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![Pattern::Beginning(String::new())])
    }

    /// Whether it wants messages of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Whole(whole) => kind == whole,
            Pattern::Beginning(beginning) => kind.starts_with(beginning),
        })
    }
}

impl Pattern {
    fn may_fit(&self, own: &[String]) -> bool {
        match self {
            Self::Whole(whole) => own.contains(whole) || whole.starts_with(PASSED),
            Self::Beginning(beginning) => {
                own.iter().any(|kind| kind.starts_with(beginning))
                    || beginning.starts_with(PASSED)
                    || PASSED.starts_with(beginning.as_str())
            }
        }
    }

    fn parse(pattern: &str) -> Result<Self, FilterError> {
        let (text, is_beginning) = match pattern.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (pattern, false),
        };
        let fits = pattern.len() <= Filter::BYTES_MAX
            && !pattern.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*');
        match (fits, is_beginning) {
            (true, true) => Ok(Self::Beginning(text.to_owned())),
            (true, false) => Ok(Self::Whole(text.to_owned())),
            (false, _) => Err(FilterError::Pattern { pattern: pattern.to_owned() }),
        }
    }
}

impl TryFrom<Vec<String>> for Filter {
    type Error = FilterError;

    fn try_from(patterns: Vec<String>) -> Result<Self, FilterError> {
        Self::parse(&patterns)
    }
}

impl From<Filter> for Vec<String> {
    fn from(filter: Filter) -> Self {
        let text = |pattern| match pattern {
            Pattern::Whole(whole) => whole,
            Pattern::Beginning(beginning) => format!("{beginning}*"),
        };
        filter.0.into_iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nobody would notice that nothing ever comes.
    #[test]
    fn what_somebody_writes_names_a_kind_that_there_is() {
        for fits in [
            "*",
            "p*",
            "payment.*",
            "payment.unmatched",
            "order.closed",
            "w*",
            "wechat.*",
            "wechat.REFUND.*",
            "wechat.REFUND.SUCCESS",
        ] {
            assert!(Filter::parse_written(&["order.closed", fits]).is_ok(), "{fits:?}");
        }
        for misspelt in [
            "payment.succeded",
            "payments.*",
            "payment",
            "refund.succeeded",
            "wechats.*",
            "Payment.*",
            "wechat",
        ] {
            let error = FilterError::Unknown { pattern: misspelt.to_owned() };
            assert_eq!(Filter::parse_written(&["order.closed", misspelt]), Err(error), "{misspelt:?}");
            assert!(Filter::parse(&[misspelt]).is_ok(), "one that was kept may be of another version");
        }
        let said = FilterError::Unknown { pattern: "paid".to_owned() }.to_string();
        assert!(
            said.contains("payment.succeeded, ") && said.ends_with("order.closed and wechat.<event type>"),
            "{said}"
        );
    }

    #[test]
    fn patterns_are_kinds_or_their_beginnings() {
        let filter = |patterns: &[&str]| Filter::parse(patterns).expect("a filter");
        for (patterns, kind, wants) in [
            (&["*"][..], "payment.succeeded", true),
            (&["payment.*"], "payment.succeeded", true),
            (&["payment.*"], "order.closed", false),
            (&["payment.*"], "payment", false),
            (&["payment.succeeded"], "payment.succeeded", true),
            (&["payment.succeeded"], "payment.succeeded2", false),
            (&["payment.s"], "payment.succeeded", false),
            (&["order.closed", "wechat.REFUND.*"], "wechat.REFUND.SUCCESS", true),
            (&["wechat.refund.*"], "wechat.REFUND.SUCCESS", false),
        ] {
            assert_eq!(filter(patterns).wants(kind), wants, "{patterns:?} {kind}");
        }
        assert_eq!(Filter::all(), filter(&["*"]));
    }

    #[test]
    fn what_could_never_fit_is_refused() {
        assert_eq!(Filter::parse(&[] as &[&str]), Err(FilterError::Empty));
        assert_eq!(Filter::parse(&["*"; 65]), Err(FilterError::TooMany { found: 65 }));
        let long = "k".repeat(81);
        for bad in ["", "a*b", "**", "*.succeeded", "payment .*", "支付.*", "a\n", long.as_str()] {
            let error = FilterError::Pattern { pattern: bad.to_owned() };
            assert_eq!(Filter::parse(&["*", bad]), Err(error), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn json_gives_the_same_filter(patterns in prop::collection::vec("[!-)+-~]{0,9}\\*|[!-)+-~]{1,9}", 1..9)) {
            let filter = Filter::parse(&patterns).expect("a filter");
            let json = serde_json::to_string(&filter).expect("it serialises");
            prop_assert_eq!(&json, &serde_json::to_string(&patterns).expect("it serialises"));
            prop_assert_eq!(serde_json::from_str::<Filter>(&json).expect("it is a filter"), filter);
        }

        #[test]
        fn a_filter_wants_what_one_of_its_patterns_wants(
            patterns in prop::collection::vec("[ab.]{0,3}\\*|[ab.]{1,3}", 1..5), kind in "[ab.]{1,4}",
        ) {
            let one = |pattern: &String| Filter::parse(&[pattern]).expect("a filter").wants(&kind);
            let filter = Filter::parse(&patterns).expect("a filter");
            prop_assert_eq!(filter.wants(&kind), patterns.iter().any(one));
        }
    }
}
