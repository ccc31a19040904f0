//! A transaction: READ COMMITTED, orders locked in sorted order.
//!
//! Why that is enough. In READ COMMITTED each statement sees what was committed before it began. The first one locks
//! the orders; it waits for every transaction that writes them, so what is read after it is what those wrote. What has
//! no row to lock (unknown order numbers, one payment number under two orders, notifications) meets in `save`: the
//! slower write waits at a unique constraint for the faster transaction, is refused once that commits, and `apply`
//! begins it again, to find what it had missed. That holds for a payment which waited, too: when it comes to count, the
//! column that tells statements of one number apart changes (`PaymentChange::told_apart`), to the value that any other
//! which comes to count beside it would get. A payment writes the row of its order even if nobody registered it, so
//! it and a registration cannot miss each other. READ COMMITTED also locks no gaps but those next to a duplicate.
//!
//! Why that is enough in a Galera cluster, where members do not see each other's locks. A commit is certified by all of
//! them: of two transactions that wrote one row, or one unique key, the second fails with a deadlock, which is a
//! conflict. So whatever a decision rests on is also written: a payment writes its order's row (`save` does so for a
//! number that is merely awaited, too), and what did not exist is inserted under a unique key. A transaction begins
//! when its member has caught up with the others (`wsrep_sync_wait`), so that it seldom comes to that.
//!
//! A member also ends a transaction that is in the way of what another one committed, and says so in the answer to its
//! next statement; but not always (seen with MariaDB 10.11: about once in a thousand times the word is lost, and what
//! follows would be committed statement by statement). So in a cluster no statement commits by itself, a savepoint tells
//! before the commit whether the transaction is still the one that was begun, and the number of what was written last
//! on the connection tells after it whether there was anything to commit.
//!
//! Why nobody waits in a circle. Locks are taken in stages (known orders, new orders, payments, notifications), within
//! each in sorted order. Where the database finds a circle all the same (two inserts that wait for a third at one key),
//! it ends one of them: a conflict.

use async_trait::async_trait;
use payonce_core::{
    OrderKey, StoreError, Tx, WechatPaymentId,
    fact::Claim,
    ids::{MerchantId, NotificationId},
    order::OrderId,
    store::{Changes, Claimed, KeptPayment, KnownOrder, StatementFailure, Statements, codes},
};
use payonce_store_remote::Session;
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, mysql::MySqlRow};

use crate::{
    connect::MySqlServer,
    errors::{class, class_of_commit},
    rows::{
        self, ORDER_COLUMNS, ascii, json, json_table, kept_payment, order_columns, payment_columns, read,
        row_at, value,
    },
    save,
};

const BEGIN: &str = "START TRANSACTION";
const COMMIT: &str = "COMMIT";

/// Ends the session's time limit for transactions, see [`MySqlServer::silent_max`].
const COMMIT_ON_MYSQL: &str = "COMMIT; SET SESSION wait_timeout = DEFAULT";

const BEGIN_IN_CLUSTER: &str = "SET SESSION autocommit = 0; START TRANSACTION; SAVEPOINT payonce; \
                                SELECT WSREP_LAST_WRITTEN_GTID()";
const COMMIT_IN_CLUSTER: &str = "RELEASE SAVEPOINT payonce; COMMIT";
const COMMITTED_IN_CLUSTER: &str = "SET SESSION autocommit = 1; SELECT WSREP_LAST_WRITTEN_GTID()";

/// An open transaction. Rolled back when dropped.
pub(crate) struct MySqlTx {
    session: Session<MySqlServer>,
    /// What was written last on the connection, in a cluster.
    written_before: Option<Vec<u8>>,
    /// Whether something is there to be committed, for certain.
    wrote: bool,
    /// After some errors the server has rolled back by itself, and would commit the nothing that is left.
    failed: bool,
}

/// The transaction had failed before.
#[derive(Debug, thiserror::Error)]
#[error("something failed in the transaction before its commit")]
struct Failed;

