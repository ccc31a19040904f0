//! Why an attempt brought no answer, with words for who reads the list of attempts.

use std::{error::Error, fmt, time::Duration};

use payonce_core::delivery::{Answer, Fault};

use crate::Report;

/// An attempt that brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) words: String,
}

impl Failure {
    pub(crate) fn new(fault: Fault, words: impl fmt::Display) -> Self {
        Self { fault, words: words.to_string() }
    }

    /// With all that an error has to say.
    pub(crate) fn of(fault: Fault, error: &(dyn Error + 'static)) -> Self {
        Self { fault, words: with_causes(error) }
    }

    /// The endpoint's total time-out is over.
    pub(crate) fn late(within: Duration) -> Self {
        Self::new(Fault::TimedOut, format_args!("no answer within {} ms", within.as_millis()))
    }

    /// As it is kept.
    pub(crate) fn report(self) -> Report {
        Report { body: self.words.into_bytes(), ..Report::of(Answer::Fault(self.fault)) }
    }
}

/// An error's text and those of its causes, each once: many errors repeat their cause in their own text.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text += ": ";
            text += &words;
        }
        next = cause.source();
    }
    text
}

/// The first error of this type among an error and its causes, also inside of [`std::io::Error`].
pub(crate) fn cause_of<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}
