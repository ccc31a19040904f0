//! Merchants and their keys: made, shown whole, and changed as WeChat changes them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::Problem;
use super::said::{InPath, Said};
use crate::Error;
use crate::books::{Account, Role};
use crate::keys::{Mode, Platform, Ring};
use crate::random;
use crate::simulator::Shared;

/// Digits of a merchant number.
const MCHID_LEN_MAX: usize = 32;

/// The whole of a thing, in thousandths.
const PERMILLE: u16 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    mchid: Option<String>,
    name: Option<String>,
    role: Option<Role>,
    appids: Option<BTreeSet<String>>,
    #[serde(default)]
    keys: Mode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGrey {
    public_key_permille: Option<u16>,
    new_certificate_permille: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hosts {
    hosts: Vec<String>,
}

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let mchids = shared.rings.mchids();
    let merchants: Vec<_> = mchids.iter().filter_map(|mchid| summary(&shared, mchid)).collect();
    Json(json!({ "merchants": merchants }))
}

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
) -> Result<Json<Value>, Problem> {
    whole(&shared, &mchid)
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Said(new): Said<New>,
) -> Result<Json<Value>, Problem> {
    let (account, mode) = (new.account(&shared)?, new.keys);
    aside(shared, move |shared| {
        let mchid = account.mchid.clone();
        shared.enrol(account, mode)?;
        shared.keep_keys()?;
        whole(shared, &mchid)
    })
    .await
}

pub(super) async fn add_certificate(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
) -> Result<Json<Value>, Problem> {
    aside(shared, move |shared| {
        let certificate = Arc::new(shared.new_certificate()?);
        change(shared, &mchid, |ring| ring.add_certificate(Arc::clone(&certificate)))
    })
    .await
}

pub(super) async fn retire_certificates(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
) -> Result<Json<Value>, Problem> {
    change(&shared, &mchid, Ring::retire_old_certificates)
}

pub(super) async fn add_public_key(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
) -> Result<Json<Value>, Problem> {
    aside(shared, move |shared| {
        let public_key = Arc::new(Platform::generate()?);
        change(shared, &mchid, |ring| ring.add_public_key(Arc::clone(&public_key)))
    })
    .await
}

pub(super) async fn add_own(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
) -> Result<Json<Value>, Problem> {
    aside(shared, move |shared| {
        let account = shared.read(|books, _| books.account(&mchid).cloned());
        let account = account.ok_or_else(|| Problem::Merchant { mchid: mchid.clone() })?;
        let own = Arc::new(shared.new_own(&account)?);
        change(shared, &mchid, |ring| ring.add_own(Arc::clone(&own)))
    })
    .await
}

pub(super) async fn set_grey(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
    Said(said): Said<NewGrey>,
) -> Result<Json<Value>, Problem> {
    let permille = |field, permille: Option<u16>| match permille {
        Some(permille) if permille > PERMILLE => {
            Err(Problem::Value { field, reason: "give thousandths, 0 to 1000" })
        }
        permille => Ok(permille),
    };
    let public_key = permille("public_key_permille", said.public_key_permille)?;
    let new_certificate = permille("new_certificate_permille", said.new_certificate_permille)?;
    change(&shared, &mchid, |ring| ring.grey.set(public_key, new_certificate))
}

/// Where refunds are told that name no URL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundUrl {
    url: Option<String>,
}

pub(super) async fn set_refund_url(
    State(shared): State<Arc<Shared>>,
    InPath(mchid): InPath<String>,
    Said(RefundUrl { url }): Said<RefundUrl>,
) -> Result<Json<Value>, Problem> {
    let is_url = |url: &String| {
        let uri = url.parse::<Uri>().ok();
        uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    };
    if !url.as_ref().is_none_or(is_url) {
        return Err(Problem::Value { field: "url", reason: "give an http:// or https:// URL with a host" });
    }
    shared.at_desk(|desk| {
        if desk.books.account(&mchid).is_none() {
            return Err(Problem::Merchant { mchid: mchid.clone() });
        }
        desk.books.set_refund_url(&mchid, url.as_deref());
        Ok(Json(json!({ "mchid": mchid, "url": url })))
    })
}

pub(super) async fn tls(
    State(shared): State<Arc<Shared>>,
    Said(said): Said<Hosts>,
) -> Result<Json<Value>, Problem> {
    if said.hosts.is_empty() {
        return Err(Problem::Value { field: "hosts", reason: "give one name or address at least" });
    }
    if !said.hosts.iter().all(|host| is_host(host)) {
        return Err(Error::TlsName.into());
    }
    let (certificate, key) = shared.authority.issue_for_hosts(&said.hosts, (shared.wall)())?;
    Ok(Json(json!({
        "certificate_pem": certificate,
        "private_key_pem": key,
        "authority_pem": shared.authority.certificate_pem(),
    })))
}

