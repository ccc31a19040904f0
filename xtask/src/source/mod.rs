//! The tree that `tidy` judges: its files, and for Rust files which bytes are code, comment or string.

mod file;
mod scan;
mod tree;

pub(crate) use file::SourceFile;
pub(crate) use scan::matching_brace;
pub(crate) use tree::{Tree, VERIFICATION};
