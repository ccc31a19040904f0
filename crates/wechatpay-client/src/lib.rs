//! An async client of WeChat Pay's API.
