//! What was not signed by the endpoint's secret, or too long ago, is answered 401 and has no effect.

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

programs! {
    Python in python { only_what_the_secret_signed_lately_is_taken }
    Node in node { only_what_the_secret_signed_lately_is_taken }
    Go in go { only_what_the_secret_signed_lately_is_taken }
    Java in java { only_what_the_secret_signed_lately_is_taken }
    Php in php { only_what_the_secret_signed_lately_is_taken }
    CSharp in csharp { only_what_the_secret_signed_lately_is_taken }
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