impl MySqlTx {
    pub(crate) async fn begin(mut session: Session<MySqlServer>) -> Result<Self, StoreError> {
        // Before it is: whatever becomes of it, the session is set back.
        session.set_open(true);
        let written_before = if session.server().is_clustered() {
            let begin =
                async |connection: &mut MySqlConnection| last_written(connection, BEGIN_IN_CLUSTER).await;
            Some(session.run(begin).await?)
        } else {
            let begin = match session.server().silent_max() {
                Some(silent_max) => format!("SET SESSION wait_timeout = {}; {BEGIN}", silent_max.as_secs()),
                None => BEGIN.to_owned(),
            };
            let begin = async |connection: &mut MySqlConnection| {
                connection.execute(AssertSqlSafe(begin)).await.map_err(class)
            };
            session.run(begin).await?;
            None
        };
        Ok(Self { session, written_before, wrote: false, failed: false })
    }

    /// Does something in the transaction that the merchant is at fault for if it fails: what comes before the savepoint can
    /// be saved then.
    pub(crate) async fn run_for_merchant<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, StatementFailure>,
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
        work: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.session.run(work).await;
        self.failed |= done.is_err();
        done
    }

    /// A row was changed in the transaction, for certain.
    pub(crate) fn wrote(&mut self) {
        self.wrote = true;
    }

    pub(crate) async fn commit_now(mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Unexpected(Box::new(Failed)));
        }
        let statements = match (&self.written_before, self.session.server().silent_max()) {
            (Some(_), _) => COMMIT_IN_CLUSTER,
            (None, Some(_)) => COMMIT_ON_MYSQL,
            (None, None) => COMMIT,
        };
        let commit =
            async |connection: &mut MySqlConnection| connection.execute(statements).await.map_err(class);
        let mut committed = self.session.run(commit).await.map(drop).map_err(class_of_commit);
        if committed.is_ok()
            && let Some(before) = &self.written_before
        {
            // Order matters: what goes wrong from here on, be it a deadlock by its number, came after the commit.
            let ask =
                async |connection: &mut MySqlConnection| last_written(connection, COMMITTED_IN_CLUSTER).await;
            committed = match self.session.run(ask).await {
                Ok(last) if self.wrote && last == *before => Err(Ended.into()),
                Ok(_) => Ok(()),
                Err(error) => Err(StoreError::CommitUnknown(Box::new(error))),
            };
        }
        self.session.set_open(committed.is_err());
        committed
    }
}

/// The cluster has ended the transaction.
#[derive(Debug, thiserror::Error)]
#[error("the cluster ended the transaction for another member's, without a word")]
struct Ended;

impl From<Ended> for StoreError {
    fn from(ended: Ended) -> Self {
        Self::Conflict(Box::new(ended))
    }
}

/// Executes statements of which the last one asks for the number of what was written last on the connection.
async fn last_written(
    connection: &mut MySqlConnection,
    statements: &'static str,
) -> Result<Vec<u8>, StoreError> {
    let row = connection.fetch_one(statements).await.map_err(class)?;
    value(&row, 0)
}

/// Whether saving them changes a row for certain.
fn writes(changes: &Changes) -> bool {
    let Changes { orders, payments, notifications, messages, incidents, receipts } = changes;
    !orders.is_empty()
        || !payments.is_empty()
        || !notifications.is_empty()
        || !messages.is_empty()
        || !incidents.is_empty()
        || !receipts.is_empty()
}

#[async_trait]
impl Tx for MySqlTx {
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
                Claim::Payment(merchant, number) => payments.push((merchant.as_str(), number.as_str())),
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
        self.wrote |= writes(changes);
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
    connection: &mut MySqlConnection,
    keys: &[OrderKey],
) -> Result<Vec<KnownOrder>, StoreError> {
    // Rows are locked as they are found: STRAIGHT_JOIN goes through the keys as they stand, and the index must be used,
    // since a scan would wait for the rows of others.
    const LOCK: &str = concat!(
        "SELECT ",
        order_columns!(),
        ", j.place FROM ",
        json_table!("mchid" ascii!(32), 0; "out_trade_no" ascii!(32), 1),
        " STRAIGHT_JOIN payonce_orders o FORCE INDEX (order_number_once) \
         ON o.mchid = j.mchid AND o.out_trade_no = j.out_trade_no FOR UPDATE"
    );
    let rows = keys.iter().map(|key| (key.merchant.as_str(), key.out_trade_no.as_str()));
    let locked = sqlx::query(LOCK).bind(json(rows)).fetch_all(&mut *connection).await.map_err(class)?;
    let paid_by = paid_by(connection, &locked).await?;
    let order = |row: &MySqlRow| {
        let key = row_at(keys, row, ORDER_COLUMNS)?;
        let (id, _) = rows::order_state(row)?;
        let by = paid_by.binary_search_by_key(&id, |(order, _)| *order).ok();
        rows::order(row, key.clone(), by.map(|place| paid_by[place].1.clone()))
    };
    locked.iter().map(order).collect()
}

