//! Bills: WeChat Pay's files of a day's trades and movements of money, read as they come in.
//!
//! A file is asked for and downloaded by [`crate::api::TradeBill`], [`crate::api::FundFlowBill`] and
//! [`crate::api::DownloadFile`] (APIv2: [`crate::v2::DownloadBill`]), and its hash checked by whoever downloads it. Then
//! [`Bill`] turns its bytes, compressed or not, into rows:
//!
//! | kind | rows | its summary is held against |
//! |---|---|---|
//! | [`Trade`] | [`TradeRow`]: payments, refunds, reversals | the number of rows, the sums of amounts and fees |
//! | [`FundFlow`] | [`FundFlowRow`]: incomes and expenses | the numbers and sums of both |
//! | [`Any`] | [`Row`]: cells by heading, for bills of profit sharing and whatever comes | the number of rows, if it has one |
//!
//! ```
//! use wechatpay::bill::{Bill, Entry, Trade};
//!
//! # let file = include_bytes!("../../tests/vectors/bill.csv");
//! let mut paid = Vec::new();
//! let mut refunded = Vec::new();
//! let mut bill = Bill::<Trade>::new();
//! for piece in file.chunks(1000) {
//!     // As an HTTP body or a file gives them; a piece may end anywhere.
//!     bill.push(piece);
//!     while let Some(row) = bill.next_row()? {
//!         match row.entry {
//!             Entry::Payment => paid.push((row.out_trade_no.to_owned(), row.total)),
//!             Entry::Refund(refund) => refunded.push((refund.out_refund_no.to_owned(), refund.total)),
//!             _ => {}
//!         }
//!     }
//! }
//! let summary = bill.finish()?; // from here on the rows count: none is missing, and the sums fit
//!
//! assert_eq!(paid[0].1.get(), 5990); // fen
//! assert_eq!(refunded, [("REFUND20260302A".to_owned(), wechatpay::Fen::new(2000)?)]);
//! assert_eq!((summary.rows, summary.fee.map(|fee| fee.to_string())), (4, Some("0.95000".to_owned())));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Bills are in yuan where APIs are in fen: amounts are turned into [`crate::Fen`] exactly, or refused; a [`Fee`] has
//! 1/100000 yuan. Times are Beijing's. Compare [`TradeRow::total`] with an order's amount, never the settlement's.
//! `NO_STATEMENT_EXIST` instead of a file is a day without trades.
//!
//! Invariants: columns are found by heading, never by place, and what has no field here stays reachable by it; nothing is
//! rounded; memory is bounded, whatever the file. Deliberately absent: I/O, hashes, encryption (of sub-merchants' bills),
//! and what is to be done about a difference between bill and books.

mod amount;
mod any;
mod error;
mod fund_flow;
mod gunzip;
mod headings;
mod kind;
mod reader;
mod row;
mod source;
mod summary;
mod trade;
mod trade_row;

pub use amount::{AmountError, Balance, Fee, fen_from_yuan};
pub use any::Any;
pub use error::BillError;
pub use fund_flow::{Direction, FundFlow, FundFlowRow, FundFlowSummary};
pub use headings::Headings;
pub use kind::Kind;
pub use reader::Bill;
pub use row::Row;
pub use summary::{Difference, Mismatch, Summary};
pub use trade::{Trade, TradeSummary};
pub use trade_row::{Entry, Refund, RefundStatus, Reversal, TradeRow};
