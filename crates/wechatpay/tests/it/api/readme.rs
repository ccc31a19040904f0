//! The table of supported calls in both READMEs is `SUPPORTED`, and each row of it is a call that exists.

use wechatpay::api::{Mode, SUPPORTED, Supported};

const BEGIN: &str = "<!-- supported calls: checked against wechatpay::api::SUPPORTED -->\n";
const END: &str = "<!-- end of supported calls -->\n";

fn line(row: &Supported) -> String {
    let mode = match row.mode {
        Mode::Ordinary => "ordinary 普通商户",
        Mode::Partner => "partner 服务商",
        _ => "both",
    };
    format!("| {} | {} | {mode} | `{} {}` |\n", row.section, row.name, row.method, row.path)
}

fn table() -> String {
    SUPPORTED.iter().map(line).collect()
}

#[test]
fn the_readmes_list_what_is_supported() {
    for readme in [include_str!("../../../../../README.md"), include_str!("../../../../../README.zh-CN.md")] {
        let (_, rest) = readme.split_once(BEGIN).expect("a README without the table's first mark");
        let (found, _) = rest.split_once(END).expect("a README without the table's last mark");
        let rows = found.splitn(3, '\n').nth(2).unwrap_or_default();
        assert_eq!(rows, table(), "copy the right side between the marks, below the table's head");
    }
}

/// Whether a row names this method, path and query.
pub(super) fn is_supported(line: &str) -> bool {
    let (method, target) = line.split_once(' ').unwrap();
    SUPPORTED.iter().any(|row| row.method == method && fits(row.path, target))
}

/// A path against its template, segment by segment: `{a,b}` is one of the words, any other `{…}` is one value. Queries
/// are held against exact texts where calls are tested.
fn fits(template: &str, target: &str) -> bool {
    let path = |text: &str| -> Vec<String> {
        text.split(['?', '[']).next().unwrap_or_default().split('/').map(str::to_owned).collect()
    };
    if template == "{download_url}" {
        return target.starts_with("/v3/billdownload/");
    }
    let (template, target) = (path(template), path(target));
    template.len() == target.len()
        && template.iter().zip(&target).all(|(pattern, segment)| {
            match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if name.contains(',') => name.split(',').any(|word| word == segment),
                Some(_) => !segment.is_empty(),
                None => pattern == segment,
            }
        })
}

#[test]
fn templates_fit_only_their_calls() {
    for (line, expected) in [
        ("POST /v3/pay/transactions/jsapi", true),
        ("POST /v3/pay/transactions/micropay", false),
        ("GET /v3/pay/transactions/jsapi", false),
        ("GET /v3/pay/transactions/id/1?mchid=1", true),
        ("GET /v3/pay/transactions/id/", false),
        ("GET /v3/refund/domestic/refunds/1?sub_mchid=2", true),
        ("GET /v3/refund/domestic/refunds/1", true),
        ("GET /v3/bill/tradebill?bill_date=2025-06-15&tar_type=GZIP", true),
        ("GET /v3/bill/tradebills", false),
        ("GET /v3/certificates", true),
        ("GET /v3/certificates/1", false),
        ("POST /v3/profitsharing/orders", false),
    ] {
        assert_eq!(is_supported(line), expected, "{line}");
    }
}
