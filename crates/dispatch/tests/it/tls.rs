//! Whom payonce believes to be the receiver.

use std::sync::Arc;

use payonce_core::delivery::{Answer, Fault};
use payonce_dispatch::{Report, Sender, Senders, Trust, TrustError};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use crate::{
    fixture::{LOCAL, Names, message, senders, way, words},
    receiver::{Receiver, Reply, answer, taken},
};

pub(crate) const HOST: &str = "shop.example";

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// The one that is trusted.
    pub(crate) fn ours() -> Self {
        Self::of("ours")
    }

    pub(crate) fn another() -> Self {
        Self::of("another")
    }

    fn of(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a host, and its key.
    fn certificate(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("names");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.issuer).expect("a certificate"), key)
    }

    fn acceptor(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let (certificate, key) = self.certificate(host, change);
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let config = config.with_no_client_auth().with_single_cert(chain, key).expect("a server");
        Arc::new(config).into()
    }

    pub(crate) fn good(&self) -> TlsAcceptor {
        self.acceptor(HOST, |_| {})
    }

    /// A good certificate and its key, in PEM.
    pub(crate) fn good_pem(&self) -> (String, String) {
        let (certificate, key) = self.certificate(HOST, |_| {});
        (certificate.pem(), key.serialize_pem())
    }

    /// Senders that trust it, and for which each name is of this machine.
    pub(crate) fn senders(&self) -> Senders {
        let trust = Trust::system_and(&self.pem).expect("authorities");
        Senders { trust, plain: false, ..senders(Names::local()) }
    }

    fn way(&self, port: u16) -> Arc<dyn Sender> {
        way(&self.senders(), &format!("https://{HOST}:{port}/"))
    }
}

/// A port where TLS is spoken, and passed on in the clear to another.
pub(crate) async fn encrypted(acceptor: TlsAcceptor, port: u16) -> u16 {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let outer = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut outside = acceptor.accept(stream).await?;
                let mut inside = TcpStream::connect((LOCAL, port)).await?;
                copy_bidirectional(&mut outside, &mut inside).await
            });
        }
    });
    outer
}

fn close() -> Reply {
    Reply::Last(answer("200 OK", "Connection: close\r\n", ""))
}

fn assert_distrusted(report: &Report, why: &str) {
    assert_eq!(report.heard.answer, Answer::Fault(Fault::TlsFailed), "{}", words(report));
    assert!(words(report).contains(why), "{}", words(report));
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_trusted_is_believed_and_its_connection_kept() {
    let authority = Authority::ours();
    let receiver = Receiver::over(vec![authority.good()], vec![taken()]).await;
    let way = authority.way(receiver.address.port());
    for number in 1..=3 {
        assert_eq!(way.send(&message(number)).await.heard.answer, Answer::Status(204));
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_not_believed() {
    let authority = Authority::ours();
    let long_ago = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    };
    for (acceptor, why) in [
        (Authority::another().good(), "UnknownIssuer"),
        (authority.acceptor("other.example", |_| {}), "not valid for name"),
        (authority.acceptor(HOST, long_ago), "expired"),
    ] {
        let mut receiver = Receiver::over(vec![acceptor], vec![taken()]).await;
        let report = authority.way(receiver.address.port()).send(&message(1)).await;
        assert_distrusted(&report, why);
        assert!(receiver.nothing_was_seen(), "no byte of the message went there");
    }
}

#[tokio::test]
async fn a_certificate_that_changes_between_attempts_is_judged_anew() {
    let authority = Authority::ours();
    let acceptors = vec![authority.good(), Authority::another().good(), authority.good()];
    let receiver = Receiver::over(acceptors, vec![close()]).await;
    let way = authority.way(receiver.address.port());
    assert_eq!(way.send(&message(1)).await.heard.answer, Answer::Status(200));
    assert_distrusted(&way.send(&message(1)).await, "UnknownIssuer");
    assert_eq!(way.send(&message(1)).await.heard.answer, Answer::Status(200));
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told() {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let hello = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 smtp.example ESMTP\r\n");
            let _ = hello.await;
        }
    });
    let report = Authority::ours().way(port).send(&message(1)).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::TlsFailed), "{}", words(&report));
}

#[tokio::test]
async fn a_handshake_that_hangs_is_left_at_the_connect_time_out() {
    let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let _open = listener.accept().await;
        time::pause();
        std::future::pending::<()>().await;
    });
    let begun = time::Instant::now();
    let report = Authority::ours().way(port).send(&message(1)).await;
    assert_distrusted(&report, "in time");
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[test]
fn authorities_are_certificates_in_pem() {
    for text in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"] {
        assert_eq!(Trust::system_and(text).err(), Some(TrustError::Pem), "{text}");
    }
    let wrong = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(Trust::system_and(wrong).err(), Some(TrustError::Certificate));
}
