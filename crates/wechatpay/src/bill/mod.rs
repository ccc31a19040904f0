//! Trade and fund-flow bills, read as they stream in.
