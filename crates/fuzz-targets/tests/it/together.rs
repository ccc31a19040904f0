//! Targets, their programs, their corpus and their dictionaries go by the same names.

use std::collections::BTreeSet;

use payonce_fuzz_targets::TARGETS;

use crate::{fuzz, names};

fn targets() -> BTreeSet<String> {
    let all: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(all.len(), TARGETS.len(), "two targets go by one name");
    all
}

#[test]
fn each_target_has_a_program_and_a_corpus() {
    assert_eq!(names(&fuzz().join("corpus")), targets());
    let programs = names(&fuzz().join("fuzz_targets"));
    let programs = programs.iter().filter_map(|name| name.strip_suffix(".rs")).map(str::to_owned);
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets());
    for target in TARGETS {
        let program = fuzz().join("fuzz_targets").join(format!("{}.rs", target.name));
        let program = std::fs::read_to_string(program).expect("the program was listed");
        let call = format!("(payonce_fuzz_targets::{}.run)(input)", target.name.to_uppercase());
        assert!(program.contains(&call), "{}: {program}", target.name);
    }
}

#[test]
fn each_program_is_in_the_manifest() {
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).expect("the manifest");
    let of = |prefix: &str, suffix: &str| -> BTreeSet<String> {
        let lines = manifest.lines().filter_map(|line| line.strip_prefix(prefix)?.strip_suffix(suffix));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(of("path = \"fuzz_targets/", ".rs\""), targets());
    let mut programs = of("name = \"", "\"");
    assert!(programs.remove("payonce-fuzz"), "the package");
    assert_eq!(programs, targets());
}

#[test]
fn each_dictionary_is_a_targets() {
    for dictionary in names(&fuzz().join("dictionaries")) {
        let target = dictionary.strip_suffix(".dict").unwrap_or_else(|| panic!("{dictionary} is none"));
        assert!(targets().contains(target), "{dictionary} is nobody's");
    }
}
