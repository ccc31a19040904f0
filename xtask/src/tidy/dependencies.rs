//! The direction of dependencies: which of our crates may know which. `ARCHITECTURE.md` says why.
//!
//! `wechatpay` and `payonce-core` know nothing of ours and not each other. An edge that the table lacks is refused,
//! and so is a crate: whoever adds one decides here where it stands.

use super::Violation;
use crate::source::Tree;

struct Row {
    name: &'static str,
    may_use: &'static [&'static str],
    /// Further crates that its tests may use.
    tests_may_use: &'static [&'static str],
}

const TABLE: &[Row] = &[
    Row { name: "wechatpay", may_use: &[], tests_may_use: &[] },
    Row { name: "wechatpay-client", may_use: &["wechatpay"], tests_may_use: &["payonce-simulator"] },
    Row { name: "payonce-core", may_use: &[], tests_may_use: &[] },
    Row {
        name: "payonce-store-sqlite",
        may_use: &["payonce-core"],
        tests_may_use: &["payonce-store-conformance"],
    },
    Row { name: "payonce-store-remote", may_use: &["payonce-core"], tests_may_use: &[] },
    Row {
        name: "payonce-store-postgres",
        may_use: &["payonce-core", "payonce-store-remote"],
        tests_may_use: &["payonce-store-conformance", "payonce-test-servers"],
    },
    Row {
        name: "payonce-store-mysql",
        may_use: &["payonce-core", "payonce-store-remote"],
        tests_may_use: &["payonce-store-conformance", "payonce-test-servers"],
    },
    Row { name: "payonce-store-conformance", may_use: &["payonce-core"], tests_may_use: &[] },
    Row { name: "payonce-test-servers", may_use: &[], tests_may_use: &[] },
    Row {
        name: "payonce-dispatch",
        may_use: &["payonce-core"],
        tests_may_use: &[
            "payonce-store-conformance",
            "payonce-store-sqlite",
            "payonce-store-postgres",
            "payonce-test-servers",
        ],
    },
    Row {
        name: "payonce-server",
        may_use: &[
            "wechatpay",
            "wechatpay-client",
            "payonce-core",
            "payonce-dispatch",
            "payonce-store-sqlite",
            "payonce-store-postgres",
            "payonce-store-mysql",
        ],
        tests_may_use: &["payonce-simulator", "payonce-test-servers"],
    },
    Row {
        name: "payonce-peers",
        may_use: &["payonce-test-servers"],
        tests_may_use: &[
            "payonce-core",
            "payonce-server",
            "payonce-simulator",
            "payonce-store-sqlite",
            "wechatpay",
        ],
    },
    Row { name: "payonce-fuzz-targets", may_use: &["wechatpay"], tests_may_use: &[] },
    Row { name: "payonce-simulator", may_use: &["wechatpay"], tests_may_use: &["payonce-test-servers"] },
    Row {
        name: "payonce",
        may_use: &[
            "payonce-server",
            "payonce-dispatch",
            "payonce-simulator",
            "payonce-core",
            "payonce-store-sqlite",
            "payonce-store-postgres",
            "payonce-store-mysql",
            "wechatpay",
            "wechatpay-client",
        ],
        tests_may_use: &["payonce-test-servers"],
    },
    Row {
        name: "payonce-bench",
        may_use: &[
            "payonce-server",
            "payonce-dispatch",
            "payonce-simulator",
            "payonce-core",
            "payonce-store-sqlite",
            "payonce-store-postgres",
            "payonce-store-mysql",
            "payonce-test-servers",
            "wechatpay",
        ],
        tests_may_use: &[],
    },
    Row {
        name: "shop-rust",
        may_use: &["payonce-server", "payonce-core", "payonce-store-sqlite"],
        tests_may_use: &["payonce-simulator", "wechatpay"],
    },
    Row { name: "xtask", may_use: &["payonce-peers", "payonce-test-servers"], tests_may_use: &[] },
];

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in tree.packages {
        let Some(row) = TABLE.iter().find(|row| row.name == package.name) else {
            let text = "is not in the table of xtask/src/tidy/dependencies.rs; give it a row".to_owned();
            found.push(Violation::new(&package.name, 0, text));
            continue;
        };
        for edge in &package.edges {
            // A crate that names itself switches features on for its own tests; that is no edge.
            let itself = edge.to == package.name;
            let allowed = row.may_use.contains(&edge.to.as_str());
            let in_tests = edge.dev && row.tests_may_use.contains(&edge.to.as_str());
            if !itself && !allowed && !in_tests {
                let text = format!(
                    "must not depend on {}{}",
                    edge.to,
                    if edge.dev { ", not even in tests" } else { "" }
                );
                found.push(Violation::new(&package.name, 0, text));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Edge, Package};

    fn found(name: &str, to: &str, dev: bool) -> Vec<String> {
        let packages = [Package { name: name.to_owned(), edges: vec![Edge { to: to.to_owned(), dev }] }];
        let tree = Tree { packages: &packages, ..Tree::default() };
        check(&tree).iter().map(Violation::to_string).collect()
    }

    #[test]
    fn edges_outside_the_table_are_refused() {
        assert_eq!(found("wechatpay", "payonce-core", false), ["wechatpay: must not depend on payonce-core"]);
        assert_eq!(
            found("payonce-core", "payonce-store-sqlite", true),
            ["payonce-core: must not depend on payonce-store-sqlite, not even in tests"]
        );
        assert_eq!(found("payonce-misplaced", "payonce-core", false).len(), 1);
    }

    #[test]
    fn a_test_edge_is_no_ordinary_edge() {
        assert_eq!(found("payonce-server", "payonce-simulator", true), Vec::<String>::new());
        assert_eq!(found("payonce-server", "payonce-simulator", false).len(), 1);
    }

    #[test]
    fn edges_of_the_table_are_allowed() {
        assert_eq!(found("payonce-server", "wechatpay", false), Vec::<String>::new());
        assert_eq!(found("payonce-core", "payonce-core", true), Vec::<String>::new());
    }
}
