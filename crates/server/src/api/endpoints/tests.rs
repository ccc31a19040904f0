//! What comes in with secrets, or goes out with them, does not show them where it is logged.

use serde_json::json;

use super::{Defined, Rotation, definition::Definition, view::EndpointJson};

#[test]
fn no_debug_shows_a_secret() {
    let secret = "whsec_rSx7rSx7rSx7rSx7rSx7rSx7rSx7rSx7";
    let definition: Definition = serde_json::from_value(json!({
        "url": "https://shop.example/rSx7", "kinds": ["payment.*"], "secret": secret,
        "headers": {"authorization": "Bearer rSx7"}, "login": {"user": "shop", "password": "rSx7"},
    }))
    .expect("a definition");
    let rotation: Rotation =
        serde_json::from_value(json!({"secret": secret, "grace_seconds": 60})).expect("a rotation");
    let defined = Defined {
        endpoint: EndpointJson::default(),
        secret: Some(secret.to_owned()),
        public_key: Some("whpk_rSx7".to_owned()),
    };
    for (shown, part) in [
        (format!("{definition:?}"), "payment.*"),
        (format!("{rotation:?}"), "60"),
        (format!("{defined:?}"), "schedule_seconds"),
    ] {
        assert!(shown.contains(part) && !shown.contains("rSx7"), "{shown}");
    }
}
