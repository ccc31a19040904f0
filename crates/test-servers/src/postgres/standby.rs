//! A PostgreSQL standby: a copy that follows its primary, and takes its place when told.

use std::process::Command;
use std::time::Duration;

use crate::process::{run, until};
use crate::{CommandError, Postgres, ServerError};

/// A standby connects within a second of being ready.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(60);

impl Postgres {
    /// Starts a standby that follows `primary`, from a fresh copy of it.
    ///
    /// # Errors
    /// When the primary does not run, or the standby does not start.
    pub fn standby_of(primary: &Self) -> Result<Self, ServerError> {
        let engine = primary.engine().clone();
        let mut backup: Command = engine.client_program("pg_basebackup", primary.port());
        Self::launch(engine, |folder, account| {
            backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"]);
            backup.arg(folder.join("data")).current_dir(folder);
            Ok(run(account.run(&mut backup), "").map(drop)?)
        })
    }

    /// From now on a commit on this primary waits until its standby has written it; returns when one follows.
    ///
    /// # Errors
    /// When no standby follows within a minute.
    pub fn wait_for_standby(&self) -> Result<(), ServerError> {
        self.execute(
            "postgres",
            "ALTER SYSTEM SET synchronous_commit = on;
             ALTER SYSTEM SET synchronous_standby_names = '*';
             SELECT pg_reload_conf();",
        )?;
        let following =
            "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming';";
        let follows = until(FOLLOWS_WITHIN, || match self.execute("postgres", following) {
            Ok(rows) => (!rows.is_empty()).then_some(Ok(())),
            Err(error) => Some(Err(error)),
        });
        match follows {
            Some(answer) => Ok(answer?),
            None => Err(self.late("followed by a standby", FOLLOWS_WITHIN, &self.log_since(0))),
        }
    }

    /// Makes this standby a primary; returns when it takes writes.
    ///
    /// # Errors
    /// When it is not a standby.
    pub fn promote(&self) -> Result<(), CommandError> {
        // Waits for the end of the recovery, a minute at most.
        self.execute("postgres", "SELECT pg_promote();").map(drop)
    }
}
