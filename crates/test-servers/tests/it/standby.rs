//! A PostgreSQL standby takes over what was committed.

use payonce_test_servers::{Options, Postgres, require};

#[test]
fn a_promoted_standby_has_what_was_committed() {
    let Some(primary) = require(Postgres::start(&Options::default())) else { return };
    let standby = Postgres::standby_of(&primary).unwrap();
    primary.wait_for_standby().unwrap();
    primary.create_database("shop").unwrap();
    primary.execute("shop", "CREATE TABLE t (n INT); INSERT INTO t VALUES (1);").unwrap();
    primary.kill();

    assert!(standby.execute("shop", "INSERT INTO t VALUES (2);").is_err(), "it only follows yet");
    standby.promote().unwrap();
    standby.execute("shop", "INSERT INTO t VALUES (2);").unwrap();
    assert_eq!(standby.execute("shop", "SELECT n FROM t ORDER BY n;").unwrap(), "1\n2");
}
