//! A trade bill of APIv2: the answer is the file itself, streamed, or XML that says why there is none.
//!
//! Invariants: the first bytes tell which of the two it is, before anything is written; a compressed file is whole. Nothing
//! proves such a file but TLS, and nothing tells a plain one that was cut between two lines: its summary row does
//! ([`wechatpay::bill`]). Deliberately absent: reading it.

use bytes::BytesMut;
use wechatpay::api::Operation;
use wechatpay::v2::{AnswerError, DownloadBill, is_bill_failure, read_bill_failure};

use super::V2Client;
use crate::attempts::Attempts;
use crate::client::refused;
use crate::download::Hash;
use crate::transport::Opened;
use crate::{ClientError, DownloadError, FileSink};

/// Bytes that tell a file from XML, blanks before it and all; what has not told by then is neither.
const TELLING_BYTES_MAX: usize = 64;

impl V2Client {
    /// Downloads the trade bill of a day into `sink`. It may take as long as it goes on: no piece of it is waited for
    /// longer than [`crate::Patience::file_silence`]. What breaks off is fetched once more.
    ///
    /// ```no_run
    /// # async fn f(client: wechatpay_client::V2Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay::v2::{BillReason, BillType, DownloadBill};
    /// use wechatpay_client::DownloadError;
    ///
    /// let bill = DownloadBill { bill_date: "20260302".to_owned(), bill_type: BillType::All, gzip: true };
    /// let mut file = Vec::new(); // or a sink of one's own, for large ones
    /// match client.download(&bill, &mut file).await {
    ///     Ok(()) => println!("{} bytes", file.len()),
    ///     Err(DownloadError::NoBill(failure)) if failure.reason == BillReason::NoBill => println!("an empty day"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DownloadError`]. A day without payments is [`DownloadError::NoBill`] with
    /// [`wechatpay::v2::BillReason::NoBill`]: take it as an empty bill.
    pub async fn download(&self, bill: &DownloadBill, sink: &mut dyn FileSink) -> Result<(), DownloadError> {
        let mut attempts = Attempts::of_file(&self.plain);
        loop {
            sink.restart().map_err(DownloadError::Sink)?;
            match self.fetch(bill, &attempts, sink).await {
                Ok(()) => return Ok(()),
                Err(DownloadError::Call(error)) => attempts.after(error).await?,
                Err(DownloadError::Gzip(_)) if attempts.after_damage() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn fetch(
        &self,
        bill: &DownloadBill,
        attempts: &Attempts<'_>,
        sink: &mut dyn FileSink,
    ) -> Result<(), DownloadError> {
        self.limits.turn(Operation::Bill, attempts.deadline()).await.map_err(ClientError::from)?;
        let outgoing = self.sign(bill, attempts.is_repetition()).map_err(ClientError::from)?;
        let mut file = self.plain.open(attempts.host(), &outgoing).await?;
        if file.status() != 200 {
            return Err(refused(&file.whole().await?, Operation::Bill).into());
        }
        if !is_file(&mut file).await? {
            let failure = read_bill_failure(&file.whole().await?.body);
            return Err(failure.map_err(|error| ClientError::from(AnswerError::Xml(error)))?.into());
        }
        // Its value is stated nowhere, but on the way to it the file is unzipped.
        let mut hash = Hash::new();
        while let Some(piece) = file.piece().await? {
            hash.push(&piece).map_err(DownloadError::Gzip)?;
            sink.write(&piece).map_err(DownloadError::Sink)?;
        }
        hash.finish().map(drop).map_err(DownloadError::Gzip)
    }
}

/// Whether an answer is a bill's file, by its first bytes, which are put back.
async fn is_file(file: &mut Opened) -> Result<bool, ClientError> {
    let mut first = BytesMut::new();
    let is_failure = loop {
        if let Some(is_failure) = is_bill_failure(&first) {
            break is_failure;
        }
        match file.piece().await? {
            Some(piece) if first.len() < TELLING_BYTES_MAX => first.extend_from_slice(&piece),
            _ => break true,
        }
    };
    file.put_back(first.freeze());
    Ok(!is_failure)
}
