//! Notices with every attempt and what was answered, and sending one once more.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::Problem;
use super::view::{Chosen, NoticeView};
use crate::books::Progress;
use crate::simulator::Shared;

pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(chosen): Query<Chosen>) -> Json<Value> {
    shared.read(|books, _| {
        let chosen = books.notices.entries().filter(|(_, entry)| chosen.takes_notice(books, &entry.notice));
        let notices: Vec<_> = chosen.map(|(number, entry)| NoticeView::of(books, number, entry)).collect();
        Json(json!({ "notices": notices }))
    })
}

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
) -> Result<Json<Value>, Problem> {
    shared.read(|books, _| {
        let entry = books.notices.entry(number).ok_or(Problem::Notice { number })?;
        Ok(Json(json!(NoticeView::of(books, number, entry))))
    })
}

pub(super) async fn resend(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
) -> Result<Json<Value>, Problem> {
    shared.at_desk(|desk| {
        let entry = desk.books.notices.entry(number).ok_or(Problem::Notice { number })?;
        if matches!(entry.progress, Progress::Sending { .. }) {
            return Err(Problem::NoticeOnItsWay { number });
        }
        desk.books.notices.reschedule(number, desk.now);
        let entry = desk.books.notices.entry(number).ok_or(Problem::Notice { number })?;
        Ok(Json(json!(NoticeView::of(desk.books, number, entry))))
    })
}
