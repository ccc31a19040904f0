//! Vectors that others published, read from the folder that `PAYONCE_VECTORS` names.
//!
//! Every entry is accounted for: the tables name by id those that go another way than the ordinary, and the totals are
//! asserted, so that none is passed over in silence. Deliberately absent: the vectors themselves.

mod bills;
mod notify_signature;
mod request_signature;
mod resource;
mod samples;
#[cfg(feature = "sm")]
mod sm;
mod v2_refund_req_info;
mod v2_sign;

use serde_json::Value;

/// A file of published vectors; `None` where the variable is not set, which is said.
fn load(name: &str) -> Option<Value> {
    bytes(name).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the one place where a test reads the environment")]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn bytes(name: &str) -> Option<Vec<u8>> {
    let Ok(folder) = std::env::var("PAYONCE_VECTORS") else {
        println!("not run: PAYONCE_VECTORS, the folder of published vectors, is not set");
        return None;
    };
    let path = std::path::Path::new(&folder).join(name);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The entries, which must be as many as this test was written for.
fn entries(file: &Value, positive: usize, negative: usize) -> &[Value] {
    let entries = file["vectors"].as_array().unwrap();
    let count = |case: &str| entries.iter().filter(|entry| entry["case"] == case).count();
    assert_eq!((count("positive"), count("negative")), (positive, negative));
    assert_eq!(entries.len(), positive + negative);
    entries
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_else(|| panic!("{}: no {field}", entry["id"]))
}
