//! A bill's file: streamed, its hash checked over the uncompressed bytes.
//!
//! Invariant: the file is whole and true only once this returns `Ok`; what was written before is to be thrown away
//! else. Deliberately absent: reading it ([`wechatpay::bill`]).

use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use flate2::write::GzDecoder;
use reqwest::Response;
use tokio::time::timeout;
use wechatpay::api::{InvalidField, Statement};

use crate::client::refused;
use crate::error::Unknown;
use crate::transport::Incoming;
use crate::{Client, ClientError};

/// The first bytes of a gzip file (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// How often a file is fetched: what does not fit its hash is fetched once more (WeChat Pay's advice), then it is loud.
const ATTEMPTS_MAX: u32 = 2;

/// Where a file goes.
pub trait FileSink: Send {
    /// An attempt begins: what was written so far does not count.
    ///
    /// # Errors
    /// Where it cannot be.
    fn restart(&mut self) -> io::Result<()>;

    /// The next bytes, as WeChat Pay sends them (compressed, if asked for so).
    ///
    /// # Errors
    /// Where they cannot be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl FileSink for Vec<u8> {
    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Why there is no file. What was written is worth nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The statement's URL is not WeChat Pay's.
    #[error("the statement's download_url is none of WeChat Pay's: {0}")]
    Url(#[from] InvalidField),
    /// The statement's hash is of a kind that is not known.
    #[error("the statement has a hash of type {hash_type:?}; only SHA1 is known")]
    HashType {
        /// As sent.
        hash_type: String,
    },
    /// It could not be fetched. A URL is good for 5 minutes: ask for the statement again.
    #[error("{0}")]
    Call(#[from] ClientError),
    /// It is not the file that the statement was about, twice.
    #[error("the file has the SHA-1 {found}, the statement says {stated}: ask for the statement again")]
    Hash {
        /// Of what came, in hex.
        found: String,
        /// In the statement.
        stated: String,
    },
    /// It is not whole gzip.
    #[error("the file does not unzip: {0}")]
    Gzip(#[source] io::Error),
    /// It could not be written.
    #[error("the file cannot be written: {0}")]
    Sink(#[source] io::Error),
}

impl Client {
    /// Downloads the file of a statement, which must have been asked for by this merchant, into `sink`.
    ///
    /// # Errors
    /// [`DownloadError`].
    pub async fn download(
        &self,
        statement: &Statement,
        sink: &mut dyn FileSink,
    ) -> Result<(), DownloadError> {
        if !statement.hash_type.eq_ignore_ascii_case("SHA1") {
            return Err(DownloadError::HashType { hash_type: statement.hash_type.clone() });
        }
        let call = statement.file()?;
        let prepared = self.prepare(&call)?;
        let mut attempt = 1;
        loop {
            sink.restart().map_err(DownloadError::Sink)?;
            let transport = self.transport();
            let opened = transport.open(transport.host(), &self.sign(&prepared, attempt > 1)).await;
            let error = match opened {
                Ok(response) => match self.copy(response, statement, sink).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                Err(error) => error.into(),
            };
            let again = matches!(
                error,
                DownloadError::Hash { .. }
                    | DownloadError::Gzip(_)
                    | DownloadError::Call(ClientError::Unknown(_) | ClientError::NotSent { .. })
            );
            if !again || attempt == ATTEMPTS_MAX {
                return Err(error);
            }
            attempt += 1;
        }
    }

    async fn copy(
        &self,
        mut response: Response,
        statement: &Statement,
        sink: &mut dyn FileSink,
    ) -> Result<(), DownloadError> {
        let status = response.status().as_u16();
        let silence = self.transport().patience().file_silence;
        let headers = response.headers().clone();
        let mut hash = Hash::new();
        let mut refusal = bytes::BytesMut::new();
        loop {
            let chunk = timeout(silence, response.chunk()).await;
            let chunk = match chunk {
                Ok(chunk) => chunk.map_err(|error| Unknown::Silence(error.without_url())),
                Err(_) => Err(Unknown::TimedOut { after: silence }),
            };
            let Some(chunk) = chunk.map_err(ClientError::from)? else { break };
            if status == 200 {
                hash.push(&chunk)?;
                sink.write(&chunk).map_err(DownloadError::Sink)?;
            } else if refusal.len() < REFUSAL_BYTES_MAX {
                refusal.extend_from_slice(&chunk);
            }
        }
        if status != 200 {
            let incoming = Incoming { status, headers, body: refusal.freeze() };
            return Err(refused(&incoming, wechatpay::api::Operation::Bill).into());
        }
        let found = hash.finish()?;
        if found.eq_ignore_ascii_case(&statement.hash_value) {
            Ok(())
        } else {
            Err(DownloadError::Hash { found, stated: statement.hash_value.clone() })
        }
    }
}

/// Of an error's body, more would say nothing.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// SHA-1 of the uncompressed bytes, whether they come compressed or not.
enum Hash {
    /// Fewer bytes than would tell.
    Beginning(Vec<u8>),
    Plain(Sha1),
    Gzip(Box<GzDecoder<Sha1>>),
}

struct Sha1(Context);

impl Write for Sha1 {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Hash {
    fn new() -> Self {
        Self::Beginning(Vec::new())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        match self {
            Self::Beginning(begun) => {
                begun.extend_from_slice(bytes);
                if begun.len() < GZIP.len() {
                    return Ok(());
                }
                let (begun, sha1) = (std::mem::take(begun), Sha1(Context::new(&SHA1_FOR_LEGACY_USE_ONLY)));
                *self = if begun.starts_with(GZIP) {
                    Self::Gzip(Box::new(GzDecoder::new(sha1)))
                } else {
                    Self::Plain(sha1)
                };
                self.push(&begun)
            }
            Self::Plain(sha1) => {
                sha1.0.update(bytes);
                Ok(())
            }
            Self::Gzip(gzip) => gzip.write_all(bytes).map_err(DownloadError::Gzip),
        }
    }

    fn finish(self) -> Result<String, DownloadError> {
        let sha1 = match self {
            Self::Beginning(begun) => {
                let mut sha1 = Sha1(Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
                sha1.0.update(&begun);
                sha1
            }
            Self::Plain(sha1) => sha1,
            Self::Gzip(gzip) => gzip.finish().map_err(DownloadError::Gzip)?,
        };
        Ok(sha1.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
