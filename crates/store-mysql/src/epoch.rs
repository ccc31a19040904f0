//! The epoch: a key in the database, renewed whenever the database may have gone backwards.
//!
//! Whoever restores a backup brings back the key that was current then, and with it would make old cached answers
//! true again. So the key stands beside what it was made under. Each new connection compares; where they differ, the
//! first one renews the key (compare-and-set) and all others take the new one.
//!
//! A server that stands alone: when it was started (to the second), its host, port and number, and when the tables
//! that say what took effect were made.
//!
//! - A restored data folder, a fail-over, a crash: another start, or another server.
//! - A dump put back into a running server: tables made at another time; and if they were emptied and filled again, the
//!   server has the key's table written later (`UPDATE_TIME`) than the row says of itself.
//!
//! A Galera cluster: its number and that of its view, which changes whenever a member comes or goes. A member that
//! restarts alone does not take the cluster back, and start times would make members fight over the row.
//!
//! A connection that was lost makes the epoch unknown until one proves it again, so that a node which still has
//! connections from before does not go on with what it knew.
//!
//! Not covered, and so forbidden in the documents: single rows deleted or put back by hand; a dump put back within the
//! second in which the key was made; a machine put back with its memory; a dump put back into a running cluster, or a
//! whole cluster started from a member that was behind, unless `UPDATE payonce_database SET epoch_of = ''` follows; a
//! proxy whose connections to payonce outlive a restore (restart payonce there, or leave the shared cache off).

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use payonce_core::{
    StoreError,
    store::{Epoch, ForeignValue, SchemaError},
};
use rand::{TryRngCore, rngs::OsRng};
use sqlx::{AssertSqlSafe, MySqlConnection};

use crate::{errors::class, rows::value};

/// How often a key is renewed in a row. A renewal that falls on the change of a second is done again; a server that
/// does not tell when a table was written would have it done for ever.
const RENEWALS_MAX: u32 = 8;

/// How long a server that did not tell is not asked again: to ask it takes nine writes.
const UNTOLD_MIN: Duration = Duration::from_secs(60);

/// What kind of server it is, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// MySQL, or a fork of it.
    MySql,
    /// MariaDB, alone.
    MariaDb,
    /// A member of a MariaDB Galera cluster.
    Galera,
}

/// What a server that stands alone is, `status` being its table of status values.
macro_rules! alone {
    ($status:literal) => {
        concat!(
            "CONCAT_WS('/', @@hostname, @@port, @@server_id, (SELECT UNIX_TIMESTAMP() - variable_value FROM ",
            $status,
            " WHERE variable_name = 'Uptime'), (SELECT GROUP_CONCAT(UNIX_TIMESTAMP(create_time) ORDER BY table_name) \
             FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('payonce_database', \
             'payonce_orders', 'payonce_payment', 'payonce_notification_passed')))"
        )
    };
}

/// When the table of the key was written last, in seconds.
const WRITTEN: &str = "(SELECT UNIX_TIMESTAMP(update_time) FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name = 'payonce_database')";

impl Engine {
    /// What is there now, as text.
    fn present(self) -> &'static str {
        match self {
            Self::MySql => alone!("performance_schema.global_status"),
            Self::MariaDb => alone!("information_schema.global_status"),
            Self::Galera => {
                "(SELECT GROUP_CONCAT(variable_value ORDER BY variable_name) FROM information_schema.global_status \
                 WHERE variable_name IN ('wsrep_cluster_state_uuid', 'wsrep_cluster_conf_id'))"
            }
        }
    }

    /// Reads the key, and whether it is current.
    fn read(self) -> String {
        // Each member of a cluster writes its tables at a time of its own.
        let written = if self == Self::Galera { "d.epoch_written" } else { WRITTEN };
        let present = self.present();
        format!(
            "SELECT UNHEX(d.epoch), COALESCE(UNHEX(d.epoch_of) = UNHEX(SHA2({present}, 256)) AND d.epoch_written = {written}, 0) \
             FROM payonce_database d"
        )
    }

    /// Renews the key, unless another has.
    fn renew(self) -> String {
        let present = self.present();
        format!(
            "UPDATE payonce_database SET epoch = HEX(?), epoch_of = SHA2({present}, 256), epoch_written = UNIX_TIMESTAMP() \
             WHERE one = 1 AND UNHEX(epoch) = ?"
        )
    }
}

