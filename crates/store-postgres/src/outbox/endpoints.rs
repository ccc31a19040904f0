//! Endpoints: defined, switched, removed, and what lies before them.

use std::time::Duration;

use payonce_core::{
    StoreError, UnixMillis,
    delivery::{Endpoint, EndpointId, EndpointName, EndpointUrl, Sealed},
    store::{
        Position, codes,
        delivery::{Backlog, EndpointView, Start, Switch},
    },
};
use sqlx::{PgConnection, postgres::PgRow};

use super::began;
use crate::{
    errors::class,
    leases::{millis, now},
    rows::{known, read, value},
};

pub(super) async fn put(
    connection: &mut PgConnection,
    name: &EndpointName,
    endpoint: &Endpoint,
    start: Start,
) -> Result<EndpointId, StoreError> {
    const PUT: &str = concat!(
        "INSERT INTO payonce.endpoint (name, url, kinds, ordered, settings, sealed, state, state_since, fanned_out) \
         SELECT $1, $2, $3, $4, $5, $6, 0, ",
        now!(),
        ", greatest(least($7, s.next_position - 1), 0) FROM payonce.sequencer s \
         ON CONFLICT (name) DO UPDATE SET url = excluded.url, kinds = excluded.kinds, ordered = excluded.ordered, \
           settings = excluded.settings, sealed = excluded.sealed RETURNING id"
    );
    const RELEASE: &str = concat!(
        "UPDATE payonce.delivery SET due_at = ",
        began!(),
        " WHERE endpoint_id = $1 AND state = 0 AND attempts = 0 AND taken_by IS NULL AND due_at > ",
        began!()
    );
    let after = match start {
        Start::Now => i64::MAX,
        Start::After(position) => position.0,
    };
    let id: i64 = sqlx::query_scalar(PUT)
        .bind(name.as_str())
        .bind(endpoint.url.as_str())
        .bind(json(&endpoint.filter))
        .bind(endpoint.ordered)
        .bind(json(&endpoint.settings))
        .bind(endpoint.sealed.0.as_slice())
        .bind(after)
        .fetch_one(&mut *connection)
        .await
        .map_err(class)?;
    if !endpoint.ordered {
        sqlx::query(RELEASE).bind(id).execute(connection).await.map_err(class)?;
    }
    Ok(EndpointId(id))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("BUG: lists, strings and integers always serialise")
}

pub(super) async fn remove(connection: &mut PgConnection, endpoint: EndpointId) -> Result<bool, StoreError> {
    const REMOVE: &str = concat!(
        "UPDATE payonce.endpoint SET name = NULL, url = '', kinds = '[]', settings = '{}', sealed = '', state = 4, \
         state_since = ",
        now!(),
        " WHERE id = $1 AND state <> 4"
    );
    let removed = sqlx::query(REMOVE).bind(endpoint.0).execute(connection).await.map_err(class)?;
    Ok(removed.rows_affected() > 0)
}

pub(super) async fn switch(
    connection: &mut PgConnection,
    endpoint: EndpointId,
    switch: Switch,
) -> Result<bool, StoreError> {
    const ENABLE: &str = concat!(
        "UPDATE payonce.endpoint SET state = 0, failing_since = NULL, state_since = ",
        now!(),
        " WHERE id = $1 AND state NOT IN (0, 4)"
    );
    const DISABLE: &str = concat!(
        "UPDATE payonce.endpoint SET state = 1, state_since = ",
        now!(),
        " WHERE id = $1 AND state NOT IN (1, 4)"
    );
    const DISABLE_FAILING: &str = concat!(
        "UPDATE payonce.endpoint SET state = 3, state_since = ",
        now!(),
        " WHERE id = $1 AND state = 0 AND failing_since <= ",
        now!(),
        " - $2"
    );
    let update = match switch {
        Switch::Enable => sqlx::query(ENABLE).bind(endpoint.0),
        Switch::Disable => sqlx::query(DISABLE).bind(endpoint.0),
        Switch::DisableFailing { for_at_least } => {
            sqlx::query(DISABLE_FAILING).bind(endpoint.0).bind(millis(for_at_least))
        }
    };
    Ok(update.execute(connection).await.map_err(class)?.rows_affected() > 0)
}

pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<EndpointView>, StoreError> {
    let select = sqlx::query(
        "SELECT id, name, url, kinds, ordered, settings, sealed, state, state_since, failing_since, fanned_out \
         FROM payonce.endpoint WHERE state <> 4 ORDER BY name",
    );
    select.fetch_all(connection).await.map_err(class)?.iter().map(view).collect()
}

fn view(row: &PgRow) -> Result<EndpointView, StoreError> {
    Ok(EndpointView {
        id: EndpointId(value(row, 0)?),
        name: read("endpoint.name", EndpointName::parse(value(row, 1)?))?,
        endpoint: Endpoint {
            url: read("endpoint.url", EndpointUrl::parse(value(row, 2)?))?,
            filter: read("endpoint.kinds", serde_json::from_str(value(row, 3)?))?,
            ordered: value(row, 4)?,
            settings: read("endpoint.settings", serde_json::from_str(value(row, 5)?))?,
            sealed: Sealed(value(row, 6)?),
        },
        state: known("endpoint.state", codes::endpoint_state(value::<i16>(row, 7)?.into()))?,
        state_since: UnixMillis(value(row, 8)?),
        failing_since: value::<Option<i64>>(row, 9)?.map(UnixMillis),
        fanned_out: Position(value(row, 10)?),
    })
}

pub(super) async fn backlogs(connection: &mut PgConnection) -> Result<Vec<Backlog>, StoreError> {
    const BACKLOGS: &str = concat!(
        "SELECT e.id, e.fanned_out, \
           (SELECT count(*) FROM payonce.delivery d WHERE d.endpoint_id = e.id AND d.state = 0 AND d.due_at <= ",
        began!(),
        "), (SELECT min(d.due_at) - ",
        began!(),
        " FROM payonce.delivery d WHERE d.endpoint_id = e.id AND d.state = 0) \
         FROM payonce.endpoint e WHERE e.state = 0 ORDER BY e.id"
    );
    let backlog = |row: &PgRow| {
        let left = |millis: i64| Duration::from_millis(millis.max(0).unsigned_abs());
        Ok(Backlog {
            endpoint: EndpointId(value(row, 0)?),
            fanned_out: Position(value(row, 1)?),
            due: value::<i64>(row, 2)?.unsigned_abs(),
            next_due: value::<Option<i64>>(row, 3)?.map(left),
        })
    };
    sqlx::query(BACKLOGS).fetch_all(connection).await.map_err(class)?.iter().map(backlog).collect()
}
