//! What a simulation begins with: a file in which an earlier one was kept, keys that an earlier one left, or nothing.

use std::collections::BTreeMap;
use std::path::Path;

use rand::rngs::StdRng;
use wechatpay::UnixSeconds;

use super::known::Restored;
use super::shared::{Parts, Setting};
use super::state::{self, State};
use super::{Enrolment, Known, Setup, Shared, StartError};
use crate::Error;
use crate::books::{Account, Books};
use crate::clock::BusinessClock;
use crate::deliver::certificates;
use crate::keys::{Authority, Mode, Ring, Rings};
use crate::random::{self, Stream};
use crate::trouble::{Scenario, Troubles};

/// Spreads starts over the seeds.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Books with everybody on file, and everybody's keys.
pub(super) fn prepare(setup: Setup) -> Result<Shared, StartError> {
    for pem in &setup.trust {
        certificates(pem).map_err(|error| StartError::Trust { reason: error.to_string() })?;
    }
    setup.scenario.check()?;
    let Setup {
        seed, wall, pace, mut merchants, known, folder, state, detour, scenario, trust, hosts, ..
    } = setup;
    let now = wall();
    let kept = state.as_deref().map(state::read).transpose()?.flatten();
    let starts = kept.as_ref().map_or(0, |kept| kept.starts + 1);
    let stream_seed = seed ^ starts.wrapping_mul(GOLDEN);
    let mut keys = random::stream(stream_seed, Stream::Keys);
    let begun = match (kept, &state) {
        (Some(kept), Some(path)) => going_on(kept, path, now)?,
        _ => beginning(known, BusinessClock::new(now, pace), seed, &mut keys)?,
    };
    let Begun { mut books, rings, authority, clock, mut troubles } = begun;
    if scenario != Scenario::default() {
        // In place of those that the state has: it may have the same ones.
        troubles.clear();
        troubles.add(scenario);
        troubles.take_calm();
        rings.calm();
    }
    if merchants.is_empty() && rings.mchids().is_empty() {
        let account = Account::ordinary(&random::mchid(&mut keys), &random::appid(&mut keys));
        merchants.push(Enrolment { account, mode: Mode::PublicKey });
    }
    for Enrolment { account, mode } in merchants {
        // Who is on file keeps the keys that its backend knows.
        if starts > 0 && rings.ring(&account.mchid).is_some() {
            continue;
        }
        let ring = Ring::generate(&account, mode, &authority, now, &mut keys)?;
        rings.set(&account.mchid, ring);
        books.enrol(account, &mut keys);
    }
    let (answer_limit, reset_repeats) = (setup.answer_limit, setup.reset_repeats);
    let parts = Parts { books, stream_seed, keys, rings, authority, clock, troubles };
    let setting =
        Setting { wall, seed, reset_repeats, folder, state, starts, detour, answer_limit, trust, hosts };
    Ok(Shared::of(parts, setting))
}

/// What there is before anybody is enrolled.
struct Begun {
    books: Books,
    rings: Rings,
    authority: Authority,
    clock: BusinessClock,
    troubles: Troubles,
}

fn going_on(kept: State, path: &Path, now: UnixSeconds) -> Result<Begun, StartError> {
    let clock = kept.clock(now);
    let State { authority, rings, troubled, books, troubles, .. } = kept;
    let authority = authority.restore().map_err(|error| state::damaged(path, &error.to_string()))?;
    let rings = Rings::of(state::rings(rings, path)?, state::rings(troubled, path)?);
    Ok(Begun { books, rings, authority, clock, troubles })
}

fn beginning(
    known: Option<Known>,
    clock: BusinessClock,
    seed: u64,
    keys: &mut StdRng,
) -> Result<Begun, Error> {
    let (mut books, mut rings) = (Books::new(), BTreeMap::new());
    let authority = match known {
        None => Authority::generate(clock.now())?,
        Some(known) => {
            let Restored { authority, apps, merchants } = known.restore()?;
            apps.into_iter().for_each(|app| books.add_app(app));
            for (account, ring) in merchants {
                rings.insert(account.mchid.clone(), ring);
                books.enrol(account, keys);
            }
            authority
        }
    };
    let rings = Rings::of(rings, BTreeMap::new());
    Ok(Begun { books, rings, authority, clock, troubles: Troubles::none(seed) })
}
