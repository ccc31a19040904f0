//! The sequencer: gives positions to messages whose transaction has committed.
//!
//! Why whoever has read up to a position has seen all before it. Positions are given in a transaction that holds the
//! one row of `payonce_sequencer`, consecutive ones from where it stands; they can be seen when it commits, which it
//! does before the row is let go. So the transactions that give positions commit in the order of the positions, and a
//! snapshot that holds a position holds all below it. The messages themselves had committed before, or they would not
//! have been found.
//!
//! A batch that commits late, though its row number is smaller (members of a cluster count with gaps, each in its own),
//! is found by a later round and gets later positions: row numbers only say in which order waiting batches are taken,
//! and a batch that has no position yet is in front of nobody.
//!
//! In a Galera cluster two members do not see each other's lock, but both write the row: one of the two commits fails.
//! Members commit in one order, so a member that lags shows the positions up to some point, whole.

use payonce_core::{StoreError, store::Lease};
use sqlx::MySqlConnection;

use crate::{
    errors::class,
    leases::held,
    rows::{json, json_table, limit_of, value},
};

/// Whether someone has to give positions after the commit.
pub(crate) const NEEDED: bool = true;

/// Whether there is work, without locking anything: most rounds of a quiet system end here.
pub(crate) async fn has_work(connection: &mut MySqlConnection, lease: &Lease) -> Result<bool, StoreError> {
    const LOOK: &str = concat!(
        "SELECT EXISTS (",
        held!(""),
        "), EXISTS (SELECT 1 FROM payonce_message_batch WHERE first_position IS NULL)"
    );
    let look = sqlx::query(LOOK).bind(lease.role.as_str()).bind(lease.owner.0.as_str()).bind(lease.token);
    let found = look.fetch_one(connection).await.map_err(class)?;
    if value(&found, 0)? { value(&found, 1) } else { Err(StoreError::LeaseLost) }
}

/// Gives positions to the earliest batches that wait; returns to how many messages.
pub(crate) async fn sequence(
    connection: &mut MySqlConnection,
    lease: &Lease,
    transactions_max: usize,
) -> Result<usize, StoreError> {
    const GIVE: &str = concat!(
        "UPDATE ",
        json_table!("id" "BIGINT", 0; "first_position" "BIGINT", 1),
        " STRAIGHT_JOIN payonce_message_batch b FORCE INDEX (PRIMARY) ON b.id = j.id \
         SET b.first_position = j.first_position"
    );
    let held = sqlx::query(held!(" FOR UPDATE"))
        .bind(lease.role.as_str())
        .bind(lease.owner.0.as_str())
        .bind(lease.token)
        .fetch_optional(&mut *connection)
        .await
        .map_err(class)?;
    if held.is_none() {
        return Err(StoreError::LeaseLost);
    }
    // Order matters: what is read after the lock is what the last round has left.
    let first: i64 =
        sqlx::query_scalar("SELECT next_position FROM payonce_sequencer WHERE one = 1 FOR UPDATE")
            .fetch_one(&mut *connection)
            .await
            .map_err(class)?;
    let waiting = sqlx::query(
        "SELECT id, messages FROM payonce_message_batch WHERE first_position IS NULL ORDER BY id LIMIT ?",
    );
    let waiting =
        waiting.bind(limit_of(transactions_max)).fetch_all(&mut *connection).await.map_err(class)?;
    let mut given = Vec::with_capacity(waiting.len());
    let mut next = first;
    for row in &waiting {
        given.push((value::<i64>(row, 0)?, next));
        next += value::<i64>(row, 1)?;
    }
    if !given.is_empty() {
        sqlx::query(GIVE).bind(json(given)).execute(&mut *connection).await.map_err(class)?;
        let advance = sqlx::query("UPDATE payonce_sequencer SET next_position = ? WHERE one = 1").bind(next);
        advance.execute(connection).await.map_err(class)?;
    }
    Ok(usize::try_from(next - first).unwrap_or(0))
}
