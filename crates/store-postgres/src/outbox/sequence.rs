//! The sequencer: gives positions to messages whose transaction has committed.
//!
//! Why whoever has read up to a position has seen all before it. Positions are given in a transaction that holds the
//! one row of `sequencer`, consecutive ones from where it stands; they can be seen when it commits, which it does
//! before the row is let go. So the transactions that give positions commit in the order of the positions, and a
//! snapshot that holds a position holds all below it. The messages themselves had committed before, or they would not
//! have been found.
//!
//! A batch that commits late, though its row number is smaller, is found by a later round and gets later positions:
//! row numbers only say in which order waiting batches are taken, and a batch that has no position yet is in front of
//! nobody.

use payonce_core::{StoreError, store::Lease};
use sqlx::PgConnection;

use crate::{
    errors::class,
    leases::held,
    rows::{limit_of, value},
};

/// Whether someone has to give positions after the commit.
pub(crate) const NEEDED: bool = true;

/// Whether there is work, without locking anything: most rounds of a quiet system end here.
pub(crate) async fn has_work(connection: &mut PgConnection, lease: &Lease) -> Result<bool, StoreError> {
    const LOOK: &str = concat!(
        "SELECT EXISTS (",
        held!(""),
        "), EXISTS (SELECT 1 FROM payonce.message_batch WHERE first_position IS NULL)"
    );
    let look = sqlx::query(LOOK).bind(lease.role.as_str()).bind(lease.owner.0.as_str()).bind(lease.token);
    let found = look.fetch_one(connection).await.map_err(class)?;
    if value(&found, 0)? { value(&found, 1) } else { Err(StoreError::LeaseLost) }
}

/// Gives positions to the earliest batches that wait; returns to how many messages.
pub(crate) async fn sequence(
    connection: &mut PgConnection,
    lease: &Lease,
    transactions_max: usize,
) -> Result<usize, StoreError> {
    let held = sqlx::query(held!(" FOR SHARE"))
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
    let next: i64 = sqlx::query_scalar("SELECT next_position FROM payonce.sequencer FOR UPDATE")
        .fetch_one(&mut *connection)
        .await
        .map_err(class)?;
    let given: i64 = sqlx::query_scalar(
        "WITH waiting AS (SELECT id, messages FROM payonce.message_batch WHERE first_position IS NULL \
           ORDER BY id LIMIT $1), \
         numbered AS (SELECT id, $2 + sum(messages) OVER (ORDER BY id) - messages AS first_position FROM waiting), \
         given AS (UPDATE payonce.message_batch b SET first_position = n.first_position \
           FROM numbered n WHERE b.id = n.id RETURNING b.messages), \
         total AS (SELECT coalesce(sum(messages), 0) AS messages FROM given) \
         UPDATE payonce.sequencer s SET next_position = $2 + total.messages FROM total RETURNING total.messages",
    )
    .bind(limit_of(transactions_max))
    .bind(next)
    .fetch_one(connection)
    .await
    .map_err(class)?;
    Ok(usize::try_from(given).unwrap_or(0))
}
