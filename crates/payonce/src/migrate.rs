//! `payonce migrate`: what the schema lacks, and bringing it up to date.

use std::{io::Write as _, path::Path, process::ExitCode};

use anyhow::Context as _;
use payonce_server::config::Environment;

use crate::{
    args::MigrateCommand,
    configuration,
    database::{self, Purpose},
};

pub(crate) fn run(
    command: MigrateCommand,
    path: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let settings = configuration::load(path, environment)?.config.store;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let missing = database::missing_migrations(&settings.url).await.context("store.url")?;
        let mut out = std::io::stdout();
        match command {
            _ if missing.is_empty() => writeln!(out, "the schema is up to date")?,
            MigrateCommand::Status => {
                let count = missing.len();
                writeln!(out, "the schema lacks {count} migration(s): run `payonce migrate apply`")?;
                return Ok(ExitCode::FAILURE);
            }
            MigrateCommand::Plan => {
                for name in &missing {
                    writeln!(out, "{name}")?;
                }
            }
            MigrateCommand::Apply => {
                // Opening is migrating.
                database::open(&settings, Purpose::Migrate).await.context("store.url")?;
                for name in &missing {
                    writeln!(out, "applied {name}")?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
