//! A transaction: READ COMMITTED, orders locked in sorted order.
//!
//! Why that is enough. In READ COMMITTED each statement sees what was committed before it began. The first one locks
//! the orders; it waits for every transaction that writes them, so what is read after it is what those wrote. What has
//! no row to lock (unknown order numbers, one payment number under two orders, notifications) meets in `save`: the
//! slower write waits at a unique constraint for the faster transaction, is refused once that commits, and `apply`
//! begins it again, to find what it had missed. That holds for a payment which waited, too: when it comes to count, the
//! column that tells statements of one number apart changes (`PaymentChange::told_apart`), to the value that any other
//! which comes to count beside it would get. A payment writes the row of its order even if nobody registered it, so
//! it and a registration cannot miss each other.
//!
//! Why nobody waits in a circle. Locks are taken in stages (known orders, new orders, payments, notifications), within
//! each in sorted order; a transaction waits only for one at its own stage or a later one.

use async_trait::async_trait;
use payonce_core::{
    OrderKey, StoreError, Tx, WechatPaymentId,
    fact::Claim,
    ids::{MerchantId, NotificationId},
    order::OrderId,
    store::{Changes, Claimed, KeptPayment, KnownOrder, StatementFailure, Statements, Unavailability, codes},
};
use payonce_store_remote::Session;
use sqlx::{AssertSqlSafe, Executor, PgConnection, postgres::PgRow};

use crate::{
    connect::{Durability, Postgres},
    errors::{class, class_of_commit},
    rows::{self, ORDER_COLUMNS, column, kept_payment, known, order_columns, payment_columns, read, value},
    save,
};

/// An open transaction. Rolled back when dropped.
pub(crate) struct PgTx {
    session: Session<Postgres>,
    /// PostgreSQL answers the COMMIT of a transaction in which something failed with a rollback, and no error.
    failed: bool,
}

/// The transaction had failed before.
#[derive(Debug, thiserror::Error)]
#[error("something failed in the transaction before its commit")]
struct Failed;

/// What the connection was made ready for is gone.
#[derive(Debug, thiserror::Error)]
#[error("behind the connection is another session than the one that it was made with")]
struct OtherSession;

impl From<OtherSession> for StoreError {
    fn from(other: OtherSession) -> Self {
        Self::Unavailable { reason: Unavailability::SharedSession, source: Box::new(other) }
    }
}

impl PgTx {
    /// A transaction that is durable when its commit returns.
    pub(crate) async fn begin(session: Session<Postgres>) -> Result<Self, StoreError> {
        Self::begin_as(session, Durability::AtOnce).await
    }

    pub(crate) async fn begin_as(
        mut session: Session<Postgres>,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let begin = session.server().begin(durability).to_owned();
        // Before it is: whatever becomes of it, the session is set back.
        session.set_open(true);
        let begin = async |connection: &mut PgConnection| {
            let row = connection.fetch_one(AssertSqlSafe(begin)).await.map_err(class)?;
            value(&row, 0)
        };
        if !session.run(begin).await? {
            return Err(OtherSession.into());
        }
        Ok(Self { session, failed: false })
    }

    /// Does something in the transaction that the merchant is at fault for if it fails: what comes before the savepoint can
    /// be saved then.
    pub(crate) async fn run_for_merchant<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StatementFailure>,
    ) -> Result<T, StatementFailure> {
        // A refusal leaves the connection sound.
        let done = self.session.run(async |connection| match work(connection).await {
            Err(StatementFailure::Lost(error)) => Err(error),
            Err(refused) => Ok(Err(refused)),
            Ok(done) => Ok(Ok(done)),
        });
        let done = match done.await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(refused)) => refused,
            Err(error) => StatementFailure::Lost(error),
        };
        self.failed = true;
        Err(done)
    }

    /// What failed is undone; what came before it stands.
    pub(crate) fn mended(&mut self) {
        self.failed = false;
    }

    /// Does something in the transaction.
    pub(crate) async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.session.run(work).await;
        self.failed |= done.is_err();
        done
    }

    pub(crate) async fn commit_now(mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Unexpected(Box::new(Failed)));
        }
        let commit = async |connection: &mut PgConnection| {
            connection.execute("COMMIT").await.map(drop).map_err(class_of_commit)
        };
        match self.session.run(commit).await {
            // Our own time was over before the server's answer came.
            Err(StoreError::Unavailable { reason: Unavailability::TimedOut, source })
                if self.session.is_cut() =>
            {
                Err(StoreError::CommitUnknown(source))
            }
            committed => {
                self.session.set_open(committed.is_err());
                committed
            }
        }
    }
}

