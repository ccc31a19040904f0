//! Sections that stand as often as needed, each read as a whole.

mod alerts;
mod effects;
mod endpoints;
mod merchant;

pub(super) use alerts::is_channel_name;
