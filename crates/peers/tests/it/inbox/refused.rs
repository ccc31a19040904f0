//! What was not signed by the endpoint's secret, or too long ago, is answered 401 and has no effect. What is no secret is
//! not taken for one.

use payonce_core::store::MessageView;
use serde_json::json;
use standardwebhooks::Webhook;

use super::{
    program::Program,
    programs,
    receiver::Receiver,
    shop::Shop,
    stage::{Stage, amount_fen, now},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Beyond the tolerance, and by more than the machine may need for the request.
const TOO_FAR_SECONDS: i64 = 330;

/// What an ed25519 key's two halves look like.
const PUBLIC_KEY: &str = "whpk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PRIVATE_KEY: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

programs! {
    Python in python {
        only_what_the_secret_signed_lately_is_taken, what_is_no_secret_is_refused, a_public_key_is_no_secret,
    }
    Node in node { only_what_the_secret_signed_lately_is_taken, what_is_no_secret_is_refused }
    Go in go { only_what_the_secret_signed_lately_is_taken, what_is_no_secret_is_refused }
    Java in java { only_what_the_secret_signed_lately_is_taken, what_is_no_secret_is_refused }
    Php in php { only_what_the_secret_signed_lately_is_taken, what_is_no_secret_is_refused }
    CSharp in csharp {
        only_what_the_secret_signed_lately_is_taken, what_is_no_secret_is_refused, a_public_key_is_no_secret,
    }
}

/// What a call carries.
struct Call<'a> {
    id: &'a str,
    timestamp: String,
    signature: String,
    body: Vec<u8>,
}

impl<'a> Call<'a> {
    fn signed(message: &'a MessageView, secret: &str, timestamp: i64) -> Self {
        let (id, body) = (message.id.0.as_str(), message.body.as_bytes());
        let signature = Webhook::new(secret).unwrap().sign(id, timestamp, body).unwrap();
        Self { id, timestamp: timestamp.to_string(), signature, body: body.to_vec() }
    }

    async fn answer(&self, receiver: &Receiver) -> u16 {
        let headers = [
            ("webhook-id", self.id),
            ("webhook-timestamp", &self.timestamp),
            ("webhook-signature", &self.signature),
        ];
        receiver.post(&headers, &self.body).await
    }
}

async fn only_what_the_secret_signed_lately_is_taken(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[1]));
    let receiver = Receiver::start(program, &shop, SECRET);
    let message = stage.pay(1).await;
    let good = || Call::signed(&message, SECRET, now().0);
    let changed_body = {
        let mut call = good();
        let at = call.body.iter().position(|byte| *byte == b'5').unwrap();
        call.body[at] = b'9';
        call
    };
    let changed_time = Call { timestamp: (now().0 - 1).to_string(), ..good() };
    let refused = [
        ("a changed body", changed_body),
        ("no UTF-8", Call { body: vec![0xff, 0xfe], ..good() }),
        ("another id", Call { id: "order:1900000001:ORDER2:1", ..good() }),
        ("another time", changed_time),
        ("an old one", Call::signed(&message, SECRET, now().0 - TOO_FAR_SECONDS)),
        ("one of the future", Call::signed(&message, SECRET, now().0 + TOO_FAR_SECONDS)),
        ("another secret", Call::signed(&message, OTHER_SECRET, now().0)),
        ("another version", Call { signature: good().signature.replace("v1,", "v2,"), ..good() }),
        ("no base64", Call { signature: "v1,%%%".to_owned(), ..good() }),
        ("no comma", Call { signature: "v1".to_owned(), ..good() }),
        ("an empty signature", Call { signature: "v1,".to_owned(), ..good() }),
        ("no time", Call { timestamp: "now".to_owned(), ..good() }),
    ];
    for (what, call) in refused {
        assert_eq!(call.answer(&receiver).await, 401, "{what}");
    }
    assert_eq!(receiver.post(&[], message.body.as_bytes()).await, 401, "no headers");
    assert_eq!((shop.inbox(), shop.paid(1)), (vec![], (0, 0)));

    // As during a rotation: what it does not know stands before what it knows.
    let other = Call::signed(&message, OTHER_SECRET, now().0).signature;
    let several = good();
    let several = Call { signature: format!("{other} v1a,AAAA {}", several.signature), ..several };
    assert_eq!(several.answer(&receiver).await, 204);
    assert_eq!((shop.inbox(), shop.paid(1)), (vec![message.id.0.clone()], (1, amount_fen(1))));
    stage.define("shop", json!({ "url": receiver.url(), "secret": SECRET, "start": 0 })).await;
    assert_eq!(
        stage.answers("shop", &message, 1).await,
        [204],
        "what payonce signs itself is the same to it"
    );
}

async fn what_is_no_secret_is_refused(program: Program) {
    let one_of_two = format!("{SECRET} whsec_");
    let bare = SECRET.trim_start_matches("whsec_");
    for secrets in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", bare, PRIVATE_KEY, &one_of_two] {
        refuses(program, secrets).await;
    }
}

/// Where the program cannot verify by a public key, it must not sign by it either: anybody may know it.
async fn a_public_key_is_no_secret(program: Program) {
    refuses(program, PUBLIC_KEY).await;
    refuses(program, &format!("{SECRET} {PUBLIC_KEY}")).await;
}

/// It does not start. PHP has no start: there each call is answered 500.
async fn refuses(program: Program, secrets: &str) {
    let shop = Shop::open(&[1]);
    match Receiver::start_or_end(program, &shop, secrets) {
        Err(ended) => assert!(!ended.success(), "{secrets:?}"),
        Ok(receiver) => {
            assert_eq!(program, Program::Php, "{secrets:?} was taken");
            let timestamp = now().0.to_string();
            let headers =
                [("webhook-id", "a"), ("webhook-timestamp", &timestamp), ("webhook-signature", "v1,AAAA")];
            assert_eq!(receiver.post(&headers, b"{}").await, 500, "{secrets:?}");
        }
    }
}
