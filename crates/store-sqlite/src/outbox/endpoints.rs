//! Endpoints: defined, switched, removed, and what lies before them.

use std::time::Duration;

use payonce_core::{
    UnixMillis,
    delivery::{Endpoint, EndpointId, EndpointName, EndpointState, EndpointUrl, Sealed},
    store::{
        Position,
        codes::{self, endpoint_state_code},
        delivery::{Backlog, EndpointView, Start, Switch},
    },
};
use rusqlite::{Connection, Row, params};

use super::now;
use crate::{
    leases::millis,
    rows::{RowError, known, read, text},
};

/// Those of an endpoint's rows that were never tried, and that nobody has.
pub(super) const UNTRIED: &str = "endpoint_id = ?1 AND state = 0 AND attempts = 0 AND taken_by IS NULL";

pub(super) fn put(
    connection: &Connection,
    name: &EndpointName,
    endpoint: &Endpoint,
    start: Start,
) -> Result<EndpointId, RowError> {
    let now = now(connection)?;
    let latest: i64 =
        connection.query_row("SELECT coalesce(max(position), 0) FROM message", [], |row| row.get(0))?;
    let fanned_out = match start {
        Start::Now => latest,
        Start::After(position) => position.0.clamp(0, latest),
    };
    let mut put = connection.prepare_cached(
        "INSERT INTO endpoint (name, url, kinds, ordered, settings, sealed, state, state_since, fanned_out) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8) ON CONFLICT (name) DO UPDATE SET url = excluded.url, \
           kinds = excluded.kinds, ordered = excluded.ordered, settings = excluded.settings, \
           sealed = excluded.sealed RETURNING id",
    )?;
    let values = params![
        name.as_str(),
        endpoint.url.as_str(),
        json(&endpoint.filter),
        endpoint.ordered,
        json(&endpoint.settings),
        endpoint.sealed.0,
        now,
        fanned_out,
    ];
    let id = put.query_row(values, |row| row.get(0))?;
    if !endpoint.ordered {
        let release = format!("UPDATE delivery SET due_at = ?2 WHERE {UNTRIED} AND due_at > ?2");
        connection.prepare_cached(&release)?.execute([id, now])?;
    }
    Ok(EndpointId(id))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("BUG: lists, strings and integers always serialise")
}

pub(super) fn remove(connection: &Connection, endpoint: EndpointId) -> Result<bool, RowError> {
    let mut remove = connection.prepare_cached(
        "UPDATE endpoint SET name = NULL, url = '', kinds = '[]', settings = '{}', sealed = x'', state = 4, \
         state_since = ?2 WHERE id = ?1 AND state <> 4",
    )?;
    Ok(remove.execute([endpoint.0, now(connection)?])? > 0)
}

pub(super) fn switch(
    connection: &Connection,
    endpoint: EndpointId,
    switch: Switch,
) -> Result<bool, RowError> {
    let now = now(connection)?;
    let changed = match switch {
        Switch::Enable => connection
            .prepare_cached(
                "UPDATE endpoint SET state = 0, state_since = ?2, failing_since = NULL \
                 WHERE id = ?1 AND state NOT IN (0, 4)",
            )?
            .execute([endpoint.0, now])?,
        Switch::Disable => connection
            .prepare_cached(
                "UPDATE endpoint SET state = ?3, state_since = ?2 WHERE id = ?1 AND state NOT IN (?3, 4)",
            )?
            .execute([endpoint.0, now, endpoint_state_code(EndpointState::Disabled)])?,
        Switch::DisableFailing { for_at_least } => connection
            .prepare_cached(
                "UPDATE endpoint SET state = ?3, state_since = ?2 \
                 WHERE id = ?1 AND state = 0 AND failing_since <= ?2 - ?4",
            )?
            .execute([endpoint.0, now, endpoint_state_code(EndpointState::Failing), millis(for_at_least)])?,
    };
    Ok(changed > 0)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<EndpointView>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT id, name, url, kinds, ordered, settings, sealed, state, state_since, failing_since, fanned_out \
         FROM endpoint WHERE state <> 4 ORDER BY name",
    )?;
    let mut found = select.query([])?;
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        views.push(view(row)?);
    }
    Ok(views)
}

fn view(row: &Row<'_>) -> Result<EndpointView, RowError> {
    Ok(EndpointView {
        id: EndpointId(row.get(0)?),
        name: read("endpoint.name", EndpointName::parse(text(row, 1)?))?,
        endpoint: Endpoint {
            url: read("endpoint.url", EndpointUrl::parse(text(row, 2)?))?,
            filter: read("endpoint.kinds", serde_json::from_str(text(row, 3)?))?,
            ordered: row.get(4)?,
            settings: read("endpoint.settings", serde_json::from_str(text(row, 5)?))?,
            sealed: Sealed(row.get(6)?),
        },
        state: known("endpoint.state", codes::endpoint_state(row.get(7)?))?,
        state_since: UnixMillis(row.get(8)?),
        failing_since: row.get::<_, Option<i64>>(9)?.map(UnixMillis),
        fanned_out: Position(row.get(10)?),
    })
}

pub(super) fn backlogs(connection: &Connection) -> Result<Vec<Backlog>, RowError> {
    let now = now(connection)?;
    let mut select = connection.prepare_cached(
        "SELECT e.id, e.fanned_out, \
           (SELECT count(*) FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 0 AND d.due_at <= ?1), \
           (SELECT min(d.due_at) FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 0) \
         FROM endpoint e WHERE e.state = 0 ORDER BY e.id",
    )?;
    let mut found = select.query([now])?;
    let mut backlogs = Vec::new();
    while let Some(row) = found.next()? {
        let left = |due_at: i64| Duration::from_millis((due_at - now).max(0).unsigned_abs());
        backlogs.push(Backlog {
            endpoint: EndpointId(row.get(0)?),
            fanned_out: Position(row.get(1)?),
            due: row.get::<_, i64>(2)?.unsigned_abs(),
            next_due: row.get::<_, Option<i64>>(3)?.map(left),
        });
    }
    Ok(backlogs)
}
