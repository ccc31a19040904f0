//! A bill's file is nothing until its hash fits.

use std::io::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use wechatpay::api::Statement;
use wechatpay_client::{Client, ClientError, DownloadError, Hosts, KeyRing, Transport, Unknown};

use crate::wechat::{MCHID, Reply, Still, Wechat, client, client_of, patience, public_key};

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

/// A server that takes the question and says nothing, nothing more, or never ends saying no, does not hold a download.
#[tokio::test(start_paused = true)]
async fn a_download_does_not_wait_for_ever() {
    let stalled =
        |head: &str| Reply::Stalled(format!("HTTP/1.1 {head}\r\nContent-Length: 9\r\n\r\nx").into());
    for reply in [Reply::Silence, stalled("200 OK"), stalled("500 x")] {
        let wechat = Wechat::plays([reply.clone(), reply]).await;
        let error = download(&client(&wechat), "00").await.unwrap_err();
        let expected = matches!(error, DownloadError::Call(ClientError::Unknown(Unknown::TimedOut { .. })));
        assert!(expected, "{error}");
    }
}

#[tokio::test]
async fn a_refusal_without_end_is_given_up() {
    let wechat = Wechat::plays([Reply::Endless(500)]).await;
    let error = download(&client(&wechat), "00").await.unwrap_err();
    let expected = matches!(error, DownloadError::Call(ClientError::Unknown(Unknown::Oversized { .. })));
    assert!(expected, "{error}");
}

/// What broke off comes from the backup host, and so does the next file.
#[tokio::test]
async fn the_backup_host_takes_over_downloads() {
    let broken = || Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun".to_vec());
    let primary = Wechat::plays([broken()]).await;
    let backup = Wechat::plays([file(BILL.as_bytes()), file(BILL.as_bytes())]).await;
    let hosts = Hosts::all_at(&primary.base).unwrap().with_backup(&backup.base).unwrap();
    let transport = Transport::with(hosts, patience(), Arc::new(Still)).unwrap();
    let client = client_of(MCHID, transport, KeyRing::new([public_key()]));
    for _ in 0..2 {
        assert_eq!(download(&client, &hash(BILL.as_bytes())).await.unwrap(), BILL.as_bytes());
    }
    assert_eq!((primary.asked().len(), backup.asked().len()), (1, 2));
}

/// A simulator's statement names the simulator. Other hosts are still none of WeChat Pay's.
#[tokio::test]
async fn a_statement_of_a_configured_host_is_good() {
    let wechat = Wechat::plays([file(BILL.as_bytes())]).await;
    let at = |download_url: String| Statement { download_url, ..statement(&hash(BILL.as_bytes())) };
    let mut sink = Vec::new();
    let path = "/v3/billdownload/file?token=a%2Bb&tartype=gzip";
    client(&wechat).download(&at(format!("{}{path}", wechat.base)), &mut sink).await.unwrap();
    assert_eq!(sink, BILL.as_bytes());
    assert!(wechat.asked()[0].head.starts_with(&format!("GET {path} HTTP/1.1")), "as it was written");
    for elsewhere in [
        format!("{}1{path}", wechat.base),
        format!("{}@evil.example{path}", wechat.base),
        format!("http://127.0.0.1{path}"),
        format!("{}/v3/a b", wechat.base),
    ] {
        let error = client(&wechat).download(&at(elsewhere.clone()), &mut sink).await.unwrap_err();
        assert!(matches!(error, DownloadError::Url(_)), "{elsewhere}: {error}");
    }
    assert_eq!(wechat.asked().len(), 1);
}
