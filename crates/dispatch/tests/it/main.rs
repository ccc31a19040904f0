//! The dispatcher, by what endpoints see of it.

mod dispatcher;
mod post_office;
