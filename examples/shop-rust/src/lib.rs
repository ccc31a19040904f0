//! A shop that sells credits, and has payonce in its own program: one process, one database, one transaction.
//!
//! A customer orders credits, pays by WeChat Pay, and finds them in the account. What is shown here is how the last step is
//! taken exactly once without any code against duplicates: it is an *effect* ([`Credit`]), which runs in the transaction
//! that learns of the payment. Deliberately absent: placing the order with WeChat Pay, customers, prices.

mod credit;

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use payonce_core::{SystemClock, delivery::Filter, store::Owner};
use payonce_server::{
    Mounted, Server,
    config::{Config, StoreUrl},
};
use payonce_store_sqlite::{Options, SqliteStore};
use serde_json::{Value, json};

pub use credit::Credit;

/// The shop's tables, beside payonce's in one file. (payonce has tables `orders`, `payment` and `message` there.)
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS shop_account (customer TEXT PRIMARY KEY, credits INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS shop_order (
  no       TEXT PRIMARY KEY,
  customer TEXT NOT NULL REFERENCES shop_account (customer),
  credited INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// Makes the shop's tables, if they are not there. payonce makes the file first: it takes none that is another program's.
///
/// # Errors
/// If the file cannot be written.
pub fn make_tables(file: &Path) -> anyhow::Result<()> {
    rusqlite::Connection::open(file)?.execute_batch(TABLES).context("the shop's tables")
}

/// The shop's own application with payonce in it under `/pay`, and what runs in the background. WeChat Pay's notify_url ends
/// in `/pay/notify/v3/` and the mchid.
///
/// # Errors
/// If the database is not there to be served, or has not the tables that the effect needs.
pub async fn open(config: Config, owner: Owner) -> anyhow::Result<(Router, Mounted)> {
    let StoreUrl::Sqlite(file) = config.store.url.clone() else {
        bail!("this shop keeps its tables in SQLite")
    };
    let store = SqliteStore::open(&Options::new(&file))?;
    make_tables(&file)?;
    let paid = Filter::parse(&["payment.succeeded"])?;
    let server = Server::new(config, Arc::new(store), Arc::new(SystemClock), owner);
    let (payonce, mounted) = server.effect(paid, Arc::new(Credit::new()?)).mount().await?;
    let shop = Router::new().route("/credits", get(credits)).with_state(Arc::from(file));
    Ok((shop.nest("/pay", payonce), mounted))
}

/// What each customer has: a route of the shop's own.
async fn credits(State(file): State<Arc<Path>>) -> Result<Json<Value>, StatusCode> {
    let read = move || {
        let connection = rusqlite::Connection::open(file)?;
        let mut select =
            connection.prepare("SELECT customer, credits FROM shop_account ORDER BY customer")?;
        let account = |row: &rusqlite::Row<'_>| {
            Ok(json!({ "customer": row.get::<_, String>(0)?, "credits": row.get::<_, i64>(1)? }))
        };
        select.query_map([], account)?.collect::<Result<Vec<_>, rusqlite::Error>>()
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    read.map(|accounts| Json(accounts.into())).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
