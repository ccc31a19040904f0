//! Redis forgets what it is told to forget, and everything when it dies.

use payonce_test_servers::{Redis, redis, require};

#[test]
fn redis_lives_dies_and_forgets() {
    let Some(server) = require(Redis::start()) else { return };
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}/", server.port()));
    assert_eq!(server.command_line("SET a 1").unwrap(), "+OK");
    assert_eq!(server.command_line("EXISTS a").unwrap(), ":1");
    server.flush().unwrap();
    assert_eq!(server.command_line("EXISTS a").unwrap(), ":0");

    server.command_line("SET a 1").unwrap();
    server.kill();
    assert!(server.command_line("PING").is_err());
    server.start_again().unwrap();
    assert_eq!(server.command_line("EXISTS a").unwrap(), ":0");
    server.stop().unwrap();
    assert!(server.command_line("PING").is_err());
}

#[test]
fn the_shared_redis_is_one() {
    let Some(url) = require(redis::shared_url()) else { return };
    assert_eq!(redis::shared_url().unwrap(), url);
}
