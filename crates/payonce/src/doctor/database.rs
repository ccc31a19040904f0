//! The database: whether it is there, of this schema, and answers. Its schema is left as it is.

use payonce_core::store::with_causes;
use payonce_server::config::{StoreSettings, StoreUrl};

use super::{Database, Finding, Findings};
use crate::database::{self, Purpose};

const CHECK: &str = "database";

pub(super) async fn look(settings: &StoreSettings, findings: &mut Findings) -> Database {
    let (database, finding) = open(settings).await;
    findings.add(finding);
    database
}

async fn open(settings: &StoreSettings) -> (Database, Finding) {
    let kind = match &settings.url {
        StoreUrl::Sqlite(path) if !path.exists() => {
            let detail = format!("there is no file {} yet", path.display());
            return (None, Finding::warning(CHECK, detail, "`payonce serve` makes it at its first start"));
        }
        StoreUrl::Sqlite(_) => "SQLite",
        StoreUrl::Postgres(_) => "PostgreSQL",
        StoreUrl::MySql(_) => "MySQL or MariaDB",
    };
    let failed = |error: &anyhow::Error| {
        Finding::failed(CHECK, with_causes(error.as_ref()), "mend store.url, or what it leads to")
    };
    let missing = match database::missing_migrations(&settings.url).await {
        Ok(missing) => missing,
        Err(error) => return (None, failed(&error)),
    };
    if !missing.is_empty() {
        let detail = format!("{kind} answers, its schema lacks {}", missing.join(", "));
        let remedy = "run `payonce migrate apply`, or start `payonce serve` with store.migrate = \"auto\"";
        return (None, Finding::warning(CHECK, detail, remedy));
    }
    let opened = match database::open(settings, Purpose::Read).await {
        Ok(opened) => opened,
        Err(error) => return (None, failed(&error)),
    };
    match opened.ping().await {
        Ok(()) => {
            let detail = format!("{kind} answers, its schema is up to date");
            (Some(opened), Finding::ok(CHECK, detail))
        }
        Err(error) => {
            let finding = Finding::failed(CHECK, with_causes(&error), "mend store.url, or what it leads to");
            (None, finding)
        }
    }
}
