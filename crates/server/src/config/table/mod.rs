//! The table of keys: the one place that knows which there are, what they take, mean and default to.
//!
//! Adding a key is adding a row to [`rows`] and, for a setting, the field that its row sets.

mod alerts;
mod effects;
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
pub(super) use key::{Key, Kind, Sample};
pub(super) use nearest::{is_variable, nearest_key, nearest_parameter, nearest_variable};
pub(super) use rows::KEYS;
pub(super) use section::{Section, Times};
pub(super) use value::Raw;
