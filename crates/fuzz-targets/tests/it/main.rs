//! Every file of the fuzzers' corpus through its target, without a fuzzer; and that targets, programs and corpus belong
//! together.
//!
//! A panic in a target fails the test of that target and names the file.

mod replay;
mod together;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the programs and their corpus.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The names in a folder, sorted, without what the system hides.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.expect("a folder that can be read").file_name().into_string());
    names.map(|name| name.expect("a name in UTF-8")).filter(|name| !name.starts_with('.')).collect()
}
