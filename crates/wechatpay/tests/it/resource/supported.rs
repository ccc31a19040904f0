//! The README's table of notifications: each row is read as it says.

use serde_json::json;
use wechatpay::{SUPPORTED_NOTICES, v2};

use super::{kinds, open};

#[test]
fn each_kind_of_notification_is_read_as_its_row_says() {
    let mut met = 0;
    for row in SUPPORTED_NOTICES.iter().filter(|row| row.protocol == "APIv3") {
        let variant = row.read_as.strip_prefix("Resource::").unwrap();
        let kind = kinds().into_iter().find(|kind| {
            let resource = kind.open(&kind.plaintext.to_string()).unwrap().resource;
            format!("{resource:?}").starts_with(&format!("{variant}("))
        });
        let kind = kind.unwrap_or_else(|| panic!("no resource is read as {}", row.read_as));
        assert!(row.events.contains(&kind.event_type), "{row:?}");
        for event in row.events {
            let opened = open(event, &json!(kind.original_type), &kind.plaintext.to_string()).unwrap();
            assert!(
                format!("{:?}", opened.resource).starts_with(&format!("{variant}(")),
                "{event}: {opened:?}"
            );
        }
        met += 1;
    }
    assert_eq!(met, kinds().len());
}

#[test]
fn notices_of_apiv2_are_of_types_that_exist() {
    let types = [std::any::type_name::<v2::Transaction>(), std::any::type_name::<v2::OpenedRefund>()];
    let rows = SUPPORTED_NOTICES.iter().filter(|row| row.protocol == "APIv2");
    for (row, full) in rows.zip(types) {
        assert_eq!(row.read_as.rsplit("::").next(), full.rsplit("::").next(), "{row:?}");
        assert!(row.events.is_empty(), "{row:?}");
    }
}
