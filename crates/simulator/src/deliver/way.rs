//! The way to a receiver that a notify URL names: its addresses, and TLS where the URL asks for it.
//!
//! Invariants: a certificate is checked as WeChat checks it, up to a root of this machine or one that was named; the
//! first address that takes a connection is the receiver, IPv4 and IPv6 alike. Deliberately absent: HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Target;

/// Either kind of connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Whose certificates are believed.
pub(crate) struct Trust(TlsConnector);

/// How to get to a receiver.
pub(crate) struct Way {
    pub(crate) target: Target,
    addrs: Vec<SocketAddr>,
    /// The name that its certificate must have.
    tls: Option<ServerName<'static>>,
}

/// What is no certificate in PEM.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoCertificate(String);

impl Trust {
    /// The roots of this machine, and further ones in PEM.
    pub(crate) fn machine_and(further: &[&str]) -> Result<Self, NoCertificate> {
        let mut roots = RootCertStore::empty();
        // A root that cannot be read is one that nobody is believed for; the machine may have none at all.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for pem in further {
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| NoCertificate(error.to_string()))?;
            }
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| NoCertificate(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

/// The certificates in a PEM file; one at least.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, NoCertificate> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err(NoCertificate("it has no CERTIFICATE block".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(NoCertificate(error.to_string())),
    }
}

impl Way {
    /// Finds the receiver of a URL; a detour is taken in its stead, without TLS.
    pub(crate) async fn to(url: &str, detour: Option<SocketAddr>) -> Result<Self, String> {
        let malformed = || format!("{url} is no URL with http:// or https:// and a host");
        let uri: Uri = url.parse().map_err(|_| malformed())?;
        let (host, authority) = uri.host().zip(uri.authority()).ok_or_else(malformed)?;
        let host = host.trim_matches(['[', ']']);
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let (addrs, tls) = match detour {
            Some(addr) => (vec![addr], None),
            None if is_https => {
                let name = ServerName::try_from(host.to_owned()).map_err(|_| malformed())?;
                (resolve(host, uri.port_u16().unwrap_or(443)).await?, Some(name))
            }
            None => (resolve(host, uri.port_u16().unwrap_or(80)).await?, None),
        };
        let first = *addrs.first().ok_or_else(|| format!("{host} does not resolve: it has no address"))?;
        let target = Target::new(first, uri.path()).map_err(|error| error.to_string())?.named(authority);
        Ok(Self { target, addrs, tls })
    }

    /// Whether it goes over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Opens a connection; `trust` is asked for over TLS only.
    pub(crate) async fn open(&self, trust: Option<&Trust>) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(&self.addrs[..]).await?;
        stream.set_nodelay(true)?;
        match (&self.tls, trust) {
            (Some(name), Some(Trust(connector))) => {
                let stream = connector.connect(name.clone(), stream).await.map_err(untrusted)?;
                Ok(Box::new(stream))
            }
            _ => Ok(Box::new(stream)),
        }
    }
}

/// Most of what goes wrong in a handshake on a developer's machine is the certificate.
fn untrusted(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("TLS: {error}; name your own root with --trust"))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    match lookup_host((host, port)).await {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(format!("{host} does not resolve: {error}")),
    }
}
