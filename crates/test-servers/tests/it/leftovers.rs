//! Nothing remains of a server: not when it is dropped, and not when the process that started it is killed.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use payonce_test_servers::{Engine, MariaDb, Options, Postgres, Redis, Server, ServerError, require};

/// PostgreSQL ends within five seconds even with children that do not listen; the rest is for a busy machine.
const GONE_WITHIN: Duration = Duration::from_secs(60);

fn leaves_nothing_when_dropped<E: Engine>(server: Server<E>) {
    let (port, folder) = (server.port(), server.folder().to_owned());
    let process = PathBuf::from(format!("/proc/{}", server.process_id().unwrap()));
    assert!(folder.exists() && process.exists());
    drop(server);
    assert!(!folder.exists() && !process.exists());
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
}

#[test]
fn a_dropped_postgres_leaves_nothing() {
    let Some(server) = require(Postgres::start(&Options::default())) else { return };
    // The seventh line of its pid file ends with the id of its System V segment.
    let pid_file = std::fs::read_to_string(server.folder().join("data/postmaster.pid")).unwrap();
    let segment = pid_file.lines().nth(6).unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let segments = || std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let is_there = || segments().lines().any(|line| line.split_whitespace().nth(1) == Some(&segment));
    assert!(is_there());
    server.kill();
    server.start_again().unwrap();
    leaves_nothing_when_dropped(server);
    assert!(!is_there());
}

#[test]
fn a_dropped_mariadb_leaves_nothing() {
    let Some(server) = require(MariaDb::start(&Options::default())) else { return };
    leaves_nothing_when_dropped(server);
}

#[test]
fn a_dropped_redis_leaves_nothing_also_when_it_is_paused() {
    let Some(server) = require(Redis::start()) else { return };
    server.pause();
    leaves_nothing_when_dropped(server);
}

/// Kills a process that has started a server, and waits until the server is gone too.
fn dies_with_its_process<E: Engine>(kind: &str, installed: Result<Server<E>, ServerError>) {
    let Some(_installed) = require(installed) else { return };
    let mut holder = Command::new(env!("CARGO_BIN_EXE_payonce-test-servers"));
    let mut holder = holder.arg(kind).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let (url, folder) = (lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap());
    let port = url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let connects = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    assert!(connects() && Path::new(&folder).exists());

    holder.kill().unwrap();
    holder.wait().unwrap();
    let killed = Instant::now();
    while Path::new(&folder).exists() {
        assert!(killed.elapsed() < GONE_WITHIN, "{folder} is still there");
        std::thread::yield_now();
    }
    assert!(!connects());
}

#[test]
fn postgres_dies_with_its_process() {
    dies_with_its_process("postgres", Postgres::start(&Options::default()));
}

#[test]
fn mariadb_dies_with_its_process() {
    dies_with_its_process("mariadb", MariaDb::start(&Options::default()));
}

#[test]
fn redis_dies_with_its_process() {
    dies_with_its_process("redis", Redis::start());
}
