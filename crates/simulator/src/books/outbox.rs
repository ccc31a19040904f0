//! What the merchants are to be told: each notice with its attempts and what was answered.
//!
//! Invariants: a notice keeps its id and content over all attempts; it is due, or somebody is sending it, or it has ended
//! (acknowledged, or given up after the official schedule). What was being sent when the books were written out is due
//! again when they are read back. Times are business time. Deliberately absent: signing and sending.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;
use wechatpay::v2::parse_xml;

use super::{OrderKey, Protocol, RefundKey};
use crate::deliver::{Retry, Verdict};

/// All notices, in the order in which they were caused.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Outbox {
    last: u64,
    entries: BTreeMap<u64, Entry>,
    /// When which is due.
    #[serde(skip)]
    due: BTreeSet<(UnixSeconds, u64)>,
    /// How many attempts are on their way.
    #[serde(skip)]
    sending: usize,
}

/// An outbox as it is written out.
#[derive(Deserialize)]
struct Kept {
    last: u64,
    entries: BTreeMap<u64, Entry>,
}

/// A notice and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is told.
    pub notice: Notice,
    /// What was tried, the first attempt first.
    pub attempts: Vec<Attempt>,
    /// What comes next.
    pub progress: Progress,
}

/// What a merchant is told, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The notice's number, a UUID; equal on all attempts.
    pub id: String,
    /// Whose keys seal it: in partner mode the provider.
    pub mchid: String,
    /// What it is about.
    pub subject: Subject,
    /// Where it goes.
    pub url: String,
    /// When it was caused.
    pub created_at: UnixSeconds,
    /// What is said.
    pub content: Content,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An order that was paid.
    Order(OrderKey),
    /// A combined order that was paid.
    Combined(OrderKey),
    /// A refund that ended.
    Refund(RefundKey),
    /// The self-test `/v3/security/echo`.
    Echo,
}

/// What is said, by protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// JSON that is sealed under the merchant's APIv3 key.
    V3 {
        /// What happened.
        event: Event,
        /// The JSON inside.
        plaintext: String,
    },
    /// XML that is signed with the merchant's APIv2 key, or sealed with it.
    V2 {
        /// The fields, but for `nonce_str` and `sign`.
        told: Vec<(String, String)>,
        /// What is sealed into `req_info`, where something is; then nothing is signed.
        sealed: Option<Vec<(String, String)>>,
        /// By which algorithm it is signed.
        protocol: Protocol,
    },
}

/// What an APIv3 notice says outside of what is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `event_type`.
    pub event_type: Cow<'static, str>,
    /// `resource.original_type`.
    pub original_type: Cow<'static, str>,
    /// `resource.associated_data`.
    pub associated_data: Cow<'static, str>,
    /// `summary`.
    pub summary: Cow<'static, str>,
}

/// What comes next for a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// An attempt, at this time.
    Due {
        /// Business time.
        at: UnixSeconds,
    },
    /// An attempt is on its way since this time.
    Sending {
        /// Business time.
        since: UnixSeconds,
    },
    /// Nothing: it was acknowledged.
    Acknowledged,
    /// Nothing: the schedule has ended.
    GivenUp,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began, in business time.
    pub sent_at: UnixSeconds,
    /// What came back.
    pub heard: Heard,
}

/// What came back for an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The HTTP status; none where no whole answer came in time.
    pub status: Option<u16>,
    /// How the answer's body begins.
    pub body: String,
    /// How long it took, in real time.
    pub elapsed_millis: u64,
    /// Why no answer came.
    pub failure: Option<String>,
    /// What was done to this attempt on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<String>,
    /// What came back for copies that were sent at the same moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Heard>,
}

/// One attempt to make.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Which entry.
    pub number: u64,
    /// The how-many-th attempt it is; the first is 1.
    pub attempt: u32,
    /// What is told.
    pub notice: Notice,
}

impl Event {
    /// An order was paid.
    pub const TRANSACTION_SUCCESS: Self = Self {
        event_type: Cow::Borrowed("TRANSACTION.SUCCESS"),
        original_type: Cow::Borrowed("transaction"),
        associated_data: Cow::Borrowed("transaction"),
        summary: Cow::Borrowed("支付成功"),
    };

    /// The user has the money back.
    pub const REFUND_SUCCESS: Self = Self {
        event_type: Cow::Borrowed("REFUND.SUCCESS"),
        original_type: Cow::Borrowed("refund"),
        associated_data: Cow::Borrowed("refund"),
        summary: Cow::Borrowed("退款成功"),
    };

    /// The user's account does not take the refund.
    pub const REFUND_ABNORMAL: Self = Self {
        event_type: Cow::Borrowed("REFUND.ABNORMAL"),
        original_type: Cow::Borrowed("refund"),
        associated_data: Cow::Borrowed("refund"),
        summary: Cow::Borrowed("退款异常"),
    };

    /// The merchant keeps the money.
    pub const REFUND_CLOSED: Self = Self {
        event_type: Cow::Borrowed("REFUND.CLOSED"),
        original_type: Cow::Borrowed("refund"),
        associated_data: Cow::Borrowed("refund"),
        summary: Cow::Borrowed("退款关闭"),
    };

    /// The self-test.
    pub const SECURITY_ECHO: Self = Self {
        event_type: Cow::Borrowed("SECURITY_ECHO.SUCCESS"),
        original_type: Cow::Borrowed("security"),
        associated_data: Cow::Borrowed("security"),
        summary: Cow::Borrowed("回声测试"),
    };
}

