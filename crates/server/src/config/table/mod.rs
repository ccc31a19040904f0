//! The table of keys: the one place that knows which there are, what they take, mean and default to.
//!
//! Adding a key is adding a row to [`rows`] and, for a setting, the field that its row sets.

mod alerts;
mod effects;
mod endpoints;
mod key;
mod nearest;
pub(super) mod rows;
mod section;
mod url;
mod value;

pub(super) use alerts::{
    ALERT_GROUP, ALERT_KIND, ALERT_LANGUAGE, ALERT_NAME, ALERT_ONLY, ALERT_RATE, ALERT_SECRET,
    ALERT_SECRET_FILE, ALERT_URL, ALERT_URL_FILE,
};
pub(super) use effects::{EFFECT_NAME, EFFECT_ON, EFFECT_ROWS, EFFECT_SQL};
pub(super) use endpoints::{
    ENDPOINT_CONCURRENCY, ENDPOINT_CONNECT_MAX, ENDPOINT_FAILING_MAX, ENDPOINT_HEADERS,
    ENDPOINT_HEADERS_FILE, ENDPOINT_KINDS, ENDPOINT_LOGIN, ENDPOINT_LOGIN_FILE, ENDPOINT_NAME,
    ENDPOINT_ORDERED, ENDPOINT_RATE, ENDPOINT_SCHEDULE, ENDPOINT_SECRET, ENDPOINT_SECRET_FILE,
    ENDPOINT_START, ENDPOINT_TOTAL_MAX, ENDPOINT_URL,
};
pub(super) use key::{Key, Kind, Sample};
pub(super) use nearest::{is_variable, nearest_key, nearest_parameter, nearest_variable};
pub(super) use rows::KEYS;
pub(super) use section::{Section, Times};
pub(super) use value::Raw;