#[async_trait]
impl Tx for PgTx {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.run(async |connection| lock_orders(connection, keys).await).await
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        let (mut payments, mut notifications) = (Vec::new(), Vec::new());
        for claim in claims {
            match claim {
                Claim::Payment(merchant, number) => payments.push((merchant, number)),
                Claim::Notification(merchant, id) => notifications.push((merchant, id)),
            }
        }
        let mut claimed = Claimed::default();
        if !payments.is_empty() {
            let found = self.run(async |connection| payments_claimed(connection, &payments).await).await;
            claimed.payments = found?;
        }
        if !notifications.is_empty() {
            let found = self.run(async |connection| passed(connection, &notifications).await).await;
            claimed.notifications = found?;
        }
        Ok(claimed)
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        if awaited.is_empty() {
            return Ok(Vec::new());
        }
        self.run(async |connection| payments_under(connection, awaited).await).await
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.run(async |connection| save::save(connection, changes).await).await
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.commit_now().await
    }
}

async fn lock_orders(
    connection: &mut PgConnection,
    keys: &[OrderKey],
) -> Result<Vec<KnownOrder>, StoreError> {
    // Rows are locked as they leave the sort: in the order of the keys.
    const LOCK: &str = concat!(
        "SELECT ",
        order_columns!(),
        ", k.place FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (mchid, out_trade_no, place) \
         JOIN payonce.orders o ON o.mchid = k.mchid AND o.out_trade_no = k.out_trade_no \
         ORDER BY k.place FOR UPDATE OF o"
    );
    let keys: Vec<&OrderKey> = keys.iter().collect();
    let locked = sqlx::query(LOCK)
        .bind(column(&keys, |key| key.merchant.as_str()))
        .bind(column(&keys, |key| key.out_trade_no.as_str()))
        .fetch_all(&mut *connection)
        .await
        .map_err(class)?;
    let paid_by = paid_by(connection, &locked).await?;
    let order = |row: &PgRow| {
        let place = usize::try_from(value::<i64>(row, ORDER_COLUMNS)? - 1).ok();
        let key =
            place.and_then(|place| keys.get(place)).expect("BUG: the place of a key that was asked for");
        let (id, _) = rows::order_state(row)?;
        let by = paid_by.binary_search_by_key(&id, |(order, _)| *order).ok();
        rows::order(row, (*key).clone(), by.map(|place| paid_by[place].1.clone()))
    };
    locked.iter().map(order).collect()
}

/// The payments that paid those orders which are paid, by order. Asked for only now: the statement that waited for the
/// locks does not see what was written meanwhile in other tables.
async fn paid_by(
    connection: &mut PgConnection,
    orders: &[PgRow],
) -> Result<Vec<(OrderId, WechatPaymentId)>, StoreError> {
    let mut paid = Vec::new();
    for row in orders {
        if let (OrderId(id), codes::STATE_PAID | codes::STATE_PAID_LATE) = rows::order_state(row)? {
            paid.push(id);
        }
    }
    if paid.is_empty() {
        return Ok(Vec::new());
    }
    let settling = sqlx::query(
        "SELECT p.order_id, p.transaction_id FROM unnest($1::bigint[]) AS k (order_id) \
         JOIN payonce.payment p ON p.order_id = k.order_id AND p.standing = 0 ORDER BY p.order_id",
    );
    let found = settling.bind(paid).fetch_all(connection).await.map_err(class)?;
    let by = |row: &PgRow| {
        let number = read("payment.transaction_id", WechatPaymentId::parse(value(row, 1)?))?;
        Ok((OrderId(value(row, 0)?), number))
    };
    found.iter().map(by).collect()
}

async fn payments_claimed(
    connection: &mut PgConnection,
    claims: &[(&MerchantId, &WechatPaymentId)],
) -> Result<Vec<KeptPayment>, StoreError> {
    const CLAIMED: &str = concat!(
        "SELECT ",
        payment_columns!(),
        " FROM unnest($1::text[], $2::text[]) AS k (mchid, transaction_id) \
         JOIN payonce.payment p ON p.mchid = k.mchid AND p.transaction_id = k.transaction_id ORDER BY p.id"
    );
    let (merchants, numbers): (Vec<_>, Vec<_>) =
        claims.iter().map(|(merchant, number)| (merchant.as_str(), number.as_str())).unzip();
    let claimed = sqlx::query(CLAIMED).bind(merchants).bind(numbers);
    let found = claimed.fetch_all(connection).await.map_err(class)?;
    found.iter().map(|row| kept_payment(row, 0)).collect()
}

