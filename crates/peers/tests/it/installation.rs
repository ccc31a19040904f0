//! When an SDK counts as installed. Nothing is installed here.

use std::fs;
use std::path::Path;

use payonce_peers::{Installation, Peer, Sdk, StartError};

#[test]
fn it_is_complete_when_it_was_finished_from_the_pins_of_now() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installation");
    for sdk in Sdk::ALL {
        let installation = Installation::of(sdk, &target);
        let commands = installation.begin().unwrap();
        assert!(!commands.is_empty());
        assert!(!installation.is_complete(), "begun, not finished");
        assert!(matches!(Peer::start(sdk, &target), Err(StartError::Absent { .. })));

        installation.finish().unwrap();
        if sdk == Sdk::Wechatpayv3 {
            assert!(!installation.is_complete(), "its Python is not there");
            let programs = target.join("peers").join(sdk.name()).join("bin");
            fs::create_dir(&programs).unwrap();
            fs::write(programs.join("python"), "").unwrap();
        }
        assert!(installation.is_complete());

        let stamp = target.join("peers").join(sdk.name()).join("installed-from");
        fs::write(&stamp, "other pins").unwrap();
        assert!(!installation.is_complete(), "made from other pins");

        installation.finish().unwrap();
        installation.begin().unwrap();
        assert!(!installation.is_complete(), "begun anew");
    }
    fs::remove_dir_all(target).unwrap();
}