/// Random bytes of the system. Not of the database: MariaDB has `RANDOM_BYTES` from 10.10 on only.
pub(crate) fn random<const BYTES: usize>() -> Result<[u8; BYTES], StoreError> {
    let mut bytes = [0; BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| StoreError::Unexpected(Box::new(error)))?;
    Ok(bytes)
}

/// What this process knows of the epoch.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    epoch: Option<Epoch>,
    /// Of the server that was connected to last.
    engine: Option<Engine>,
    /// How often the epoch was forgotten.
    losses: u64,
    /// When a server last did not tell whether the key is current.
    untold: Option<Instant>,
}

impl Known {
    /// Whether a new connection is to prove the key.
    fn asks_a_new_connection(&self, now: Instant) -> bool {
        self.untold.is_none_or(|untold| now.duration_since(untold) >= UNTOLD_MIN)
    }
}

impl Watch {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The epoch, as long as no connection was lost since it was proven.
    pub(crate) fn current(&self) -> Option<Epoch> {
        self.known().epoch.clone()
    }

    /// What kind of server was connected to last.
    pub(crate) fn engine(&self) -> Option<Engine> {
        self.known().engine
    }

    /// Takes the server for one of another kind.
    #[cfg(test)]
    pub(crate) fn take_for(&self, engine: Engine) {
        self.known().engine = Some(engine);
    }

    /// A connection was lost.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.epoch = None;
        known.losses += 1;
    }

    /// What kind of server is to be asked for the key on a connection that was there before: none while the key is known,
    /// nor after one that did not tell. A new connection asks that one again, at times.
    pub(crate) fn to_ask(&self) -> Option<Engine> {
        let known = self.known();
        // Without an engine no connection was proven yet: the next one will be.
        known.engine.filter(|_| known.epoch.is_none() && known.untold.is_none())
    }

    /// Proves on a new connection that the key is current, or renews it.
    pub(crate) async fn prove_on_new(
        &self,
        connection: &mut MySqlConnection,
        engine: Engine,
    ) -> Result<(), StoreError> {
        if self.known().asks_a_new_connection(Instant::now()) {
            return self.prove(connection, engine).await;
        }
        self.known().engine = Some(engine);
        Ok(())
    }

    /// Proves on a connection that the key is current, or renews it.
    pub(crate) async fn prove(
        &self,
        connection: &mut MySqlConnection,
        engine: Engine,
    ) -> Result<(), StoreError> {
        loop {
            let losses = self.known().losses;
            let epoch = read(connection, engine).await?;
            let mut known = self.known();
            // What was read before a connection was lost may be of the server that was.
            if known.losses == losses {
                known.untold = epoch.is_none().then(Instant::now);
                known.epoch = epoch;
                known.engine = Some(engine);
                return Ok(());
            }
        }
    }
}

/// The current key; `None` if the server does not tell whether it is.
async fn read(connection: &mut MySqlConnection, engine: Engine) -> Result<Option<Epoch>, StoreError> {
    for _ in 0..=RENEWALS_MAX {
        let read = sqlx::query(AssertSqlSafe(engine.read()));
        let row = read.fetch_optional(&mut *connection).await.map_err(class)?;
        let row = row.ok_or(StoreError::Schema(SchemaError::Unknown))?;
        let key: &[u8] = value(&row, 0)?;
        if value(&row, 1)? {
            let epoch = Epoch::from_bytes(key).ok_or(ForeignValue { column: "database.epoch" })?;
            return Ok(Some(epoch));
        }
        let fresh = random::<{ Epoch::KEY_BYTES }>()?;
        let renew = sqlx::query(AssertSqlSafe(engine.renew())).bind(fresh.to_vec()).bind(key.to_vec());
        renew.execute(&mut *connection).await.map_err(class)?;
    }
    tracing::warn!("the server does not tell when its tables were written: cached answers are not used");
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_did_not_tell_is_asked_again_once_a_minute() {
        let now = Instant::now();
        let asks = |known: &Known, seconds| known.asks_a_new_connection(now + Duration::from_secs(seconds));
        assert!(asks(&Known::default(), 0));
        let untold = Known { untold: Some(now), ..Known::default() };
        assert_eq!([0, 59, 60].map(|seconds| asks(&untold, seconds)), [false, false, true]);
    }
}
