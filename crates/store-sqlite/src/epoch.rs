//! The epoch of a file: it begins when a process opens it, and ends with that process.
//!
//! One process serves a file, and what it remembers ends with it; a backup is put in place while none runs. So the key
//! need not be kept: a new one at each opening says that nothing is remembered from before.

use payonce_core::{StoreError, store::Epoch};
use rusqlite::Connection;

use crate::errors::class;

/// A new epoch.
pub(crate) fn begin(connection: &Connection) -> Result<Epoch, StoreError> {
    connection
        .query_row("SELECT randomblob(?1)", [Epoch::KEY_BYTES as i64], |row| row.get(0))
        .map(Epoch::new)
        .map_err(class)
}
