//! The rows of `[[alerts]]`.

use super::{Key, Kind, Sample, Section};

/// `alerts.name`
pub(in crate::config) static ALERT_NAME: Key = Key {
    section: Section::Alerts,
    name: "name",
    kind: Kind::EffectName,
    sample: Sample::Example("ops"),
    doc: "How it is called in logs and metrics: each name once.",
};

/// `alerts.kind`
pub(in crate::config) static ALERT_KIND: Key = Key {
    section: Section::Alerts,
    name: "kind",
    kind: Kind::Word(&["wecom", "dingtalk", "feishu", "webhook"]),
    sample: Sample::Example("dingtalk"),
    doc: "Whose robot it is, or webhook: anything that takes JSON.",
};

/// `alerts.url_file`
pub(in crate::config) static ALERT_URL_FILE: Key = Key {
    section: Section::Alerts,
    name: "url_file",
    kind: Kind::File,
    sample: Sample::Example("ops.url"),
    doc: "The file of its URL, which holds the robot's key: whoever knows it can write to the group. Only payonce should\n\
          be able to read it.",
};

/// `alerts.url`
pub(in crate::config) static ALERT_URL: Key = Key {
    section: Section::Alerts,
    name: "url",
    kind: Kind::Secret { file: &ALERT_URL_FILE, holds: "the URL of a robot or webhook, https://…" },
    sample: Sample::Example("[REDACTED]"),
    doc: "That URL, as the robot's settings show it.",
};

/// `alerts.secret_file`
pub(in crate::config) static ALERT_SECRET_FILE: Key = Key {
    section: Section::Alerts,
    name: "secret_file",
    kind: Kind::File,
    sample: Sample::Example("ops.secret"),
    doc: "The file of the secret that signs, if DingTalk's or Feishu's robot asks for signatures (加签), or the webhook's\n\
          receiver verifies them (Standard Webhooks).",
};

/// `alerts.secret`
pub(in crate::config) static ALERT_SECRET: Key = Key {
    section: Section::Alerts,
    name: "secret",
    kind: Kind::Secret {
        file: &ALERT_SECRET_FILE,
        holds: "a robot's secret, or whsec_… or whsk_… for a webhook",
    },
    sample: Sample::Example("[REDACTED]"),
    doc: "That secret.",
};

/// `alerts.language`
pub(in crate::config) static ALERT_LANGUAGE: Key = Key {
    section: Section::Alerts,
    name: "language",
    kind: Kind::Word(&["zh", "en"]),
    sample: Sample::Default("zh"),
    doc: "In which language it is written to.",
};

/// `alerts.only`
pub(in crate::config) static ALERT_ONLY: Key = Key {
    section: Section::Alerts,
    name: "only",
    kind: Kind::AlertKinds,
    sample: Sample::Example("incident exhausted endpoint_disabled"),
    doc: "Which alerts it gets; all of them if it is left out.",
};

/// `alerts.per_minute`
pub(in crate::config) static ALERT_RATE: Key = Key {
    section: Section::Alerts,
    name: "per_minute",
    kind: Kind::Number { min: 1, max: 600 },
    sample: Sample::Default("18"),
    doc: "Notices a minute at the most, of each node. WeCom's and DingTalk's robots take 20, Feishu's 100.",
};

/// `alerts.group_seconds`
pub(in crate::config) static ALERT_GROUP: Key = Key {
    section: Section::Alerts,
    name: "group_seconds",
    kind: Kind::Number { min: 1, max: 86_400 },
    sample: Sample::Default("60"),
    doc: "The first alert of a kind about one thing goes out at once; those that follow within so many seconds become\n\
          one notice.",
};
