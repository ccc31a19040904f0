//! One test a target: its corpus holds, and reaches what it was made to reach.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use payonce_fuzz_targets::{Target, *};

use crate::{fuzz, names};

fn replay(target: &Target) {
    let folder = fuzz().join("corpus").join(target.name);
    let (mut reached, mut broken) = (BTreeMap::<_, Vec<String>>::new(), Vec::new());
    for name in names(&folder) {
        let input = std::fs::read(folder.join(&name)).expect("a file of the corpus");
        match catch_unwind(|| (target.run)(&input)) {
            Ok(stage) => reached.entry(stage).or_default().push(name),
            // What is wrong was printed by the panic itself.
            Err(_) => broken.push(name),
        }
    }
    assert!(broken.is_empty(), "{} does not hold for {broken:?} in {}", target.name, folder.display());
    let missing: Vec<_> = target.stages.iter().filter(|stage| !reached.contains_key(*stage)).collect();
    assert!(
        missing.is_empty(),
        "no seed of {} comes to {missing:?} any more, only {reached:#?}",
        target.name
    );
}

macro_rules! replays {
    ($($name:ident: $target:expr,)+) => {
        $(#[test]
        fn $name() {
            replay(&$target);
        })+

        #[test]
        fn every_target_has_its_test() {
            let tested: BTreeSet<_> = [$($target.name),+].into();
            assert_eq!(tested, TARGETS.iter().map(|target| target.name).collect());
            $(assert_eq!(stringify!($name), $target.name);)+
        }
    };
}

replays! {
    headers: HEADERS,
    envelope: ENVELOPE,
    resource: RESOURCE,
    certificates: CERTIFICATES,
    errors: ERRORS,
    calls: CALLS,
    diagnosis: DIAGNOSIS,
    bills: BILLS,
    v2_xml: V2_XML,
    v2_notice: V2_NOTICE,
    v2_answer: V2_ANSWER,
}
