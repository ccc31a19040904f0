//! How long is waited, and how often tried.

use std::time::Duration;

/// Time-outs and attempts. WeChat Pay's own clients wait 5 to 10 s for a connection and 10 to 30 s for an answer.
///
/// ```
/// use std::time::Duration;
/// use wechatpay_client::Patience;
///
/// // Within a request of one's own that has to be answered in 5 s: one attempt, and what it brings.
/// let patience = Patience { call: Duration::from_secs(4), attempts_max: 1, ..Patience::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For one whole answer.
    pub answer: Duration,
    /// For a call with all its repetitions and pauses, and with the keys that its answer may ask for: an upper bound.
    pub call: Duration,
    /// For the head of a file's answer, and from one piece of the file to the next.
    pub file_silence: Duration,
    /// How often a call is sent at the most.
    pub attempts_max: u32,
    /// The longest pause after the first attempt; it doubles with each, and any part of it may be waited.
    pub pause: Duration,
    /// How long the backup host is kept to after the primary could not be reached.
    pub backup: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            call: Duration::from_secs(25),
            file_silence: Duration::from_secs(30),
            attempts_max: 4,
            pause: Duration::from_millis(400),
            backup: Duration::from_secs(60),
        }
    }
}
