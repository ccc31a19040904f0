//! A bill's file: streamed, its hash checked over the uncompressed bytes.
//!
//! Invariant: the file is whole and true only once this returns `Ok`; what was written before is to be thrown away
//! else. Deliberately absent: reading it ([`wechatpay::bill`]).

mod hash;

use std::io;

use wechatpay::api::{AnyCall, Call as _, InvalidField, Operation, Statement};
use wechatpay::v2::BillFailure;

pub(crate) use self::hash::Hash;
use crate::attempts::Attempts;
use crate::client::{Prepared, refused};
use crate::{Client, ClientError};

/// Where a file goes. Writing is done between two pieces from the network, so that a sink that is slow slows the download.
///
/// ```
/// use std::fs::File;
/// use std::io::{self, Seek as _, Write as _};
/// use wechatpay_client::FileSink;
///
/// struct Saved(File);
///
/// impl FileSink for Saved {
///     fn restart(&mut self) -> io::Result<()> {
///         self.0.set_len(0)?;
///         self.0.rewind()
///     }
///
///     fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
///         self.0.write_all(bytes)
///     }
/// }
/// ```
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
    /// The statement's URL is neither WeChat Pay's nor one of the configured hosts'.
    #[error("the statement's download_url is none of WeChat Pay's: {0}")]
    Url(#[from] InvalidField),
    /// The statement's hash is of a kind that is not known.
    #[error("the statement has a hash of type {hash_type:?}; only SHA1 is known")]
    HashType {
        /// As sent.
        hash_type: String,
    },
    /// APIv2: WeChat Pay has no bill, or none yet.
    #[error(transparent)]
    NoBill(#[from] BillFailure),
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
    /// Downloads the file of a statement, which must have been asked for by this merchant, into `sink`. It may take as long
    /// as it goes on: no piece of it is waited for longer than [`crate::Patience::file_silence`].
    ///
    /// The statement's URL must be WeChat Pay's or one of [`crate::Hosts`], such as a simulator's. The file is asked for at
    /// these hosts in either case, which are one API; what comes is proven by its hash.
    ///
    /// ```no_run
    /// # async fn f(client: wechatpay_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay::api::TradeBill;
    ///
    /// let statement = client.send(&TradeBill::new("2026-03-02")?.gzip()).await?;
    /// let mut file = Vec::new(); // or a sink of one's own, for large ones
    /// client.download(&statement, &mut file).await?; // within 5 minutes
    /// # Ok(())
    /// # }
    /// ```
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
        let prepared = self.prepare(&self.file_of(statement)?)?;
        let mut attempts = Attempts::of_file(self.transport());
        loop {
            sink.restart().map_err(DownloadError::Sink)?;
            match self.fetch(&prepared, statement, &attempts, sink).await {
                Ok(()) => return Ok(()),
                Err(DownloadError::Call(error)) => attempts.after(error).await?,
                Err(DownloadError::Hash { .. } | DownloadError::Gzip(_)) if attempts.after_damage() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The call for a statement's file. Its answer is never signed.
    fn file_of(&self, statement: &Statement) -> Result<AnyCall, InvalidField> {
        let url = &statement.download_url;
        let call = match self.transport().hosts().path_and_query_of(url) {
            Some(path_and_query) => AnyCall::new("GET", &path_and_query)?,
            None => AnyCall::new("GET", &statement.file()?.path_and_query())?,
        };
        Ok(call.as_operation(Operation::Bill))
    }

    async fn fetch(
        &self,
        prepared: &Prepared,
        statement: &Statement,
        attempts: &Attempts<'_>,
        sink: &mut dyn FileSink,
    ) -> Result<(), DownloadError> {
        self.limits().turn(Operation::Bill, attempts.deadline()).await.map_err(ClientError::from)?;
        let outgoing = self.sign(prepared, attempts.is_repetition()).map_err(ClientError::from)?;
        let mut file = self.transport().open(attempts.host(), &outgoing).await?;
        if file.status() != 200 {
            return Err(refused(&file.whole().await?, Operation::Bill).into());
        }
        let mut hash = Hash::new();
        while let Some(piece) = file.piece().await? {
            hash.push(&piece).map_err(DownloadError::Gzip)?;
            sink.write(&piece).map_err(DownloadError::Sink)?;
        }
        let found = hash.finish().map_err(DownloadError::Gzip)?;
        if found.eq_ignore_ascii_case(&statement.hash_value) {
            Ok(())
        } else {
            Err(DownloadError::Hash { found, stated: statement.hash_value.clone() })
        }
    }
}
