//! How single fields are read, and how a type is shown without those that name a person.

use serde::{Deserialize, Deserializer};

/// The currency that an absent or empty `currency` means: domestic payments know no other.
const CURRENCY_DEFAULT: &str = "CNY";

pub(super) fn currency_default() -> String {
    CURRENCY_DEFAULT.to_owned()
}

/// For `#[serde(default = "currency_default", deserialize_with = "currency")]`.
pub(super) fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_else(currency_default))
}

/// For `#[serde(default, deserialize_with = "text")]`: absent, `null` and `""` are one.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

/// `Debug` with these fields alone, so that a field is hidden unless someone decides to show it.
macro_rules! debug_shows {
    ($name:ident $(<$lifetime:lifetime>)?: $($field:ident),*) => {
        impl std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use debug_shows;
