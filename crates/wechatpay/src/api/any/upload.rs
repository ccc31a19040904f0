//! A file for WeChat Pay, such as the picture of a licence: `multipart/form-data`, of which only the part `meta` is signed.
//!
//! Invariant: the file is in the signature by its SHA-256, which `meta` has. The boundary is made of that hash, so that the
//! same file gives the same bytes, and the file cannot hold it. Deliberately absent: how large a file may be, and of what
//! kind, which differs by endpoint.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use super::super::field::{InvalidField, Rule};
use super::super::wire;

/// The longest name of a file, in characters: no endpoint takes more.
const FILENAME_CHARS_MAX: usize = 128;

/// A file to be uploaded.
#[derive(Clone, Copy)]
pub struct UploadFile<'a> {
    /// Its name; many endpoints want one that ends in `.jpg`, `.bmp` or `.png`.
    pub filename: &'a str,
    /// Its kind, such as `image/jpeg`.
    pub content_type: &'a str,
    /// The file.
    pub bytes: &'a [u8],
}

/// What an upload is on the wire.
#[derive(Clone)]
pub(super) struct Multipart {
    pub content_type: String,
    pub body: Vec<u8>,
    pub meta: Vec<u8>,
}

#[derive(Serialize)]
struct Meta<'a> {
    filename: &'a str,
    sha256: &'a str,
}

impl Multipart {
    pub(super) fn new(file: &UploadFile<'_>) -> Result<Self, InvalidField> {
        let UploadFile { filename, content_type, bytes } = *file;
        check_filename(filename)?;
        check_content_type(content_type)?;
        let digest = digest(&SHA256, bytes);
        let sha256: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = wire::json(&Meta { filename, sha256: &sha256 });
        let boundary = &sha256;
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\n\
             Content-Type: application/json\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(&meta);
        let file_head = format!(
            "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
             Content-Type: {content_type}\r\n\r\n"
        );
        body.extend_from_slice(file_head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Ok(Self { content_type: format!("multipart/form-data; boundary={boundary}"), body, meta })
    }
}

/// Within quotes in a header of the body.
fn check_filename(filename: &str) -> Result<(), InvalidField> {
    let chars = filename.chars().count();
    if !(1..=FILENAME_CHARS_MAX).contains(&chars) {
        return Err(InvalidField::new("filename", Rule::Length { chars, min: 1, max: FILENAME_CHARS_MAX }));
    }
    if filename.chars().any(|char| char.is_control() || "\"\\/".contains(char)) {
        let allowed = "those of a plain file name (no quotes, slashes, control characters)";
        return Err(InvalidField::new("filename", Rule::Characters { allowed }));
    }
    Ok(())
}

fn check_content_type(content_type: &str) -> Result<(), InvalidField> {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    match content_type.split_once('/') {
        Some((kind, subkind)) if is_token(kind) && is_token(subkind) => Ok(()),
        _ => {
            let allowed = "those of a media type such as image/jpeg";
            Err(InvalidField::new("content_type", Rule::Characters { allowed }))
        }
    }
}
