//! `GET /sns/jscode2session`: who a login code belongs to. Another API than payment's: unsigned, asked in the query alone,
//! HTTP 200 for errors too, and JSON that calls itself text, on which clients trip that look at the content type.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Response, Uri, header};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::books::LoginRefusal;
use crate::simulator::Shared;

/// What is asked; a parameter that is not given is as good as an empty one, and of one that is given twice the first counts.
struct Asked(Vec<(String, String)>);

pub(super) async fn code2session(State(shared): State<Arc<Shared>>, uri: Uri) -> Response<Body> {
    let asked = Asked(Query::try_from_uri(&uri).map(|Query(query)| query).unwrap_or_default());
    let answered = shared.try_at_desk(|desk| {
        asked.is_whole()?;
        let app = (asked.get("appid"), asked.get("secret"));
        desk.books.session(app, asked.get("js_code"), desk.now, desk.rng)
    });
    match answered {
        Ok(session) => said(&json!({ "session_key": session.session_key, "openid": session.openid })),
        Err(refusal) => refused(&shared, refusal),
    }
}

/// Everything else under `/sns`; the path counts in lower case alone.
pub(super) async fn unknown(State(shared): State<Arc<Shared>>) -> Response<Body> {
    refused(&shared, LoginRefusal { errcode: 40066, errmsg: "invalid url" })
}

fn refused(shared: &Shared, LoginRefusal { errcode, errmsg }: LoginRefusal) -> Response<Body> {
    let rid = shared.request_id();
    said(&json!({ "errcode": errcode, "errmsg": format!("{errmsg}, rid: {rid}") }))
}

fn said(json: &Value) -> Response<Body> {
    ([(header::CONTENT_TYPE, "text/plain")], json.to_string()).into_response()
}

impl Asked {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn is_whole(&self) -> Result<(), LoginRefusal> {
        for (name, errcode, errmsg) in [
            ("appid", 41002, "appid missing"),
            ("secret", 41004, "appsecret missing"),
            ("js_code", 41008, "missing code"),
        ] {
            if self.get(name).is_empty() {
                return Err(LoginRefusal { errcode, errmsg });
            }
        }
        match self.get("grant_type") {
            "authorization_code" => Ok(()),
            _ => Err(LoginRefusal { errcode: 40002, errmsg: "invalid grant_type" }),
        }
    }
}
