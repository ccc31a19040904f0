//! Whom a connection is encrypted for.

use std::{fmt, sync::Arc};

use payonce_core::delivery::Fault;
use rustls_platform_verifier::Verifier;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
#[cfg(feature = "nats")]
use tokio_rustls::rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified},
    pki_types::UnixTime,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig,
        client::{Resumption, danger::ServerCertVerifier},
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use crate::failure::Failure;

/// Whose certificates are believed: the authorities that this machine trusts, and some of the merchant's own.
#[derive(Clone)]
pub struct Trust {
    /// Without any authority nothing is encrypted, and nothing is called that asks for it.
    verifier: Result<Arc<Verifier>, rustls::Error>,
}

/// Why a text holds no authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No certificate in PEM is there, or a broken one.
    #[error("the authorities are not certificates in PEM (-----BEGIN CERTIFICATE-----)")]
    Pem,
    /// A certificate that is none.
    #[error("one of the authorities is no certificate that can be trusted")]
    Certificate,
}

impl Trust {
    /// The authorities that this machine trusts.
    #[must_use]
    pub fn system() -> Self {
        Self { verifier: Verifier::new(Arc::new(default_provider())).map(Arc::new) }
    }

    /// The authorities that this machine trusts, and these, certificates in PEM.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn system_and(pem: &str) -> Result<Self, TrustError> {
        let own: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let own = own.ok().filter(|own| !own.is_empty()).ok_or(TrustError::Pem)?;
        let verifier = Verifier::new_with_extra_roots(own, Arc::new(default_provider()));
        match verifier {
            Ok(verifier) => Ok(Self { verifier: Ok(Arc::new(verifier)) }),
            Err(_) => Err(TrustError::Certificate),
        }
    }

    /// How to encrypt for a host. `protocol`, if there is one, is what is to be spoken then.
    pub(crate) fn encryption(&self, host: &str, protocol: Option<&[u8]>) -> Result<Encryption, Failure> {
        let name = server_name(host)?;
        let mut config = configuration(Arc::<Verifier>::clone(self.verifier()?))?;
        config.alpn_protocols = protocol.into_iter().map(<[u8]>::to_vec).collect();
        Ok(Encryption { connector: Arc::new(config).into(), name })
    }

    /// The same for a client that connects by itself, to an address of the host: the host's name is verified.
    #[cfg(feature = "nats")]
    pub(crate) fn configuration_for(&self, host: &str) -> Result<ClientConfig, Failure> {
        let verifier = Arc::<Verifier>::clone(self.verifier()?);
        configuration(Arc::new(ByName { verifier, name: server_name(host)? }))
    }

    fn verifier(&self) -> Result<&Arc<Verifier>, Failure> {
        self.verifier.as_ref().map_err(|error| {
            let words =
                format!("this machine trusts no authority ({error}); install the package ca-certificates");
            Failure::new(Fault::TlsFailed, words)
        })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Failure> {
    ServerName::try_from(host.to_owned()).map_err(|error| Failure::of(Fault::TlsFailed, &error))
}

fn configuration(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Failure> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::of(Fault::TlsFailed, &error))?;
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    // A session that is resumed is one whose certificate is not looked at.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Verifies one name, whatever address is connected to.
#[cfg(feature = "nats")]
#[derive(Debug)]
struct ByName {
    verifier: Arc<Verifier>,
    name: ServerName<'static>,
}

#[cfg(feature = "nats")]
impl ServerCertVerifier for ByName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier.verify_server_cert(certificate, intermediates, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

/// Encrypts connections to one host.
#[derive(Clone)]
pub(crate) struct Encryption {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Encryption {
    /// Encrypts a connection before `until`.
    pub(crate) async fn encrypt(
        &self,
        stream: TcpStream,
        until: Instant,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        match timeout_at(until, self.connector.connect(self.name.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(Failure::of(Fault::TlsFailed, &error)),
            Err(_) => Err(Failure::new(Fault::TlsFailed, "no encrypted connection came about in time")),
        }
    }
}
