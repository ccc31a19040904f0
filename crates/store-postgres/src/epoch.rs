//! The epoch: a key in the database, renewed whenever the database may have gone backwards.
//!
//! Whoever restores a backup brings back the key that was current then, and with it would make old cached answers
//! true again. So the key stands beside what it was made under: the server process (by its start, to the microsecond)
//! and the files of the tables that say what took effect. Each new connection compares; where they differ, the first
//! one renews the key (compare-and-set) and all others take the new one.
//!
//! - A restored data folder, a standby that was promoted, a server that crashed: another server process.
//! - A dump put back into a running server: other files, be the tables made anew or emptied by TRUNCATE; and if they
//!   were emptied by DELETE, the row is no longer written by the transaction that it names itself (`xmin`).
//!
//! A connection that was lost makes the epoch unknown until one proves it again, so that a node which still has
//! connections from before does not go on with what it knew. Each node uses a connection every few seconds (its
//! leases), which is sooner than a server is restored.
//!
//! Not covered, and so forbidden in the documents: single rows deleted or put back by hand, a machine put back with
//! its memory, and a proxy whose connections to payonce outlive a restore: restart payonce after a restore there, or
//! leave the shared cache off. (PgBouncer closes a connection with its session, in the mode in which it will do.)

use std::sync::{Mutex, MutexGuard, PoisonError};

use payonce_core::{
    StoreError,
    store::{Epoch, ForeignValue, SchemaError},
};
use sqlx::{PgConnection, Row};

use crate::errors::class;

/// What is there now: the server process, and the files of the tables whose rows cached answers speak of.
macro_rules! present {
    () => {
        "(SELECT concat((extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, '/', \
           string_agg(pg_relation_filenode(c.oid)::text, ',' ORDER BY c.relname)) \
         FROM pg_class c WHERE c.relnamespace = 'payonce'::regnamespace \
           AND c.relname IN ('database', 'orders', 'payment', 'notification_passed'))"
    };
}

const READ: &str = concat!(
    "SELECT d.epoch, d.epoch_of = ",
    present!(),
    " AND d.epoch_xid = d.xmin::text::bigint FROM payonce.database d"
);

// Each uuid holds 122 random bits; a hash over three of them is 256.
const RENEW: &str = concat!(
    "UPDATE payonce.database SET epoch_of = ",
    present!(),
    ", epoch_xid = pg_current_xact_id()::text::bigint & 4294967295, epoch = sha256(uuid_send(gen_random_uuid()) || \
     uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) WHERE epoch = $1"
);

/// What this process knows of the epoch.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    epoch: Option<Epoch>,
    /// How often it was forgotten.
    losses: u64,
}

impl Watch {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The epoch, as long as no connection was lost since it was proven.
    pub(crate) fn current(&self) -> Option<Epoch> {
        self.known().epoch.clone()
    }

    /// A connection was lost.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.epoch = None;
        known.losses += 1;
    }

    /// Proves on a connection that the key is current, or renews it.
    pub(crate) async fn prove(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        loop {
            let losses = self.known().losses;
            let epoch = read(connection).await?;
            let mut known = self.known();
            // What was read before a connection was lost may be of the server that was.
            if known.losses == losses {
                known.epoch = Some(epoch);
                return Ok(());
            }
        }
    }
}

async fn read(connection: &mut PgConnection) -> Result<Epoch, StoreError> {
    loop {
        let row = sqlx::query(READ).fetch_optional(&mut *connection).await.map_err(class)?;
        let row = row.ok_or(StoreError::Schema(SchemaError::Unknown))?;
        let key: &[u8] = row.try_get(0).map_err(class)?;
        if row.try_get(1).map_err(class)? {
            return Epoch::from_bytes(key).ok_or(ForeignValue { column: "database.epoch" }.into());
        }
        sqlx::query(RENEW).bind(key).execute(&mut *connection).await.map_err(class)?;
    }
}
