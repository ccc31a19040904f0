//! `POST /v3/security/echo`: says back what was said, and tells it to a notify URL, so that keys and callbacks can be
//! tested without money.

use serde::Serialize;

use super::door::Ask;
use super::error::Error;
use super::fields::{Object, parse};
use super::reply::Reply;
use crate::books::{Content, Event, Notice, Subject};
use crate::random;
use crate::simulator::Desk;

/// Characters of a message; RSA-2048 seals 214 bytes.
const MESSAGE_CHARS_MAX: usize = 1024;

/// Characters of an RSA-2048 ciphertext in base64, with room for longer keys.
const CIPHERTEXT_CHARS_MAX: usize = 1024;

#[derive(Serialize)]
struct Echoed<'a> {
    echo_message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted_echo_message: Option<&'a str>,
}

/// The same in a notice, where the second field has another name.
#[derive(Serialize)]
struct Told<'a> {
    echo_message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypt_echo_message: Option<&'a str>,
}

pub(super) fn echo(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let body = parse(&ask.body)?;
    let body = Object::whole(&body, &["echo_message", "encrypted_echo_message", "notify_url"])?;
    let message = body.text("echo_message", "回声消息", 1..=MESSAGE_CHARS_MAX)?;
    let sealed = body.optional_text("encrypted_echo_message", "加密回声消息", CIPHERTEXT_CHARS_MAX)?;
    let encrypted = sealed.map(|sealed| sealed_anew(ask, &sealed)).transpose()?;
    let encrypted = encrypted.as_deref();
    if let Some(url) = body.optional_url("notify_url", "通知地址", 255)? {
        let told = Told { echo_message: &message, encrypt_echo_message: encrypted };
        let plaintext = serde_json::to_string(&told).expect("BUG: structs of texts always serialise");
        let notice = Notice {
            id: random::uuid(desk.rng),
            mchid: ask.caller.mchid.clone(),
            subject: Subject::Echo,
            url,
            created_at: desk.now,
            content: Content::V3 { event: Event::SECURITY_ECHO, plaintext },
        };
        desk.books.notices.push(notice, desk.now);
    }
    Ok(Reply::json(&Echoed { echo_message: &message, encrypted_echo_message: encrypted }))
}

/// What was sealed for WeChat, sealed for the merchant.
fn sealed_anew(ask: &Ask, sealed: &str) -> Result<String, Error> {
    let wrong = || Error::NotDecrypted { pointer: "/encrypted_echo_message".to_owned() };
    let serial = ask.serial.as_deref().ok_or(Error::SerialMissing)?;
    let platform = ask.ring.platform_of(serial).ok_or(Error::SerialUnknown)?;
    let opened = platform.decrypt(sealed).ok_or_else(wrong)?;
    ask.caller.own.encrypt(&opened).ok_or_else(wrong)
}
