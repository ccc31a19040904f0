//! What a simulation begins with: a file in which an earlier one was kept, keys that an earlier one left, or nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::SeedableRng as _;
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
use crate::keys::{Authority, Mode, Ring};
use crate::random;
use crate::trouble::{Scenario, Troubles};

/// Spreads starts over the seeds.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Books with everybody on file, and everybody's keys.
pub(super) fn prepare(setup: Setup) -> Result<Shared, StartError> {
    for pem in &setup.trust {
        certificates(pem).map_err(|error| StartError::Trust { reason: error.to_string() })?;
    }
    setup.scenario.check()?;
    let Setup { seed, wall, pace, mut merchants, known, folder, state, detour, scenario, trust, .. } = setup;
    let now = wall();
    let kept = state.as_deref().map(state::read).transpose()?.flatten();
    let starts = kept.as_ref().map_or(0, |kept| kept.starts + 1);
    let rng = StdRng::seed_from_u64(seed ^ starts.wrapping_mul(GOLDEN));
    let mut parts = match (kept, &state) {
        (Some(kept), Some(path)) => going_on(kept, path, now, rng)?,
        _ => beginning(known, BusinessClock::new(now, pace), seed, rng)?,
    };
    if scenario != Scenario::default() {
        // In place of those that the state has: it may have the same ones.
        parts.troubles.clear();
        parts.troubles.add(scenario);
    }
    if merchants.is_empty() && parts.rings.is_empty() {
        let account = Account::ordinary(&random::mchid(&mut parts.rng), &random::appid(&mut parts.rng));
        merchants.push(Enrolment { account, mode: Mode::PublicKey });
    }
    for Enrolment { account, mode } in merchants {
        // Who is on file keeps the keys that its backend knows.
        if starts > 0 && parts.rings.contains_key(&account.mchid) {
            continue;
        }
        let ring = Ring::generate(&account, mode, &parts.authority, now, &mut parts.rng)?;
        parts.rings.insert(account.mchid.clone(), Arc::new(ring));
        parts.books.enrol(account, &mut parts.rng);
    }
    let answer_limit = setup.answer_limit;
    let setting = Setting { wall, seed, folder, state, starts, detour, answer_limit, trust };
    Ok(Shared::of(parts, setting))
}

fn going_on(kept: State, path: &Path, now: UnixSeconds, rng: StdRng) -> Result<Parts, StartError> {
    let clock = kept.clock(now);
    let State { authority, rings, books, troubles, .. } = kept;
    let authority = authority.restore().map_err(|error| state::damaged(path, &error.to_string()))?;
    Ok(Parts { rings: state::rings(rings, path)?, books, rng, authority, clock, troubles })
}

fn beginning(known: Option<Known>, clock: BusinessClock, seed: u64, mut rng: StdRng) -> Result<Parts, Error> {
    let (mut books, mut rings) = (Books::new(), BTreeMap::new());
    let authority = match known {
        None => Authority::generate(clock.now())?,
        Some(known) => {
            let Restored { authority, apps, merchants } = known.restore()?;
            apps.into_iter().for_each(|app| books.add_app(app));
            for (account, ring) in merchants {
                rings.insert(account.mchid.clone(), ring);
                books.enrol(account, &mut rng);
            }
            authority
        }
    };
    Ok(Parts { books, rng, rings, authority, clock, troubles: Troubles::none(seed) })
}
