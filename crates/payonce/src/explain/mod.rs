//! `payonce explain`: what was checked of a saved callback, and where it failed, why.
//!
//! The callback comes from [`input`] (a file, standard input) or [`stored`] (the database), [`wechatpay::diagnosis`]
//! judges it with the configured keys, [`report`] says it. Invariants: nothing is written, neither callback nor
//! database; no secret is shown, and what was decrypted only if it is asked for.

mod chunked;
mod http;
mod input;
mod json;
mod report;
mod stored;
mod time;

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use payonce_core::{Clock as _, SystemClock};
use payonce_server::{
    CALLBACK_BYTES_MAX,
    config::{Environment, Merchant},
};
use wechatpay::{
    PlatformKeys, UnixSeconds,
    diagnosis::{Account, Captured, Class, Diagnosis, diagnose},
};

use self::input::Saved;
use crate::{args::ExplainOptions, configuration};

pub(crate) fn run(options: &ExplainOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let config = configuration::load(options.config.path.as_deref(), environment)?.config;
    ensure!(
        !config.merchants.is_empty(),
        "no merchant is configured, so there are no keys to check it with: name the configuration by --config FILE"
    );
    let at = options.at.as_deref().map(time::parse).transpose().context("--at")?;
    let mut saved = match &options.source.file {
        Some(path) => input::read(path)?,
        None => stored::read(&options.source, &config.store)?,
    };
    ensure!(
        saved.body.len() <= CALLBACK_BYTES_MAX,
        "its body has {} bytes, and a callback at most {CALLBACK_BYTES_MAX}: payonce answers 413",
        saved.body.len()
    );
    let path_merchant = saved.path.as_deref().and_then(input::merchant_in);
    saved.merchant = options.merchant.clone().or(saved.merchant).or(path_merchant);
    let now = match options.now {
        true => Some(UnixSeconds(SystemClock.now().seconds())),
        false => at.or(saved.received_at),
    };
    let keys: Vec<_> = config.merchants.iter().map(|merchant| merchant.keys.keys()).collect();
    let accounts: Vec<_> = config
        .merchants
        .iter()
        .zip(&keys)
        .map(|(merchant, keys)| account(merchant, keys.platform()))
        .collect();
    let diagnosis = looked_at(&mut saved, &accounts, now);
    report::print(&saved, &diagnosis, options)?;
    Ok(ExitCode::from(exit_status(diagnosis.class)))
}

fn account<'a>(merchant: &'a Merchant, keys: &'a PlatformKeys) -> Account<'a> {
    let account = Account::new(merchant.mchid.as_str(), keys, &merchant.apiv3_key);
    match &merchant.apiv2_key {
        Some(key) => account.with_apiv2_key(key),
        None => account,
    }
}

/// As far as `Content-Length` says the body goes; should that not do, as far as the file goes, as what came behind may
/// belong to it all the same: CR LF are longer than LF.
fn looked_at(saved: &mut Saved, accounts: &[Account<'_>], now: Option<UnixSeconds>) -> Diagnosis {
    let as_announced = look(saved, accounts, now);
    let Some(whole) = saved.whole.take() else { return as_announced };
    if !matches!(as_announced.class, Class::Unverified | Class::Malformed | Class::Unreadable) {
        return as_announced;
    }
    let announced = std::mem::replace(&mut saved.body, whole);
    let as_it_is = look(saved, accounts, now);
    if matches!(as_it_is.class, Class::Accepted | Class::Stale | Class::Changed) {
        saved.notes.push("the body was taken as far as the file goes: so it verifies".to_owned());
        return as_it_is;
    }
    saved.body = announced;
    as_announced
}

fn look(saved: &Saved, accounts: &[Account<'_>], now: Option<UnixSeconds>) -> Diagnosis {
    let headers: Vec<_> =
        saved.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let captured = Captured { headers: &headers, body: &saved.body, merchant: saved.merchant.as_deref() };
    diagnose(&captured, accounts, now)
}

/// The table in `docs/explain.md`. 1 and 2 are no judgement: payonce could not look at it, or was called wrongly.
fn exit_status(class: Class) -> u8 {
    match class {
        Class::Accepted => 0,
        Class::Malformed => 10,
        Class::Stale => 11,
        Class::UnknownSerial => 12,
        Class::Probe => 13,
        Class::Unsupported => 14,
        Class::Changed => 15,
        Class::Unverified => 16,
        Class::WrongMerchant => 17,
        Class::WrongPlatformKey => 18,
        Class::DoesNotOpen => 19,
        Class::Unreadable => 20,
        Class::ApiV2 => 21,
        // One that the library has and this table lacks.
        _ => 99,
    }
}