/// An address, or labels of letters, digits and hyphens with dots between them; the first may be `*`.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.parse::<IpAddr>().is_ok() || name.strip_prefix("*.").unwrap_or(name).split('.').all(is_label)
}

/// To make an RSA key takes a moment, in which others are to be served.
async fn aside(
    shared: Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<Json<Value>, Problem> + Send + 'static,
) -> Result<Json<Value>, Problem> {
    let done = spawn_blocking(move || work(&shared)).await;
    done.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Changes keys as they are at this moment. To make new ones comes before, and beside whatever others do.
fn change(shared: &Shared, mchid: &str, work: impl Fn(&mut Ring)) -> Result<Json<Value>, Problem> {
    shared.rings.change(mchid, work).ok_or_else(|| Problem::Merchant { mchid: mchid.to_owned() })?;
    shared.announce();
    shared.keep_keys()?;
    whole(shared, mchid)
}

fn summary(shared: &Shared, mchid: &str) -> Option<Value> {
    let ring = shared.ring(mchid)?;
    shared.read(|books, _| {
        let account = books.account(mchid)?;
        let apps = account.appids.iter().filter_map(|appid| books.app(appid));
        let apps = apps.map(|app| json!({ "appid": app.appid, "secret": app.secret }));
        let certificates = ring.certificates().iter().map(|key| key.serial());
        Some(json!({
            "mchid": mchid,
            "name": account.name,
            "role": account.role,
            "apps": apps.collect::<Vec<_>>(),
            "serial": ring.own().last().map(|own| own.certificate().serial.clone()),
            "public_key_id": ring.public_key().map(|key| key.serial()),
            "certificate_serials": certificates.collect::<Vec<_>>(),
            "grey": ring.grey,
            "folder": shared.folder.as_ref().map(|folder| folder.of_merchant(mchid)),
        }))
    })
}

fn whole(shared: &Shared, mchid: &str) -> Result<Json<Value>, Problem> {
    let unknown = || Problem::Merchant { mchid: mchid.to_owned() };
    let mut shown = summary(shared, mchid).ok_or_else(unknown)?;
    let ring = shared.ring(mchid).ok_or_else(unknown)?;
    shown["apiv3_key"] = ring.sealing_key().text().into();
    shown["apiv2_key"] = ring.apiv2_key().into();
    if let Some(own) = ring.own().last() {
        shown["private_key_pem"] = own.private_pem().into();
        shown["certificate_pem"] = own.certificate().pem.as_str().into();
    }
    if let Some(key) = ring.public_key() {
        shown["public_key_pem"] = key.public_key_pem().into();
    }
    let certificates = ring.certificates().iter().filter_map(|key| key.certificate());
    shown["certificates"] = certificates
        .map(|certificate| json!({ "serial": certificate.serial, "pem": certificate.pem }))
        .collect();
    Ok(Json(shown))
}

impl New {
    fn account(&self, shared: &Shared) -> Result<Account, Problem> {
        let mut rng = shared.keys_rng();
        let mchid = match &self.mchid {
            Some(mchid) => mchid.clone(),
            None => free(shared, &mut rng),
        };
        // It becomes the name of a folder.
        if !(1..=MCHID_LEN_MAX).contains(&mchid.len()) || !mchid.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::Value { field: "mchid", reason: "a merchant number has 1 to 32 digits" });
        }
        if let Some(Role::SubMerchant { providers }) = &self.role
            && let Some(unknown) = providers.iter().find(|provider| shared.ring(provider).is_none())
        {
            return Err(Problem::Merchant { mchid: unknown.clone() });
        }
        let appids = self.appids.clone().unwrap_or_else(|| BTreeSet::from([random::appid(&mut rng)]));
        let fits = |appid: &String| {
            (1..=32).contains(&appid.len()) && appid.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !appids.iter().all(fits) {
            return Err(Problem::Value {
                field: "appids",
                reason: "an appid has 1 to 32 letters and digits",
            });
        }
        let name = self.name.clone().unwrap_or_else(|| format!("商户{mchid}"));
        Ok(Account { mchid, name, role: self.role.clone().unwrap_or(Role::Ordinary), appids })
    }
}

/// A number that no merchant has.
fn free(shared: &Shared, rng: &mut StdRng) -> String {
    loop {
        let mchid = random::mchid(rng);
        if shared.ring(&mchid).is_none() {
            return mchid;
        }
    }
}
