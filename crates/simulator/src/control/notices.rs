//! Notices with every attempt and what was answered, and sending one once more.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Problem;
use super::said::{InPath, InQuery};
use super::view::{Chosen, NoticeView};
use crate::books::{Books, Progress};
use crate::simulator::Shared;

pub(super) async fn list(State(shared): State<Arc<Shared>>, InQuery(chosen): InQuery<Chosen>) -> Json<Value> {
    shared.read(|books, _| {
        let chosen = books.notices.entries().filter(|(_, entry)| chosen.takes_notice(books, &entry.notice));
        let notices: Vec<_> = chosen.map(|(number, entry)| NoticeView::of(books, number, entry)).collect();
        Json(json!({ "notices": notices }))
    })
}

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    InPath(number): InPath<u64>,
) -> Result<Json<Value>, Problem> {
    shared.read(|books, _| shown(books, number))
}

pub(super) async fn resend(
    State(shared): State<Arc<Shared>>,
    InPath(number): InPath<u64>,
) -> Result<Json<Value>, Problem> {
    send_again(&shared, number)?;
    shared.read(|books, _| shown(books, number))
}

/// Has a notice sent once more, now. Its place in the schedule stays.
pub(crate) fn send_again(shared: &Shared, number: u64) -> Result<(), Problem> {
    shared.at_desk(|desk| {
        let entry = desk.books.notices.entry(number).ok_or(Problem::Notice { number })?;
        if matches!(entry.progress, Progress::Sending { .. }) {
            return Err(Problem::NoticeOnItsWay { number });
        }
        desk.books.notices.send_again(number, desk.now);
        Ok(())
    })
}

fn shown(books: &Books, number: u64) -> Result<Json<Value>, Problem> {
    let entry = books.notices.entry(number).ok_or(Problem::Notice { number })?;
    Ok(Json(json!(NoticeView::of(books, number, entry))))
}
