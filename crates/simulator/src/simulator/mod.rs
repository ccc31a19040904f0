//! The whole service on one port: WeChat's API, and the sender of notices behind it.
//!
//! ```no_run
//! use payonce_simulator::books::OrderKey;
//! use payonce_simulator::{Setup, Simulator};
//!
//! # async fn f(wall: payonce_simulator::Clock) -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(Setup::new(wall)).await?;
//! let base_url = simulator.base_url(); // the code under test talks to this
//! // … and places order A1. Then somebody pays it, and the code under test is told.
//! let mchid = simulator.mchids()[0].clone();
//! simulator.pay(&OrderKey::new(&mchid, "A1"), None)?;
//! simulator.quiet().await;
//! simulator.stop().await;
//! # Ok(())
//! # }
//! ```

mod begin;
mod folder;
mod handle;
mod keeper;
mod known;
mod lanes;
mod limits;
mod operate;
mod sender;
mod setup;
mod shared;
mod state;
mod tls;

pub use folder::{Folder, FolderError, write_files};
pub use handle::Simulator;
pub use known::Known;
pub(crate) use limits::Limited;
pub use setup::{Enrolment, Setup, StartError};
pub(crate) use shared::{Desk, Shared};
pub use state::StateError;
pub(crate) use tls::Peer;
