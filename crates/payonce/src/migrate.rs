//! `payonce migrate`: what the schema lacks, and bringing it up to date.

use std::{io::Write as _, path::Path, process::ExitCode};

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
        let missing = database::missing_migrations(&settings.url).await?;
        let mut out = std::io::stdout();
        match command {
            MigrateCommand::Status if missing.is_empty() => writeln!(out, "the schema is up to date")?,
            MigrateCommand::Status => {
                writeln!(
                    out,
                    "the schema lacks {} migration(s): run `payonce migrate apply`",
                    missing.len()
                )?;
                return Ok(ExitCode::FAILURE);
            }
            MigrateCommand::Plan => {
                for name in &missing {
                    writeln!(out, "{name}")?;
                }
            }
            MigrateCommand::Apply => {
                // Opening is migrating; nothing is done if nothing is missing.
                database::open(&settings, Purpose::Migrate).await?;
                for name in &missing {
                    writeln!(out, "applied {name}")?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
