//! The front door of APIv2: reads a request, proves that its merchant signed it, and hands it to its endpoint.
//!
//! Invariants: an endpoint sees only requests that their merchant signed, and where a certificate is needed, only over TLS
//! with the merchant's own; an answer is signed by the algorithm of its request.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{self, MethodRouter};
use wechatpay::v2::{ApiV2Key, BYTES_MAX, Fields, SignType, VerifiedFields, parse_xml, sign, write_xml};

use super::error::Error;
use crate::books::{Protocol, Refusal, Whose};
use crate::keys::Ring;
use crate::random;
use crate::simulator::{Desk, Limited, Peer, Shared};

/// Characters of the random text that is signed.
const NONCE_CHARS: usize = 16;

/// What the live service's gateway says to those without a certificate.
const NO_CERTIFICATE: &str = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n</body>\r\n</html>\r\n";

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever signs.
    Open,
    /// Whoever signs and shows the merchant's certificate.
    Certified,
}

/// A request of a known merchant.
pub(super) struct Ask {
    pub(super) mch_id: String,
    pub(super) appid: String,
    pub(super) sub_mch_id: Option<String>,
    pub(super) fields: VerifiedFields,
    pub(super) sign_type: SignType,
    key: ApiV2Key,
}

/// A success.
pub(super) enum Reply {
    /// The call's own fields.
    Fields(Fields),
    /// The file itself.
    File(Vec<u8>),
}

/// What an endpoint is.
pub(super) type Endpoint = fn(&mut Desk<'_>, &Ask) -> Result<Reply, Error>;

pub(super) fn call(access: Access, endpoint: Endpoint) -> MethodRouter<Arc<Shared>> {
    routing::post(async move |State(shared): State<Arc<Shared>>, request: Request| {
        enter(&shared, access, endpoint, request).await
    })
}

impl Ask {
    pub(super) fn whose(&self) -> Whose<'_> {
        Whose { mchid: &self.mch_id, sub_mchid: self.sub_mch_id.as_deref() }
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self.sign_type {
            SignType::Md5 => Protocol::V2Md5,
            SignType::HmacSha256 => Protocol::V2Hmac,
        }
    }
}

async fn enter(shared: &Shared, access: Access, endpoint: Endpoint, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().and_then(|ConnectInfo(peer)| peer.certificate());
    if access == Access::Certified && peer.is_none() {
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "text/html")], NO_CERTIFICATE)
            .into_response();
    }
    let (ring, ask) = match ask(shared, &body) {
        Ok(known) => known,
        Err(error) => return xml(&failed(&error)),
    };
    let is_own = |certificate| ring.own().iter().any(|own| own.certificate().is(certificate));
    let done = match peer {
        Some(certificate) if access == Access::Certified && !is_own(certificate) => {
            Err(Refusal::CertificateOfAnother.into())
        }
        _ => work(shared, &ask, endpoint, Limited::of(&parts.method, parts.uri.path())),
    };
    match done {
        Ok(Reply::File(bytes)) => bytes.into_response(),
        Ok(Reply::Fields(own)) => xml(&answer(shared, &ask, |fields| {
            fields.insert("result_code", "SUCCESS");
            own.iter().for_each(|(name, value)| fields.insert_optional(name, Some(value)));
        })),
        Err(Error::Refused(refusal)) => xml(&answer(shared, &ask, |fields| {
            let said = refusal.says();
            fields.insert("result_code", "FAIL");
            fields.insert("err_code", said.err_code);
            fields.insert("err_code_des", said.message);
        })),
        Err(error) => xml(&failed(&error)),
    }
}

/// Lets the endpoint do its work, if it is not asked too often.
fn work(shared: &Shared, ask: &Ask, endpoint: Endpoint, kind: Option<Limited>) -> Result<Reply, Error> {
    shared.admit(&ask.mch_id, kind)?;
    let done = shared.at_desk(|desk| {
        may_call(desk, ask)?;
        endpoint(desk, ask)
    });
    if done.is_err() {
        shared.count_failure(&ask.mch_id, kind);
    }
    done
}

/// Who asks, and whether they signed it.
fn ask(shared: &Shared, body: &[u8]) -> Result<(Arc<Ring>, Ask), Error> {
    if body.is_empty() {
        return Err(Error::said("post数据为空"));
    }
    let fields = parse_xml(body).map_err(|_| Error::said("XML格式错误"))?;
    let required = |name: &str| fields.get(name).map(str::to_owned).ok_or_else(|| Error::missing(name));
    let (appid, mch_id) = (required("appid")?, required("mch_id")?);
    required("nonce_str")?;
    required("sign")?;
    let ring = shared.ring(&mch_id).ok_or_else(|| Error::said("商户号mch_id不存在"))?;
    let wrong = || Error::said("签名错误");
    let key = ApiV2Key::new(ring.apiv2_key()).map_err(|_| wrong())?;
    let sign_type = match fields.get("sign_type") {
        None | Some("MD5") => SignType::Md5,
        Some("HMAC-SHA256") => SignType::HmacSha256,
        Some(_) => return Err(Error::invalid("sign_type")),
    };
    let sub_mch_id = fields.get("sub_mch_id").map(str::to_owned);
    let fields = fields.verify(&key, Some(sign_type)).map_err(|_| wrong())?;
    Ok((ring, Ask { mch_id, appid, sub_mch_id, fields, sign_type, key }))
}

/// Whether the app is the merchant's.
fn may_call(desk: &Desk<'_>, ask: &Ask) -> Result<(), Refusal> {
    let account = desk.books.account(&ask.mch_id).ok_or(Refusal::MchNotExists)?;
    if account.appids.contains(&ask.appid) { Ok(()) } else { Err(Refusal::AppidMchidNotMatch) }
}

/// An answer with what every answer has, signed.
fn answer(shared: &Shared, ask: &Ask, own: impl FnOnce(&mut Fields)) -> Fields {
    let mut fields = Fields::default();
    fields.insert("return_code", "SUCCESS");
    fields.insert("return_msg", "OK");
    fields.insert("appid", ask.appid.as_str());
    fields.insert("mch_id", ask.mch_id.as_str());
    fields.insert_optional("sub_appid", ask.fields.get("sub_appid"));
    fields.insert_optional("sub_mch_id", ask.sub_mch_id.as_deref());
    fields.insert_optional("device_info", ask.fields.get("device_info"));
    fields.insert("nonce_str", random::alphanumeric(&mut shared.fork_rng(), NONCE_CHARS));
    own(&mut fields);
    let made = sign(&fields, ask.sign_type, &ask.key);
    fields.insert("sign", made);
    fields
}

fn failed(error: &Error) -> Fields {
    let mut fields = Fields::default();
    fields.insert("return_code", "FAIL");
    match error {
        Error::Said(text) => fields.insert("return_msg", text.as_str()),
        Error::Refused(refusal) => fields.insert("return_msg", refusal.says().message),
        Error::NoBill { return_msg, error_code } => {
            fields.insert("return_msg", *return_msg);
            fields.insert("error_code", *error_code);
        }
    }
    fields
}

/// 200, whatever it says. What a merchant wrote and XML cannot carry was refused when it came.
fn xml(fields: &Fields) -> Response<Body> {
    match write_xml(fields) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
