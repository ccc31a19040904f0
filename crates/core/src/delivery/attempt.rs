//! One call of an endpoint, and what was heard.

use std::{fmt, time::Duration};

/// What an endpoint answered, or why nothing was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A web server's answer with this status.
    Status(u16),
    /// A broker has it, and keeps it.
    Confirmed,
    /// No answer.
    Fault(Fault),
}

impl Answer {
    /// Whether the endpoint took the message.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299) | Self::Confirmed)
    }

    /// Whether somebody is there who judges messages, be it that he refuses this one. An overload (429, a broker without
    /// room), a server's own failure and silence say nothing about the message, and the next one will fare no better.
    #[must_use]
    pub fn is_alive(self) -> bool {
        match self {
            Self::Status(status) => status < 500 && status != 429,
            Self::Confirmed => true,
            Self::Fault(fault) => fault == Fault::Refused,
        }
    }
}

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The host's name has no address.
    NotResolved,
    /// The host's address is one that may not be called.
    Forbidden,
    /// Nothing takes connections there.
    NotConnected,
    /// No encrypted connection came about: its certificate is not trusted, for one.
    TlsFailed,
    /// The answer did not come in time.
    TimedOut,
    /// The connection ended before the answer did.
    CutOff,
    /// What came is not of the protocol.
    Garbled,
    /// A broker does not take the message: no queue, stream or topic is there for it. Others may have one.
    Refused,
    /// A broker takes nothing now: there is no more room, or too few of its servers are there.
    Full,
    /// A broker does not let us in.
    LoginFailed,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NotResolved,
        Self::Forbidden,
        Self::NotConnected,
        Self::TlsFailed,
        Self::TimedOut,
        Self::CutOff,
        Self::Garbled,
        Self::Refused,
        Self::Full,
        Self::LoginFailed,
    ];

    /// Its word, as it stands in databases and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotResolved => "not_resolved",
            Self::Forbidden => "forbidden",
            Self::NotConnected => "not_connected",
            Self::TlsFailed => "tls_failed",
            Self::TimedOut => "timed_out",
            Self::CutOff => "cut_off",
            Self::Garbled => "garbled",
            Self::Refused => "refused",
            Self::Full => "full",
            Self::LoginFailed => "login_failed",
        }
    }

    /// The fault of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == word)
    }
}

/// What was heard, as far as it decides what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The answer.
    pub answer: Answer,
    /// Its `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl From<Answer> for Heard {
    fn from(answer: Answer) -> Self {
        Self { answer, retry_after: None }
    }
}

/// An attempt as it is kept. Times are spans of the caller's own clock: the database counts back from its own. Its
/// `Debug` does not show what the merchant's system said.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// How long ago it began.
    pub ago: Duration,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub answer: Answer,
    /// The answer's headers, one `name: value` a line.
    pub headers: String,
    /// The first bytes of the answer's body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ago, took, answer, headers, body } = self;
        f.debug_struct("Attempt")
            .field("ago", ago)
            .field("took", took)
            .field("answer", answer)
            .field("headers_bytes", &headers.len())
            .field("body_bytes", &body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_word_of_its_own() {
        for fault in Fault::ALL {
            assert_eq!(Fault::of_word(fault.as_str()), Some(fault));
        }
        assert_eq!(Fault::of_word("payment"), None);
    }

    #[test]
    fn who_refuses_a_message_is_alive() {
        for (status, success, alive) in [
            (100, false, true),
            (200, true, true),
            (204, true, true),
            (299, true, true),
            (302, false, true),
            (400, false, true),
            (410, false, true),
            (429, false, false),
            (500, false, false),
            (503, false, false),
        ] {
            let answer = Answer::Status(status);
            assert_eq!((answer.is_success(), answer.is_alive()), (success, alive), "{status}");
        }
        assert!(Answer::Confirmed.is_success() && Answer::Confirmed.is_alive());
        for fault in Fault::ALL {
            let alive = fault == Fault::Refused;
            assert_eq!((Answer::Fault(fault).is_success(), Answer::Fault(fault).is_alive()), (false, alive));
        }
    }
}
