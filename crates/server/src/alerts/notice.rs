//! A notice: what goes out to a channel, in the words of its language.
//!
//! Pure. Each says what happened, where, how often, and what to do. Invariant: what comes from elsewhere (reasons, names) is
//! cut and holds no line breaks, so that it cannot look like payonce's own words.

use payonce_core::{UnixMillis, message::rfc3339};

use super::{
    alert::{Alert, AlertKind},
    words::{self, Language},
};

/// How much is shown of a text that comes from elsewhere, in characters.
const FOREIGN_CHARS_MAX: usize = 200;

/// Alerts of one kind and subject, as they go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The same at every attempt.
    pub id: String,
    /// When it was put together.
    pub at: UnixMillis,
    /// Which node says it.
    pub node: String,
    /// The first few; at least one.
    pub shown: Vec<Alert>,
    /// How many there are.
    pub count: u64,
}

impl Notice {
    pub(crate) fn first(&self) -> &Alert {
        &self.shown[0]
    }

    pub(crate) fn kind(&self) -> AlertKind {
        self.first().kind()
    }

    pub(crate) fn title(&self, language: Language) -> String {
        words::title(self.first(), language)
    }

    /// The whole text, in at most so many bytes: the lines of single alerts go first where it would be longer.
    pub(crate) fn text(&self, language: Language, bytes_max: usize) -> String {
        let mut shown = self.shown.len();
        loop {
            let text = self.text_with(language, shown);
            if text.len() <= bytes_max {
                return text;
            }
            if shown == 0 {
                return text[..text.floor_char_boundary(bytes_max)].to_owned();
            }
            shown -= 1;
        }
    }

    fn text_with(&self, language: Language, shown: usize) -> String {
        let mut lines = vec![format!("[payonce] {}", self.title(language))];
        if self.count > 1 {
            lines.push(words::count(self.count, language));
        }
        lines.extend(self.items(language).into_iter().take(shown).map(|item| format!("- {item}")));
        let others = self.count - shown as u64;
        if others > 0 && self.count > 1 {
            lines.push(format!("- {}", words::others(others, language)));
        }
        lines.push(words::remedy(self.first(), language));
        lines.push(words::from(&self.node, &rfc3339(self.at), language));
        lines.join("\n")
    }

    /// One line for each alert that is shown.
    pub(crate) fn items(&self, language: Language) -> Vec<String> {
        self.shown.iter().map(|alert| words::item(alert, language)).filter(|item| !item.is_empty()).collect()
    }
}

/// A text from elsewhere, in one line and not too long.
pub(crate) fn foreign(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(FOREIGN_CHARS_MAX).collect();
    if text.chars().nth(FOREIGN_CHARS_MAX).is_some() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use payonce_core::{
        delivery::{Answer, EndpointName, Fault},
        message::MessageId,
    };

    use super::*;

    fn notice(shown: Vec<Alert>, count: u64) -> Notice {
        let (id, node) = ("alert:7".to_owned(), "node-a".to_owned());
        Notice { id, at: UnixMillis(1_772_414_107_000), node, shown, count }
    }

    fn exhausted(number: u32, answer: Answer) -> Alert {
        let endpoint = EndpointName::parse("shop").unwrap();
        Alert::Exhausted { endpoint, message: MessageId(format!("order:1900000001:ORDER{number}:1")), answer }
    }

    #[test]
    fn a_notice_says_what_happened_how_often_and_what_to_do() {
        let shown = vec![exhausted(1, Answer::Status(500)), exhausted(2, Answer::Fault(Fault::TimedOut))];
        let notice = notice(shown, 12);
        insta::assert_snapshot!(notice.text(Language::English, 2000), @r#"
        [payonce] endpoint shop: messages did not arrive, and no further attempt is made
        12 alerts
        - order:1900000001:ORDER1:1 (answered 500)
        - order:1900000001:ORDER2:1 (no answer: timed_out)
        - and 10 more
        What to do: mend the receiver, then POST /v1/endpoints/shop/replay {"exhausted": {"kinds": ["*"]}} (docs/delivery.md)
        node node-a, 2026-03-02T01:15:07.000Z
        "#);
        insta::assert_snapshot!(notice.text(Language::Chinese, 2000), @r#"
        [payonce] 端点 shop：消息多次重试仍未送达，已停止重试
        共 12 条告警
        - order:1900000001:ORDER1:1（应答 500）
        - order:1900000001:ORDER2:1（无应答：timed_out）
        - 另有 10 条
        处理：修复接收方后执行 POST /v1/endpoints/shop/replay {"exhausted": {"kinds": ["*"]}}（见 docs/delivery.md）
        节点 node-a，2026-03-02T01:15:07.000Z
        "#);
    }

    #[test]
    fn a_notice_fits_however_little_room_there_is() {
        let shown: Vec<_> = (1..=5).map(|number| exhausted(number, Answer::Status(500))).collect();
        let notice = notice(shown, 5);
        let whole = notice.text(Language::Chinese, usize::MAX);
        for room in 0..whole.len() {
            let text = notice.text(Language::Chinese, room);
            assert!(text.len() <= room && whole.starts_with(text.lines().next().unwrap_or_default()));
        }
        assert!(notice.text(Language::Chinese, whole.len() - 1).contains("另有 1 条"));
    }

    #[test]
    fn what_comes_from_elsewhere_stays_in_its_line() {
        let endpoint = EndpointName::parse("shop").unwrap();
        let why = format!("a\n[payonce] all is well\r{}", "长".repeat(500));
        let text = notice(vec![Alert::EndpointUnusable { endpoint, why }], 1).text(Language::English, 4000);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.ends_with("长…")), "{text}");
    }
}
