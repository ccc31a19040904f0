//! When a package counts as installed. Nothing is installed here.

use std::fs;
use std::path::Path;

use payonce_peers::{Installation, Language, Package, Peer, StartError};

#[test]
fn it_is_complete_when_it_was_finished_from_the_pins_of_now() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installation");
    for package in Package::ALL {
        let installation = Installation::of(package, &target);
        let commands = installation.begin().unwrap();
        assert!(!commands.is_empty());
        assert!(!installation.is_complete(), "begun, not finished");
        if let Package::Sdk(sdk) = package {
            assert!(matches!(Peer::start(sdk, &target), Err(StartError::Absent { .. })));
        }

        installation.finish().unwrap();
        if package.language() == Language::Python {
            assert!(!installation.is_complete(), "its Python is not there");
            let programs = target.join("peers").join(package.name()).join("bin");
            fs::create_dir(&programs).unwrap();
            fs::write(programs.join("python"), "").unwrap();
        }
        assert!(installation.is_complete());

        let stamp = target.join("peers").join(package.name()).join("installed-from");
        fs::write(&stamp, "other pins").unwrap();
        assert!(!installation.is_complete(), "made from other pins");

        installation.finish().unwrap();
        installation.begin().unwrap();
        assert!(!installation.is_complete(), "begun anew");
    }
    fs::remove_dir_all(target).unwrap();
}
