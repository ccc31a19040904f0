//! What all pages have in common: head, language switch, style, script, and the headers that keep a browser safe.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use wechatpay::UnixSeconds;

use super::lang::{Asked, COOKIE, Lang};
use crate::calendar;

/// Nothing runs, loads or frames that is not ours.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Shows what has changed, part by part, unless somebody is filling in a form or has a button down. What it compares is
/// what the simulator sent, so that what a person opened on the page stays open.
pub(super) const SCRIPT: &str = r#""use strict";
const html = (live) => [...live.children].map((part) => part.outerHTML);
let sent = html(document.getElementById("live"));
setInterval(async () => {
  const live = document.getElementById("live");
  const at = document.activeElement;
  if (document.hidden || (live.contains(at) && at.matches("input, select"))) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh || live.matches(":active")) return;
  const [parts, was] = [html(fresh), sent];
  sent = parts;
  if (parts.length !== was.length) {
    live.replaceWith(fresh);
    return;
  }
  const [shown, next] = [[...live.children], [...fresh.children]];
  parts.forEach((part, place) => {
    if (part !== was[place]) shown[place].replaceWith(next[place]);
  });
}, 1000);
"#;

pub(super) const STYLE: &str = "\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 72rem; padding: 0 1rem 3rem; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } h1 a { color: inherit; text-decoration: none; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; overflow-wrap: anywhere; }
form { display: inline-flex; flex-wrap: wrap; align-items: center; gap: .4rem; margin: .1rem; }
button, input, select { font: inherit; padding: .15rem .7rem; }
button.pay { background: #07c160; color: #fff; border: 0; border-radius: .25rem; }
.good { color: #07a050; } .bad { color: #c33; } .dim { opacity: .7; }
code { font-size: .9em; }
";

/// A whole page. `place` is its own path, for the language switch.
pub(super) fn page(
    asked: &Asked,
    place: &str,
    title: &str,
    status: StatusCode,
    content: &Markup,
) -> Response {
    let lang = asked.lang;
    let (other, other_name) = match lang {
        Lang::Chinese => ("en", "English"),
        Lang::English => ("zh", "中文"),
    };
    let markup = html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/cashier/style.css";
                script src="/cashier/live.js" defer {}
            }
            body {
                header {
                    h1 { a href="/" { (lang.say("微信支付模拟器", "WeChat Pay simulator")) } }
                    nav {
                        noscript { a href=(place) { (lang.say("刷新", "Reload")) } " · " }
                        a id="lang" href={ (place) "?lang=" (other) } { (other_name) }
                    }
                }
                main id="live" { (content) }
            }
        }
    };
    let mut response = (
        status,
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        markup.into_string(),
    )
        .into_response();
    if asked.is_chosen {
        let cookie = match lang {
            Lang::Chinese => const_cookie("zh"),
            Lang::English => const_cookie("en"),
        };
        if let Ok(cookie) = cookie.parse() {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn const_cookie(tag: &str) -> String {
    format!("{COOKIE}={tag}; Path=/; SameSite=Lax; Max-Age=31536000")
}

/// Why nothing was done.
pub(super) fn problem(asked: &Asked, status: StatusCode, why: &str) -> Response {
    let title = asked.lang.say("未执行", "Nothing was done");
    let content = html! {
        h2 { (title) }
        p #problem .bad { (why) }
        p { a href="/" { (asked.lang.say("返回", "Back")) } }
    };
    page(asked, "/", title, status, &content)
}

/// Yuan with two digits.
pub(super) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}¥{}.{:02}", fen / 100, fen % 100)
}

/// A time as people read it.
pub(super) fn time(at: UnixSeconds) -> String {
    calendar::rfc3339(at).replace('T', " ").replace("+08:00", "")
}

/// A part of a path.
pub(super) fn encoded(part: &str) -> String {
    let mut path = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path += &format!("%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (fen, text) in [(0, "¥0.00"), (1, "¥0.01"), (100, "¥1.00"), (123_456, "¥1234.56"), (-5, "-¥0.05")]
        {
            assert_eq!(yuan(fen), text);
        }
    }

    #[test]
    fn what_does_not_fit_a_path_is_encoded() {
        assert_eq!(encoded("A-b_1|*桌"), "A-b_1%7C%2A%E6%A1%8C");
    }
}
