//! The callback's end: the message that it becomes in the database, or what the server thought of it instead.
//!
//! What was refused before, at other merchants, or as a probe (doctor sends one itself) has nothing to do with it.

use std::time::Duration;

use payonce_core::MerchantId;
use payonce_core::store::{
    Position, StoreError,
    archive::{Archive, MESSAGE, Row, TABLES, Table, Value},
};
use tokio::time::{Instant, sleep, timeout};

use super::Finding;
use crate::database::last_row;

const CHECK: &str = "echo_callback";

/// How often the database is looked at for the callback.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long the database may take at the end, beyond the time in which the callback should come.
const GRACE: Duration = Duration::from_secs(10);

/// The message that payonce passes the callback on as.
const ECHO: &str = "wechat.SECURITY_ECHO.SUCCESS";

/// What the callback's envelope calls itself.
const EVENT_TYPE: &[u8] = b"SECURITY_ECHO.SUCCESS";

/// How the callback ended: committed, or why it is missing.
pub(super) type End = Result<(), Finding>;

/// What was in the database before the callback was asked for.
pub(super) struct Watch<'a> {
    database: &'a dyn Archive,
    mchid: &'a MerchantId,
    message: Position,
    rejected: i64,
    unopened: i64,
}

/// A callback of this merchant's that the server did not take.
enum Refused {
    Rejected { number: i64, reason: String },
    Unopened { number: i64 },
}

impl<'a> Watch<'a> {
    pub(super) async fn begin(database: &'a dyn Archive, mchid: &'a MerchantId) -> Result<Self, StoreError> {
        let message = Position(last_row(database, &MESSAGE).await?);
        let rejected = last_row(database, table("rejected")).await?;
        let unopened = last_row(database, table("unopened")).await?;
        Ok(Self { database, mchid, message, rejected, unopened })
    }

    /// Waits for the message with this word, at the most for `limit` and a little.
    pub(super) async fn wait(mut self, word: &str, limit: Duration) -> End {
        match timeout(limit + GRACE, self.follow(word, limit)).await {
            Ok(Ok(end)) => end,
            Ok(Err(error)) => Err(Finding::failed(CHECK, error.with_causes(), "see database above")),
            Err(_) => {
                let detail = format!("the database did not answer for {} s", GRACE.as_secs());
                Err(Finding::failed(CHECK, detail, "see database above"))
            }
        }
    }

    /// Looks at least once, and once when the time is over.
    async fn follow(&mut self, word: &str, limit: Duration) -> Result<End, StoreError> {
        let started = Instant::now();
        loop {
            let left = limit.saturating_sub(started.elapsed());
            if self.is_committed(word).await? {
                return Ok(Ok(()));
            }
            if let Some(number) = self.unopened(EVENT_TYPE).await? {
                let refused = Refused::Unopened { number };
                return Ok(Err(missing(Some(refused), started.elapsed())));
            }
            if left.is_zero() {
                let refused = self.refused().await?;
                return Ok(Err(missing(refused, limit)));
            }
            sleep(left.min(LOOK_EVERY)).await;
        }
    }

    /// Whether the message is among those that came since.
    async fn is_committed(&mut self, word: &str) -> Result<bool, StoreError> {
        loop {
            let page = self.database.messages_after(self.message, MESSAGE.page).await?;
            let Some(last) = page.last() else { return Ok(false) };
            self.message = last.position;
            if page.iter().any(|message| message.kind == ECHO && message.body.contains(word)) {
                return Ok(true);
            }
        }
    }

    /// The last callback of this merchant's that came since and was not taken, but for probes.
    async fn refused(&self) -> Result<Option<Refused>, StoreError> {
        if let Some(number) = self.unopened(b"").await? {
            return Ok(Some(Refused::Unopened { number }));
        }
        let mut last = None;
        self.rows(table("rejected"), self.rejected, |row| {
            if let [
                Value::Int(number),
                _,
                Value::Text(path),
                _,
                Value::Text(verdict),
                Value::Text(reason),
                ..,
            ] = row
                && path == self.mchid.as_str()
                && verdict != "signature_probe"
            {
                last = Some(Refused::Rejected { number: *number, reason: reason.clone() });
            }
        })
        .await?;
        Ok(last)
    }

    /// The number of the last callback of this merchant's that came since and did not open, with this in its body.
    async fn unopened(&self, part: &[u8]) -> Result<Option<i64>, StoreError> {
        let holds = |body: &[u8]| part.is_empty() || body.windows(part.len()).any(|window| window == part);
        let mut last = None;
        self.rows(table("unopened"), self.unopened, |row| {
            if let [Value::Int(number), Value::Text(mchid), .., Value::Bytes(body)] = row
                && mchid == self.mchid.as_str()
                && holds(body)
            {
                last = Some(*number);
            }
        })
        .await?;
        Ok(last)
    }

    /// Shows each row behind this one.
    async fn rows(
        &self,
        table: &Table,
        after: i64,
        mut see: impl FnMut(&[Value]) + Send,
    ) -> Result<(), StoreError> {
        let mut after: Row = vec![Value::Int(after)];
        loop {
            let page = self.database.rows_after(table, &after, table.page).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.iter().take(table.key).cloned().collect();
            page.iter().for_each(|row| see(row));
        }
    }
}

fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).expect("BUG: both tables are copied")
}

fn missing(refused: Option<Refused>, waited: Duration) -> Finding {
    let seconds = waited.as_secs();
    let (seen, remedy) = match refused {
        Some(Refused::Unopened { number }) => (
            "; one that WeChat Pay signed came, and the running server cannot open it".to_owned(),
            format!(
                "`payonce explain --unopened {number}` says why; most often the server has another APIv3 key than the \
                 one that is set at the merchant platform"
            ),
        ),
        Some(Refused::Rejected { number, reason }) => (
            format!("; meanwhile one was refused: {reason}"),
            format!("`payonce explain --rejected {number}` says why"),
        ),
        None => (
            ", and none was refused".to_owned(),
            "is `payonce serve` running on this database, and does the URL lead to it? If notify_answer is well, look \
             for what keeps WeChat Pay out: a firewall, a list of addresses, a WAF"
                .to_owned(),
        ),
    };
    Finding::failed(CHECK, format!("no callback was committed within {seconds} s{seen}"), remedy)
}