impl Content {
    /// Whether an answer is an acknowledgement in this protocol.
    #[must_use]
    pub fn is_acknowledged_by(&self, heard: &Heard) -> bool {
        match self {
            Self::V3 { .. } => Verdict::of(heard.status) == Verdict::Acknowledged,
            // Where APIv3 looks at the status, APIv2 looks at the body as well.
            Self::V2 { .. } => {
                let said = parse_xml(heard.body.as_bytes()).ok();
                let success = said.is_some_and(|fields| fields.get("return_code") == Some("SUCCESS"));
                success && heard.status == Some(200)
            }
        }
    }
}

impl Notice {
    /// APIv3's `event_type`.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        match &self.content {
            Content::V3 { event, .. } => Some(&event.event_type),
            Content::V2 { .. } => None,
        }
    }

    /// What is told, as JSON: what is sealed, where something is; of APIv2, the fields.
    #[must_use]
    pub fn plaintext(&self) -> serde_json::Value {
        match &self.content {
            Content::V3 { plaintext, .. } => serde_json::from_str(plaintext).unwrap_or_default(),
            Content::V2 { told, sealed, .. } => {
                let fields = sealed.as_ref().unwrap_or(told).iter();
                fields.map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str()))).collect()
            }
        }
    }
}

impl Outbox {
    /// Nothing to be told; numbers go on, so that what is on its way settles nothing that comes later.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { last: self.last, ..Self::default() }
    }

    /// Adds a notice that is due at that time. Returns its number.
    pub fn push(&mut self, notice: Notice, at: UnixSeconds) -> u64 {
        self.last += 1;
        let progress = Progress::Due { at };
        self.entries.insert(self.last, Entry { notice, attempts: Vec::new(), progress });
        self.due.insert((at, self.last));
        self.last
    }

    /// Takes back a notice of which nobody has heard yet: what it would have told does not come about.
    pub(super) fn withdraw(&mut self, number: u64) {
        let unheard = |entry: &&Entry| entry.attempts.is_empty();
        let entry = self.entries.get(&number).filter(unheard);
        if let Some(Progress::Due { at }) = entry.map(|entry| entry.progress) {
            self.due.remove(&(at, number));
            self.entries.remove(&number);
        }
    }

    /// All notices by number, the oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(number, entry)| (*number, entry))
    }

    /// One notice.
    #[must_use]
    pub fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(&number)
    }

    /// When the next attempt is due; none where nothing is waiting.
    #[must_use]
    pub fn next_due(&self) -> Option<UnixSeconds> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How many attempts were taken and are not settled.
    #[must_use]
    pub fn sending(&self) -> usize {
        self.sending
    }

    /// Takes an attempt that is due. Whoever takes it says what came of it by [`Self::settle`].
    pub fn take_due(&mut self, now: UnixSeconds) -> Option<Sending> {
        let (_, number) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.pop_first();
        let entry = self.entries.get_mut(&number)?;
        entry.progress = Progress::Sending { since: now };
        self.sending += 1;
        let attempt = u32::try_from(entry.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        Some(Sending { number, attempt, notice: entry.notice.clone() })
    }

    /// Puts an attempt back that was taken and is not to be made before this time.
    pub fn put_back(&mut self, number: u64, at: UnixSeconds) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        if matches!(entry.progress, Progress::Sending { .. }) {
            self.sending -= 1;
            entry.progress = Progress::Due { at };
            self.due.insert((at, number));
        }
    }

    /// Has a notice sent at this time, acknowledged or not, instead of when it was due. One that is on its way is left
    /// alone.
    pub fn reschedule(&mut self, number: u64, at: UnixSeconds) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        match entry.progress {
            Progress::Sending { .. } => return,
            Progress::Due { at } => _ = self.due.remove(&(at, number)),
            Progress::Acknowledged | Progress::GivenUp => {}
        }
        entry.progress = Progress::Due { at };
        self.due.insert((at, number));
    }

    /// Notes what came of an attempt that was taken, and when the next is due by the official schedule.
    pub fn settle(&mut self, number: u64, heard: Heard, now: UnixSeconds) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        let Progress::Sending { since: sent_at } = entry.progress else { return };
        self.sending -= 1;
        let content = &entry.notice.content;
        let acknowledged = content.is_acknowledged_by(&heard)
            || heard.copies.iter().any(|copy| content.is_acknowledged_by(copy));
        entry.attempts.push(Attempt { sent_at, heard });
        let attempts = u32::try_from(entry.attempts.len()).unwrap_or(u32::MAX);
        let wait = Retry::OFFICIAL.wait_after(attempts).map(|wait| wait.as_secs().cast_signed());
        entry.progress = match wait {
            _ if acknowledged => Progress::Acknowledged,
            None => Progress::GivenUp,
            Some(seconds) => {
                let at = UnixSeconds(now.0 + seconds);
                self.due.insert((at, number));
                Progress::Due { at }
            }
        };
    }
}

impl From<Kept> for Outbox {
    fn from(Kept { last, mut entries }: Kept) -> Self {
        let mut due = BTreeSet::new();
        for (number, entry) in &mut entries {
            if let Progress::Due { at } | Progress::Sending { since: at } = entry.progress {
                entry.progress = Progress::Due { at };
                due.insert((at, *number));
            }
        }
        Self { last, entries, due, sending: 0 }
    }
}
