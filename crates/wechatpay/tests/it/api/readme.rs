//! The tables of what is supported in both READMEs are those of the code, and each row of them exists.

use wechatpay::api::{Mode, SUPPORTED, SUPPORTED_V2, Supported, SupportedV2};
use wechatpay::v2::{self, Request};
use wechatpay::{Fen, SUPPORTED_NOTICES};

const READMES: [&str; 2] =
    [include_str!("../../../../../README.md"), include_str!("../../../../../README.zh-CN.md")];

fn line(row: &Supported) -> String {
    let mode = match row.mode {
        Mode::Ordinary => "ordinary 普通商户",
        Mode::Partner => "partner 服务商",
        _ => "both",
    };
    format!("| {} | {} | {mode} | `{} {}` |\n", row.section, row.name, row.method, row.path)
}

/// Holds what stands between the marks, below the table's head, against these rows.
#[track_caller]
fn assert_listed(what: &str, constant: &str, rows: &str) {
    let begin = format!("<!-- {what}: checked against {constant} -->\n");
    let end = format!("<!-- end of {what} -->\n");
    for readme in READMES {
        let (_, rest) = readme.split_once(&begin).expect("a README without the table's first mark");
        let (found, _) = rest.split_once(&end).expect("a README without the table's last mark");
        let found = found.splitn(3, '\n').nth(2).unwrap_or_default();
        assert_eq!(found, rows, "copy the right side between the marks, below the table's head");
    }
}

#[test]
fn the_readmes_list_what_is_supported() {
    let rows: String = SUPPORTED.iter().map(line).collect();
    assert_listed("supported calls", "wechatpay::api::SUPPORTED", &rows);
}

#[test]
fn the_readmes_list_the_calls_of_apiv2() {
    let line = |row: &SupportedV2| {
        let certificate = if row.client_certificate { "yes" } else { "–" };
        format!("| {} | `{}` | {certificate} | `POST {}` |\n", row.title, row.name, row.path)
    };
    let rows: String = SUPPORTED_V2.iter().map(line).collect();
    assert_listed("supported calls of APIv2", "wechatpay::api::SUPPORTED_V2", &rows);
}

#[test]
fn the_readmes_list_the_notifications() {
    let rows = SUPPORTED_NOTICES.iter().map(|row| {
        let events: Vec<_> = row.events.iter().map(|event| format!("`{event}`")).collect();
        let events = if events.is_empty() { "–".to_owned() } else { events.join(" ") };
        format!("| {} | {} | {events} | `{}` |\n", row.protocol, row.name, row.read_as)
    });
    let rows: String = rows.collect();
    assert_listed("supported notifications", "wechatpay::SUPPORTED_NOTICES", &rows);
}

/// Each row of APIv2's is a type, with that path and that need of a certificate.
#[test]
fn calls_of_apiv2_are_those_that_their_rows_name() {
    fn row<R: Request>(request: &R) -> (&'static str, &'static str, bool) {
        let name = std::any::type_name::<R>().rsplit("::").next().unwrap();
        (name, request.path(), request.needs_client_certificate())
    }
    let number = || v2::OrderNumber::OutTradeNo("1".to_owned());
    let order = v2::UnifiedOrder {
        body: String::new(),
        out_trade_no: String::new(),
        total_fee: Fen::new(1).unwrap(),
        spbill_create_ip: String::new(),
        notify_url: String::new(),
        trade: v2::Trade::App,
        options: v2::OrderOptions::default(),
    };
    let refund = v2::Refund {
        order: number(),
        out_refund_no: String::new(),
        total_fee: Fen::new(1).unwrap(),
        refund_fee: Fen::new(1).unwrap(),
        refund_desc: None,
        refund_account: None,
        notify_url: None,
    };
    let refunds = v2::RefundQuery { of: v2::RefundNumber::RefundId(String::new()), offset: None };
    let bill = v2::DownloadBill { bill_date: String::new(), bill_type: v2::BillType::All, gzip: false };
    let found = [
        row(&order),
        row(&v2::OrderQuery(number())),
        row(&v2::CloseOrder { out_trade_no: String::new() }),
        row(&refund),
        row(&refunds),
        row(&bill),
    ];
    let listed: Vec<_> =
        SUPPORTED_V2.iter().map(|row| (row.name, row.path, row.client_certificate)).collect();
    assert_eq!(listed, found);
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
