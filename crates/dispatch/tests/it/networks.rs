//! What may not be called is not called, whatever a name resolves to.

use std::sync::Arc;

use payonce_core::delivery::{Answer, Fault};
use payonce_dispatch::{Networks, OpenError, Senders, SystemResolver};

use crate::{
    fixture::{Names, endpoint, message, senders, signing, way, words},
    receiver::{Receiver, Reply, answer, taken},
};

const FORBIDDEN: Answer = Answer::Fault(Fault::Forbidden);

fn strict(names: Arc<Names>) -> Senders {
    Senders { networks: Networks::default(), ..senders(names) }
}

#[tokio::test]
async fn trap_a_url_pointed_at_a_metadata_service_or_at_the_loopback() {
    let receiver = Receiver::start(vec![taken()]).await;
    let port = receiver.address.port();
    for host in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let way = way(&strict(Names::local()), &format!("http://{host}:{port}/"));
        let report = way.send(&message(1)).await;
        assert_eq!(report.heard.answer, FORBIDDEN, "{host}");
        assert!(words(&report).contains("no address of the public internet"), "{}", words(&report));
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn other_spellings_of_an_address_lead_to_no_other_verdict() {
    let receiver = Receiver::start(vec![taken()]).await;
    let senders = Senders {
        networks: Networks::default(),
        resolver: Arc::new(SystemResolver),
        ..senders(Names::local())
    };
    for host in ["localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"] {
        let way = way(&senders, &format!("http://{host}:{}/", receiver.address.port()));
        let answer = way.send(&message(1)).await.heard.answer;
        assert!(matches!(answer, FORBIDDEN | Answer::Fault(Fault::NotResolved)), "{host}: {answer:?}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_on_the_second_look_up_is_refused_then() {
    let close = Reply::Last(answer("200 OK", "Connection: close\r\n", ""));
    let receiver = Receiver::start(vec![close]).await;
    let names = Names::of(&[&["127.0.0.1"], &["10.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]]);
    let way = way(&senders(names.clone()), &format!("http://shop.example:{}/", receiver.address.port()));
    for expected in [Answer::Status(200), FORBIDDEN, FORBIDDEN, Answer::Status(200)] {
        assert_eq!(way.send(&message(1)).await.heard.answer, expected);
    }
    assert_eq!(
        names.asked(),
        ["shop.example"; 4],
        "one look-up a connection, and none between verdict and call"
    );
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_called_are() {
    let receiver = Receiver::start(vec![taken()]).await;
    let names = Names::of(&[&["10.0.0.1", "127.0.0.1", "::1"]]);
    let way = way(&senders(names), &format!("http://shop.example:{}/", receiver.address.port()));
    assert_eq!(way.send(&message(1)).await.heard.answer, Answer::Status(204));
}

#[tokio::test]
async fn an_address_where_nobody_listens_does_not_hide_the_next_one() {
    let receiver = Receiver::start(vec![taken()]).await;
    let names = Names::of(&[&["127.0.0.2", "127.0.0.3", "127.0.0.1"]]);
    let way = way(&senders(names), &format!("http://shop.example:{}/", receiver.address.port()));
    assert_eq!(way.send(&message(1)).await.heard.answer, Answer::Status(204));
}

#[tokio::test]
async fn what_is_not_encrypted_is_called_only_where_that_is_allowed() {
    let senders = Senders { plain: false, ..senders(Names::local()) };
    for url in ["http://h/", "amqp://h/", "nats://h/", "redis://h/", "kafka://h/"] {
        let refused = senders.with(signing(), &endpoint(url)).err().expect(url);
        assert!(matches!(refused, OpenError::Plain(_)), "{refused}");
    }
    assert!(senders.with(signing(), &endpoint("https://h/")).is_ok());
}
