//! A Galera cluster survives the death of a member and takes it back.

use payonce_test_servers::{Galera, require};

#[test]
fn a_cluster_survives_a_member_and_takes_it_back() {
    let Some(cluster) = require(Galera::start(3)) else { return };
    cluster.create_database("shop").unwrap();
    let table = "CREATE TABLE t (n INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO t VALUES (1);";
    // A member works on its own copy unless it is told to catch up first.
    let caught_up = |index, statement: &str| {
        let statements = format!("SET SESSION wsrep_sync_wait = 15; {statement}");
        cluster.member(index).execute("shop", &statements).unwrap()
    };
    caught_up(1, table);
    // Killed in the middle of a CREATE TABLE, a member may come back without the table: definitions are files beside
    // the data, whose position says that they are there. The test is about a member that dies among rows.
    for index in cluster.members() {
        assert_eq!(caught_up(index, "SELECT n FROM t;"), "1", "member {index}");
    }

    cluster.member(0).kill();
    caught_up(2, "INSERT INTO t VALUES (2);");
    cluster.start_again(0).unwrap();
    caught_up(0, "INSERT INTO t VALUES (3);");
    for index in cluster.members() {
        assert_eq!(caught_up(index, "SELECT n FROM t ORDER BY n;"), "1\n2\n3", "member {index}");
    }
}
