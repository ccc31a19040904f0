//! A bill of APIv2 is a file or XML, and it is streamed.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use wechatpay::v2::{BillReason, BillType, DownloadBill};
use wechatpay_client::{ClientError, DownloadError, FileSink, Unknown};

use crate::v2::client;
use crate::wechat::{Reply, Wechat};

const HEAD: &str = "\u{feff}交易时间,公众账号ID,商户号\r\n";

fn bill() -> DownloadBill {
    DownloadBill { bill_date: "20260302".to_owned(), bill_type: BillType::All, gzip: true }
}

/// An answer in pieces of this size, as a chunked body.
fn in_pieces(bytes: &[u8], size: usize) -> Reply {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
    for piece in bytes.chunks(size) {
        answer.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend_from_slice(piece);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    Reply::Raw(answer)
}

fn zipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("a test's own data are good");
    encoder.finish().expect("a test's own data are good")
}

async fn download(wechat: &Wechat) -> Result<Vec<u8>, DownloadError> {
    let mut sink = Vec::new();
    client(wechat).download(&bill(), &mut sink).await?;
    Ok(sink)
}

/// Beyond what an ordinary answer may have, and never held whole: the largest piece is a small part of it.
#[tokio::test]
async fn a_large_bill_is_streamed() {
    #[derive(Default)]
    struct Pieces {
        bytes: usize,
        largest: usize,
    }
    impl FileSink for Pieces {
        fn restart(&mut self) -> io::Result<()> {
            *self = Self::default();
            Ok(())
        }
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.bytes += bytes.len();
            self.largest = self.largest.max(bytes.len());
            Ok(())
        }
    }
    let file = HEAD.repeat(100_000);
    let wechat = Wechat::plays([in_pieces(file.as_bytes(), 0x4000)]).await;
    let mut pieces = Pieces::default();
    client(&wechat).download(&bill(), &mut pieces).await.unwrap();
    assert_eq!(pieces.bytes, file.len());
    assert!(pieces.bytes > 4 * 1024 * 1024 && pieces.largest < 1024 * 1024, "{}", pieces.largest);
}

/// However the bytes come, plain or compressed, the first of them tell.
#[tokio::test]
async fn files_come_as_they_are() {
    for bytes in [HEAD.as_bytes().to_vec(), zipped(HEAD), format!("\r\n{HEAD}").into_bytes()] {
        for size in [1, 2, 4096] {
            let wechat = Wechat::plays([in_pieces(&bytes, size)]).await;
            assert_eq!(download(&wechat).await.unwrap(), bytes);
            assert!(wechat.asked()[0].head.starts_with("POST /pay/downloadbill HTTP/1.1"));
            assert!(wechat.asked()[0].body.contains("<tar_type><![CDATA[GZIP]]></tar_type>"));
        }
    }
}

#[tokio::test]
async fn why_there_is_no_bill_is_told() {
    let failure = |text: &str| {
        format!("<xml><return_code>FAIL</return_code><return_msg>{text}</return_msg></xml>").into_bytes()
    };
    for (text, reason) in [
        ("No Bill Exist", BillReason::NoBill),
        ("Bill Creating", BillReason::NotReady),
        ("sign error", BillReason::Sign),
    ] {
        let wechat = Wechat::plays([in_pieces(&failure(text), 3)]).await;
        let error = download(&wechat).await.unwrap_err();
        let DownloadError::NoBill(failure) = error else { panic!("{error}") };
        assert_eq!((failure.reason, wechat.asked().len()), (reason, 1));
    }
}

/// Neither a proxy's page nor nothing is a bill, and a compressed one is whole. What is damaged is fetched once more.
#[tokio::test]
async fn what_is_no_bill_is_refused() {
    let whole = zipped(&HEAD.repeat(100));
    let cut = &whole[..whole.len() - 9];
    let wechat = Wechat::plays([in_pieces(cut, 4096), in_pieces(&whole, 4096)]).await;
    assert_eq!(download(&wechat).await.unwrap(), whole);
    let wechat = Wechat::plays([in_pieces(cut, 4096), in_pieces(cut, 4096)]).await;
    let error = download(&wechat).await.unwrap_err();
    assert!(matches!(error, DownloadError::Gzip(_)), "{error}");
    for bytes in ["<html>login</html>", "", "\n\n"] {
        let wechat = Wechat::plays([in_pieces(bytes.as_bytes(), 4096)]).await;
        let error = download(&wechat).await.unwrap_err();
        assert!(matches!(error, DownloadError::Call(ClientError::Unknown(Unknown::V2(_)))), "{error}");
    }
    let busy = || Reply::Plain(503, "Service Unavailable".to_owned());
    let wechat = Wechat::plays([busy(), busy()]).await;
    let error = download(&wechat).await.unwrap_err();
    assert!(matches!(error, DownloadError::Call(ClientError::Unknown(Unknown::Undecided(_)))), "{error}");
    assert_eq!(wechat.asked().len(), 2);
}
