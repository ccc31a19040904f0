//! A bill's file is nothing until its hash fits.

use std::io::Write as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use wechatpay::api::Statement;
use wechatpay_client::{Client, DownloadError};

use crate::wechat::{Reply, Wechat, client};

const BILL: &str = "交易时间,公众账号ID\r\n`2026-03-02 09:15:07,`wx1\r\n";

fn statement(hash_value: &str) -> Statement {
    Statement {
        hash_type: "SHA1".to_owned(),
        hash_value: hash_value.to_owned(),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc&tartype=gzip".to_owned(),
    }
}

fn hash(bytes: &[u8]) -> String {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

fn file(bytes: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
    Reply::Raw([head.as_bytes(), bytes].concat())
}

fn zipped() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(BILL.as_bytes()).expect("a test's own data are good");
    encoder.finish().expect("a test's own data are good")
}

async fn download(client: &Client, hash: &str) -> Result<Vec<u8>, DownloadError> {
    let mut sink = Vec::new();
    client.download(&statement(hash), &mut sink).await?;
    Ok(sink)
}

#[tokio::test]
async fn the_hash_is_of_the_uncompressed_bytes() {
    for bytes in [BILL.as_bytes().to_vec(), zipped(), Vec::new(), b"x".to_vec()] {
        let plain = if bytes.starts_with(&[0x1f, 0x8b]) { BILL.as_bytes() } else { &bytes };
        let wechat = Wechat::plays([file(&bytes)]).await;
        assert_eq!(download(&client(&wechat), &hash(plain)).await.unwrap(), bytes);
        assert!(
            wechat.asked()[0].head.starts_with("GET /v3/billdownload/file?token=abc&tartype=gzip HTTP/1.1")
        );
        assert!(wechat.asked()[0].header("authorization").is_some());
    }
}

/// The hash that nobody checked.
#[tokio::test]
async fn a_file_that_does_not_fit_is_fetched_once_more_and_then_refused() {
    let wechat = Wechat::plays([file(b"other"), file(BILL.as_bytes())]).await;
    assert_eq!(download(&client(&wechat), &hash(BILL.as_bytes())).await.unwrap(), BILL.as_bytes());
    let wechat = Wechat::plays([file(b"other"), file(b"other"), file(BILL.as_bytes())]).await;
    let error = download(&client(&wechat), &hash(BILL.as_bytes())).await.unwrap_err();
    assert!(matches!(error, DownloadError::Hash { .. }), "{error}");
    assert_eq!(wechat.asked().len(), 2);
}

#[tokio::test]
async fn cut_files_and_refusals_are_told() {
    let cut = &zipped()[..20];
    let wechat = Wechat::plays([file(cut), file(cut)]).await;
    let error = download(&client(&wechat), &hash(BILL.as_bytes())).await.unwrap_err();
    assert!(matches!(error, DownloadError::Gzip(_)), "{error}");
    let wechat = Wechat::plays([Reply::error(403, "NO_AUTH")]).await;
    let error = download(&client(&wechat), "00").await.unwrap_err();
    assert!(error.to_string().contains("NO_AUTH"), "{error}");
    let elsewhere = Statement { download_url: "https://evil.example/x".to_owned(), ..statement("00") };
    let error = client(&wechat).download(&elsewhere, &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, DownloadError::Url(_)), "{error}");
}
