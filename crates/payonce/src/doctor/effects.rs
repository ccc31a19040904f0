//! Effects: whether the database can execute them, and whether some failed and still wait to be mended.

use std::sync::Arc;

use payonce_core::{effect::Effects, store::archive::Archive, store::with_causes};
use payonce_server::{check_effects, config::EffectSettings};

use super::{Finding, Findings};

const CHECK: &str = "effects";

/// As many as are counted.
const FAILURES_MAX: usize = 1000;

/// Says nothing where there are none.
pub(super) async fn look(
    settings: &[EffectSettings],
    database: Option<&dyn Archive>,
    findings: &mut Findings,
) {
    let effects = settings
        .iter()
        .fold(Effects::none(), |effects, each| effects.with(each.on.clone(), Arc::new(each.effect.clone())));
    let Some(database) = database else {
        if !effects.is_empty() {
            let why = "the database could not be opened: see database above";
            findings.add(Finding::skipped(CHECK, why));
        }
        return;
    };
    if let Err(unfit) = check_effects(database, &effects).await {
        let remedy = "mend the statement, or make what it names; `payonce serve` does not start before";
        findings.add(Finding::failed(CHECK, with_causes(&unfit), remedy));
        return;
    }
    let failures = match database.effects().failures_before(None, true, FAILURES_MAX).await {
        Ok(failures) => failures,
        Err(error) => {
            let remedy = "mend store.url, or what it leads to";
            findings.add(Finding::failed(CHECK, with_causes(&error), remedy));
            return;
        }
    };
    if let Some(latest) = failures.first() {
        let more = if failures.len() == FAILURES_MAX { "at least " } else { "" };
        let detail = format!(
            "{more}{} failed, and their payments are not applied; the latest: {}",
            failures.len(),
            latest.last
        );
        let remedy =
            "mend the cause while WeChat Pay still sends the callbacks, for about a day: docs/effects.md";
        findings.add(Finding::warning(CHECK, detail, remedy));
    } else if !effects.is_empty() {
        let count = settings.len();
        findings
            .add(Finding::ok(CHECK, format!("the database can execute {count} effect(s), and none failed")));
    }
}
