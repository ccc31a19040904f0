//! `GET /sns/jscode2session`: who a login code belongs to. Another API than payment's: unsigned, and HTTP 200 for errors
//! too.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::books::LoginRefusal;
use crate::simulator::Shared;

/// What is asked; a parameter that is not given is as good as an empty one.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Asked {
    appid: String,
    secret: String,
    js_code: String,
    grant_type: String,
}

pub(super) async fn code2session(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Asked>,
) -> Json<Value> {
    let answered = shared.try_at_desk(|desk| {
        asked.whole()?;
        let app = (asked.appid.as_str(), asked.secret.as_str());
        desk.books.session(app, &asked.js_code, desk.now, desk.rng)
    });
    Json(match answered {
        Ok(session) => json!({ "session_key": session.session_key, "openid": session.openid }),
        Err(LoginRefusal { errcode, errmsg }) => {
            let rid = shared.request_id();
            json!({ "errcode": errcode, "errmsg": format!("{errmsg}, rid: {rid}") })
        }
    })
}

impl Asked {
    fn whole(&self) -> Result<(), LoginRefusal> {
        let missing = [
            (self.appid.is_empty(), LoginRefusal { errcode: 41002, errmsg: "appid missing" }),
            (self.secret.is_empty(), LoginRefusal { errcode: 41004, errmsg: "appsecret missing" }),
            (self.js_code.is_empty(), LoginRefusal { errcode: 41008, errmsg: "missing code" }),
            (
                self.grant_type != "authorization_code",
                LoginRefusal { errcode: 40002, errmsg: "invalid grant_type" },
            ),
        ];
        missing.into_iter().find(|(is_missing, _)| *is_missing).map_or(Ok(()), |(_, refusal)| Err(refusal))
    }
}
