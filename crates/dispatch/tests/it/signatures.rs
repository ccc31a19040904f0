//! What is sent: the same bytes at every attempt, signed, under headers that the merchant cannot break.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use payonce_core::{
    SystemClock,
    delivery::{Answer, Sealed},
};
use payonce_dispatch::{
    Algorithm, Header, OpenError, SealingKeys, Secrets, Senders, Signer, SigningKey, USER_AGENT, UnsealError,
};
use rand::{SeedableRng as _, rngs::StdRng};
use standardwebhooks::Webhook;

use crate::{
    fixture::{NOW, Names, endpoint, key, message, name, senders, signing, way},
    receiver::{Call, Receiver, taken},
};

fn verifies(key: &SigningKey, call: &Call) -> bool {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let [value] = call.headers(name)[..] else { panic!("{name}: {}", call.head) };
        headers.insert(name, value.parse().expect("a value"));
    }
    let webhook = Webhook::new(&key.secret_text()).expect("a secret");
    webhook.verify(call.body.as_bytes(), &headers).is_ok()
}

fn of_now() -> Senders {
    Senders { clock: Arc::new(SystemClock), ..senders(Names::local()) }
}

#[tokio::test]
async fn trap_the_signature_was_an_md5_in_the_url() {
    let mut receiver = Receiver::start(vec![taken()]).await;
    way(&of_now(), &receiver.url()).send(&message(7)).await;
    let call = receiver.call().await;
    assert!(call.head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{}", call.head);
    assert_eq!(call.body, message(7).body);
    for (name, value) in [
        ("host", receiver.address.to_string().as_str()),
        ("content-type", "application/json"),
        ("user-agent", USER_AGENT),
        ("webhook-id", &message(7).id.0),
        ("content-length", &message(7).body.len().to_string()),
    ] {
        assert_eq!(call.headers(name), [value], "{name}");
    }
    assert!(verifies(&key(1), &call) && !verifies(&key(2), &call));
}

#[tokio::test]
async fn an_attempt_is_dated_when_it_is_made() {
    let mut receiver = Receiver::start(vec![taken()]).await;
    way(&senders(Names::local()), &receiver.url()).send(&message(1)).await;
    assert_eq!(receiver.call().await.headers("webhook-timestamp"), [NOW.seconds().to_string()]);
}

#[tokio::test]
async fn a_secret_that_is_rotated_between_two_attempts_signs_the_second_one() {
    let mut receiver = Receiver::start(vec![taken()]).await;
    let (old, new) = (key(1), key(2));
    let endpoint = endpoint(&receiver.url());
    let senders = of_now();
    let before = signing();
    let now = senders.clock.now();
    let during = before.rotate(new.clone(), Duration::from_secs(3600), now).expect("secrets");
    let after = before.rotate(new.clone(), Duration::ZERO, now).expect("secrets");
    let mut calls = vec![];
    for secrets in [before, during, after] {
        senders.with(secrets, &endpoint).expect("a way").send(&message(1)).await;
        calls.push(receiver.call().await);
    }
    let verdicts: Vec<_> = calls.iter().map(|call| (verifies(&old, call), verifies(&new, call))).collect();
    assert_eq!(verdicts, [(true, false), (true, true), (false, true)]);
    assert!(
        calls.iter().all(|call| (call.headers("webhook-id"), &call.body)
            == (vec![message(1).id.0.as_str()], &message(1).body))
    );
}

#[tokio::test]
async fn a_grace_that_ends_ends_for_a_way_that_is_open() {
    let mut receiver = Receiver::start(vec![taken()]).await;
    let ends = Signer { key: key(2), until: Some(NOW) };
    let secrets = Secrets::new(vec![Signer::lasting(key(1)), ends], vec![], None).expect("secrets");
    senders(Names::local()).with(secrets, &endpoint(&receiver.url())).expect("a way").send(&message(1)).await;
    let call = receiver.call().await;
    assert_eq!(call.headers("webhook-signature")[0].split(' ').count(), 1);
}

#[tokio::test]
async fn headers_of_the_merchant_s_are_sent_and_change_no_other() {
    let mut receiver = Receiver::start(vec![taken()]).await;
    let own = [("Authorization", "Bearer rSx7"), ("X-Shop", "a, b; c=\"d\""), ("User-Agent", "shop/1")];
    let own = own.map(|(name, value)| Header::parse(name, value).expect("a header"));
    let secrets = Secrets::new(signing().signing().to_vec(), own.to_vec(), None).expect("secrets");
    let way = senders(Names::local()).with(secrets, &endpoint(&receiver.url())).expect("a way");
    way.send(&message(1)).await;
    let call = receiver.call().await;
    assert_eq!(call.headers("authorization"), ["Bearer rSx7"]);
    assert_eq!(call.headers("x-shop"), ["a, b; c=\"d\""]);
    assert_eq!(call.headers("user-agent"), ["shop/1"]);
    assert_eq!(call.headers("content-type"), ["application/json"]);
    assert_eq!(call.head.lines().filter(|line| !line.is_empty()).count(), 10, "{}", call.head);
}

#[tokio::test]
async fn sealed_secrets_are_opened_and_what_does_not_open_is_told() {
    let mut receiver = Receiver::start(vec![taken()]).await;
    let senders = of_now();
    let mut endpoint = endpoint(&receiver.url());
    endpoint.sealed = senders.keys.seal(&name(), &signing(), &mut StdRng::seed_from_u64(1));
    let way = senders.open(&name(), &endpoint).expect("a way");
    assert_eq!(way.send(&message(1)).await.heard.answer, Answer::Status(204));
    assert!(verifies(&key(1), &receiver.call().await));

    let other = SealingKeys::parse("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=").expect("keys");
    let senders = Senders { keys: Arc::new(other), ..senders };
    let refused = senders.open(&name(), &endpoint).err().expect("no way");
    assert!(matches!(refused, OpenError::Sealed(UnsealError::UnknownKey { .. })), "{refused}");
    endpoint.sealed = Sealed(vec![]);
    let refused = senders.open(&name(), &endpoint).err().expect("no way");
    assert!(matches!(refused, OpenError::Sealed(_)), "{refused}");
}

#[tokio::test]
async fn trap_the_body_was_not_signed_at_all() {
    let senders = senders(Names::local());
    let ends = Signer { key: key(1), until: Some(NOW) };
    for signers in [vec![], vec![ends]] {
        let secrets = Secrets::new(signers, vec![], None).expect("secrets");
        let refused = senders.with(secrets, &endpoint("https://h/")).err().expect("no way");
        assert_eq!(refused, OpenError::NoKey);
    }
    let ed25519 = SigningKey::generate(Algorithm::Ed25519, &mut StdRng::seed_from_u64(1));
    let secrets = Secrets::new(vec![Signer::lasting(ed25519)], vec![], None).expect("secrets");
    assert!(senders.with(secrets, &endpoint("https://h/")).is_ok());
}
