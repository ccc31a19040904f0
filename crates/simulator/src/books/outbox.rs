//! What the merchants are to be told: each notice with its attempts and what was answered.
//!
//! Invariants: a notice keeps its id and content over all attempts; it is due, or somebody is sending it, or it has ended
//! (acknowledged, or given up after the official schedule). What is sent out of turn leaves its place in the schedule as it
//! was. What was being sent when the books were written out is due again when they are read back. Times are business time.
//! Deliberately absent: signing and sending.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;
use wechatpay::v2::parse_xml;

use super::{OrderKey, Protocol, RefundKey};
use crate::deliver::{Retry, Verdict};

/// Of an answer, so much is kept: an acknowledgement is shorter, and of an error page it says what it is.
const BODY_BYTES_KEPT: usize = 1024;

/// All notices, in the order in which they were caused.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Outbox {
    last: u64,
    /// The last number before everything was forgotten.
    base: u64,
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
    #[serde(default)]
    base: u64,
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
    /// How many attempts of the schedule were made.
    #[serde(default)]
    pub turns: u32,
    /// Where it was before it was to be sent out of turn, and is again once that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<Progress>,
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
    /// The how-many-th notice it is since everything was forgotten; the first is 1.
    pub ordinal: u64,
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
    /// Nothing to be told. Numbers go on, so that what is on its way settles nothing that comes later; it is on its way still.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { last: self.last, base: self.last, sending: self.sending, ..Self::default() }
    }

    /// Adds a notice that is due at that time. Returns its number.
    pub fn push(&mut self, notice: Notice, at: UnixSeconds) -> u64 {
        self.last += 1;
        let progress = Progress::Due { at };
        let entry = Entry { notice, attempts: Vec::new(), progress, turns: 0, meanwhile: None };
        self.entries.insert(self.last, entry);
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

    /// How many attempts were taken and are not settled, those of forgotten notices too.
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
        Some(Sending { number, ordinal: number - self.base, attempt, notice: entry.notice.clone() })
    }

    /// Notes that an attempt that was taken begins only now.
    pub fn begin(&mut self, number: u64, now: UnixSeconds) {
        if let Some(Progress::Sending { since }) =
            self.entries.get_mut(&number).map(|entry| &mut entry.progress)
        {
            *since = now;
        }
    }

    /// Puts an attempt back that was taken and is not to be made before this time.
    pub fn put_back(&mut self, number: u64, at: UnixSeconds) {
        self.sending = self.sending.saturating_sub(1);
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.progress = Progress::Due { at };
            self.due.insert((at, number));
        }
    }

    /// Has the next attempt made at this time instead of when it was due.
    pub fn hasten(&mut self, number: u64, at: UnixSeconds) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        if let Progress::Due { at: old } = entry.progress {
            self.due.remove(&(old, number));
            entry.progress = Progress::Due { at };
            self.due.insert((at, number));
        }
    }

    /// Has a notice sent at this time, out of turn, whether it was acknowledged or not. One that is on its way is left alone.
    pub fn send_again(&mut self, number: u64, at: UnixSeconds) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        match entry.progress {
            Progress::Sending { .. } => return,
            Progress::Due { at } => _ = self.due.remove(&(at, number)),
            Progress::Acknowledged | Progress::GivenUp => {}
        }
        entry.meanwhile.get_or_insert(entry.progress);
        entry.progress = Progress::Due { at };
        self.due.insert((at, number));
    }

    /// Notes what came of an attempt that was taken, and when the next is due by the official schedule. False where its notice
    /// was forgotten meanwhile.
    pub fn settle(&mut self, number: u64, mut heard: Heard, now: UnixSeconds) -> bool {
        self.sending = self.sending.saturating_sub(1);
        let Some(entry) = self.entries.get_mut(&number) else { return false };
        let Progress::Sending { since: sent_at } = entry.progress else { return false };
        let content = &entry.notice.content;
        let acknowledged = content.is_acknowledged_by(&heard)
            || heard.copies.iter().any(|copy| content.is_acknowledged_by(copy));
        heard.keep_beginning();
        entry.attempts.push(Attempt { sent_at, heard });
        entry.progress = match entry.meanwhile.take() {
            _ if acknowledged => Progress::Acknowledged,
            Some(before) => before,
            None => entry.next_turn(now),
        };
        if let Progress::Due { at } = entry.progress {
            self.due.insert((at, number));
        }
        true
    }
}

impl Entry {
    /// What comes after an attempt of the schedule that nobody acknowledged.
    fn next_turn(&mut self, now: UnixSeconds) -> Progress {
        self.turns = self.turns.saturating_add(1);
        let wait = Retry::OFFICIAL.wait_after(self.turns).map(|wait| wait.as_secs().cast_signed());
        wait.map_or(Progress::GivenUp, |seconds| Progress::Due { at: UnixSeconds(now.0 + seconds) })
    }
}

impl Heard {
    fn keep_beginning(&mut self) {
        self.body.truncate(self.body.floor_char_boundary(BODY_BYTES_KEPT));
        self.copies.iter_mut().for_each(Self::keep_beginning);
    }
}

impl From<Kept> for Outbox {
    fn from(Kept { last, base, mut entries }: Kept) -> Self {
        let mut due = BTreeSet::new();
        for (number, entry) in &mut entries {
            if let Progress::Due { at } | Progress::Sending { since: at } = entry.progress {
                entry.progress = Progress::Due { at };
                due.insert((at, *number));
            }
        }
        Self { last, base, entries, due, sending: 0 }
    }
}
