//! The rows of `[[endpoints]]`.

use std::ops::RangeInclusive;

use super::{Key, Kind, Sample, Section};
use crate::delivery::limits::{
    CONCURRENCY, CONNECT_MAX_MS, FAILING_MAX_SECONDS, RATE_PER_SECOND, TOTAL_MAX_MS,
};

const fn number(range: &RangeInclusive<u32>) -> Kind {
    Kind::Number { min: *range.start(), max: *range.end() }
}

/// `endpoints.name`
pub(in crate::config) static ENDPOINT_NAME: Key = Key {
    section: Section::Endpoints,
    name: "name",
    kind: Kind::EndpointName,
    sample: Sample::Example("shop"),
    doc: "How it is called: each name once. One that the API defined is taken over. Names that differ in - and _ alone are\n\
          the same here.",
};

/// `endpoints.url`
pub(in crate::config) static ENDPOINT_URL: Key = Key {
    section: Section::Endpoints,
    name: "url",
    kind: Kind::EndpointUrl,
    sample: Sample::Example("https://shop.example.com/payonce"),
    doc: "Where it is: https://, http:// where delivery.unencrypted allows it, or a broker (docs/delivery.md).",
};

/// `endpoints.kinds`
pub(in crate::config) static ENDPOINT_KINDS: Key = Key {
    section: Section::Endpoints,
    name: "kinds",
    kind: Kind::MessageKinds,
    sample: Sample::Default("*"),
    doc: "Which messages it gets. * stands for all, payment.* for those that begin so.",
};

/// `endpoints.ordered`
pub(in crate::config) static ENDPOINT_ORDERED: Key = Key {
    section: Section::Endpoints,
    name: "ordered",
    kind: Kind::Truth,
    sample: Sample::Default("false"),
    doc: "true: an order's messages come one at a time, in their sequence.",
};

/// `endpoints.secret_file`
pub(in crate::config) static ENDPOINT_SECRET_FILE: Key = Key {
    section: Section::Endpoints,
    name: "secret_file",
    kind: Kind::File,
    sample: Sample::Example("shop.secret"),
    doc: "The file of its signing keys, one a line: whsec_… (HMAC) or whsk_… (ed25519), the newest first. Each of them signs\n\
          every call, so a key is changed by a new one in front of the old one, until the receiver has it. Brokers need\n\
          none. Only payonce should be able to read it.",
};

/// `endpoints.secret`
pub(in crate::config) static ENDPOINT_SECRET: Key = Key {
    section: Section::Endpoints,
    name: "secret",
    kind: Kind::Secret { file: &ENDPOINT_SECRET_FILE, holds: "signing keys, one a line" },
    sample: Sample::Example("[REDACTED]"),
    doc: "Those keys.",
};

/// `endpoints.headers_file`
pub(in crate::config) static ENDPOINT_HEADERS_FILE: Key = Key {
    section: Section::Endpoints,
    name: "headers_file",
    kind: Kind::File,
    sample: Sample::Example("shop.headers"),
    doc: "The file of headers that are sent with every call, one a line, as in Authorization: Bearer ….",
};

/// `endpoints.headers`
pub(in crate::config) static ENDPOINT_HEADERS: Key = Key {
    section: Section::Endpoints,
    name: "headers",
    kind: Kind::Secret { file: &ENDPOINT_HEADERS_FILE, holds: "headers, one a line" },
    sample: Sample::Example("[REDACTED]"),
    doc: "Those headers.",
};

/// `endpoints.login_file`
pub(in crate::config) static ENDPOINT_LOGIN_FILE: Key = Key {
    section: Section::Endpoints,
    name: "login_file",
    kind: Kind::File,
    sample: Sample::Example("broker.login"),
    doc: "For a broker: the file of the user, on its first line, and the password, on its second. The user may be empty.",
};

/// `endpoints.login`
pub(in crate::config) static ENDPOINT_LOGIN: Key = Key {
    section: Section::Endpoints,
    name: "login",
    kind: Kind::Secret { file: &ENDPOINT_LOGIN_FILE, holds: "a user and a password, on a line each" },
    sample: Sample::Example("[REDACTED]"),
    doc: "That login.",
};

/// `endpoints.concurrency`
pub(in crate::config) static ENDPOINT_CONCURRENCY: Key = Key {
    section: Section::Endpoints,
    name: "concurrency",
    kind: number(&CONCURRENCY),
    sample: Sample::Default("16"),
    doc: "Calls at the same time, of each node.",
};

/// `endpoints.rate_per_second`
pub(in crate::config) static ENDPOINT_RATE: Key = Key {
    section: Section::Endpoints,
    name: "rate_per_second",
    kind: number(&RATE_PER_SECOND),
    sample: Sample::Example("50"),
    doc: "Calls that begin in a second, of each node; left out: as many as it takes.",
};

/// `endpoints.connect_max_ms`
pub(in crate::config) static ENDPOINT_CONNECT_MAX: Key = Key {
    section: Section::Endpoints,
    name: "connect_max_ms",
    kind: number(&CONNECT_MAX_MS),
    sample: Sample::Default("5000"),
    doc: "Milliseconds until the connection stands.",
};

/// `endpoints.total_max_ms`
pub(in crate::config) static ENDPOINT_TOTAL_MAX: Key = Key {
    section: Section::Endpoints,
    name: "total_max_ms",
    kind: number(&TOTAL_MAX_MS),
    sample: Sample::Default("15000"),
    doc: "Milliseconds of the whole call.",
};

/// `endpoints.schedule_seconds`
pub(in crate::config) static ENDPOINT_SCHEDULE: Key = Key {
    section: Section::Endpoints,
    name: "schedule_seconds",
    kind: Kind::Pauses,
    sample: Sample::Default("5 30 120 600 1800 3600 7200 10800 14400 21600 28800"),
    doc: "The pauses between attempts, in seconds; up to a fifth of each is added at random.",
};

/// `endpoints.failing_max_seconds`
pub(in crate::config) static ENDPOINT_FAILING_MAX: Key = Key {
    section: Section::Endpoints,
    name: "failing_max_seconds",
    kind: number(&FAILING_MAX_SECONDS),
    sample: Sample::Default("432000"),
    doc: "After so many seconds without one success it is disabled, and its messages are held.",
};

/// `endpoints.start`
pub(in crate::config) static ENDPOINT_START: Key = Key {
    section: Section::Endpoints,
    name: "start",
    kind: Kind::Start,
    sample: Sample::Default("now"),
    doc: "Of a new endpoint: \"now\", or the position after which its messages begin (0: all that there are).",
};
