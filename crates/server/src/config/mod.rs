//! Configuration: one TOML file, overridden by environment variables, secrets by file or environment only.
//!
//! One declarative table (`table::KEYS`) drives everything: what is parsed, which keys and variables are
//! unknown and which known one is nearest, the effective configuration with the origin of every value, the
//! starter file and the reference in `docs/configuration.md`.
//!
//! Invariants: a [`Config`] that exists is valid, its key files were read; all errors are reported at once,
//! each with its key, its place and what is expected; no secret is ever shown, not even in an error.
//! Deliberately absent: reading the process environment (the binary passes an [`Environment`] in) and a clock
//! (whether a certificate has expired is not a question of configuration).

mod document;
mod environment;
mod error;
mod files;
mod load;
mod place;
mod secret;
mod sections;
mod settings;
mod table;
#[cfg(test)]
mod tests;
mod written;

pub use crate::alerts::{AlertKind, ChannelSettings, Language, Robot, RobotSecret};
pub use environment::Environment;
pub use error::{ConfigError, ConfigErrors, Problem, Warning};
pub use files::{Look, Seen};
pub use load::Loaded;
pub use place::Place;
pub use settings::{
    Api, ApiKey, CacheSettings, Config, DeliverySettings, EffectSettings, EndpointSettings, Log, LogFormat,
    Merchant, PolicySettings, RetentionSettings, SecretUrl, ServerSettings, SigningPair, StoreSettings,
    StoreUrl, WechatSettings,
};
pub use written::{Effective, InitError, reference, starter, write_starter};
