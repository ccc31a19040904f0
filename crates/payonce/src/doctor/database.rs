//! The database: whether it is there, of this schema, answers, and may be served. It is left as it is.

use std::{path::Path, time::Duration};

use payonce_core::store::{Role, StoreError, archive::Archive, with_causes};
use payonce_server::config::{StoreSettings, StoreUrl};
use tokio::time::timeout;

use super::{Database, Finding, Findings, finding::Outcome};
use crate::database::{self, Purpose};

const CHECK: &str = "database";

/// What a database does not say in this time it does not say in the time that a callback has.
const LOOK_MAX: Duration = Duration::from_secs(15);

const MEND: &str = "mend store.url, or what it leads to";

pub(super) async fn look(settings: &StoreSettings, findings: &mut Findings) -> Database {
    let (database, finding) = timeout(LOOK_MAX, open(settings)).await.unwrap_or_else(|_| {
        let detail = format!("it does not answer within {} s", LOOK_MAX.as_secs());
        (None, Finding::failed(CHECK, detail, MEND))
    });
    findings.add(finding);
    database
}

async fn open(settings: &StoreSettings) -> (Database, Finding) {
    let kind = match &settings.url {
        StoreUrl::Sqlite(path) if !path.exists() => return (None, no_file(path)),
        StoreUrl::Sqlite(_) => "SQLite",
        StoreUrl::Postgres(_) => "PostgreSQL",
        StoreUrl::MySql(_) => "MySQL or MariaDB",
    };
    let failed = |error: &anyhow::Error| Finding::failed(CHECK, with_causes(error.as_ref()), MEND);
    let missing = match database::missing_migrations(&settings.url).await {
        Ok(missing) => missing,
        Err(error) => return (None, failed(&error)),
    };
    if !missing.is_empty() {
        let detail = format!("{kind} answers, its schema lacks {}", missing.join(", "));
        return (None, behind(settings, detail));
    }
    let opened = match database::open(settings, Purpose::Read).await {
        Ok(opened) => opened,
        Err(error) => return (None, failed(&error)),
    };
    match standing(&*opened, kind).await {
        // No callback arrives in what no node serves.
        Ok(finding) if finding.outcome == Outcome::Failed => (None, finding),
        Ok(finding) => (Some(opened), finding),
        Err(error) => (None, Finding::failed(CHECK, with_causes(&error), MEND)),
    }
}

fn no_file(path: &Path) -> Finding {
    // Of a bare name the folder is the empty path, and is there.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => {
            let detail = format!("there is no folder {} for the file of store.url", folder.display());
            Finding::failed(
                CHECK,
                detail,
                "make the folder, or mend store.url: `payonce serve` makes the file only",
            )
        }
        None => {
            let detail = format!("there is no file {} yet", path.display());
            Finding::warning(CHECK, detail, "`payonce serve` makes it at its first start")
        }
    }
}

/// The schema is not up to date. A server brings it there itself, unless it is told not to and the database is none of
/// its own files.
fn behind(settings: &StoreSettings, detail: String) -> Finding {
    let is_file = matches!(settings.url, StoreUrl::Sqlite(_));
    if is_file || settings.migrate {
        let remedy = "`payonce serve` brings it up to date at its next start; or run `payonce migrate apply`";
        Finding::warning(CHECK, detail, remedy)
    } else {
        let detail = format!("{detail}, and `payonce serve` refuses it, as store.migrate is \"manual\"");
        Finding::failed(CHECK, detail, "run `payonce migrate apply`, or set store.migrate to \"auto\"")
    }
}

/// Whether it answers, and whether a node may serve it.
async fn standing(database: &dyn Archive, kind: &str) -> Result<Finding, StoreError> {
    database.ping().await?;
    let leases = database.leases().await?;
    let held = |role: &Role| leases.iter().find(|view| view.lease.role == *role && !view.left.is_zero());
    if let Some(mark) = held(&Role::MOVED) {
        let to = &mark.lease.owner;
        let detail =
            format!("PAY0011: everything in it was moved to another one ({to}), so no node serves it");
        let remedy = format!(
            "name that one in store.url; to give that one up and serve this one again, run `payonce take-back {to}`"
        );
        return Ok(Finding::failed(CHECK, detail, remedy));
    }
    if let Some(copy) = held(&Role::COPY) {
        let seconds = copy.left.as_secs() + 1;
        let detail = "`payonce copy` is at work on it, and no node serves it meanwhile";
        let remedy = format!("wait until it has ended; a copy that died lets go of it within {seconds} s");
        return Ok(Finding::warning(CHECK, detail, remedy));
    }
    Ok(Finding::ok(CHECK, format!("{kind} answers, its schema is up to date")))
}
