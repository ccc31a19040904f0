//! The page of the command lists what the command can say.

use super::{Desk, Request};

const PAGE: &str = include_str!("../../../../../docs/explain.md");

/// The codes that the library's source gives, by the lines that map a variant to a text without blanks.
fn codes(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let (_, text) = line.trim().strip_prefix("Self::")?.split_once("=> \"")?;
        let code = text.strip_suffix("\",")?;
        code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')).then_some(code)
    })
}

#[test]
fn every_cause_class_and_check_is_on_the_page() {
    let mut count = 0;
    for source in [
        include_str!("../../../../wechatpay/src/diagnosis/cause.rs"),
        include_str!("../../../../wechatpay/src/diagnosis/class.rs"),
        include_str!("../../../../wechatpay/src/diagnosis/walk.rs"),
        include_str!("../../../../wechatpay/src/diagnosis/headers.rs"),
        include_str!("../../../../wechatpay/src/diagnosis/body/mod.rs"),
    ] {
        for code in codes(source) {
            count += 1;
            assert!(PAGE.contains(&format!("`{code}`")), "{code} is not in docs/explain.md");
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn every_member_of_the_json_is_on_the_page() {
    let said = Desk::new().explain(Request::genuine().raw(), &["--json", "--show-plaintext"]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let members =
        report.as_object().unwrap().keys().chain(report["notification"].as_object().unwrap().keys());
    for name in members {
        assert!(PAGE.contains(&format!("`{name}")), "{name} is not in docs/explain.md");
    }
}