async fn passed(
    connection: &mut PgConnection,
    claims: &[(&MerchantId, &NotificationId)],
) -> Result<Vec<(MerchantId, NotificationId)>, StoreError> {
    let (merchants, ids): (Vec<_>, Vec<_>) =
        claims.iter().map(|(merchant, id)| (merchant.as_str(), id.as_str())).unzip();
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT k.place FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (mchid, notification_id, place) \
         JOIN payonce.notification_passed n ON n.mchid = k.mchid AND n.notification_id = k.notification_id",
    )
    .bind(merchants)
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(class)?;
    let claim = |place: i64| {
        let claim = usize::try_from(place - 1).ok().and_then(|place| claims.get(place));
        known("k.place", claim.map(|(merchant, id)| ((*merchant).clone(), (*id).clone())))
    };
    found.into_iter().map(claim).collect()
}

async fn payments_under(
    connection: &mut PgConnection,
    awaited: &[OrderId],
) -> Result<Vec<KeptPayment>, StoreError> {
    const UNDER: &str = concat!(
        "SELECT ",
        payment_columns!(),
        " FROM unnest($1::bigint[]) AS k (order_id) \
         JOIN payonce.payment p ON p.order_id = k.order_id AND p.standing <> 0 ORDER BY p.id"
    );
    let ids: Vec<i64> = awaited.iter().map(|id| id.0).collect();
    let found = sqlx::query(UNDER).bind(ids).fetch_all(connection).await.map_err(class)?;
    found.iter().map(|row| kept_payment(row, 0)).collect()
}

#[cfg(test)]
mod tests {
    use payonce_test_servers::{
        Database,
        postgres::{self, PostgresEngine},
        require,
    };

    use super::*;
    use crate::{Options, PostgresStore};

    async fn store(settings: &str) -> Option<(PostgresStore, Database<PostgresEngine>)> {
        let database = require(postgres::shared())?.create_database().unwrap();
        database.execute(&format!("ALTER DATABASE {} SET {settings}", database.name())).unwrap();
        let store = PostgresStore::open(&Options::new(&database.url()).unwrap()).await.unwrap();
        Some((store, database))
    }

    async fn commits(connection: &mut PgConnection) -> Result<String, StoreError> {
        let current = "SELECT current_setting('synchronous_commit')";
        sqlx::query_scalar(current).fetch_one(connection).await.map_err(class)
    }

    #[tokio::test]
    async fn a_commit_is_durable_whatever_became_of_the_sessions_settings() {
        for (default, expected) in [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
            let found = store(&format!("synchronous_commit = {default}")).await;
            let Some((store, _database)) = found else { return };
            for pool in [&store.path, &store.way, &store.beside] {
                let mut session = store.session(pool).await.unwrap();
                let reset = async |connection: &mut PgConnection| {
                    connection.execute("RESET synchronous_commit").await.map_err(class)?;
                    commits(connection).await
                };
                assert_eq!(session.run(reset).await.unwrap(), default);
                let mut tx = PgTx::begin(session).await.unwrap();
                assert_eq!(tx.run(commits).await.unwrap(), expected);
                tx.commit_now().await.unwrap();
                let later = PgTx::begin_as(store.session(pool).await.unwrap(), Durability::Later).await;
                let mut later = later.unwrap();
                assert_eq!(later.run(commits).await.unwrap(), "off");
                later.commit_now().await.unwrap();
                let mut next = PgTx::begin(store.session(pool).await.unwrap()).await.unwrap();
                assert_eq!(next.run(commits).await.unwrap(), expected, "it is of that transaction alone");
                next.commit_now().await.unwrap();
            }
        }
    }

    /// As a pooler does that gives each transaction a session of the server that is just free.
    #[tokio::test]
    async fn no_transaction_begins_in_a_session_that_was_not_made_ready() {
        let Some((store, _database)) = store("synchronous_commit = off").await else { return };
        for (pool, other) in [(&store.path, "way"), (&store.way, "beside"), (&store.beside, "path")] {
            for change in ["RESET ALL".to_owned(), format!("SET payonce.session = '{other}'")] {
                let mut session = store.session(pool).await.unwrap();
                let change = async |connection: &mut PgConnection| {
                    connection.execute(AssertSqlSafe(change)).await.map_err(class)
                };
                session.run(change).await.unwrap();
                let refused = PgTx::begin(session).await.map(drop);
                let reason = Unavailability::SharedSession;
                assert!(
                    matches!(&refused, Err(StoreError::Unavailable { reason: found, .. }) if *found == reason),
                    "{refused:?}"
                );
            }
        }
    }
}
