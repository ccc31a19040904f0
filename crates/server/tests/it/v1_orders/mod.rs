//! `POST /v1/orders` and `GET /v1/orders/{out_trade_no}`.

mod register;
mod show;
