//! The one suite that every payonce store must pass, and [`MemoryStore`], the model that passes it first.
//!
//! A store's crate calls [`conformance_tests!`] with an expression that makes a [`Fixture`]; each function of
//! the [`suite`] becomes a test of that crate. Deliberately absent: anything that only one database has.

mod calls;
mod desk;
pub mod facts;
mod fixture;
mod memory;
mod post;
mod rows;
mod shop;
pub mod suite;
mod tap;

pub use calls::DeliveryCalls;
pub use fixture::{Fixture, run};
pub use memory::{MemoryFixture, MemoryStore};
pub use shop::shop_tables;

#[cfg(test)]
mod tests {
    //! The model store is held to the suite like every other, and the suite to its own list.

    crate::conformance_tests!(crate::MemoryFixture::default());

    macro_rules! check_group {
        ($group:ident: $($test:ident),+ $(,)?) => {
            let listed = [$(stringify!($test)),+];
            let source = source_of(stringify!($group));
            let written = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            let written: Vec<_> = written.filter_map(|line| line.split('(').next()).collect();
            assert_eq!(listed[..], written, "the group {}", stringify!($group));
        };
    }

    fn source_of(group: &str) -> String {
        let suite = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite");
        let file = format!("{group}.rs");
        let found =
            [suite.join(&file), suite.join("delivery").join(file)].into_iter().find(|path| path.exists());
        std::fs::read_to_string(found.expect("the group has a file")).expect("it is read")
    }

    #[test]
    fn the_list_names_every_function_of_the_suite() {
        crate::for_each_group!(check_group);
        let source = include_str!("suite.rs");
        let groups = [source, include_str!("suite/delivery/mod.rs")];
        let groups = groups.iter().flat_map(|source| source.lines());
        let groups = groups.filter(|line| line.starts_with("pub mod ")).count();
        assert_eq!(groups, source.matches("$($then)+!(").count());
    }
}
