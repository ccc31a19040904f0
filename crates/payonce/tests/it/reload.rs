//! Keys are changed while payonce runs: at SIGHUP, and when a file changes. What does not load changes nothing.

use std::fs;
use std::time::Duration;

use payonce_simulator::Delivery;

use crate::server::Server;
use crate::shop::Shop;
use crate::wire::Wire;

const SEED: u64 = 71;
const NOBODYS: &str = "apiv3KeyThatNobodyHasEverUsed012";

/// The status of a callback's answer. An answer with a body ends its connection's use.
async fn answer(shop: &Shop, server: &Server) -> u16 {
    let callback = shop.signer().callback(&Delivery::genuine(0, 0), 0);
    let mut wire = Wire::connect(server.addr()).await;
    wire.send_head(&shop.notify_path(), &callback, "").await;
    wire.send(callback.body()).await;
    wire.status().await
}

/// Asks until the answer is this one.
async fn answers(shop: &Shop, server: &Server, expected: u16) {
    let asked = async { while answer(shop, server).await != expected {} };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("the keys are loaded again");
}

/// Puts a file in place, whole.
fn put(shop: &Shop, name: &str, text: &str) {
    let part = shop.folder().join("part");
    fs::write(&part, text).unwrap();
    fs::rename(part, shop.folder().join(name)).unwrap();
}

fn hang_up(server: &Server) {
    server.signal("HUP");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_file_is_loaded_without_a_start() {
    let shop = Shop::open(1, SEED).await;
    let key_file = shop.folder().join("apiv3.key");
    let good = fs::read_to_string(&key_file).unwrap();
    fs::write(&key_file, NOBODYS).unwrap();
    let server = Server::start(&shop);
    assert_eq!(answer(&shop, &server).await, 500);

    // It is noticed by itself.
    fs::write(&key_file, &good).unwrap();
    answers(&shop, &server, 204).await;

    // A file that does not load changes nothing, and what loads later does.
    fs::write(&key_file, "too short").unwrap();
    hang_up(&server);
    assert_eq!(answer(&shop, &server).await, 204);
    let config = fs::read_to_string(shop.config()).unwrap();
    fs::write(&key_file, &good).unwrap();
    fs::write(shop.config(), config.replace(shop.notify_path().rsplit('/').next().unwrap(), "1999999999"))
        .unwrap();
    hang_up(&server);
    answers(&shop, &server, 400).await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

/// A file that the configuration names anew comes after it: it was looked for once, and never again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_comes_after_the_configuration_that_names_it() {
    let shop = Shop::open(1, SEED).await;
    let good = fs::read_to_string(shop.folder().join("apiv3.key")).unwrap();
    fs::write(shop.folder().join("apiv3.key"), NOBODYS).unwrap();
    let server = Server::start(&shop);
    assert_eq!(answer(&shop, &server).await, 500);

    let config = fs::read_to_string(shop.config()).unwrap();
    put(&shop, "payonce.toml", &config.replace("apiv3.key", "new.key"));
    server.says("cannot read new.key", 1);
    // What it tries by itself meanwhile it says when it has something else to say.
    put(&shop, "new.key", "too short");
    server.says("exactly 32 characters", 1);
    put(&shop, "new.key", &good);
    answers(&shop, &server, 204).await;
    server.says("what was loaded stays", 2);
    put(&shop, "new.key", NOBODYS);
    server.says("merchants, keys and endpoints were loaded again", 2);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

/// One that is gone from the configuration stays: messages may wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_defined_and_let_go_without_a_start() {
    let shop = Shop::open(1, SEED).await;
    put(&shop, "sealing.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    put(&shop, "shop.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let config = fs::read_to_string(shop.config()).unwrap();
    let without = format!("{config}\n[delivery]\nsealing_key_file = \"sealing.key\"\n");
    put(&shop, "payonce.toml", &without);
    let server = Server::start(&shop);

    let endpoint = "[[endpoints]]\nname = \"shop\"\nsecret_file = \"shop.secret\"\n";
    put(&shop, "payonce.toml", &format!("{without}{endpoint}url = \"http://shop.example/\"\n"));
    server.says("http:// is not encrypted", 1);
    put(&shop, "payonce.toml", &format!("{without}{endpoint}url = \"https://shop.example/\"\n"));
    server.says("the configuration defines this endpoint", 1);
    put(
        &shop,
        "shop.secret",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    );
    server.says("the configuration defines this endpoint", 2);
    put(&shop, "payonce.toml", &without);
    server.says("no longer configured; it stays as it is", 1);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}
