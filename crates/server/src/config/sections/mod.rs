//! Sections that stand as often as needed, each read as a whole.

mod effects;
mod endpoints;
mod merchant;
