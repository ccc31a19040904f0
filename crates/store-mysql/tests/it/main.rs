//! MySQL's store, tried on MariaDB: held to the suite that every store must pass, and to what only a server can show.

mod cluster;
mod crashes;
mod effects;
mod epochs;
mod fixture;
mod interleaved;
mod schema;
mod sequencers;
mod statements;
mod trouble;

mod conformance {
    use crate::fixture::Shared;

    /// Where MariaDB is missing, each test says so and ends.
    macro_rules! group_on_mariadb {
        ($group:ident: $($test:ident),+ $(,)?) => {
            mod $group {
                $(
                    #[test]
                    fn $test() {
                        let Some(fixture) = super::Shared::find() else { return };
                        payonce_store_conformance::run(
                            payonce_store_conformance::suite::$group::$test(&fixture)
                        );
                    }
                )+
            }
        };
    }
    payonce_store_conformance::for_each_group!(group_on_mariadb);
}
