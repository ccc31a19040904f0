//! temporary
use std::time::Instant;
use wechatpay::*;
fn main() {
    let keys: serde_json::Value = serde_json::from_str(include_str!("../tests/vectors/keys.json")).unwrap();
    let cbs: serde_json::Value =
        serde_json::from_str(include_str!("../tests/vectors/callbacks.json")).unwrap();
    let v = &cbs["vectors"][0];
    let pk = PlatformKeys::new([PlatformKey::from_public_key_pem(
        keys["public_key"]["id"].as_str().unwrap(),
        keys["public_key"]["public_pem"].as_str().unwrap(),
    )
    .unwrap()]);
    let k = ApiV3Key::new(keys["apiv3_key"].as_str().unwrap()).unwrap();
    let h: Vec<(&str, &[u8])> = v["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str().unwrap().as_bytes()))
        .collect();
    let body = v["body"].as_str().unwrap().as_bytes();
    let now = UnixSeconds(1_750_000_000);
    let n = 100_000;
    let p = Callback::parse(h.iter().copied(), body).unwrap().verify(&pk, now).unwrap();
    println!("body {}", body.len());
    drop(p);
    let t = Instant::now();
    for _ in 0..n {
        std::hint::black_box(Callback::parse(h.iter().copied(), body).unwrap());
    }
    println!("parse {:?}", t.elapsed() / n);
    let t = Instant::now();
    for _ in 0..n {
        std::hint::black_box(Callback::parse(h.iter().copied(), body).unwrap().verify(&pk, now).unwrap());
    }
    println!("parse+verify {:?}", t.elapsed() / n);
    let t = Instant::now();
    for _ in 0..n {
        std::hint::black_box(
            Callback::parse(h.iter().copied(), body).unwrap().verify(&pk, now).unwrap().open(&k).unwrap(),
        );
    }
    println!("parse+verify+open {:?}", t.elapsed() / n);
    let key = PlatformKey::from_public_key_pem(
        keys["public_key"]["id"].as_str().unwrap(),
        keys["public_key"]["public_pem"].as_str().unwrap(),
    )
    .unwrap();
    let m = callback_message(
        "1750000000",
        std::str::from_utf8(h.iter().find(|x| x.0 == "Wechatpay-Nonce").unwrap().1).unwrap(),
        body,
    );
    let s = std::str::from_utf8(h.iter().find(|x| x.0 == "Wechatpay-Signature").unwrap().1).unwrap();
    key.verify(&m, s).unwrap();
    let t = Instant::now();
    for _ in 0..n {
        key.verify(&m, s).unwrap()
    }
    println!("one message verify {:?}", t.elapsed() / n);
}