/// The payments that paid those orders which are paid, by order. Asked for only now: the statement that waited for the
/// locks does not see what was written meanwhile in other tables.
async fn paid_by(
    connection: &mut MySqlConnection,
    orders: &[MySqlRow],
) -> Result<Vec<(OrderId, WechatPaymentId)>, StoreError> {
    const PAID_BY: &str = concat!(
        "SELECT p.order_id, p.transaction_id FROM ",
        json_table!("order_id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_payment p FORCE INDEX (payment_settles_once) \
         ON p.order_id = j.order_id AND p.settles = 1"
    );
    let mut paid = Vec::new();
    for row in orders {
        if let (OrderId(id), codes::STATE_PAID | codes::STATE_PAID_LATE) = rows::order_state(row)? {
            paid.push((id,));
        }
    }
    if paid.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query(PAID_BY).bind(json(paid)).fetch_all(connection).await.map_err(class)?;
    let by = |row: &MySqlRow| {
        let number = read("payment.transaction_id", WechatPaymentId::parse(value(row, 1)?))?;
        Ok((OrderId(value(row, 0)?), number))
    };
    let mut paid_by = found.iter().map(by).collect::<Result<Vec<_>, StoreError>>()?;
    paid_by.sort_unstable_by_key(|(order, _)| *order);
    Ok(paid_by)
}

async fn payments_claimed(
    connection: &mut MySqlConnection,
    claims: &[(&str, &str)],
) -> Result<Vec<KeptPayment>, StoreError> {
    const CLAIMED: &str = concat!(
        "SELECT ",
        payment_columns!(),
        " FROM ",
        json_table!("mchid" ascii!(32), 0; "transaction_id" ascii!(32), 1),
        " STRAIGHT_JOIN payonce_payment p FORCE INDEX (payment_statement_once) \
         ON p.mchid = j.mchid AND p.transaction_id = j.transaction_id"
    );
    kept_payments(connection, CLAIMED, json(claims)).await
}

async fn passed(
    connection: &mut MySqlConnection,
    claims: &[(&MerchantId, &NotificationId)],
) -> Result<Vec<(MerchantId, NotificationId)>, StoreError> {
    const PASSED: &str = concat!(
        "SELECT j.place FROM ",
        json_table!("mchid" ascii!(32), 0; "notification_id" ascii!(64), 1),
        " STRAIGHT_JOIN payonce_notification_passed n FORCE INDEX (PRIMARY) \
         ON n.mchid = j.mchid AND n.notification_id = j.notification_id"
    );
    let rows = json(claims.iter().map(|(merchant, id)| (merchant.as_str(), id.as_str())));
    let found = sqlx::query(PASSED).bind(rows).fetch_all(connection).await.map_err(class)?;
    let claim = |row: &MySqlRow| {
        let (merchant, id) = row_at(claims, row, 0)?;
        Ok(((*merchant).clone(), (*id).clone()))
    };
    found.iter().map(claim).collect()
}

async fn payments_under(
    connection: &mut MySqlConnection,
    awaited: &[OrderId],
) -> Result<Vec<KeptPayment>, StoreError> {
    const UNDER: &str = concat!(
        "SELECT ",
        payment_columns!(),
        " FROM ",
        json_table!("order_id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_payment p FORCE INDEX (payment_settles_once) \
         ON p.order_id = j.order_id AND p.settles IS NULL"
    );
    kept_payments(connection, UNDER, json(awaited.iter().map(|id| (id.0,)))).await
}

/// In the order of their arrival.
async fn kept_payments(
    connection: &mut MySqlConnection,
    select: &'static str,
    keys: String,
) -> Result<Vec<KeptPayment>, StoreError> {
    let found = sqlx::query(select).bind(keys).fetch_all(connection).await.map_err(class)?;
    let mut payments = found.iter().map(|row| kept_payment(row, 0)).collect::<Result<Vec<_>, _>>()?;
    payments.sort_unstable_by_key(|kept| kept.row);
    Ok(payments)
}

#[cfg(test)]
mod tests {
    use payonce_core::{EventType, Store, UnixMillis, store::Receipt};
    use payonce_test_servers::{Galera, mariadb, require};

    use super::*;
    use crate::{MySqlStore, Options, epoch::Engine};

    async fn seconds(connection: &mut MySqlConnection, variable: &'static str) -> Result<i64, StoreError> {
        let select = AssertSqlSafe(format!("SELECT CAST({variable} AS SIGNED)"));
        sqlx::query_scalar(select).fetch_one(connection).await.map_err(class)
    }

    /// MariaDB takes the statements for MySQL as well: it knows the same setting.
    #[tokio::test]
    async fn on_mysql_a_node_that_falls_silent_in_a_transaction_is_cut_off_soon() {
        let Some(server) = require(mariadb::shared()) else { return };
        let database = server.create_database().unwrap();
        // A single connection for transactions, so that each of them shows what the last one has left.
        let mut options = Options::new(&database.url()).unwrap();
        options.connections_max = 2;
        let store = MySqlStore::open(&options).await.unwrap();
        let idle = async || {
            let mut session = store.session(&store.path).await.unwrap();
            session.run(async |connection| seconds(connection, "@@SESSION.wait_timeout").await).await.unwrap()
        };
        let usual = idle().await;
        assert!(usual > 10, "{usual}");
        store.watch.take_for(Engine::MySql);
        for commits in [true, false] {
            let mut tx = MySqlTx::begin(store.session(&store.path).await.unwrap()).await.unwrap();
            let open = tx.run(async |connection| seconds(connection, "@@SESSION.wait_timeout").await).await;
            assert_eq!(open.unwrap(), 10);
            if commits {
                tx.commit_now().await.unwrap();
            } else {
                drop(tx);
            }
            assert_eq!(idle().await, usual, "commits: {commits}");
        }
    }

    fn written() -> Changes {
        let merchant = MerchantId::parse("1900000001").unwrap();
        let notification = NotificationId::parse("N1").unwrap();
        let event = EventType::parse("TRANSACTION.SUCCESS").unwrap();
        let receipts = vec![Receipt::new(merchant, notification, event, UnixMillis(1))];
        Changes { receipts, ..Changes::default() }
    }

    /// As when the member has ended the transaction, and its word was lost: before something is written, and after.
    #[tokio::test]
    async fn a_transaction_that_its_cluster_ended_without_a_word_commits_nothing() {
        let Some(cluster) = require(Galera::start(1)) else { return };
        cluster.create_database("shop").unwrap();
        let store = MySqlStore::open(&Options::new(&cluster.member(0).url("shop")).unwrap()).await.unwrap();
        let begin = async || MySqlTx::begin(store.session(&store.path).await.unwrap()).await.unwrap();
        let end = async |tx: &mut MySqlTx, statements: &'static str| {
            tx.run(async |connection| connection.execute(statements).await.map(drop).map_err(class)).await
        };
        let receipts = async || store.counts().await.unwrap().receipts;

        let mut tx = begin().await;
        end(&mut tx, "ROLLBACK").await.unwrap();
        tx.save(&written()).await.unwrap();
        let committed = Box::new(tx).commit().await;
        assert!(matches!(committed, Err(StoreError::Conflict(_))), "{committed:?}");
        assert_eq!(receipts().await, 0);

        let mut tx = begin().await;
        tx.save(&written()).await.unwrap();
        end(&mut tx, "ROLLBACK; SAVEPOINT payonce").await.unwrap();
        let committed = Box::new(tx).commit().await;
        assert!(matches!(committed, Err(StoreError::Conflict(_))), "{committed:?}");
        assert_eq!(receipts().await, 0);

        let mut tx = begin().await;
        tx.save(&written()).await.unwrap();
        Box::new(tx).commit().await.unwrap();
        assert_eq!(receipts().await, 1);
    }
}
