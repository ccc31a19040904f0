//! A Galera cluster survives the death of a member and takes it back.

use payonce_test_servers::{Galera, require};

#[test]
fn a_cluster_survives_a_member_and_takes_it_back() {
    let Some(cluster) = require(Galera::start(3)) else { return };
    cluster.member(0).create_database("shop").unwrap();
    let table = "CREATE TABLE t (n INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO t VALUES (1);";
    cluster.member(1).execute("shop", table).unwrap();

    cluster.member(0).kill();
    cluster.member(2).execute("shop", "INSERT INTO t VALUES (2);").unwrap();
    cluster.start_again(0).unwrap();
    cluster.member(0).execute("shop", "INSERT INTO t VALUES (3);").unwrap();
    for index in cluster.members() {
        // A member answers from its own copy unless it is told to catch up first.
        let rows = "SET SESSION wsrep_sync_wait = 1; SELECT n FROM t ORDER BY n;";
        assert_eq!(cluster.member(index).execute("shop", rows).unwrap(), "1\n2\n3", "member {index}");
    }
}
